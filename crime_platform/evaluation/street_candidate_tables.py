"""The published tables of one street candidate, built from arrays: labels, quantiles, Parquet.

Nothing here chooses or judges; `street_candidate` does.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.evaluation.street_plan import StreetPlan
from crime_platform.evaluation.street_runs import StreetRun, read_latest
from crime_platform.geography.street_graph import SEGMENT
from crime_platform.models.count_distribution import probability_any, quantiles
from crime_platform.schema.cell_tables import BY_NAME
from crime_platform.tensors.street_counts import SegmentCounts

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STREET_QUANTILES = {"p025": 0.025, "p05": 0.05, "p95": 0.95, "p975": 0.975}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetEvidence:
    """Everything one street candidate is made from, besides the runs."""

    study_area: str
    title: str
    counts: SegmentCounts  # days after `as_of` are not read
    plan: StreetPlan
    incumbent: str | None = None  # champion published for the newest day before `as_of`

    @property
    def known(self) -> SegmentCounts:
        """The counts up to `as_of`."""
        return self.counts.through(self.plan.as_of)


def write_street_table(
    table: "pa.Table", folder: Path, name: str, evidence: StreetEvidence
) -> None:
    """Store one table with the area and, where the table has it, the as-of day in front."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [column.name for column in BY_NAME[name].columns]
    as_of = evidence.plan.as_of.item()
    for label, value in (("study_area", evidence.study_area), ("as_of_day", as_of)):
        if label in wanted:
            column = pa.repeat(pa.scalar(value), table.num_rows)
            table = table.append_column(label, column)
    ours = [column for column in wanted if column in table.column_names]
    pq.write_table(table.select(ours), folder / f"{name}.parquet", compression="zstd")


def write_street_frame(
    table: "pd.DataFrame", folder: Path, name: str, evidence: StreetEvidence
) -> None:
    """Store one table that was made with pandas; NaN becomes NULL."""
    import pyarrow as pa

    write_street_table(pa.Table.from_pandas(table, preserve_index=False), folder, name, evidence)


def segments(known: SegmentCounts) -> "pd.DataFrame":
    """Every node of the graph with its place, length and outline."""
    import pandas as pd

    graph = known.graph
    lon, lat = graph.centroids()
    return pd.DataFrame(
        {
            "segment_id": graph.node_id,
            "kind": graph.kind,
            "lon": lon,
            "lat": lat,
            "length_m": graph.length_m if graph.kind == SEGMENT else np.nan,
            "is_ever_active": known.history.counts.any(axis=(0, 1)),
            "geometry_wkb": graph.geometries_wkb(),
        }
    )


def segment_days(known: SegmentCounts) -> "pd.DataFrame":
    """Recorded counts above zero."""
    import pandas as pd

    step, kind, node = np.nonzero(known.history.counts)
    return pd.DataFrame(
        {
            "day": known.days[step].astype("datetime64[s]"),
            "segment_id": np.array(known.graph.node_id, dtype=object)[node],
            "offence_group": np.array(known.offence_groups, dtype=object)[kind],
            "count": known.history.counts[step, kind, node].astype(np.int32),
        }
    )


def forecast_rows(
    run: StreetRun, known: SegmentCounts, data_version: str, *, is_champion: bool
) -> "pa.Table":
    """Rows of `segment_forecast` of one model, all leads."""
    import pyarrow as pa

    forecast, graph, names = read_latest(run), known.graph, known.offence_groups
    expected, alpha = forecast.expected_count, forecast.dispersion
    shape, n = expected.shape, expected.size
    lead, kind, node = (axis.ravel().astype(np.int32) for axis in np.indices(shape))
    per_extent = expected / graph.extent
    is_segment = graph.kind == SEGMENT
    columns = {
        "target_day": pa.array(forecast.targets[lead]),
        "lead": pa.array((lead + 1).astype(np.int8)),
        "segment_id": pa.DictionaryArray.from_arrays(node, list(graph.node_id)),
        "offence_group": pa.DictionaryArray.from_arrays(kind, list(names)),
        "model": pa.repeat(run.model, n).dictionary_encode(),
        "is_champion": pa.repeat(is_champion, n),
        "expected_count": pa.array(expected.ravel().astype(np.float32)),
        "expected_per_km": pa.array(per_extent.ravel().astype(np.float32))
        if is_segment
        else pa.nulls(n, pa.float32()),
        "probability_any": pa.array(probability_any(expected, alpha).ravel().astype(np.float32)),
        "risk_rank": pa.array(risk_ranks(per_extent).ravel()),
        "model_version": pa.repeat(str(run.fits[-1]["key"]), n).dictionary_encode(),
        "data_version": pa.repeat(data_version, n).dictionary_encode(),
    }
    levels = quantiles(expected.ravel(), alpha.ravel(), list(STREET_QUANTILES.values()))
    columns |= {
        name: pa.array(values.astype(np.int16))
        for name, values in zip(STREET_QUANTILES, levels, strict=True)
    }
    return pa.table(columns)


def risk_ranks(per_extent: Float[np.ndarray, "lead type node"]) -> np.ndarray:
    """Rank of each node on its day and in its group, 1 the riskiest; ties share the best rank.

    Risks that agree to seven digits are a tie, as in `daily_hits`.
    """
    from scipy.stats import rankdata

    return rankdata(-per_extent.astype(np.float32), method="min", axis=2).astype(np.int32)


def version_row(run: StreetRun) -> dict[str, object]:
    """Row of `street_model_version`: the fit that forecasts tomorrow, or why there is none."""
    newest = run.fits[-1] if run.fits else {}
    config = run.description["config"] if run.is_network else {"settings": newest.get("settings")}
    return {
        "model": run.model,
        "model_version": newest.get("key"),
        "fit_day": _as_day(newest.get("through")),
        "config": json.dumps(config, sort_keys=True),
        "sha256": newest.get("sha256"),
        "parameters": newest.get("n_parameters"),
        "n_fits": len(run.fits),
        "fit_seconds": newest.get("seconds"),
        "evidence_seconds": run.description["seconds"],
        "git_commit": run.description["git_commit"],
        "skipped": run.skipped,
    }


def curve_rows(run: StreetRun) -> list[dict[str, object]]:
    """Rows of `street_training_curve`; none of a baseline."""
    rows: list[dict[str, object]] = []
    for fit in run.fits:
        label = {"model": run.model, "role": fit["role"], "fit_day": _as_day(fit["through"])}
        epochs: list[dict[str, object]] = fit["curves"]  # pyright: ignore[reportAssignmentType]
        rows += [label | epoch for epoch in epochs]
    return rows


def _as_day(text: object) -> object:
    return None if text is None else np.datetime64(str(text), "D").item()

"""The published tables of one candidate, built from arrays: labels, quantiles, Parquet files.

Nothing here chooses or judges; `candidate` does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.ensemble import ChampionDecision
from crime_platform.evaluation.runs import FUSION, ModelRun
from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.evaluation.scores import Truth
from crime_platform.geography.grid import Grid
from crime_platform.models.count_distribution import probability_any, quantiles
from crime_platform.schema.cell_tables import BY_NAME
from crime_platform.tensors.grid_counts import GridCounts
from crime_platform.vocabulary.forecast import RollingForecasts

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

QUANTILES = {
    "p025": 0.025,
    "p05": 0.05,
    "p10": 0.10,
    "p50": 0.50,
    "p90": 0.90,
    "p95": 0.95,
    "p975": 0.975,
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Everything one candidate is made from."""

    study_area: str
    title: str
    tensor: GridCounts  # cut off at `as_of`
    grid: Grid
    plan: BacktestPlan
    month_count: "pd.DataFrame"  # as published
    month_revision: "pd.DataFrame"  # as published
    last_month_note: str
    incumbent: str | None = None  # champion published for the newest month before `as_of`

    @property
    def truth(self) -> Truth:
        """What was recorded up to `as_of`, for scoring."""
        return Truth(
            history=self.tensor.history,
            offence_types=self.tensor.offence_types,
            ever_active=self.tensor.ever_active(),
            area_km2=np.full((self.grid.n_rows, self.grid.n_cols), self.grid.area_km2),
        )


def write_table(table: "pa.Table", folder: Path, name: str, evidence: Evidence) -> None:
    """Store one table with the area and, where the table has it, the as-of month in front."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wanted = [column.name for column in BY_NAME[name].columns]
    as_of = evidence.plan.as_of.astype("datetime64[D]").item()
    for label, value in (("study_area", evidence.study_area), ("as_of_month", as_of)):
        if label in wanted and label not in table.column_names:
            column = pa.repeat(pa.scalar(value), table.num_rows)
            table = table.append_column(label, column)
    ours = [column for column in wanted if column in table.column_names]
    pq.write_table(table.select(ours), folder / f"{name}.parquet", compression="zstd")


def write_frame(table: "pd.DataFrame", folder: Path, name: str, evidence: Evidence) -> None:
    """Store one table that was made with pandas."""
    import pyarrow as pa

    write_table(pa.Table.from_pandas(table, preserve_index=False), folder, name, evidence)


def cells(evidence: Evidence) -> "pd.DataFrame":
    """Every grid cell with its place, area and outline."""
    import pandas as pd

    grid = evidence.grid
    row, col = grid.rows_and_cols()
    lon, lat = grid.centroids()
    return pd.DataFrame(
        {
            "cell_id": grid.cell_ids(),
            "row": row.astype(np.int16),
            "col": col.astype(np.int16),
            "lon": lon,
            "lat": lat,
            "area_km2": grid.area_km2,
            "is_ever_active": evidence.tensor.ever_active().ravel(),
            "geometry_wkb": grid.polygons_wkb(),
        }
    )


def cell_months(evidence: Evidence) -> "pd.DataFrame":
    """Recorded counts above zero."""
    import pandas as pd

    tensor = evidence.tensor
    step, kind, row, col = np.nonzero(tensor.counts)
    return pd.DataFrame(
        {
            "month": tensor.months[step].astype("datetime64[s]"),
            "cell_id": evidence.grid.cell_ids()[row * evidence.grid.n_cols + col],
            "offence_type": np.array(tensor.offence_types)[kind],
            "count": tensor.counts[step, kind, row, col].astype(np.int32),
            "is_complete": True,  # the tensor ends at the last whole month
        }
    )


def _labels(evidence: Evidence, targets: np.ndarray) -> dict[str, "pa.Array"]:
    """Columns that name each value of an array [target, type, row, col]."""
    import pyarrow as pa

    names = evidence.tensor.offence_types
    shape = (len(targets), len(names), evidence.grid.n_rows, evidence.grid.n_cols)
    target, kind = (axis.ravel() for axis in np.indices(shape, dtype=np.int32)[:2])
    cells = evidence.grid.cell_ids()
    cell = np.tile(np.arange(cells.size, dtype=np.int32), shape[0] * shape[1])
    return {
        "target_month": pa.array(targets.astype("datetime64[D]")[target]),
        "cell_id": pa.DictionaryArray.from_arrays(cell, cells.tolist()),
        "offence_type": pa.DictionaryArray.from_arrays(kind, list(names)),
    }


def published_rows(
    model: str, rolling: RollingForecasts, evidence: Evidence, version: str, is_champion: bool
) -> "pa.Table":
    """The forecast from `as_of`, all leads."""
    import pyarrow as pa

    expected, alpha = rolling.expected_count[-1], rolling.dispersion[-1]
    leads = np.arange(1, len(expected) + 1)
    levels = quantiles(expected.ravel(), alpha.ravel(), list(QUANTILES.values()))
    n = expected.size
    columns = _labels(evidence, evidence.plan.as_of + leads)
    columns |= {
        "lead": pa.array(np.repeat(leads.astype(np.int8), n // len(leads))),
        "model": pa.repeat(model, n).dictionary_encode(),
        "is_champion": pa.repeat(is_champion, n),
        "expected_count": pa.array(expected.ravel().astype(np.float32)),
        "dispersion": pa.array(alpha.ravel().astype(np.float32)),
        "probability_any": pa.array(
            probability_any(expected.ravel(), alpha.ravel()).astype(np.float32)
        ),
        "model_version": pa.repeat(version, n).dictionary_encode(),
        "data_version": pa.repeat(evidence.tensor.data_version, n).dictionary_encode(),
    }
    columns |= {
        name: pa.array(values.astype(np.int16))
        for name, values in zip(QUANTILES, levels, strict=True)
    }
    return pa.table(columns)


def backtest_rows(model: str, rolling: RollingForecasts, evidence: Evidence) -> "pa.Table":
    """Lead 1 from every scored origin."""
    import pyarrow as pa

    is_scored = np.isin(rolling.origins, evidence.plan.test_origins)
    expected = rolling.expected_count[is_scored, 0]
    origins, n = rolling.origins[is_scored], expected.size
    columns = _labels(evidence, origins + 1)
    columns |= {
        "origin_month": pa.array(
            np.repeat(origins.astype("datetime64[D]"), n // max(len(origins), 1))
        ),
        "lead": pa.array(np.ones(n, dtype=np.int8)),
        "model": pa.repeat(model, n).dictionary_encode(),
        "expected_count": pa.array(expected.ravel().astype(np.float32)),
        "dispersion": pa.array(rolling.dispersion[is_scored, 0].ravel().astype(np.float32)),
    }
    return pa.table(columns)


def champion_rows(decisions: Sequence[ChampionDecision], evidence: Evidence) -> "pd.DataFrame":
    """Every choice of the walk, the one at `as_of` last."""
    import pandas as pd

    first_scored = evidence.plan.first_test_origin
    return pd.DataFrame(
        {
            "origin_month": [d.origin.astype("datetime64[D]").item() for d in decisions],
            "champion": [d.champion for d in decisions],
            "lowest_deviance_model": [d.lowest_deviance for d in decisions],
            "mean_gap": [d.mean_gap for d in decisions],
            "standard_error": [d.standard_error for d in decisions],
            "is_switch": [d.is_switch for d in decisions],
            "is_selection": [bool(d.origin < first_scored) for d in decisions],
            "reason": [d.reason for d in decisions],
        }
    )


def fusion_rows(run: ModelRun, evidence: Evidence) -> "pa.Table":
    """Branch shares of one ST-ResNet, by cell name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(run.folder / FUSION)
    names = evidence.grid.cell_ids()
    unit = table["row"].to_numpy().astype(np.int32) * evidence.grid.n_cols + table["col"].to_numpy()
    cell = pa.DictionaryArray.from_arrays(unit.astype(np.int32), names.tolist())
    model = pa.repeat(run.model, table.num_rows).dictionary_encode()
    return table.append_column("cell_id", cell).append_column("model", model)

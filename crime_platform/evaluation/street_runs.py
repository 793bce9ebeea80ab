"""One street model's forecasts, as immutable files addressed by what made them.

Two folders each: the evidence (forecasts of validation and test days), made anew when its month or
the counts change, and the forecast from the newest day.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.evaluation.model_catalogue import config_of
from crime_platform.evaluation.street_catalogue import street_model_content
from crime_platform.evaluation.street_fits import StreetFits, known_at_anchor
from crime_platform.evaluation.street_plan import StreetPlan
from crime_platform.models.streets.daily_rates import daily_rate_floor
from crime_platform.schema.values import TEST, VALIDATION
from crime_platform.tensors.street_counts import SegmentCounts
from crime_platform.vocabulary.artifact import content_key, git_commit, write_json
from crime_platform.vocabulary.code_version import code_version
from crime_platform.vocabulary.daily_forecast import FittedStreet, StreetForecaster
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray, RollingForecasts
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.seal import is_whole, require_whole, sealed
from crime_platform.vocabulary.timesteps import IncompleteDataError

if TYPE_CHECKING:
    import pyarrow as pa

FORECAST = "forecast"
RUN = "run.json"
CHUNK_VALUES = 40_000_000  # forecasts held at once while they are made, of 8 bytes each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetRun:
    """A finished run: where its files are and what they say of themselves."""

    model: str
    folder: Path  # of the forecast from `as_of`
    evidence: Path  # of the forecasts of validation and test days
    description: dict[str, object]  # of the evidence: configuration, fits, seconds

    @property
    def skipped(self) -> str | None:
        """Why the model has no forecasts, or None when it has."""
        return self.description["skipped"]  # pyright: ignore[reportReturnType]

    @property
    def is_network(self) -> bool:
        """Whether the model has a configuration, which no baseline has."""
        return bool(self.description["config"])

    @property
    def key(self) -> str:
        return f"{self.evidence.name}/{self.folder.name}"

    @property
    def fits(self) -> list[dict[str, object]]:
        """What each fit says of itself, the one in production last."""
        return self.description["fits"]  # pyright: ignore[reportReturnType]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayForecasts:
    """Forecasts of consecutive days at one lead."""

    part: str
    lead: int
    targets: np.ndarray  # datetime64[D]
    expected_count: Float[np.ndarray, "day type node"]
    dispersion: Float[np.ndarray, "day type node"]


def run_street_model(
    forecaster: StreetForecaster, counts: SegmentCounts, plan: StreetPlan, root: Path
) -> StreetRun:
    """Forecast validation days, test days and the days after `as_of`; reuse what was made.

    A model that needs a longer history than there is is skipped, and its run says why.

    Args:
        forecaster: one model of the catalogue.
        counts: daily counts; days after `as_of` are not read.
        plan: days of this run.
        root: artifacts folder of the area.

    Raises:
        IncompleteDataError: if there are too few days to judge any model, or `as_of` is not among
            them.
    """
    plan.split(counts.days[0])  # too short a history is the area's trouble, not the model's
    fits, evidence, folder = _places(forecaster, counts, plan, root)
    if not is_whole(evidence, needs=RUN):
        with sealed(evidence) as aside:
            aside.mkdir()
            _gather_into(aside, fits, plan)
    description = json.loads((evidence / RUN).read_text(encoding="utf-8"))
    if not is_whole(folder, needs=RUN):
        with sealed(folder) as aside:
            aside.mkdir()
            if description["skipped"] is None:
                _forecast_into(aside, fits, plan, counts.through(plan.as_of).history)
            write_json(aside / RUN, {"model": forecaster.name, "evidence": evidence.name})
    return StreetRun(
        model=forecaster.name, folder=folder, evidence=evidence, description=description
    )


def read_street_run(
    forecaster: StreetForecaster, counts: SegmentCounts, plan: StreetPlan, root: Path
) -> StreetRun:
    """What `run_street_model` made of exactly this; nothing is trained here.

    Raises:
        FileNotFoundError: if it was not made.
        DamagedArtifactError: if a file of it is not as it was written.
        IncompleteDataError: if `as_of` is not among the counts.
    """
    _, evidence, folder = _places(forecaster, counts, plan, root)
    if not (folder / RUN).exists():
        raise FileNotFoundError(
            f"{forecaster.name} has not run for {plan.as_of} on the counts of today: materialise "
            "street_baselines and gldnet for this day first"
        )
    require_whole(evidence)
    require_whole(folder)
    description = json.loads((evidence / RUN).read_text(encoding="utf-8"))
    return StreetRun(
        model=forecaster.name, folder=folder, evidence=evidence, description=description
    )


def _places(
    forecaster: StreetForecaster, counts: SegmentCounts, plan: StreetPlan, root: Path
) -> tuple[StreetFits, Path, Path]:
    """The fits of a run, and the folders of its evidence and its forecast."""
    anchored = known_at_anchor(counts, plan)
    model = content_key(*street_model_content(forecaster), code_version(__name__))
    version = anchored.data_version
    evidence_key = content_key(version, *plan.evidence_content, model)
    fits = StreetFits(
        forecaster=forecaster, history=anchored.history, data_version=version, root=root
    )
    evidence = root / "street_evidence" / forecaster.name / f"{plan.anchor}-{evidence_key}"
    known = counts.through(plan.as_of)
    key = content_key(known.data_version, str(plan.as_of), evidence_key)
    return fits, evidence, root / "street_forecasts" / forecaster.name / f"{plan.as_of}-{key}"


def read_days(run: StreetRun, part: str, lead: int) -> DayForecasts:
    """Forecasts of the validation or the test days at one lead, days after the anchor left out.

    Raises:
        ValueError: if the run has no forecasts of that part at that lead.
    """
    origins, leads, expected, dispersion = _read(run.evidence / part)
    if lead not in leads:
        raise ValueError(f"{run.model} has {part} forecasts of leads {leads}, not of lead {lead}")
    anchor = np.datetime64(str(run.description["anchor"]), "D")
    happened = origins + lead <= anchor
    position = leads.index(lead)
    return DayForecasts(
        part=part,
        lead=lead,
        targets=origins[happened] + lead,
        expected_count=expected[happened, position],
        dispersion=dispersion[happened, position],
    )


def read_latest(run: StreetRun) -> ForecastArray:
    """The forecast from the newest day, leads 1 to the horizon."""
    origins, _, expected, dispersion = _read(run.folder / FORECAST)
    return ForecastArray(
        origin=origins[0],
        expected_count=expected[0].astype(np.float64),
        dispersion=dispersion[0].astype(np.float64),
    )


def _gather_into(folder: Path, fits: StreetFits, plan: StreetPlan) -> None:
    started = time.perf_counter()
    skipped = None
    try:
        split = plan.split(fits.history.steps[0])
        judged = fits.fit(VALIDATION, split, learn_from_validation=False).fitted
        _report(fits, plan)
        origins = split.validation_days - 1
        _write(folder / VALIDATION, _rolled(judged, fits.history, origins, (1,)), (1,))
        _write(folder / TEST, _test_forecasts(fits, plan), plan.leads)
        _in_production(fits, plan)
        _report(fits, plan)
    except IncompleteDataError as too_short:
        skipped = str(too_short)
    description = {
        "model": fits.forecaster.name,
        "config": config_of(fits.forecaster),
        "data_version": fits.data_version,
        "anchor": str(plan.anchor),
        "fits": fits.made if skipped is None else [],
        "seconds": time.perf_counter() - started,
        "git_commit": git_commit(),
        "skipped": skipped,
    }
    write_json(folder / RUN, description)


def _test_forecasts(fits: StreetFits, plan: StreetPlan) -> Iterator[RollingForecasts]:
    """Forecasts from every test origin, each by the newest fit that has seen no day after it."""
    for refit in plan.refits(fits.history.steps[0]):
        served = fits.fit(TEST, refit.split, learn_from_validation=True).fitted
        _report(fits, plan)
        yield from _rolled(served, fits.history, refit.origins, plan.leads)


def _forecast_into(folder: Path, fits: StreetFits, plan: StreetPlan, history: CountHistory) -> None:
    leads = tuple(range(1, plan.horizon + 1))
    fitted = _in_production(fits, plan)
    _write(folder / FORECAST, _rolled(fitted, history, np.array([plan.as_of]), leads), leads)


def _in_production(fits: StreetFits, plan: StreetPlan) -> FittedStreet:
    split = plan.production_split(fits.history.steps[0], plan.anchor)
    return fits.fit("production", split, learn_from_validation=True).fitted


def _rolled(
    fitted: FittedStreet, history: CountHistory, origins: np.ndarray, leads: tuple[int, ...]
) -> Iterator[RollingForecasts]:
    """Forecasts at some leads, floored as every model's are, a memory's worth of origins at a time.

    Every model states rates under this floor alike; one that floors itself is not changed.
    """
    kept = [lead - 1 for lead in leads]
    per_origin = max(leads) * history.counts[0].size
    n_chunks = -(-origins.size // max(1, CHUNK_VALUES // per_origin))
    floor = daily_rate_floor(history.counts[: history.index_of(origins[-1]) + 1])
    for chunk in np.array_split(origins, n_chunks):
        stated = fitted.rolling(history, chunk, max(leads))
        least = np.stack([floor.at(history.index_of(origin)) for origin in chunk])
        yield RollingForecasts(
            origins=chunk,
            expected_count=np.maximum(stated.expected_count[:, kept], least[:, None]).astype("f4"),
            dispersion=stated.dispersion[:, kept].astype("f4"),
        )


def _write(path: Path, parts: Iterator[RollingForecasts], leads: tuple[int, ...]) -> None:
    """One row per origin, lead and offence group; a row holds the values of all nodes.

    Raises:
        ValueError: if a forecast is negative or not finite.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    for part in parts:
        for each in zip(part.origins, part.expected_count, part.dispersion, strict=True):
            ForecastArray(origin=each[0], expected_count=each[1], dispersion=each[2])
        n_origins, n_leads, n_types, _ = part.expected_count.shape
        table = pa.table(
            {
                "origin_day": pa.array(np.repeat(part.origins, n_leads * n_types)),
                "lead": pa.array(np.tile(np.repeat(leads, n_types), n_origins).astype("i1")),
                "type": pa.array(np.tile(np.arange(n_types), n_origins * n_leads).astype("i2")),
                "expected_count": _as_lists(part.expected_count),
                "dispersion": _as_lists(part.dispersion),
            }
        )
        writer = writer or pq.ParquetWriter(_file(path), table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _read(path: Path) -> tuple[np.ndarray, list[int], np.ndarray, np.ndarray]:
    """Origins, leads, and the two arrays [origin, lead, type, node]."""
    import pyarrow.parquet as pq

    table = pq.read_table(_file(path))
    origins = np.unique(table["origin_day"].to_numpy().astype("datetime64[D]"))
    leads = np.unique(table["lead"].to_numpy()).tolist()
    n_types = len(np.unique(table["type"].to_numpy()))
    expected, dispersion = (
        np.concatenate([chunk.flatten().to_numpy() for chunk in table[name].chunks]).reshape(
            origins.size, len(leads), n_types, -1
        )
        for name in ("expected_count", "dispersion")
    )
    return origins, leads, expected, dispersion


def _as_lists(values: np.ndarray) -> "pa.FixedSizeListArray":
    import pyarrow as pa

    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), values.shape[-1])


def _file(path: Path) -> Path:
    return path.with_suffix(".parquet")


def _report(fits: StreetFits, plan: StreetPlan) -> None:
    task, total = f"{fits.forecaster.name} street evidence", plan.n_refits + 2
    report_progress(Progress(task=task, done=len(fits.made), total=total, unit="fit"))

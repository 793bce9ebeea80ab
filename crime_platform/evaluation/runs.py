"""One model's forecasts from every origin, as immutable files addressed by what made them.

A run is named by the key of the counts, the plan, the configuration and the code. The same key is
never computed twice, and whoever needs a run computes its key instead of being told its path.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.model_catalogue import code_of, config_of, is_learned, plan_for
from crime_platform.evaluation.schedule import BacktestPlan, rolling_forecasts
from crime_platform.models.count_distribution import rate_floor
from crime_platform.tensors.grid_counts import GridCounts
from crime_platform.vocabulary.artifact import content_key, git_commit, write_json
from crime_platform.vocabulary.code_version import code_version
from crime_platform.vocabulary.forecast import (
    CountHistory,
    Fitted,
    ForecastArray,
    Forecaster,
    RollingForecasts,
)
from crime_platform.vocabulary.seal import is_whole, require_whole, sealed
from crime_platform.vocabulary.timesteps import IncompleteDataError, Month

if TYPE_CHECKING:
    import pyarrow as pa

FORECASTS, FUSION, RUN = "forecasts.parquet", "fusion_weight.parquet", "run.json"
FIT_CONFIG = "config.json"  # beside the weights of every fit


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelRun:
    """A finished run: where its files are and what it says of itself."""

    model: str
    folder: Path
    description: dict[str, object]

    @property
    def skipped(self) -> str | None:
        """Why the model has no forecasts, or None when it has."""
        return self.description["skipped"]  # pyright: ignore[reportReturnType]

    @property
    def key(self) -> str:
        return self.folder.name


def run_folder(forecaster: Forecaster, tensor: GridCounts, plan: BacktestPlan, root: Path) -> Path:
    """Where the run of this model on these counts under this plan lies, whether made or not.

    Args:
        forecaster: the model with its configuration.
        tensor: counts up to the plan's `as_of`; later months must be cut off.
        plan: the study area's plan.
        root: artifacts folder of the area.
    """
    key = content_key(
        tensor.data_version,
        plan_for(forecaster, plan),
        config_of(forecaster),
        code_of(forecaster),
        code_version(__name__),
    )
    return root / "model_runs" / forecaster.name / f"{plan.as_of}-{key}"


def run_model(
    forecaster: Forecaster, tensor: GridCounts, plan: BacktestPlan, root: Path
) -> ModelRun:
    """Forecast from every origin of the plan and from `as_of`; reuse the run if it was made.

    A model that needs a longer history than the area has is skipped, and its run says why.
    """
    folder = run_folder(forecaster, tensor, plan, root)
    if not is_whole(folder, needs=RUN):
        with sealed(folder) as aside:
            aside.mkdir()
            _run_into(aside, forecaster, tensor, plan_for(forecaster, plan), root)
    return read_run(forecaster.name, folder)


def read_run(model: str, folder: Path) -> ModelRun:
    """A run made earlier.

    Raises:
        FileNotFoundError: if it was not made.
        DamagedArtifactError: if a file of it is not as it was written.
    """
    if not (folder / RUN).exists():
        raise FileNotFoundError(
            f"{model} has not run for these counts and settings (looked for {folder}): "
            f"materialise its asset for this month first"
        )
    require_whole(folder)
    description = json.loads((folder / RUN).read_text(encoding="utf-8"))
    return ModelRun(model=model, folder=folder, description=description)


def _run_into(
    folder: Path, forecaster: Forecaster, tensor: GridCounts, plan: BacktestPlan, root: Path
) -> None:
    fits = _Fits(forecaster, tensor, root / "fits" / forecaster.name)
    task = f"{forecaster.name} back-test"
    started = time.perf_counter()
    skipped, forecasts = None, []
    try:
        forecasts = [
            floored(forecast, tensor.history)
            for forecast in rolling_forecasts(
                plan,
                tensor.history,
                fitted_at=fits.fitted_at,
                min_history_months=forecaster.min_history_months,
                task=task,
            )
        ]
    except IncompleteDataError as too_short:
        skipped = str(too_short)
    else:
        _write_forecasts(forecasts, tensor.offence_types, folder / FORECASTS)
        _write_fusion(fits.newest, tensor.offence_types, folder / FUSION)
    description = {
        "model": forecaster.name,
        "config": config_of(forecaster),
        "data_version": tensor.data_version,
        "as_of": str(plan.as_of),
        "origins": [str(forecast.origin) for forecast in forecasts],
        "shape": [len(forecasts), *forecasts[0].expected_count.shape] if forecasts else [],
        "fits": fits.descriptions,
        "seconds": time.perf_counter() - started,
        "git_commit": git_commit(),
        "skipped": skipped,
    }
    write_json(folder / RUN, description)


class _Fits:
    """Fitted models by fit origin: kept in memory, and networks on disk for every later run."""

    def __init__(self, forecaster: Forecaster, tensor: GridCounts, root: Path) -> None:
        self.forecaster, self.tensor, self.root = forecaster, tensor, root
        self.fitted: dict[Month, Fitted] = {}
        self.descriptions: list[dict[str, object]] = []

    @property
    def newest(self) -> Fitted:
        """The model that made the forecast from `as_of`."""
        return self.fitted[max(self.fitted)]

    def fitted_at(self, origin: Month) -> Fitted:
        if origin not in self.fitted:
            self.fitted[origin] = self._fit_or_load(origin)
        return self.fitted[origin]

    def _fit_or_load(self, origin: Month) -> Fitted:
        known = self.tensor.through(origin)
        key = content_key(known.data_version, config_of(self.forecaster), code_of(self.forecaster))
        if not is_learned(self.forecaster):
            fitted = self.forecaster.fit(known.history, origin)
            self.descriptions.append({"origin": str(origin), "key": key})
            return fitted
        folder = self.root / f"{origin}-{key}"
        if not is_whole(folder):
            with sealed(folder) as aside:
                trained = self.forecaster.fit(known.history, origin)
                trained.save(aside)  # pyright: ignore[reportAttributeAccessIssue]
        fitted = self.forecaster.load(folder)  # pyright: ignore[reportAttributeAccessIssue]
        self.descriptions.append({"origin": str(origin), "key": key, **_describe(folder)})
        return fitted


def _describe(folder: Path) -> dict[str, object]:
    written = json.loads((folder / FIT_CONFIG).read_text(encoding="utf-8"))
    return {name: written.get(name) for name in ("sha256", "n_parameters", "training_seconds")}


def floored(forecast: ForecastArray, history: CountHistory) -> ForecastArray:
    """The forecast with the rate floor that every model is held to alike."""
    floor = rate_floor(history.through(forecast.origin))
    return ForecastArray(
        origin=forecast.origin,
        expected_count=np.maximum(forecast.expected_count, floor),
        dispersion=forecast.dispersion,
    )


def _write_forecasts(
    forecasts: list[ForecastArray], offence_types: tuple[str, ...], path: Path
) -> None:
    import pyarrow.parquet as pq

    writer = None
    for forecast in forecasts:
        table = forecast_table(forecast, offence_types)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()


def _write_fusion(fitted: Fitted, offence_types: tuple[str, ...], path: Path) -> None:
    """Share of each ST-ResNet branch per offence type and cell; other models have none."""
    share = getattr(fitted, "fusion_share", None)
    if share is None:
        return
    import pyarrow as pa
    import pyarrow.parquet as pq

    from crime_platform.models.cells.st_resnet import BRANCHES

    branch, kind, row, col = (axis.ravel() for axis in np.indices(share.shape, dtype=np.int16))
    columns = {
        "branch": pa.DictionaryArray.from_arrays(branch, list(BRANCHES)),
        "offence_type": pa.DictionaryArray.from_arrays(kind, list(offence_types)),
        "row": pa.array(row),
        "col": pa.array(col),
        "weight_share": pa.array(share.ravel().astype(np.float32)),
    }
    pq.write_table(pa.table(columns), path, compression="zstd")


def forecast_table(forecast: ForecastArray, offence_types: tuple[str, ...]) -> "pa.Table":
    """One row per lead, offence type and cell, in that order."""
    import pyarrow as pa

    shape = forecast.expected_count.shape
    lead, kind, row, col = (axis.ravel() for axis in np.indices(shape, dtype=np.int16))
    origin = forecast.origin.astype("datetime64[D]")
    targets = forecast.targets.astype("datetime64[D]")
    return pa.table(
        {
            "origin_month": pa.array(np.full(lead.size, origin)),
            "target_month": pa.array(targets[lead]),
            "lead": pa.array((lead + 1).astype(np.int8)),
            "offence_type": pa.DictionaryArray.from_arrays(kind, list(offence_types)),
            "row": pa.array(row),
            "col": pa.array(col),
            "expected_count": pa.array(forecast.expected_count.ravel().astype(np.float32)),
            "dispersion": pa.array(forecast.dispersion.ravel().astype(np.float32)),
        }
    )


def read_forecasts(run: ModelRun) -> RollingForecasts:
    """All forecasts of a run that was not skipped."""
    import pyarrow.parquet as pq

    table = pq.read_table(run.folder / FORECASTS, columns=["expected_count", "dispersion"])
    shape = tuple(run.description["shape"])  # pyright: ignore[reportArgumentType]
    origins = np.array(run.description["origins"], dtype="datetime64[M]")
    expected, dispersion = (
        table[name].to_numpy().astype(np.float64).reshape(shape)
        for name in ("expected_count", "dispersion")
    )
    return RollingForecasts(origins=origins, expected_count=expected, dispersion=dispersion)

"""Fitted street models on disk: each is made once, described in JSON and read again without pickle.

A fit is named by the counts through the plan's anchor, its split, the model and the code. The day a
forecast starts from plays no part: tomorrow's run finds the fits of today.
"""

import hashlib
import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from crime_platform.evaluation.street_catalogue import street_model_content
from crime_platform.evaluation.street_plan import StreetPlan
from crime_platform.tensors.street_counts import DayCovariates, SegmentCounts
from crime_platform.vocabulary.artifact import content_key, write_json
from crime_platform.vocabulary.daily_forecast import FittedStreet, StreetForecaster
from crime_platform.vocabulary.day_split import DaySplit
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.seal import is_whole, sealed
from crime_platform.vocabulary.timesteps import Day

FIT, FITTED = "fit.json", "fitted"  # what a fit says of itself; the folder with what it learned


def known_at_anchor(counts: SegmentCounts, plan: StreetPlan) -> SegmentCounts:
    """What the evidence is made from, and nothing that changes while only `as_of` moves.

    Holidays are kept as far as the forecasts from the anchor reach, covariates up to the anchor.
    """
    known = counts.through(plan.anchor)
    history, ahead = known.history, known.covariates
    holidays = history.holidays[history.holidays <= plan.anchor + plan.horizon]
    return replace(
        known,
        history=replace(history, holidays=holidays),
        covariates=None if ahead is None else _through(ahead, plan.anchor),
    )


def _through(covariates: DayCovariates, last: Day) -> DayCovariates:
    kept = covariates.days <= last
    return replace(covariates, days=covariates.days[kept], values=covariates.values[kept])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetFit:
    """A fitted model and what its `fit.json` says."""

    fitted: FittedStreet
    description: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetFits:
    """Fits of one model on the counts through one anchor; a fit made before is read again.

    A model that cannot `save`, or whose forecaster cannot `load`, is fitted each time.
    """

    forecaster: StreetForecaster
    history: CountHistory  # as `known_at_anchor`
    data_version: str  # of the counts through the anchor
    root: Path  # artifacts folder of the area
    made: list[dict[str, object]] = field(default_factory=list)

    def fit(self, role: str, split: DaySplit, *, learn_from_validation: bool) -> StreetFit:
        """The fit on one split; `role` says in words what it is for.

        Raises:
            ValueError: if the model cannot be fitted on so few days.
        """
        key = content_key(
            self.data_version,
            list(split.content),
            learn_from_validation,
            *street_model_content(self.forecaster),
        )
        through = str(split.validation_end)
        folder = self.root / "street_fits" / self.forecaster.name / f"{through}-{key}"
        load = getattr(self.forecaster, "load", None)
        if load is not None and is_whole(folder, needs=FIT):
            description = json.loads((folder / FIT).read_text(encoding="utf-8"))
            found = StreetFit(fitted=load(folder / FITTED), description=description)
        else:
            found = self._made(folder, split, learn_from_validation=learn_from_validation)
        told = {"role": role, "through": through, "key": key}
        self.made.append(told | found.description)
        return found

    def _made(self, folder: Path, split: DaySplit, *, learn_from_validation: bool) -> StreetFit:
        started = time.perf_counter()
        fitted = self.forecaster.fit(
            self.history.through(split.validation_end),
            split,
            learn_from_validation=learn_from_validation,
        )
        description: dict[str, object] = {
            "seconds": time.perf_counter() - started,
            "training_seconds": getattr(fitted, "training_seconds", None),
            "n_parameters": getattr(fitted, "n_parameters", None),
            "settings": _as_written(getattr(fitted, "settings", None)),
            "curves": getattr(fitted, "curves", []),
            "sha256": None,
        }
        save = getattr(fitted, "save", None)
        if save is not None and not folder.exists():
            with sealed(folder) as aside:
                save(aside / FITTED)
                description["sha256"] = _sha256_of_weights(aside / FITTED)
                write_json(aside / FIT, description)
        return StreetFit(fitted=fitted, description=description)


def _as_written(values: object) -> object:
    """Plain JSON values of settings; an endless half-life is written as the word inf."""
    if isinstance(values, list | tuple):
        return [_as_written(value) for value in values]
    return "inf" if isinstance(values, float) and np.isinf(values) else values


def _sha256_of_weights(folder: Path) -> str | None:
    weights = sorted(folder.glob("*.safetensors"))
    content = b"".join(path.read_bytes() for path in weights)
    return hashlib.sha256(content).hexdigest() if weights else None

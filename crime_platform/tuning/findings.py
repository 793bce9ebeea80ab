"""What a search found, read from its study alone: its trials, ranked, and what they tried."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

UNUSED = "unused"  # where a parameter lies that the best trial does not read
RANKED = ("complete", "pruned")  # states of trials that have a value, the better one first
FIT = "fit"  # the rung of the monthly models; another one is named in the study
OPTIMISM = (
    "the best trial was chosen on the {step}s it is judged on, so its gain is an upper guess; the "
    "{later} tells"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrialRecord:
    """One trial of a search."""

    number: int
    rank: int | None  # 1 is the best; None where nothing was judged
    state: str  # complete, pruned, fail, running, waiting
    is_default: bool
    skills: tuple[float, ...]  # over the opponent, after 1, 2, ... fits or epochs, pooled
    parameters: dict[str, Any]
    config: dict[str, Any]
    deviance: dict[str, float]  # sum per origin; empty unless complete
    seconds: float | None
    note: str
    code: str

    @property
    def skill(self) -> float | None:
        """At the last rung reached: compare it with trials that reached the same one."""
        return self.skills[-1] if self.skills else None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SearchReport:
    """A whole search, trials by rank, those without one last."""

    model: str
    facts: dict[str, Any]  # what was judged on which data, the opponent, cases
    ranges: dict[str, "BaseDistribution"]
    trials: tuple[TrialRecord, ...]
    only_with: dict[str, tuple[str, Any]]  # parameters read where another one has a certain value

    @property
    def rung(self) -> str:
        """What a trial is given more and more of: fits at past months, or epochs of one fit."""
        return self.facts.get("rung", FIT)

    @property
    def n_rungs(self) -> int:
        """Fits or epochs of a trial that is never stopped."""
        return len(self.facts["fit_origins"]) if self.rung == FIT else self.facts["n_rungs"]

    @property
    def judged_on(self) -> str:
        """The months or days whose forecasts make a trial's skill, and how far ahead."""
        opponent = self.facts["opponent"]
        if self.rung == FIT:
            first = self.facts["first_test_origin"]
            return f"origins before {first}, skill over {opponent} one month ahead"
        first, last = self.facts["first_validation_day"], self.facts["last_validation_day"]
        return f"days {first} to {last}, skill over {opponent} one day ahead"

    @property
    def optimism(self) -> str:
        """Why the best trial's gain must not be taken at its word."""
        if self.rung == FIT:
            return OPTIMISM.format(step="month", later="back-test on later origins")
        return OPTIMISM.format(step="day", later="evidence on the test days")

    @property
    def best(self) -> TrialRecord | None:
        """The best of the trials that were not stopped."""
        return next((trial for trial in self.trials if trial.state == "complete"), None)

    @property
    def default(self) -> TrialRecord | None:
        """The committed default, once it is judged."""
        judged = (each for each in self.trials if each.is_default and each.state == "complete")
        return next(judged, None)

    @property
    def borders(self) -> dict[str, str]:
        """Where the best trial's parameters lie in their ranges; see `border_of`."""
        from crime_platform.tuning.search_spaces import border_of

        if self.best is None:
            return {}
        found = self.best.parameters
        borders: dict[str, str] = {
            name: border_of(self.ranges[name], value) for name, value in found.items()
        }
        for name, (other, needed) in self.only_with.items():
            if found[other] != needed:
                borders[name] = UNUSED
        return borders


def read_search(study: "Study") -> SearchReport:
    """Everything the study holds, trials ranked.

    Complete trials rank first; then those that were stopped, later ones before earlier ones.
    """
    from optuna.distributions import json_to_distribution

    from crime_platform.tuning.study import BEGUN, DEFAULT, ONLY_WITH, RANGES

    held = study.user_attrs
    records = [_record(trial, held[DEFAULT]) for trial in study.get_trials(deepcopy=False)]
    records.sort(key=_order)
    conditions = held.get(ONLY_WITH, {}).items()
    hidden = (RANGES, DEFAULT, BEGUN, ONLY_WITH, "model")
    return SearchReport(
        model=held["model"],
        facts={name: value for name, value in held.items() if name not in hidden},
        ranges={name: json_to_distribution(text) for name, text in held[RANGES].items()},
        trials=tuple(
            replace(record, rank=position) if record.state in RANKED else record
            for position, record in enumerate(records, start=1)
        ),
        only_with={name: (other, needed) for name, (other, needed) in conditions},
    )


def _record(trial: "FrozenTrial", default: dict[str, Any]) -> TrialRecord:
    from crime_platform.tuning.study import ASKED, CODE, CONFIG, DEVIANCE, NOTE

    held, duration = trial.user_attrs, trial.duration
    parameters = trial.params or held.get(ASKED, {})
    return TrialRecord(
        number=trial.number,
        rank=None,
        state=trial.state.name.lower(),
        is_default=parameters == default,
        skills=tuple(skill for _, skill in sorted(trial.intermediate_values.items())),
        parameters=parameters,
        config=held.get(CONFIG, {}),
        deviance=held.get(DEVIANCE, {}),
        # What a killed process left was closed long after it ended.
        seconds=duration.total_seconds() if duration and (trial.values or NOTE in held) else None,
        note=held.get(NOTE, ""),
        code=held.get(CODE, ""),
    )


def _order(record: TrialRecord) -> tuple:
    kind = RANKED.index(record.state) if record.state in RANKED else len(RANKED)
    skill = -np.inf if record.skill is None else record.skill
    return kind, -len(record.skills), -skill, record.number

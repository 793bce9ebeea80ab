"""A quick search: a toy model of two settings over toy counts of eight years."""

from dataclasses import dataclass

import numpy as np

from crime_platform.tuning.cell_folds import selection_history
from crime_platform.tuning.cells import Budget, search
from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray
from crime_platform.vocabulary.timesteps import IncompleteDataError

FIRST_TEST = np.datetime64("2020-12")


@dataclass(frozen=True, kw_only=True)
class Span:
    months: int = 24
    lift: float = 1.0


@dataclass(frozen=True)
class Recent:
    """The mean of the last months, lifted."""

    name: str
    config: Span
    min_history_months: int = 1

    def fit(self, history, _origin):
        if self.config.months > len(history.steps):
            raise IncompleteDataError(f"{self.name} needs {self.config.months} months")
        return self

    def forecast(self, history, origin, horizon):
        mean = history.counts[-self.config.months :].mean(axis=0).astype(np.float64)
        expected = np.repeat(self.config.lift * mean[None], horizon, axis=0)
        return ForecastArray(
            origin=origin, expected_count=expected, dispersion=np.zeros_like(expected)
        )


def suggest(trial):
    return Span(
        months=trial.suggest_int("months", 1, 48),
        lift=trial.suggest_float("lift", 0.25, 4.0, log=True),
    )


def toy_space(default=Span(), suggest=suggest, build=Recent):
    return SearchSpace(model="toy", default=default, suggest=suggest, build=build)


def history(n_steps=96, seed=0):
    steps = np.datetime64("2014-01") + np.arange(n_steps)
    random = np.random.default_rng(seed)
    rate = 1 + np.sin(np.arange(n_steps) / 9)[:, None, None, None] * random.random((1, 2, 3, 4))
    counts = random.poisson(2 * rate).astype(np.float32)
    return CountHistory(steps=steps, counts=counts)


def selection(seed=0):
    return selection_history(history(seed=seed), FIRST_TEST)


def run(file, n_trials, *, space=None, seen=None, **options):
    budget = Budget(n_trials=n_trials, **options)
    return search(space or toy_space(), seen or selection(), budget, file)


def asked(study):
    return [trial.params for trial in study.trials]


def values(study):
    return [trial.intermediate_values for trial in study.trials]

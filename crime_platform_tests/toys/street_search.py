"""A quick search on the toy streets, and an objective that misbehaves at chosen trials."""

import os
import signal
import time
from dataclasses import dataclass, field, replace

import numpy as np

from crime_platform.geography.point_graph import build_point_graph
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.tensors.street_counts import DayCovariates, SegmentCounts
from crime_platform.tensors.street_inputs import StreetInputs
from crime_platform.tuning.run import go_on
from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.tuning.street_days import selection_days
from crime_platform.tuning.streets import StreetBudget, search_streets
from crime_platform.tuning.study import Judgement
from crime_platform.tuning.trials import Limits, tell_rung
from crime_platform.vocabulary.forecast import CountHistory
from toys.search import toy_space
from toys.streets import FIRST_DAY, N_NODES, toy_history

N_DAYS = 120
LAST_DAY = FIRST_DAY + (N_DAYS - 1)
LAST_SEEN = FIRST_DAY + 101  # 85 % of 120 days
EAST_M = np.array([0.0, 100.0, 200.0, 300.0, 400.0, 2000.0])  # the last place is alone
TINY = GldnetConfig(
    inputs=StreetInputs(lookback=4, half_lives=(7.0, 30.0), base_half_lives=(30.0,)),
    gated_units=4,
    diffusion_units=4,
    batch_days=8,
    burn_in_days=10,
)


def toy_counts(n_days=N_DAYS) -> SegmentCounts:
    """Counts of the toy street's places, with a feature and temperatures."""
    graph = build_point_graph(630_000 + EAST_M, np.full(N_NODES, 4_834_000.0), crs="EPSG:26917")
    days = FIRST_DAY + np.arange(n_days + 30)
    warmth = DayCovariates(
        days=days, names=("temperature_c",), values=np.sin(np.arange(days.size) / 9.0)[:, None]
    )
    return SegmentCounts(
        graph=graph,
        offence_groups=("violence",),
        history=toy_history(n_days),
        node_features={"station_m": np.linspace(-1.0, 1.0, N_NODES)},
        covariates=warmth,
    )


def tampered_after(streets: SegmentCounts, last) -> SegmentCounts:
    """The same streets with 999 in counts, marks and temperatures after a day."""
    after = streets.history.index_of(last) + 1
    counts = streets.history.counts.copy()
    marked = {mark: each.copy() for mark, each in streets.history.marked.items()}
    for each in (counts, *marked.values()):
        each[after:] = 999
    ahead = streets.covariates
    assert ahead is not None
    values = np.where((ahead.days > last)[:, None], 999.0, ahead.values)
    history = CountHistory(steps=streets.days, counts=counts, marked=marked)
    return replace(streets, history=history, covariates=replace(ahead, values=values))


def selection():
    return selection_days(toy_counts(), LAST_DAY)


def run(file, n_trials, *, seen=None, default=TINY, seed=0, on_trial=None, **options):
    budget = StreetBudget(n_trials=n_trials, **{"n_epochs": 3, "workers": 1, **options})
    return search_streets(
        seen or selection(), budget, file, default=default, seed=seed, on_trial=on_trial
    )


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """The nearer the lift is to 1.5 the better; some trials kill their process, or fail."""

    space: SearchSpace = field(default_factory=toy_space)
    dies_at: tuple[int, ...] = ()
    fails_at: tuple[int, ...] = ()
    seconds: float = 0.1

    def judge(self, trial, config):
        time.sleep(self.seconds)
        if trial.number in self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if trial.number in self.fails_at:
            raise ZeroDivisionError("planted")
        skill = -abs(config.lift - 1.5)
        tell_rung(trial, 1, skill, space=self.space, n_rungs=1)
        return skill


def go_on_with(objective, file, n_trials, *, workers=2, on_trial=None):
    limits = Limits(n_trials=n_trials, n_rungs=1, rung="fit")
    judgement = Judgement(identity=("toy",), facts={})
    return go_on(objective, judgement, limits, file, workers=workers, on_trial=on_trial)

"""From the models' own forecasts to the rows that compete: true spread, ensemble, policy.

Everything an origin is given here follows from what was known at it, so each row of the back-test,
`ensemble` and `policy` included, is a forecast that could have been made then.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crime_platform.evaluation.ensemble import (
    ChampionDecision,
    champion_walk,
    ensemble_forecasts,
    policy_forecasts,
)
from crime_platform.evaluation.model_catalogue import POOLED, competes
from crime_platform.evaluation.recalibration import SpreadChoice, calibrated
from crime_platform.evaluation.selection import POLICY
from crime_platform.schema.values import ENSEMBLE
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.progress import Progress, report_progress

if TYPE_CHECKING:
    import pandas as pd

MIN_POOLED = 2  # models without which there is nothing to pool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contest:
    """Every row of the leaderboard, and how the champion was found."""

    forecasts: dict[str, RollingForecasts]  # by model name, `ensemble` and `policy` among them
    spreads: dict[str, tuple[SpreadChoice, ...]]
    weights: "pd.DataFrame | None"  # of the ensemble; None where too few models ran
    decisions: tuple[ChampionDecision, ...]

    @property
    def decision(self) -> ChampionDecision:
        """The one at `as_of`: whose forecast is published."""
        return self.decisions[-1]


def hold_contest(
    models: Mapping[str, RollingForecasts],
    history: CountHistory,
    offence_types: tuple[str, ...],
    *,
    incumbent: str | None,
) -> Contest:
    """Calibrate every model's spread, pool the learned models, and let the rule choose.

    Args:
        models: forecasts by name, the simplest model first.
        history: counts up to `as_of`.
        offence_types: names, in the order of the arrays.
        incumbent: champion that was published last; it keeps its seat while it ties with the best.
    """
    named = dict(models)
    members = {name: named[name] for name in POOLED if name in named}
    weights = None
    if len(members) >= MIN_POOLED:
        named[ENSEMBLE], weights = ensemble_forecasts(members, history, offence_types)
    forecasts, spreads = {}, {}
    for done, (name, rolling) in enumerate(named.items(), start=1):
        forecasts[name], spreads[name] = calibrated(rolling, history)
        report_progress(
            Progress(task="spread", done=done, total=len(named), unit="model", detail=name)
        )
    competing = {name: rolling for name, rolling in forecasts.items() if competes(name)}
    decisions = champion_walk(competing, history, list(named), incumbent=incumbent)
    forecasts[POLICY] = policy_forecasts(decisions, competing)
    return Contest(forecasts=forecasts, spreads=spreads, weights=weights, decisions=decisions)

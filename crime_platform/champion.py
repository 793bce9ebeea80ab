"""Which model is published, and whether it may be: the choice and the gate, as pure rules.

Both read pooled sums of the back-test one month ahead over the ever active cells, the numbers of
the leaderboard. Mean Poisson deviance decides; MAE never does.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.scoring import EVER_ACTIVE, OPPONENT

if TYPE_CHECKING:
    import pandas as pd

BIAS_LIMIT = 0.10  # expected / recorded - 1 over the back-test
PLAUSIBLE = (0.5, 2.0)  # of the smallest and the largest month of the last two years
RECENT_MONTHS = 24


@dataclass(frozen=True, slots=True)
class Choice:
    """The champion, the model with the lowest deviance, and why they differ if they do."""

    champion: str
    lowest_deviance: str
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the gate decided about one candidate, and on which figures."""

    candidate_id: str
    model: str
    passed: bool
    reasons: list[str]  # why it was refused; empty when it passed
    figures: dict[str, float]


def choose_champion(scores: "pd.DataFrame", simplest_first: list[str]) -> Choice:
    """The model with the lowest pooled deviance; a tie within noise goes to the simplest.

    Two models tie when their mean paired difference per origin is at most its standard error.
    Only models scored at every origin compete.

    Args:
        scores: rows of `backtest_score`.
        simplest_first: every model name, from the simplest to the most complex.

    Raises:
        ValueError: if a scored model has no place in `simplest_first`.

    Source: the one-standard-error rule of Breiman et al. (1984), section 3.4.3, on paired
    differences.
    """
    unknown = sorted(set(scores["model"]) - set(simplest_first))
    if unknown:
        raise ValueError(f"models {unknown} have no place in the order of simplicity")
    # NaN stays NaN and drops out with its model: skipped, it would count as a perfect score.
    grouped = _lead_one(scores).groupby(["model", "origin_month"])["sum_deviance"]
    by_origin = grouped.agg(lambda sums: sums.sum(skipna=False))
    table = by_origin.unstack("origin_month").dropna()
    best = str(table.sum(axis=1).idxmin())
    gaps = table.sub(table.loc[best], axis=1)
    n_origins = gaps.shape[1]
    noise = gaps.std(axis=1, ddof=1).fillna(math.inf) / math.sqrt(n_origins)
    tied = gaps.index[(gaps.mean(axis=1) <= noise) | (gaps.index == best)]
    champion = next(name for name in simplest_first if name in set(tied))
    reason = f"{best} has the lowest deviance over {n_origins} origins"
    if champion != best:
        reason += f"; {champion} is simpler and within one standard error of it"
    return Choice(champion, best, reason)


def judge(
    candidate_id: str,
    model: str,
    scores: "pd.DataFrame",
    *,
    forecast_totals: np.ndarray,
    recent_totals: np.ndarray,
) -> Verdict:
    """Whether the candidate may be published: it must beat the historical average.

    Deviance and RMSE must be lower, one month ahead and pooled over all leads; the total must be
    unbiased within `BIAS_LIMIT`; and every month's forecast total must be finite and plausible.

    Args:
        candidate_id: what is judged.
        model: its champion.
        scores: rows of `backtest_score`.
        forecast_totals: city totals that the candidate forecasts, one per lead.
        recent_totals: recorded city totals of the last two years, one per month.
    """
    active = scores[scores["cell_set"] == EVER_ACTIVE]
    figures, reasons = {}, []
    for label, rows in (("lead 1", _lead_one(scores)), ("all leads", active)):
        ours, theirs = _pooled(rows, model), _pooled(rows, OPPONENT)
        for name in ("deviance", "rmse"):
            figures[f"{name} skill, {label}"] = skill = 1 - ours[name] / theirs[name]
            if not skill > 0:  # NaN is refused too
                reasons.append(
                    f"{name} of {model}, {label}, is {ours[name]:.4f} and must be below the "
                    f"{theirs[name]:.4f} of {OPPONENT}"
                )
        figures[f"bias, {label}"] = ours["bias"]
    bias = figures["bias, lead 1"]
    if not abs(bias) <= BIAS_LIMIT:
        reasons.append(f"bias one month ahead is {bias:+.1%} and must be within {BIAS_LIMIT:.0%}")
    low = PLAUSIBLE[0] * float(recent_totals.min())
    high = PLAUSIBLE[1] * float(recent_totals.max())
    for lead, total in enumerate(forecast_totals, start=1):
        figures[f"forecast total, lead {lead}"] = float(total)
        if not low <= total <= high:
            reasons.append(
                f"the forecast total of lead {lead} is {total:.0f} incidents and must lie between "
                f"{low:.0f} and {high:.0f}, half the smallest and twice the largest recent month"
            )
    return Verdict(candidate_id, model, not reasons, reasons, figures)


def _lead_one(scores: "pd.DataFrame") -> "pd.DataFrame":
    return scores[(scores["lead"] == 1) & (scores["cell_set"] == EVER_ACTIVE)]


def _pooled(rows: "pd.DataFrame", model: str) -> dict[str, float]:
    sums = rows[rows["model"] == model].sum(numeric_only=True, skipna=False)
    return {
        "deviance": float(sums["sum_deviance"] / sums["n"]),
        "rmse": math.sqrt(sums["sum_squared_error"] / sums["n"]),
        "bias": float(sums["sum_expected"] / sums["sum_observed"] - 1),
    }

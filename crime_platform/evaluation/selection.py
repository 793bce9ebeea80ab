"""Which model is published, and whether it may be: the choice and the gate, as pure rules.

Both look one month ahead over the ever active cells, the numbers of the leaderboard. Mean Poisson
deviance decides; MAE never does. `ensemble` applies the choice at every origin, and the gate
judges the row that this policy makes, not the winner it ends with.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.metrics.gate_rule import (
    MIN_ORIGINS,
    StepSums,
    biased,
    compare,
    objections,
    too_little,
)
from crime_platform.metrics.significance import BLOCK_ORIGINS
from crime_platform.schema.values import EVER_ACTIVE, HISTORICAL_AVERAGE, POLICY
from crime_platform.vocabulary.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

MIN_JUDGED = 3  # origins without which nobody is preferred to the historical average
PLAUSIBLE = (0.5, 2.0)  # of the smallest and the largest month of the last two years
RECENT_MONTHS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The champion, the model with the lowest deviance, and why they differ if they do."""

    champion: str
    lowest_deviance: str | None  # None while too few origins can be judged
    mean_gap: float  # of the champion's deviance to the lowest, paired; NaN while too few
    standard_error: float  # of that gap
    reason: str  # whole sentences


def choose_champion(
    deviance: Mapping[str, Float[np.ndarray, " origin"]],
    simplest_first: Sequence[str],
    *,
    incumbent: str | None = None,
    unit: str = "origins",
) -> Choice:
    """The incumbent as long as it ties with the lowest deviance, else the simplest that does.

    A model ties when its mean paired difference to the lowest deviance, over the origins judged,
    is at most the standard error of that mean. So the champion changes only on evidence: what
    lies inside the noise neither takes the seat nor costs it.

    Args:
        deviance: mean deviance at each origin judged, the same origins for every model. A model
            with a deviance that is not finite does not compete.
        simplest_first: every model name, from the simplest to the most complex.
        incumbent: the champion so far.
        unit: what the reason calls the origins.

    Raises:
        ValueError: if a model has no place in `simplest_first`, or none can compete.

    Source: the one-standard-error rule of Breiman et al. (1984), section 3.4.3, on paired
    differences. Keeping the incumbent is ours.
    """
    unknown = sorted(set(deviance) - set(simplest_first))
    if unknown:
        raise ValueError(f"models {unknown} have no place in the order of simplicity")
    n_origins = max((len(values) for values in deviance.values()), default=0)
    if n_origins < MIN_JUDGED:
        return _default_choice(n_origins)
    # A NaN is no number to compare: left in, it would count as a perfect score.
    names = [n for n in simplest_first if n in deviance and np.isfinite(deviance[n]).all()]
    if not names:
        raise ValueError(f"none of {sorted(deviance)} has a finite deviance at every origin")
    table = np.stack([deviance[name] for name in names])
    best = names[int(table.mean(axis=1).argmin())]
    margins = _margins(names, table - deviance[best])
    tied = [name for name in names if margins[name].is_tie]
    champion = incumbent if incumbent in tied else tied[0]
    lowest = f"the lowest mean deviance over {n_origins} {unit}, {deviance[best].mean():.4f}"
    why = f"it has {lowest}"
    if champion != best:
        rank = "" if champion == incumbent else " and is the simplest model there"
        why = f"{best} has {lowest}, and {champion} lies {margins[champion]}{rank}"
    return Choice(
        champion=champion,
        lowest_deviance=best,
        mean_gap=margins[champion].gap,
        standard_error=margins[champion].standard_error,
        reason=_succession(champion, incumbent, why, margins),
    )


@dataclass(frozen=True, slots=True)
class _Margin:
    """How far a model's mean deviance lies above the lowest."""

    gap: float
    standard_error: float

    @property
    def is_tie(self) -> bool:
        return self.gap <= self.standard_error

    def __str__(self) -> str:
        relation = "within" if self.is_tie else "more than"
        return f"{self.gap:.4f} above it, {relation} one standard error ({self.standard_error:.4f})"


def _margins(names: Sequence[str], gaps: Float[np.ndarray, "model origin"]) -> dict[str, _Margin]:
    errors = gaps.std(axis=1, ddof=1) / math.sqrt(gaps.shape[1])
    return {
        name: _Margin(gap, error)
        for name, gap, error in zip(names, gaps.mean(axis=1).tolist(), errors.tolist(), strict=True)
    }


def _default_choice(n_origins: int) -> Choice:
    return Choice(
        champion=HISTORICAL_AVERAGE,
        lowest_deviance=None,
        mean_gap=math.nan,
        standard_error=math.nan,
        reason=f"{HISTORICAL_AVERAGE} is the champion until {MIN_JUDGED} earlier origins can be "
        f"judged; here there are {n_origins}.",
    )


def _succession(
    champion: str, incumbent: str | None, why: str, margins: Mapping[str, _Margin]
) -> str:
    if incumbent is None:
        return f"{champion} is the champion: {why}."
    if champion == incumbent:
        return f"{champion} stays the champion: {why}."
    sentence = f"{champion} replaces {incumbent} as the champion: {why}."
    if incumbent not in margins:
        return f"{sentence} {incumbent} has no score at each of these origins."
    return f"{sentence} {incumbent} lies {margins[incumbent]}."


def judge(
    candidate_id: str,
    model: str,
    scores: "pd.DataFrame",
    *,
    forecast_totals: np.ndarray,
    recent_totals: np.ndarray,
) -> Verdict:
    """Whether the candidate may be published: the policy must beat the historical average.

    The rows of the policy, at each origin the model that earlier origins had chosen, must pass the
    rule of `metrics.gate_rule` one month ahead and pooled over all leads: deviance clearly lower,
    RMSE not clearly higher, on enough origins and incidents. The policy's total one month ahead
    must be unbiased, and every month's total that the chosen model forecasts must be finite and
    plausible. The model's own skill is stated and does not decide: it was picked for being high.

    Args:
        candidate_id: what is judged.
        model: the model chosen.
        scores: rows of `backtest_score`. Origins that served selection only are left out.
        forecast_totals: city totals that the candidate forecasts, one per lead.
        recent_totals: recorded city totals of the last two years, one per month.

    Raises:
        ValueError: if the policy, the model or the historical average has no scores, or not at the
            same origins.
    """
    tested = scores[~scores["is_selection"].astype(bool)] if "is_selection" in scores else scores
    active = tested[tested["cell_set"] == EVER_ACTIVE]
    lead_one = active[active["lead"] == 1]
    missing = sorted({POLICY, model, HISTORICAL_AVERAGE} - set(lead_one["model"]))
    if missing:
        raise ValueError(f"the gate of {candidate_id} found no scores of {missing} one month ahead")
    figures: dict[str, float] = {}
    reasons: list[str] = []
    for label, rows in (("lead 1", lead_one), ("all leads", active)):
        paired = compare(_sums(rows, POLICY), _sums(rows, HISTORICAL_AVERAGE), block=BLOCK_ORIGINS)
        figures |= paired.figures(label)
        reasons += objections(paired, "the policy", HISTORICAL_AVERAGE, label)
        if label == "lead 1":
            figures |= {"origins scored": paired.n_steps, "incidents scored": paired.n_incidents}
            reasons += biased(paired.bias, "one month ahead")
            reasons += too_little(paired, min_steps=MIN_ORIGINS, unit="months")
    own = compare(_sums(lead_one, model), _sums(lead_one, HISTORICAL_AVERAGE), block=BLOCK_ORIGINS)
    figures["deviance skill of the chosen model, lead 1"] = own.deviance_skill.value
    figures["rmse skill of the chosen model, lead 1"] = own.rmse_skill.value
    figures["bias of the chosen model, lead 1"] = own.bias.value
    for lead, total in enumerate(forecast_totals, start=1):
        figures[f"forecast total, lead {lead}"] = float(total)
    reasons += _implausible(forecast_totals, recent_totals)
    return Verdict(candidate_id, model, not reasons, reasons, figures)


def _implausible(forecast_totals: np.ndarray, recent_totals: np.ndarray) -> list[str]:
    low = PLAUSIBLE[0] * float(recent_totals.min())
    high = PLAUSIBLE[1] * float(recent_totals.max())
    return [
        f"the forecast total of lead {lead} is {total:.0f} incidents and must lie between "
        f"{low:.0f} and {high:.0f}, half the smallest and twice the largest recent month"
        for lead, total in enumerate(forecast_totals, start=1)
        if not low <= total <= high  # NaN is refused too
    ]


def _sums(rows: "pd.DataFrame", model: str) -> StepSums:
    return StepSums.of_rows(rows[rows["model"] == model], "origin_month")

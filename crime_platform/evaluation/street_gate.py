"""Which street model is published, and whether it may be: the choice and the gate, as pure rules.

Validation days choose and test days judge, so the gate's figures are not those that picked the
model. Mean Poisson deviance decides; MAE never does.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.evaluation.selection import Choice, choose_champion
from crime_platform.evaluation.street_skill import HEADLINE_COVERAGE, rows_of
from crime_platform.metrics.gate_rule import (
    MIN_DAYS,
    Comparison,
    StepSums,
    biased,
    compare,
    objections,
    too_little,
)
from crime_platform.metrics.significance import BLOCK_DAYS
from crime_platform.schema.values import ANY, LONG_RUN_FREQUENCY, TEST, VALIDATION
from crime_platform.vocabulary.verdict import Verdict

if TYPE_CHECKING:
    import pandas as pd

RECENT_DAYS = 56  # eight whole weeks: what a forecast total is compared with
LARGEST_DAY = 2.0  # times the largest recent day
PLAUSIBLE_MEAN = (0.5, 2.0)  # times the mean of recent days


def choose_street_champion(
    scores: Mapping[str, "pd.DataFrame"],
    simplest_first: Sequence[str],
    *,
    incumbent: str | None = None,
) -> Choice:
    """The model whose forecast is published, by `choose_champion` on weeks of validation days.

    Deviance is that of the whole area in a day, all offence groups, one day ahead. A first week
    that is not whole is left out.

    Args:
        scores: rows of `street_score` by model.
        simplest_first: every model, from the simplest to the most complex.
        incumbent: the champion published last.
    """
    weekly = {model: _weekly_deviance(rows) for model, rows in scores.items()}
    unit = "weeks of validation days"
    return choose_champion(weekly, simplest_first, incumbent=incumbent, unit=unit)


def judge_streets(
    candidate_id: str,
    model: str,
    scores: "pd.DataFrame",
    hotspots: "pd.DataFrame",
    *,
    forecast_totals: Float[np.ndarray, " lead"],
    recent_totals: Float[np.ndarray, " day"],
) -> Verdict:
    """Whether the candidate may be published: on the test days it must beat long-run frequency.

    At each lead judged it must pass the rule of `metrics.gate_rule`, all offence groups together:
    deviance clearly lower, RMSE and hit rate in the riskiest 20 % not clearly worse, on enough days
    and incidents. The total one day ahead must be unbiased; and what is forecast must be finite and
    plausible beside the last eight weeks. The long-run frequency itself cannot pass: it needs no
    model.

    Args:
        candidate_id: what is judged.
        model: the model chosen.
        scores: rows of `street_score`.
        hotspots: rows of `street_hotspot`.
        forecast_totals: incidents of the whole area that the candidate forecasts, one per lead.
        recent_totals: incidents recorded in the whole area on each of the last `RECENT_DAYS` days.

    Raises:
        ValueError: if the model or the long-run frequency has no scores on test days.
    """
    tested = scores[scores["part"] == TEST]
    missing = sorted({model, LONG_RUN_FREQUENCY} - set(tested["model"]))
    if missing:
        raise ValueError(f"the gate of {candidate_id} found no test scores of {missing}")
    figures: dict[str, float] = {}
    reasons: list[str] = []
    if model == LONG_RUN_FREQUENCY:
        reasons.append(
            f"{LONG_RUN_FREQUENCY} is the champion itself: no model was better on the validation "
            "days, so there is nothing to publish that a plain average does not say"
        )
    for lead in sorted(tested["lead"].unique().tolist()):
        ours, theirs = (_sums(scores, hotspots, name, lead) for name in (model, LONG_RUN_FREQUENCY))
        paired = compare(ours, theirs, block=BLOCK_DAYS)
        figures |= _figures(paired, ours, theirs, lead)
        if model != LONG_RUN_FREQUENCY:
            reasons += objections(paired, model, LONG_RUN_FREQUENCY, f"lead {lead}")
        if lead == 1:
            figures |= {"days scored": paired.n_steps, "incidents scored": paired.n_incidents}
            reasons += biased(paired.bias, "one day ahead")
            reasons += too_little(paired, min_steps=MIN_DAYS, unit="days")
    for lead, total in enumerate(forecast_totals.tolist(), start=1):
        figures[f"forecast total, lead {lead}"] = total
    reasons += _implausible(forecast_totals, recent_totals)
    return Verdict(candidate_id, model, not reasons, reasons, figures)


def _weekly_deviance(rows: "pd.DataFrame") -> Float[np.ndarray, " week"]:
    validated = rows_of(rows, (VALIDATION, 1, ANY))
    daily = validated.groupby("target_day")["sum_deviance"].sum().to_numpy()
    whole = daily.size // BLOCK_DAYS * BLOCK_DAYS
    return daily[daily.size - whole :].reshape(-1, BLOCK_DAYS).mean(axis=1)


def _sums(scores: "pd.DataFrame", hotspots: "pd.DataFrame", model: str, lead: int) -> StepSums:
    of_case = (TEST, lead, ANY)
    flagged = hotspots[
        (hotspots["model"] == model)
        & (hotspots["part"] == TEST)
        & (hotspots["lead"] == lead)
        & (hotspots["offence_group"] == ANY)
        & (hotspots["coverage_share"] == HEADLINE_COVERAGE)
    ]
    rows = rows_of(scores[scores["model"] == model], of_case)
    return StepSums.of_rows(rows, "target_day", hotspots=flagged)


def _figures(paired: Comparison, ours: StepSums, theirs: StepSums, lead: int) -> dict[str, float]:
    return {
        **paired.figures(f"lead {lead}"),
        f"hit rate at 20 %, lead {lead}": ours.hit_rate,
        f"hit rate at 20 % of {LONG_RUN_FREQUENCY}, lead {lead}": theirs.hit_rate,
    }


def _implausible(forecast_totals: np.ndarray, recent_totals: np.ndarray) -> list[str]:
    most = LARGEST_DAY * float(recent_totals.max())
    reasons = [
        f"the forecast total of lead {lead} is {total:.2f} incidents and must lie between 0 and "
        f"{most:.2f}, twice the largest day of the last {recent_totals.size}"
        for lead, total in enumerate(forecast_totals.tolist(), start=1)
        if not 0 <= total <= most
    ]
    usual, mean = float(recent_totals.mean()), float(forecast_totals.mean())
    low, high = (factor * usual for factor in PLAUSIBLE_MEAN)
    if not low <= mean <= high:
        reasons.append(
            f"{mean:.2f} incidents are forecast a day and {low:.2f} to {high:.2f} are plausible: "
            f"half and twice the mean of the last {recent_totals.size} days"
        )
    return reasons

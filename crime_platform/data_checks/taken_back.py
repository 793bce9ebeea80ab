"""Whether revised files took recorded incidents away again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from crime_platform.data_checks.outcome import Outcome
from crime_platform.vocabulary.timesteps import Month

FALSE_ALARM = 0.004  # chance of a false word about a whole ingest, by the rule below
LEAST_LOST = 5  # incidents: fewer can be one event that was entered twice
USUAL_SHARE = 0.02  # of a month and type's incidents that a revision takes back, at the least
FEW_COUNTS, USUAL_SHARE_OF_FEW = 30, 0.05  # so few cannot say that less is usual
MOST_USUAL = 0.12  # where revisions take back more than that, it is no longer usual
MOST_OF_ONE, WIDER = 0.25, 1.25  # cut of a single share, and what the cut and chance hide
ALL_TYPES = "all types"


@dataclass(frozen=True, slots=True, kw_only=True)
class CountThenAndNow:
    """Incidents of one month and offence type before and after the newest files came."""

    source: str
    month: Month
    offence_type: str
    before: int  # the most that was known at one of the states before
    now: int
    files: str  # that hold the month now, or held it before where none does


def judge_taken_back(counts: Sequence[CountThenAndNow]) -> Outcome:
    """Tell every month and offence type that lost more incidents than revisions usually take.

    A revision takes back a share of each count that differs from count to count: a beta share
    whose mean is the usual one, so that a loss is beta-binomial. A loss is told where so large a
    one has a chance of less than `FALSE_ALARM` among all the counts that are compared. The usual
    share is that of all counts together, within limits, a large loss of one of them cut.
    """
    if not counts:
        return Outcome()
    before, now = (np.array([getattr(c, name) for c in counts]) for name in ("before", "now"))
    usual = _usual_share(before, now)
    lost = [count for count, hit in zip(counts, _is_loss(before, now, usual), strict=True) if hit]
    by_month: dict[tuple[str, Month], list[CountThenAndNow]] = {}
    for count in counts:
        by_month.setdefault((count.source, count.month), []).append(count)
    told = {(count.source, count.month) for count in lost}
    lost += _whole_months(by_month, told, usual)
    lost.sort(key=lambda count: (count.source, count.month, count.offence_type))
    return Outcome(
        problems=tuple(map(_problem, lost)),
        rows=[
            {
                "source": count.source,
                "month": str(count.month),
                "offence type": count.offence_type,
                "before": count.before,
                "now": count.now,
                "files": count.files,
            }
            for count in lost
        ],
        figures={"counts compared": len(counts), "usual share taken back": usual},
    )


def _usual_share(before: Int[np.ndarray, " count"], now: Int[np.ndarray, " count"]) -> float:
    """Mean share that a revision takes back, large losses cut so that one of them is not usual."""
    lost = np.clip(before - now, 0, MOST_OF_ONE * before)
    share = WIDER * lost.sum() / max(before.sum(), 1)
    least = USUAL_SHARE_OF_FEW if before.size < FEW_COUNTS else USUAL_SHARE
    return float(np.clip(share, least, MOST_USUAL))


def _is_loss(
    before: Int[np.ndarray, " count"], now: Int[np.ndarray, " count"], usual: float
) -> np.ndarray:
    from scipy.special import gammaln  # a tenth of a second that loading must not cost

    lost = np.maximum(before - now, 0)
    # Of a beta-binomial with shape 1: the chance to lose k or more of n is n / (n + b) times
    # (n - 1) / (n + b - 1) and so on, k factors; b follows from the mean.
    b = 1.0 / usual - 1.0
    chance = np.exp(
        gammaln(before + 1)
        - gammaln(before - lost + 1)
        + gammaln(before + b - lost + 1)
        - gammaln(before + b + 1)
    )
    return (lost >= LEAST_LOST) & (chance < FALSE_ALARM / before.size)


def _whole_months(
    by_month: Mapping[tuple[str, Month], Sequence[CountThenAndNow]],
    told: set[tuple[str, Month]],
    usual: float,
) -> list[CountThenAndNow]:
    """Months of which no type by itself lost enough to be told, and all together did."""
    months = [
        CountThenAndNow(
            source=source,
            month=month,
            offence_type=ALL_TYPES,
            before=sum(count.before for count in of_month),
            now=sum(count.now for count in of_month),
            files=of_month[0].files,
        )
        for (source, month), of_month in by_month.items()
        if (source, month) not in told
    ]
    if not months:
        return []
    before, now = (np.array([getattr(c, name) for c in months]) for name in ("before", "now"))
    return [count for count, hit in zip(months, _is_loss(before, now, usual), strict=True) if hit]


def _problem(count: CountThenAndNow) -> str:
    share = 1 - count.now / count.before
    what = "no incident is left" if count.now == 0 else f"{share:.0%} of the incidents are gone"
    return (
        f"{count.files}: {count.month}, {count.offence_type}: {what} ({count.before:,} before, "
        f"{count.now:,} now). Look whether the file is cut or lacks a label; if so put the "
        "earlier one back, else ask the publisher. Earlier vintages stay in incident_vintage"
    )

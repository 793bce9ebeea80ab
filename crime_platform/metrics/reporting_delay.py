"""What share of a month's final count is known, by the days that have passed since its end.

A look is what was known of one month on one day; its age is the number of days from the month's
last day to it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

MIN_MONTHS = 3  # seen at about an age and once more later before its share is measured
NEAR_DAYS = 28  # looks this much younger or older tell of an age as well
CLASS_WIDTH = 1.1  # ages within a tenth of each other count as one
MAX_ROUNDS, CLOSE_ENOUGH = 200, 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Completeness:
    """Share of its final count that is known of a month, by age."""

    age_days: Int[np.ndarray, " age"]  # rising
    share: Float[np.ndarray, " age"]  # NaN where later looks never joined up
    look_month: Int[np.ndarray, " look"]  # looks that were followed by an older one
    look_age_days: Int[np.ndarray, " look"]

    def at(self, age_days: int) -> float:
        """Share known at an age, between the measured ages by the logarithm of their days.

        Growth after the last age that is measured is taken to be none.

        Returns:
            A share in (0, 1]; NaN where fewer than `MIN_MONTHS` months were seen at about that
            age, and beyond the last age that is measured.
        """
        is_near = np.abs(self.look_age_days - age_days) <= max(NEAR_DAYS, 0.1 * age_days)
        n_months = np.unique(self.look_month[is_near]).size
        if age_days < 1 or n_months < MIN_MONTHS or age_days > self.age_days[-1]:
            return float("nan")
        return float(np.interp(np.log(age_days), np.log(self.age_days), self.share))


def completeness(
    month: Int[np.ndarray, " look"],
    age_days: Int[np.ndarray, " look"],
    count: Float[np.ndarray, " look"],
) -> Completeness:
    """Completeness by age from looks at irregular ages, in any order.

    The chain ladder: from each age to the next, the ratio of sums over the months known at both.
    Where nobody looked at a month between two of its looks, its growth is spread as the shares
    themselves say, in rounds until they stay as they are. A count that falls later was never known:
    it is cut to the lowest count that follows. Steps after the last age at which `MIN_MONTHS`
    months were seen to go on are left out.

    Args:
        month: number of the month that was looked at.
        age_days: days from its last day to the look; looks below 1 are left out.
        count: what was known.

    Source: Mack (1993), ASTIN Bulletin 23(2), eq. 4, for the ratios; Turnbull (1976), J. R. Stat.
    Soc. B 38(3), for spreading what is known of an interval only. Age classes are ours.
    """
    is_after = age_days >= 1
    month, age_days, count = month[is_after], age_days[is_after], count[is_after]
    ages = _age_classes(age_days)
    looks = _table(month, np.searchsorted(ages, age_days, side="right") - 1, age_days, count, ages)
    n_later = np.isfinite(looks)[:, ::-1].cumsum(axis=1)[:, ::-1]
    followed = np.isfinite(looks) & (n_later > 1)
    n_spanning = _spans(looks).sum(axis=0)
    n_steps = int(np.flatnonzero(n_spanning >= MIN_MONTHS).max(initial=-1)) + 1
    row, column = np.nonzero(followed)
    return Completeness(
        age_days=ages[: n_steps + 1],
        share=_shares(looks[:, : n_steps + 1], ages[: n_steps + 1]),
        look_month=row,
        look_age_days=ages[column],
    )


def _age_classes(age_days: Int[np.ndarray, " look"]) -> Int[np.ndarray, " age"]:
    """The youngest age of each class, rising."""
    kept: list[int] = []
    for age in np.unique(age_days):
        if not kept or age >= CLASS_WIDTH * kept[-1]:
            kept.append(int(age))
    return np.array(kept or [1], dtype=np.int64)


def _table(
    month: np.ndarray, column: np.ndarray, age_days: np.ndarray, count: np.ndarray, ages: np.ndarray
) -> Float[np.ndarray, "month age"]:
    """A row per month, the last look of each class; falling counts cut to what follows."""
    _, row = np.unique(month, return_inverse=True)
    table = np.full((int(row.max(initial=-1)) + 1, ages.size), np.nan)
    for at in np.argsort(age_days, kind="stable"):
        table[row[at], column[at]] = count[at]
    lowest_later = np.fmin.accumulate(table[:, ::-1], axis=1)[:, ::-1]
    return np.where(np.isfinite(table), lowest_later, np.nan)


def _spans(looks: Float[np.ndarray, "month age"]) -> np.ndarray:
    """Whether a month was known at both ends of each step, or before and after it."""
    is_seen = np.isfinite(looks)
    before = np.maximum.accumulate(is_seen, axis=1)[:, :-1]
    after = np.maximum.accumulate(is_seen[:, ::-1], axis=1)[:, ::-1][:, 1:]
    return before & after


def _shares(
    looks: Float[np.ndarray, "month age"], ages: Int[np.ndarray, " age"]
) -> Float[np.ndarray, " age"]:
    """The self-consistent shares, 1 at the last age."""
    spans = _spans(looks)
    before, after = _looks_around(looks)
    shares = np.log1p(ages) / np.log1p(ages[-1])  # where to begin: most comes early
    for _ in range(MAX_ROUNDS):
        counts = _filled(looks, before, after, shares)
        old = np.where(spans, counts[:, :-1], 0.0).sum(axis=0)
        new = np.where(spans, counts[:, 1:], 0.0).sum(axis=0)
        kept = np.divide(old, new, out=np.ones_like(old), where=(old > 0) & (new > 0))
        found = np.append(np.cumprod(kept[::-1])[::-1], 1.0)
        change = np.abs(found - shares).max()
        shares = found
        if change < CLOSE_ENOUGH:
            break
    last_gap = np.flatnonzero(~spans.any(axis=0)).max(initial=-1)
    return np.where(np.arange(shares.size) <= last_gap, np.nan, shares)


def _looks_around(
    looks: Float[np.ndarray, "month age"],
) -> tuple[Int[np.ndarray, "month age"], Int[np.ndarray, "month age"]]:
    """Column of the last look up to each age, and of the first one from it on; ends where none."""
    column = np.arange(looks.shape[1])
    is_seen = np.isfinite(looks)
    before = np.maximum.accumulate(np.where(is_seen, column, 0), axis=1)
    after = np.minimum.accumulate(np.where(is_seen, column, column[-1])[:, ::-1], axis=1)
    return before, after[:, ::-1]


def _filled(
    looks: Float[np.ndarray, "month age"],
    before: Int[np.ndarray, "month age"],
    after: Int[np.ndarray, "month age"],
    shares: Float[np.ndarray, " age"],
) -> Float[np.ndarray, "month age"]:
    """Counts between the looks at a month, growing as the shares do; NaN outside them."""
    rise = shares[after] - shares[before]
    even = (np.arange(looks.shape[1]) - before) / np.maximum(after - before, 1)
    part = np.divide(shares - shares[before], rise, out=even, where=rise > 0)
    old, new = (np.take_along_axis(looks, place, axis=1) for place in (before, after))
    return np.where(np.isfinite(looks), looks, old + part * (new - old))

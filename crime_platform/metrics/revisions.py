"""How far a month's recorded count still grows after it is first published.

The counts of one month, known 0, 1, 2... months after it, are one row of a revision triangle. NaN
stands where nothing was known, or nobody looked.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

MIN_PAIRS = 3  # months seen at two ages running before the step between the ages is measured


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Development:
    """How counts develop from each age to the next."""

    factor: Float[np.ndarray, " age"]  # count at age + 1 over count at age; NaN where not measured
    n_pairs: Int[np.ndarray, " age"]  # months behind each factor

    def completeness(self, age: int) -> float:
        """Share of the final count that is known at this age; NaN where that is not measured.

        Growth after the last age that is measured is taken to be none.
        """
        measured = np.flatnonzero(np.isfinite(self.factor))
        if not measured.size or not 0 <= age <= measured[-1]:
            return float("nan")
        return float(1 / np.prod(self.factor[age : measured[-1] + 1]))


def development(triangle: Float[np.ndarray, "month age"]) -> Development:
    """Chain-ladder factors: at each step the ratio of sums over the months known at both ages.

    Source: Mack (1993), ASTIN Bulletin 23(2), eq. 4; fewer than `MIN_PAIRS` months give no factor.
    """
    before, after = triangle[:, :-1], triangle[:, 1:]
    is_pair = np.isfinite(before) & np.isfinite(after)
    n_pairs = is_pair.sum(axis=0)
    sum_before = np.where(is_pair, before, 0.0).sum(axis=0)
    sum_after = np.where(is_pair, after, 0.0).sum(axis=0)
    is_measured = (n_pairs >= MIN_PAIRS) & (sum_before > 0) & (sum_after > 0)
    factor = np.full(n_pairs.shape, np.nan)
    np.divide(sum_after, sum_before, out=factor, where=is_measured)
    return Development(factor=factor, n_pairs=n_pairs)


def by_age(
    counts: Float[np.ndarray, "month vintage"], *, months: np.ndarray, vintages: np.ndarray
) -> Float[np.ndarray, "month age"]:
    """The triangle with one column per age instead of one per month in which was looked.

    Where nobody looked between two ages, growth is spread evenly over the months between: a
    quarterly publisher's counts grow mostly in the first of the three, so that completeness comes
    out a little too high there (by 2 points for one that starts at 88 %).

    Args:
        counts: what was known of each month at the end of each vintage month.
        months: calendar months counted, datetime64[M].
        vintages: calendar months in whose course something new was known, datetime64[M].
    """
    ages = (vintages[None, :] - months[:, None]).astype(np.int64)
    is_known = np.isfinite(counts) & (ages >= 0)
    triangle = np.full((len(months), int(ages.max(initial=0, where=is_known)) + 1), np.nan)
    row, column = np.nonzero(is_known)
    triangle[row, ages[row, column]] = counts[row, column]
    for known in triangle:
        seen = np.flatnonzero(np.isfinite(known))
        if seen.size:
            between = np.arange(seen[0], seen[-1] + 1)
            known[between] = np.interp(between, seen, known[seen])
    return triangle


def newest_changes(
    triangle: Float[np.ndarray, "month age"], newest_age: Int[np.ndarray, " month"]
) -> tuple[Float[np.ndarray, " month"], Float[np.ndarray, " month"]]:
    """Each month's newest relative change, and the usual size of a change at that age.

    The usual size is the root mean square of the other months' changes at the same age; NaN with
    fewer than `MIN_PAIRS` of them.

    Args:
        triangle: counts by month and age.
        newest_age: age at which each month was seen last.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        change = triangle[:, 1:] / triangle[:, :-1] - 1
    change[~np.isfinite(change)] = np.nan
    n_months = len(triangle)
    newest, usual = np.full(n_months, np.nan), np.full(n_months, np.nan)
    for row, age in enumerate(newest_age):
        if age < 1:
            continue
        newest[row] = change[row, age - 1]
        others = np.delete(change[:, age - 1], row)
        others = others[np.isfinite(others)]
        if others.size >= MIN_PAIRS:
            usual[row] = np.sqrt(np.mean(others**2))
    return newest, usual

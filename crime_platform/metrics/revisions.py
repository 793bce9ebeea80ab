"""By how much a month's recorded count usually changes after it is first published.

The counts of one month, known 0, 1, 2... months after it, are one row of a revision triangle. NaN
stands where nothing was known, or nobody looked.
"""

import numpy as np
from jaxtyping import Float, Int

MIN_PAIRS = 3  # months seen at two ages before the change between them is measured


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


def changes_between(
    triangle: Float[np.ndarray, "month age"],
    before: Int[np.ndarray, " month"],
    newest: Int[np.ndarray, " month"],
) -> Float[np.ndarray, " month"]:
    """Usual size of a month's relative change between two ages of its own.

    That is the root mean square of the other months' changes between the same ages. Where fewer
    than `MIN_PAIRS` months have reached them, changes over as long a time at the ages just before
    are taken too, at which months change more; NaN with too few of all.

    Args:
        triangle: counts by month and age.
        before: an earlier age of each month.
        newest: a later one.
    """
    usual = np.full(len(triangle), np.nan)
    for row, (start, end) in enumerate(zip(before, newest, strict=True)):
        if not 0 <= start < end < triangle.shape[1]:
            continue
        others, changes = np.delete(triangle, row, axis=0), []
        for younger in range(start + 1):
            old, new = others[:, start - younger], others[:, end - younger]
            is_pair = np.isfinite(old) & np.isfinite(new) & (old > 0)
            changes += list(new[is_pair] / old[is_pair] - 1)
            if len(changes) >= MIN_PAIRS:
                usual[row] = np.sqrt(np.mean(np.square(changes)))
                break
    return usual

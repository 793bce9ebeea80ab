"""Whether the newest files changed earlier months by more than is usual."""

import numpy as np
from jaxtyping import Float

from crime_platform.data_checks.outcome import Outcome
from crime_platform.metrics.revisions import by_age, changes_between

USUAL_TIMES = 3.0  # the usual change at that age, beyond which one is told
MIN_SHARE = 0.02  # of the month's count
MIN_INCIDENTS = 10  # a change of fewer is no news, whatever its share


def judge_revisions(
    counts: Float[np.ndarray, "month vintage"], *, months: np.ndarray, vintages: np.ndarray
) -> Outcome:
    """Tell every month that the newest vintage changed unusually much.

    Args:
        counts: what was known of each month in each calendar month with news; NaN before that.
        months: calendar months counted, rising.
        vintages: calendar months in whose course something new was known, rising.
    """
    if len(vintages) < 2 or not len(months):
        return Outcome(figures={"vintages": len(vintages)})
    before, newest = counts[:, -2], counts[:, -1]
    ages = [(vintage - months).astype(np.int64) for vintage in vintages[-2:]]
    triangle = by_age(counts, months=months, vintages=vintages)
    usual = changes_between(triangle, *ages)
    problems, rows = [], []
    for month, old, new, normal in zip(months, before, newest, usual, strict=True):
        if not (np.isfinite(old) and np.isfinite(new)) or old == new:
            continue
        share = (new - old) / max(old, 1.0)
        rows.append(
            {
                "month": str(month),
                "before": int(old),
                "now": int(new),
                "change": float(share),
                "usual change": float(normal),
            }
        )
        is_known = np.isfinite(normal)
        is_large = abs(share) > max(MIN_SHARE, USUAL_TIMES * normal)
        if is_known and is_large and abs(new - old) >= MIN_INCIDENTS:
            side = "more" if new > old else "fewer"
            problems.append(
                f"{month}: {abs(share):.1%} {side} incidents than before ({old:,.0f}, now "
                f"{new:,.0f}); at that age a month changes by {normal:.1%} as a rule. Ask the "
                "publisher, or look for a file that is cut or doubled; earlier vintages stay in "
                "incident_vintage"
            )
    return Outcome(
        problems=tuple(problems),
        rows=rows,
        figures={"vintages": len(vintages), "months changed": len(rows)},
    )

"""Whether as many incidents have a place as usual."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from crime_platform.data_checks.outcome import Outcome
from crime_platform.vocabulary.timesteps import Month

N_NEWEST = 3  # months that are judged
N_HISTORY = 24  # months before them that say what is usual
MIN_HISTORY = 6
MAX_DEVIATION = 3.0  # standard errors below the usual share
MIN_DROP_SHARE = 0.01  # a smaller drop is not worth a message, however certain
ALL_TYPES = "all types"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedCount:
    """Rows of one month and offence type, and how many of them have a place."""

    month: Month
    offence_type: str
    n: int
    n_placed: int


def judge_places(source: str, counts: Sequence[PlacedCount]) -> Outcome:
    """Compare the newest whole months of a source with the two years before them.

    A share is too low when it lies 3 standard errors and 1 point below the usual one. The
    standard error is that of a binomial share, widened by how much the months of the history
    spread beyond it, and by one row, since a row or two may always lack a place.

    Args:
        source: name of the source.
        counts: of whole months only.
    """
    kinds = [ALL_TYPES, *sorted({count.offence_type for count in counts})]
    months = sorted({count.month for count in counts})
    newest, history = months[-N_NEWEST:], months[-N_NEWEST - N_HISTORY : -N_NEWEST]
    problems, rows = [], []
    for kind in kinds:
        by_month = _by_month(counts, kind)
        past = [by_month[month] for month in history if month in by_month]
        usual, spread = _usual(past)
        low = []
        for month in newest:
            n, n_placed = by_month.get(month, (0, 0))
            is_low = len(past) >= MIN_HISTORY and _is_low(n, n_placed, past, usual, spread)
            low += [f"{n_placed / n:.1%} in {month}"] if is_low else []
            rows.append(
                {
                    "source": source,
                    "offence type": kind,
                    "month": str(month),
                    "rows": n,
                    "share with a place": n_placed / n if n else math.nan,
                    "usual share": usual,
                }
            )
        if low:
            problems.append(
                f"{source}, {kind}: only {', '.join(low)} have a place, usually {usual:.1%}; look "
                "at the coordinate columns of the newest file. Rows without a place count in "
                "totals only"
            )
    figures = {f"usual share with a place, {source}": rows[0]["usual share"]} if rows else {}
    return Outcome(problems=tuple(problems), rows=rows, figures=figures)


def _by_month(counts: Sequence[PlacedCount], kind: str) -> dict[Month, tuple[int, int]]:
    totals: dict[Month, tuple[int, int]] = {}
    for count in counts:
        if kind in (ALL_TYPES, count.offence_type):
            n, n_placed = totals.get(count.month, (0, 0))
            totals[count.month] = (n + count.n, n_placed + count.n_placed)
    return totals


def _usual(past: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """Pooled share, half an incident short of 0 and 1, and variance over the binomial one."""
    whole, placed = sum(n for n, _ in past), sum(n_placed for _, n_placed in past)
    share = (placed + 0.5) / (whole + 1)
    squares = [(k - n * share) ** 2 / (n * share * (1 - share)) for n, k in past if n]
    return share, max(sum(squares) / max(len(squares) - 1, 1), 1.0)


def _is_low(
    n: int, n_placed: int, past: Sequence[tuple[int, int]], usual: float, spread: float
) -> bool:
    if not n:
        return False
    n_past = max(sum(m for m, _ in past), 1)
    variance = spread * n * usual * (1 - usual) * (1 + n / n_past) + 1  # of the rows with a place
    n_lost = n * usual - n_placed
    return n_lost > MIN_DROP_SHARE * n and n_lost > MAX_DEVIATION * math.sqrt(variance)

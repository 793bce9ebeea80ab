"""Months that hold far fewer incidents than the months around them, beyond season and chance."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

MIN_MONTHS = 6  # of a series: with fewer nothing is usual
LOW = 0.5  # of what the months around hold
WINDOW = 9  # months on each side that say which months are low
BORDER = 3  # months on each side that say what was expected
MAX_LOW_MONTHS = 12  # in a row; longer is a change of level, which is found elsewhere
MAX_YEARS = 4  # before and after, whose same months tell the season
FALSE_ALARM_SHARE = 0.01  # of series with nothing wrong, all months together
MEDIAN_OF_CHI_SQUARE = 0.4549  # with one degree of freedom
UNKNOWN_SEASON = 0.05  # the same, of a season that no other year tells
MIN_SPREAD = 0.02  # variance of a month's rate, relative to its square: every city has some


@dataclass(frozen=True, slots=True, kw_only=True)
class ThinSpan:
    """Consecutive months, by position, that hold too little."""

    start: int
    stop: int  # first month after them
    n: int  # incidents
    expected: float  # by the months around them and the season

    @property
    def share(self) -> float:
        """Of what was expected."""
        return self.n / self.expected


def thin_spans(counts: Int[np.ndarray, " month"], *, n_series: int = 1) -> list[ThinSpan]:
    """Spans of months that hold less than half of what was expected, oldest first.

    Expected is the mean of up to three months on each side, times what the same months of other
    years hold of theirs. A span counts when so few are next to impossible by chance: by a negative
    binomial whose spread is that of the months beside it (their Poisson noise, and how much months
    next to each other differ beyond it), with Bonferroni's correction for all months of all series.
    The first and the last month are never in a span: where a series begins or ends is another
    question.

    Args:
        counts: incidents of consecutive months.
        n_series: how many are looked at together, so that all of them share one rate of alarms.

    Source: ours. Without spread it is the exact comparison of two Poisson rates (Przyborowski &
    Wilenski 1940, Biometrika 31) but for one pseudo-count.
    """
    if counts.size < MIN_MONTHS:
        return []
    from scipy.special import betainc  # slow to import

    is_low, spread = _low(counts), _spread(counts)
    level = FALSE_ALARM_SHARE / (counts.size * n_series)
    found = []
    for start, stop in _runs(is_low):
        if start == 0 or stop == counts.size or stop - start > MAX_LOW_MONTHS:
            continue
        around, n_around = _around(counts, is_low, start, stop)
        season, n_years = _season(counts, start, stop)
        weight = (stop - start) * season
        n = int(counts[start:stop].sum())
        expected = weight * around / max(n_around, 1)
        if not n < LOW * expected:
            continue
        # Of other years' ratios each is as uncertain as this one would be.
        of_sides = 1 / around + spread / n_around
        of_season = (of_sides + spread + 1 / expected) / n_years if n_years else UNKNOWN_SEASON
        shape = 1 / (spread / (stop - start) + of_sides + of_season)
        chance = betainc(shape, n + 1, shape / (shape + expected))
        if chance < level:
            found.append(ThinSpan(start=start, stop=stop, n=n, expected=float(expected)))
    return found


def _low(counts: Int[np.ndarray, " month"]) -> Bool[np.ndarray, " month"]:
    """Months below half of the median of the months round them."""
    usual = [
        np.median(np.delete(counts[max(0, at - WINDOW) : at + WINDOW + 1], min(at, WINDOW)))
        for at in range(counts.size)
    ]
    return counts < LOW * np.array(usual)


def _runs(is_low: Bool[np.ndarray, " month"]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, is_low, False].astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _around(
    counts: Int[np.ndarray, " month"], is_low: Bool[np.ndarray, " month"], start: int, stop: int
) -> tuple[int, int]:
    """Incidents of the months next to a span that are not low themselves, and their number."""
    before = np.flatnonzero(~is_low[:start])[-BORDER:]
    after = stop + np.flatnonzero(~is_low[stop:])[:BORDER]
    beside = np.r_[before, after]
    return int(counts[beside].sum()), beside.size


def _season(counts: Int[np.ndarray, " month"], start: int, stop: int) -> tuple[float, int]:
    """What the same months of other years hold of the months beside them, at most 1; years."""
    shares, nothing_low = [], np.zeros(counts.size, dtype=bool)
    for years in (*range(-MAX_YEARS, 0), *range(1, MAX_YEARS + 1)):
        first, last = start + 12 * years, stop + 12 * years
        if first < 1 or last >= counts.size:
            continue
        around, n_around = _around(counts, nothing_low, first, last)
        if around:
            shares.append(counts[first:last].mean() * n_around / around)
    return (min(1.0, float(np.median(shares))) if shares else 1.0), len(shares)


def _spread(counts: Int[np.ndarray, " month"]) -> float:
    """Variance of a month's rate over its square, by how months next to each other differ."""
    pairs = counts[1:] + counts[:-1]
    some = pairs > 0
    if not some.any():
        return MIN_SPREAD
    # Of Poisson counts with such rates, E[difference^2 / sum] = 1 + spread * sum / 2; by medians,
    # which a few months that are not there do not move.
    squares = np.median(np.diff(counts)[some] ** 2 / pairs[some]) / MEDIAN_OF_CHI_SQUARE
    return max(MIN_SPREAD, float((squares - 1) / (np.median(pairs[some]) / 2)))

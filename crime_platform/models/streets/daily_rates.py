"""What a daily baseline knows at an origin, kept up from day to day, and the least rate it may say.

Sums are carried forward: the first origin costs a pass over the days before it, every later one
costs one step.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crime_platform.models.empirical_bayes import discounted
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import DAYS_PER_WEEK, Day, weekday

DAYS_PER_YEAR = 365
LEAST_RATE = 1e-7  # incidents per day: once in 27,000 years, where not even one was measured
CHUNK_DAYS = 256  # counts of so many days at a time become floats of 8 bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KnownDays:
    """Sums over the days up to and including one origin.

    `discounted` weighs a day by `decay ** age`, age 0 the origin, for each half-life asked for;
    `weight` is the sum of those weights.
    """

    origin: Day
    n_days: int
    last: Float[np.ndarray, "type node"]
    total: Float[np.ndarray, "type node"]
    decay: Float[np.ndarray, " setting #type 1"]
    discounted: Float[np.ndarray, "setting type node"]
    weight: Float[np.ndarray, " setting #type 1"]
    weekday_total: Float[np.ndarray, "7 type"]  # of the whole area, Monday first
    weekday_days: Int[np.ndarray, " 7"]

    @property
    def mean(self) -> Float[np.ndarray, "type node"]:
        """Long-run frequency: incidents per day over all days known."""
        return self.total / self.n_days


def known_days(
    history: CountHistory, positions: range, half_lives: Float[np.ndarray, " setting #type 1"]
) -> Iterator[KnownDays]:
    """What is known at each of consecutive origins; days after an origin play no part in it.

    Args:
        history: daily counts.
        positions: of the origins in the history.
        half_lives: days after which a day weighs half; infinity weighs all days alike. One for
            each setting, of all offence types or of each.
    """
    counts, start = history.counts, positions[0] + 1
    decay = 0.5 ** (1 / half_lives)
    total = counts[:start].sum(axis=0, dtype=np.float64)
    sums, weight = _discounted_through(counts[:start], decay)
    in_area = counts[: positions[-1] + 1].sum(axis=2, dtype=np.float64)
    weekdays = np.eye(DAYS_PER_WEEK, dtype=np.int64)[weekday(history.steps[: positions[-1] + 1])]
    by_weekday = weekdays[:start].T @ in_area[:start]
    n_weekdays = weekdays[:start].sum(axis=0)
    for position in positions:
        today = counts[position].astype(np.float64)
        if position >= start:
            total = total + today
            sums = decay * sums + today
            weight = decay * weight + 1
            by_weekday = by_weekday + np.outer(weekdays[position], in_area[position])
            n_weekdays = n_weekdays + weekdays[position]
        yield KnownDays(
            origin=history.steps[position],
            n_days=position + 1,
            last=today,
            total=total,
            decay=decay,
            discounted=sums,
            weight=weight,
            weekday_total=by_weekday,
            weekday_days=n_weekdays,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DailyRateFloor:
    """Smallest daily rate a forecast may state at each origin; see `daily_rate_floor`."""

    first_active: Int[np.ndarray, " node"]  # position of its first incident, or the number of days
    quiet_rate: Float[np.ndarray, "step type"]

    def at(self, position: int) -> Float[np.ndarray, "type node"]:
        """Floor at the origin of this position in the history; later days play no part in it."""
        is_active = self.first_active <= position
        return np.where(is_active, 0.5 / (position + 1), self.quiet_rate[position][:, None])


def daily_rate_floor(counts: Float[np.ndarray, "step type node"]) -> DailyRateFloor:
    """Smallest daily rate any model of these counts may state, the same for all models.

    Where a node was ever active, with an incident of any type, it is half an incident over the
    days known. Elsewhere it is what was measured: in the year up to the origin, first incidents of
    a type over the days that nodes had spent without any incident yet, at least `LEAST_RATE`. A
    first incident is one on the day on which its node became active.

    A zero rate says "impossible", and one incident there makes the Poisson deviance infinite. The
    monthly branch has a constant where nothing was ever recorded; a city has thousands of such
    streets and years of days, so that here the rate is measured instead.
    """
    n_steps, n_types, n_nodes = counts.shape
    is_active = counts.any(axis=1)
    first_active = np.where(is_active.any(axis=0), is_active.argmax(axis=0), n_steps)
    node = np.flatnonzero(first_active < n_steps)
    firsts = np.zeros((n_steps + 1, n_types))
    np.add.at(firsts, first_active[node] + 1, counts[first_active[node], :, node])
    became_active = np.bincount(first_active, minlength=n_steps)[:n_steps]
    quiet = n_nodes - np.concatenate([[0], became_active]).cumsum()[:-1]  # as the day began
    firsts, exposure = firsts.cumsum(axis=0), np.concatenate([[0], quiet]).cumsum()
    end = np.arange(1, n_steps + 1)
    start = np.maximum(end - DAYS_PER_YEAR, 0)
    node_days = np.maximum(exposure[end] - exposure[start], 1)[:, None]
    rate = np.maximum((firsts[end] - firsts[start]) / node_days, LEAST_RATE)
    return DailyRateFloor(first_active=first_active, quiet_rate=rate)


def _discounted_through(
    counts: np.ndarray, decay: Float[np.ndarray, " setting #type 1"]
) -> tuple[np.ndarray, np.ndarray]:
    rates, row = np.unique(decay.ravel(), return_inverse=True)
    row = row.reshape(decay.shape[:2])
    sums, weight = np.zeros((rates.size, *counts.shape[1:])), np.zeros(rates.size)
    for first in range(0, len(counts), CHUNK_DAYS):
        chunk = counts[first : first + CHUNK_DAYS].astype(np.float64)
        fade = rates ** len(chunk)
        newer, newer_weight = discounted(chunk, rates.tolist())
        sums = fade[:, None, None] * sums + newer
        weight = fade * weight + newer_weight
    kind = np.arange(counts.shape[1])
    return sums[np.broadcast_to(row, (len(row), kind.size)), kind], weight[row][:, :, None]

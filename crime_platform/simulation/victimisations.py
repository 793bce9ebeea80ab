"""From counts to the publisher's rows: how each is described, what is unknown, late or wrong.

A row stands for one victimisation or, now and then, for several of the same place and month. A
late row is in no download before it is known; what is known once stays, so that months only grow.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from crime_platform.simulation.offences import OffenceWording

UNKNOWN_HOUR = 99
HOUR_SPREAD = 4.5  # hours, of a normal distribution wrapped around the clock
UNKNOWN_DAY_SHARE = 0.02
KNOWN_BY_AGE = (0.88, 0.95, 0.975, 0.987, 0.995, 1.0)
"""Share of a month's victimisations that a download 0, 1, 2... months later holds."""

KNOWN_CODE, UNKNOWN_MESHBLOCK, UNKNOWN_PLACE, LATER_CODE = range(4)
CODE_SHARES = (0.980, 0.011, 0.005, 0.004)
"""How a row names its place: whole; area unit only; not at all; a code that 2013 did not have."""

CLEAN, BLANK_OFFENCE, BAD_MONTH, FUTURE_MONTH = range(4)
DIRT_NAMES = ("clean", "blank offence", "unreadable month", "month in the future")
DIRT_SHARES = (0.9988, 0.0005, 0.0004, 0.0003)
"""Dirty rows, by what is wrong with them: far below any limit of quality."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One array per thing that a row says; positions refer to the axes of the counts."""

    month: Int[np.ndarray, " row"]
    offence: Int[np.ndarray, " row"]
    place: Int[np.ndarray, " row"]
    n_victimisations: Int[np.ndarray, " row"]
    group: Int[np.ndarray, " row"]  # among the offence's groups
    weekday: Int[np.ndarray, " row"]  # 0 Monday .. 6 Sunday, 7 not known
    hour: Int[np.ndarray, " row"]  # 0..23, or UNKNOWN_HOUR
    location: Int[np.ndarray, " row"]  # 0 residential, 1 other, 2 community
    code: Int[np.ndarray, " row"]  # KNOWN_CODE ...
    months_late: Int[np.ndarray, " row"]
    dirt: Int[np.ndarray, " row"]  # CLEAN ...

    def __len__(self) -> int:
        return len(self.month)

    def in_download(self, first: int, last: int) -> Bool[np.ndarray, " row"]:
        """Rows of the months `first` to `last` that are known by the end of month `last`."""
        return (self.month >= first) & (self.month + self.months_late <= last)


def rows_of(
    counts: Int[np.ndarray, "month offence place"],
    wordings: Sequence[OffenceWording],
    random: np.random.Generator,
) -> Rows:
    """The rows in which a publisher would write these counts down.

    Args:
        counts: victimisations.
        wordings: how each offence is described, in the order of the offence axis.
        random: what is drawn comes from here alone.
    """
    spots = np.nonzero(counts)
    spot = np.repeat(np.arange(len(spots[0])), counts[spots])
    several = np.array([wording.several_share for wording in wordings])[spots[1][spot]]
    is_first = np.ones(len(spot), dtype=bool)
    is_first[1:] = (spot[1:] != spot[:-1]) | (random.random(len(spot) - 1) >= several[1:])
    first = np.flatnonzero(is_first)
    month, offence, place = (axis[spot[first]] for axis in spots)
    n_rows = len(first)
    described = _described(offence, wordings, random)
    return Rows(
        month=month,
        offence=offence,
        place=place,
        n_victimisations=np.diff(first, append=len(spot)),
        group=described["group"],
        weekday=np.where(
            random.random(n_rows) < UNKNOWN_DAY_SHARE, 7, random.integers(0, 7, n_rows)
        ),
        hour=described["hour"],
        location=described["location"],
        code=_drawn(CODE_SHARES, n_rows, random),
        months_late=_drawn(np.diff(KNOWN_BY_AGE, prepend=0.0), n_rows, random),
        dirt=_drawn(DIRT_SHARES, n_rows, random),
    )


def _described(
    offence: Int[np.ndarray, " row"],
    wordings: Sequence[OffenceWording],
    random: np.random.Generator,
) -> dict[str, Int[np.ndarray, " row"]]:
    """Group, hour and kind of location, drawn offence by offence."""
    found = {key: np.zeros(len(offence), dtype=np.int64) for key in ("group", "hour", "location")}
    for number, wording in enumerate(wordings):
        here = np.flatnonzero(offence == number)
        shares = [share for *_, share in wording.groups]
        found["group"][here] = _drawn(shares, len(here), random)
        clock = random.normal(wording.peak_hour, HOUR_SPREAD, len(here)) % 24
        is_unknown = random.random(len(here)) < wording.unknown_hour_share
        found["hour"][here] = np.where(is_unknown, UNKNOWN_HOUR, clock.astype(np.int64))
        homes, business = wording.at_home_share, wording.in_business_share
        mix = (homes, business, 1 - homes - business)
        found["location"][here] = _drawn(mix, len(here), random)
    return found


def _drawn(
    shares: Sequence[float] | np.ndarray, n: int, random: np.random.Generator
) -> Int[np.ndarray, " row"]:
    """Numbers from 0 on, each with its share."""
    limits = np.cumsum(shares)
    return np.searchsorted(limits / limits[-1], random.random(n), side="right")

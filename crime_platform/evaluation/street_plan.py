"""How the evidence on street models is gathered: which days choose, which judge, who serves them.

Evidence is anchored at the end of a calendar month and forecasts start from the newest day: a daily
run trains anew only when a month has ended or counts were revised.
"""

from dataclasses import dataclass

import numpy as np

from crime_platform.evaluation.selection import MIN_JUDGED
from crime_platform.metrics.significance import BLOCK_DAYS
from crime_platform.vocabulary.day_split import (
    PRODUCTION_SHARES,
    DaySplit,
    chronological_split,
)
from crime_platform.vocabulary.timesteps import Day, IncompleteDataError

HORIZON_DAYS = 7
N_REFITS = 4  # a model that serves a year and more of test days is then at most a third of it old
BURN_IN_DAYS = 56  # the longest lookback compared; before it, days are history only
MIN_PART_DAYS = (MIN_JUDGED + 1) * BLOCK_DAYS  # of validation and test: four whole weeks


@dataclass(frozen=True, slots=True, kw_only=True)
class Refit:
    """One fit that serves consecutive origins of the test part; it has seen no day after `through`.

    `through` is the first of the origins: a target never lies before the end of what was learned,
    at any lead.
    """

    through: Day
    split: DaySplit
    origins: np.ndarray  # datetime64[D], consecutive


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetPlan:
    """Days of one daily run: `as_of` is the last day known, `anchor` the last day of evidence."""

    as_of: Day
    anchor: Day
    horizon: int = HORIZON_DAYS
    n_refits: int = N_REFITS
    burn_in_days: int = BURN_IN_DAYS

    def __post_init__(self) -> None:
        units = {np.datetime_data(day.dtype)[0] for day in (self.as_of, self.anchor)}
        if units != {"D"}:
            raise ValueError(f"a street plan is made of days, datetime64[D]; got units {units}")
        if self.anchor > self.as_of:
            raise ValueError(
                f"evidence ends at the last day known or before it; got anchor {self.anchor} after "
                f"as_of {self.as_of}"
            )
        if self.horizon < 1 or self.n_refits < 1:
            raise ValueError(
                "a plan forecasts at least 1 day ahead with at least 1 fit of the test days; got "
                f"horizon {self.horizon} and {self.n_refits} refits"
            )

    @property
    def leads(self) -> tuple[int, ...]:
        """Leads that are judged: the next day and the last one published."""
        return (1,) if self.horizon == 1 else (1, self.horizon)

    @property
    def evidence_content(self) -> tuple[object, ...]:
        """What decides the evidence, as parts of an artifact's key; `as_of` does not."""
        return (str(self.anchor), self.horizon, self.n_refits, self.burn_in_days)

    def split(self, first_day: Day) -> DaySplit:
        """70/15/15 split of the days through the anchor.

        Raises:
            IncompleteDataError: if validation or test would be shorter than the four weeks that
                their weekly blocks and the longest lead need.
        """
        n_days = int((self.anchor - first_day).astype(np.int64)) + 1
        short = f"{n_days} days, {first_day}..{self.anchor},"
        if n_days <= self.burn_in_days:
            raise IncompleteDataError(
                f"{short} are no more than the {self.burn_in_days} of burn-in: add earlier days"
            )
        split = chronological_split(first_day, self.anchor, burn_in_days=self.burn_in_days)
        fewest = min(split.validation_days.size, split.test_days.size)
        least = max(MIN_PART_DAYS + self.horizon - 1, self.n_refits)
        if fewest < least:
            raise IncompleteDataError(
                f"{short} leave {fewest} to validate or to test, and street models are judged on "
                f"at least {least}: add earlier days, about {round(least / 0.15)} in all"
            )
        return split

    def refits(self, first_day: Day) -> tuple[Refit, ...]:
        """The fits that serve the test days, oldest first; each day but the last is an origin."""
        origins = self.split(first_day).test_days - 1
        return tuple(
            Refit(
                through=block[0],
                split=self.production_split(first_day, block[0]),
                origins=block,
            )
            for block in np.array_split(origins, self.n_refits)
        )

    def production_split(self, first_day: Day, through: Day) -> DaySplit:
        """Split of a fit that holds back no test days: everything through one day."""
        return chronological_split(
            first_day, through, shares=PRODUCTION_SHARES, burn_in_days=self.burn_in_days
        )


def anchored_plan(
    as_of: Day, *, horizon: int = HORIZON_DAYS, n_refits: int = N_REFITS
) -> StreetPlan:
    """The plan of one day: evidence ends with the last full calendar month through `as_of`."""
    next_month = (as_of + 1).astype("datetime64[M]")
    anchor = next_month.astype("datetime64[D]") - 1
    return StreetPlan(as_of=as_of, anchor=anchor, horizon=horizon, n_refits=n_refits)

"""One chronological split of a daily history: days to learn from, to tune on, to be judged by.

The street branch splits once where the monthly one rolls its folds: years of days hold enough
validation and test days for one split of each.
"""

from dataclasses import dataclass

import numpy as np

from crime_platform.vocabulary.timesteps import Day

SPLIT_SHARES = (0.70, 0.15, 0.15)  # of all days: train, validation, test
PRODUCTION_SHARES = (0.85, 0.15, 0.0)  # nothing is held back from the model that forecasts tomorrow


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySplit:
    """Last target day of each part; a target is a day forecast, its origin lies before it.

    Train runs from `train_start`, validation from the day after `train_end`, test from the day
    after `validation_end`. Days before `train_start` serve as history only. No test part is
    `test_end == validation_end`.
    """

    train_start: Day
    train_end: Day
    validation_end: Day
    test_end: Day

    def __post_init__(self) -> None:
        ends = (self.train_start, self.train_end, self.validation_end, self.test_end)
        units = {np.datetime_data(end.dtype)[0] for end in ends}
        if units != {"D"}:
            raise ValueError(f"a day split is made of days, datetime64[D]; got units {units}")
        if not ends[0] <= ends[1] < ends[2] <= ends[3]:
            raise ValueError(
                "train, validation and test follow each other, and only test may be empty; got "
                f"train {ends[0]}..{ends[1]}, validation to {ends[2]}, test to {ends[3]}"
            )

    @property
    def train_days(self) -> np.ndarray:
        """Target days a model learns from, oldest first."""
        return _days(self.train_start, self.train_end)

    @property
    def validation_days(self) -> np.ndarray:
        """Target days its settings are chosen on, oldest first."""
        return _days(self.train_end + 1, self.validation_end)

    @property
    def test_days(self) -> np.ndarray:
        """Target days nothing was chosen on, oldest first; empty in production."""
        return _days(self.validation_end + 1, self.test_end)

    @property
    def content(self) -> tuple[object, ...]:
        """The four days, as parts of an artifact's key."""
        return tuple(
            str(day)
            for day in (self.train_start, self.train_end, self.validation_end, self.test_end)
        )


def chronological_split(
    first_day: Day,
    last_day: Day,
    *,
    shares: tuple[float, float, float] = SPLIT_SHARES,
    burn_in_days: int = 0,
) -> DaySplit:
    """Split of the days `first_day..last_day`: train first, then validation, then test.

    Shares are of all days, so the test part stays the same whatever a model's lookback. Borders
    are rounded to whole days.

    Args:
        first_day: oldest day of the history.
        last_day: newest day of the history.
        shares: of train, validation and test; the last may be 0.
        burn_in_days: first days that serve as history only: the longest lookback compared.

    Raises:
        ValueError: if the shares are not two positive numbers and one that is not negative with
            sum 1, the days run backward, or a part is left without a day.
    """
    if min(shares[:2]) <= 0 or shares[2] < 0 or not np.isclose(sum(shares), 1.0):
        raise ValueError(
            "shares of train, validation and test must sum to 1, and only test may be 0; "
            f"got {shares}"
        )
    if last_day < first_day:
        raise ValueError(f"a split runs forward; got first {first_day} after last {last_day}")
    if burn_in_days < 0:
        raise ValueError(f"burn-in is a number of days >= 0, got {burn_in_days}")
    n_days = int((last_day - first_day).astype(np.int64)) + 1
    n_train, n_known = (round(float(share) * n_days) for share in np.cumsum(shares)[:2])
    n_known = n_days if shares[2] == 0 else n_known
    parts = (n_train - burn_in_days, n_known - n_train, n_days - n_known)
    if min(parts[:2]) < 1 or (shares[2] > 0 and parts[2] < 1):
        raise ValueError(
            f"{n_days} days, {first_day}..{last_day}, with {burn_in_days} of burn-in leave "
            f"{parts[0]} days to train, {parts[1]} to validate and {parts[2]} to test: each part "
            "needs at least one; add earlier days or shorten the lookback"
        )
    return DaySplit(
        train_start=first_day + burn_in_days,
        train_end=first_day + (n_train - 1),
        validation_end=first_day + (n_known - 1),
        test_end=last_day,
    )


def _days(first: Day, last: Day) -> np.ndarray:
    return np.arange(first, last + 1, dtype="datetime64[D]")

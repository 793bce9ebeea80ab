import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.metrics.level_shift import MIN_MONTHS, level_shifts
from toys.paths import REPOSITORY

JANUARY = np.datetime64("2018-01", "M")
TORONTO = REPOSITORY / "data" / "toronto" / "major_crime_indicators_2014_2021.parquet"


def seasonal(n_months, mean, *, amplitude=0.3, yearly_growth=0.0, shift=0):
    step = np.arange(n_months)
    season = amplitude * np.cos(2 * np.pi * (step + shift) / 12)
    return mean * np.exp(season + yearly_growth * step / 12)


def poisson(rate, seed=0):
    return np.random.default_rng(seed).poisson(rate)


def found(counts, first=JANUARY):
    return [str(shift.month) for shift in level_shifts(counts, first=first)]


def test_a_flat_series_with_a_step_by_hand():
    # 24 months at 100 a day-free month and 12 at 60: the ratio is 0.6, whatever the window
    days = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] * 3)
    counts = days * np.repeat([100, 60], [24, 12])

    (shift,) = level_shifts(counts, first=np.datetime64("2017-01", "M"))

    assert str(shift.month) == "2019-01"
    assert shift.change_share == pytest.approx(-0.4, abs=1e-3)
    # 365 days a year at 100 and at 60, a twelfth of it a month
    assert shift.before == pytest.approx(36_500 / 12, rel=1e-3)
    assert shift.after == pytest.approx(21_900 / 12, rel=1e-3)
    assert shift.n_months_after == 12


def test_a_break_in_a_seasonal_series_is_dated_to_its_month():
    rate = seasonal(60, 200.0)
    rate[40:] *= 0.6

    assert found(poisson(rate)) == ["2021-05"]


@pytest.mark.parametrize("n_after", [3, 4, 5, 6])
def test_a_break_is_found_within_months(n_after):
    rate = seasonal(48, 200.0)
    rate[-n_after:] *= 0.6

    (shift,) = level_shifts(poisson(rate), first=JANUARY)

    assert shift.month == JANUARY + 48 - n_after
    assert shift.n_months_after == n_after


def test_two_months_are_not_yet_a_level():
    rate = seasonal(48, 200.0)
    rate[-2:] *= 0.5

    assert found(poisson(rate)) == []


def test_one_odd_month_is_no_break():
    rate = seasonal(48, 200.0)
    rate[30] *= 3

    assert found(poisson(rate)) == []


def test_steady_growth_is_no_break():
    assert found(poisson(seasonal(96, 300.0, yearly_growth=0.1))) == []


def test_recording_that_begins_is_a_break():
    counts = np.repeat([0, 50], [20, 20])

    (shift,) = level_shifts(counts, first=JANUARY)

    assert shift.month == JANUARY + 20
    assert shift.before < 1


def test_two_breaks_are_told_apart():
    rate = seasonal(72, 300.0)
    rate[24:48] *= 2

    assert found(poisson(rate)) == ["2020-01", "2022-01"]


@pytest.mark.parametrize("counts", [np.zeros(40, int), np.arange(MIN_MONTHS - 1)])
def test_a_series_that_says_nothing_has_no_break(counts):
    assert level_shifts(counts, first=JANUARY) == []


def test_a_negative_count_is_refused():
    with pytest.raises(ValueError, match="is 0 or more, found -3"):
        level_shifts(np.array([5, -3]), first=JANUARY)


@given(
    st.lists(st.integers(0, 500), min_size=MIN_MONTHS, max_size=48),
    st.integers(0, 11),
)
def test_breaks_of_any_series_come_in_order_and_with_numbers(counts, month):
    shifts = level_shifts(np.array(counts), first=JANUARY + month)

    months = [shift.month for shift in shifts]
    assert months == sorted(set(months))
    figures = [[shift.before, shift.after, shift.strength] for shift in shifts]
    assert np.isfinite(np.array(figures, dtype=float)).all()


@pytest.mark.slow
def test_series_without_a_break_seldom_raise_an_alarm():
    # 2,000 seasonal series of 2 to 8 years, a few to some hundred a month, Poisson and twice as
    # noisy, a third of them with growth up to 6 % a year
    random = np.random.default_rng(1)
    alarms = [
        bool(level_shifts(_noise(random), first=JANUARY + int(random.integers(12))))
        for _ in range(2000)
    ]

    assert np.mean(alarms) < 0.01


def _noise(random):
    rate = seasonal(
        int(random.choice([24, 36, 60, 96])),
        float(random.choice([2.0, 10.0, 50.0, 300.0])),
        yearly_growth=random.choice([-0.06, 0.0, 0.06]),
        shift=random.integers(12),
    )
    spread = random.choice([1.0001, 2.0])  # variance over mean
    return random.negative_binomial(rate / (spread - 1), 1 / spread)


def test_toronto_breaks_where_the_pandemic_did_and_nowhere_else():
    import pandas as pd

    table = pd.read_parquet(TORONTO, columns=["occurred_on", "offence"])
    month = table["occurred_on"].to_numpy().astype("datetime64[M]")
    inside = (month >= np.datetime64("2014-01", "M")) & (month <= np.datetime64("2021-12", "M"))
    totals = pd.crosstab(month[inside].astype(str), table["offence"][inside].to_numpy())

    breaks = {
        str(offence): found(column.to_numpy(), np.datetime64("2014-01", "M"))
        for offence, column in totals.items()
    }

    assert breaks == {
        "Assault": [],
        "Auto Theft": [],
        "Break and Enter": ["2020-05"],
        "Robbery": ["2020-04"],
        "Theft Over": [],
    }

import numpy as np
import pytest

from crime_platform.evaluation.schedule import BacktestPlan, rolling_forecasts
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray
from crime_platform.vocabulary.timesteps import IncompleteDataError, month_range

DECEMBER = np.datetime64("2021-12", "M")


class Spy:
    """A model that notes what it was shown and forecasts the last month it saw."""

    def __init__(self):
        self.seen = []

    def forecast(self, history, origin, horizon):
        self.seen.append(str(history.steps[-1]))
        expected = np.repeat(history.counts[-1:], horizon, axis=0)
        return ForecastArray(
            origin=origin, expected_count=expected, dispersion=np.zeros_like(expected)
        )


def history(first="2019-01"):
    steps = month_range(np.datetime64(first, "M"), DECEMBER)
    return CountHistory(steps=steps, counts=np.ones((len(steps), 1, 2, 2)))


def run(plan, spy, *, fitted=None, least=1, first="2019-01"):
    fitted = [] if fitted is None else fitted

    def fitted_at(origin):
        fitted.append(str(origin))
        return spy

    options = {"fitted_at": fitted_at, "min_history_months": least, "task": "spy"}
    return list(rolling_forecasts(plan, history(first), **options))


def test_scored_origins_are_the_months_before_as_of():
    origins = BacktestPlan(as_of=DECEMBER).test_origins
    assert (str(origins[0]), str(origins[-1]), len(origins)) == ("2020-12", "2021-11", 12)


def test_selection_origins_come_before_the_scored_ones():
    plan = BacktestPlan(as_of=DECEMBER)

    assert (str(plan.origins[0]), str(plan.origins[-1])) == ("2019-12", "2021-11")
    assert plan.origins[12] == plan.first_test_origin == np.datetime64("2020-12")


@pytest.mark.parametrize(
    ("origin", "fit"),
    [
        ("2020-12", "2020-12"),
        ("2021-05", "2020-12"),
        ("2021-06", "2021-06"),
        ("2021-11", "2021-06"),
    ],
)
def test_half_yearly_fits_are_anchored_to_june_and_december(origin, fit):
    plan = BacktestPlan(as_of=DECEMBER, refit_every=6)
    assert str(plan.fit_origin(np.datetime64(origin, "M"))) == fit


def test_a_fit_never_lies_beyond_its_origin():
    plan = BacktestPlan(as_of=DECEMBER, refit_every=5)
    assert all(plan.fit_origin(origin) <= origin for origin in plan.origins)


def test_fitting_once_means_before_the_first_origin():
    plan = BacktestPlan(as_of=np.datetime64("2021-09", "M"), refit_every=None)
    fits = {str(plan.fit_origin(origin)) for origin in [*plan.origins, plan.as_of]}
    assert fits == {"2018-12"}  # the first origin is 2019-09


def test_next_month_reuses_the_fits_of_this_month():
    now = BacktestPlan(as_of=DECEMBER)
    then = BacktestPlan(as_of=DECEMBER + 1)
    fits = [{plan.fit_origin(o) for o in [*plan.origins, plan.as_of]} for plan in (now, then)]
    assert fits[0] == fits[1]


def test_a_model_is_shown_nothing_after_its_origin():
    spy = Spy()
    forecasts = run(BacktestPlan(as_of=DECEMBER, n_origins=3, n_selection=0), spy)
    assert spy.seen == ["2021-09", "2021-10", "2021-11", "2021-12"]
    assert [str(forecast.origin) for forecast in forecasts] == spy.seen


def test_a_short_history_fits_later_but_not_beyond_the_origin():
    fitted = []
    run(
        BacktestPlan(as_of=DECEMBER, n_origins=3, n_selection=0),
        Spy(),
        fitted=fitted,
        least=9,
        first="2021-01",
    )
    assert fitted == ["2021-09", "2021-09", "2021-09", "2021-12"]


def test_a_short_history_leaves_out_early_selection_origins():
    plan = BacktestPlan(as_of=DECEMBER, n_origins=2, n_selection=4)

    forecasts = run(plan, Spy(), least=9, first="2021-01")

    starts = [str(forecast.origin) for forecast in forecasts]
    assert starts == ["2021-09", "2021-10", "2021-11", "2021-12"]  # not 2021-06 to 2021-08


def test_a_history_too_short_for_the_first_origin_is_refused():
    plan = BacktestPlan(as_of=DECEMBER, n_origins=3, n_selection=0)
    message = "spy needs 10 months of history at the first scored origin 2021-09 and has 9"
    with pytest.raises(IncompleteDataError, match=message):
        run(plan, Spy(), least=10, first="2021-01")


@pytest.mark.parametrize(
    "wrong", [{"n_origins": 0}, {"n_selection": -1}, {"horizon": 0}, {"refit_every": -1}]
)
def test_a_plan_of_nothing_is_refused(wrong):
    with pytest.raises(ValueError, match="must be at least 1"):
        BacktestPlan(as_of=DECEMBER, **wrong)

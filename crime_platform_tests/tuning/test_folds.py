from dataclasses import replace

import numpy as np
import pytest

from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.models.cells.baselines import BASELINES
from crime_platform.tuning.cell_folds import (
    FoldScore,
    SelectionHistory,
    TuningFold,
    pooled_skill,
    require_selection,
    score_fold,
    selection_history,
    spread_order,
    tuning_folds,
)
from crime_platform.vocabulary.forecast import CountHistory, ForecastArray
from crime_platform.vocabulary.timesteps import IncompleteDataError, month_range

FIRST_TEST = np.datetime64("2020-12")
AVERAGE = BASELINES["historical_average"]


def history(n_steps=96):
    steps = np.datetime64("2014-01") + np.arange(n_steps)
    rate = np.linspace(0.2, 3.0, 24).reshape(2, 4, 3)
    counts = np.random.default_rng(0).poisson(rate, (n_steps, 2, 4, 3)).astype(np.float32)
    return CountHistory(steps=steps, counts=counts)


def selection():
    return selection_history(history(), FIRST_TEST)


def fold(first, last, *, fit=None):
    first, last = np.datetime64(first), np.datetime64(last)
    return TuningFold(
        fit_origin=first if fit is None else np.datetime64(fit), origins=month_range(first, last)
    )


# --- the test cannot be seen ----------------------------------------------------------------


def test_the_last_month_held_is_the_first_test_origin():
    held = selection()

    assert held.history.steps[-1] == FIRST_TEST
    assert held.first_test_origin == FIRST_TEST


def test_no_test_month_can_be_reached_through_memory():
    known = history()
    known = replace(known, marked={"premises_house": known.counts.copy()})

    held = selection_history(known, FIRST_TEST)

    for kept, given in (
        (held.history.counts, known.counts),
        (held.history.marked["premises_house"], known.marked["premises_house"]),
    ):
        assert len(kept) == len(held.history.steps)
        assert not np.shares_memory(kept, given)
        assert kept.base is None
    assert held.history.steps.base is None


def test_the_seal_cannot_be_left_out():
    with pytest.raises(TypeError, match="_seal"):
        SelectionHistory(history=history())


def test_the_seal_cannot_be_made_up():
    with pytest.raises(TypeError, match="made by selection_history"):
        SelectionHistory(history=history(), _seal=object())


def test_other_months_cannot_be_put_under_the_seal():
    with pytest.raises((AttributeError, TypeError)):
        selection().history = history()
    with pytest.raises((TypeError, ValueError), match="_seal"):
        replace(selection(), history=history())


@pytest.mark.parametrize("given", [history(), None, "2020-12"])
def test_nothing_but_a_selection_history_is_accepted(given):
    with pytest.raises(TypeError, match="searched on a SelectionHistory"):
        require_selection(given)


def test_an_origin_in_the_test_is_unknown():
    with pytest.raises(IncompleteDataError, match="2021-01"):
        selection().through(FIRST_TEST + 1)


def test_a_history_without_the_first_test_origin_is_refused():
    with pytest.raises(IncompleteDataError, match="2020-12 is not in the history"):
        selection_history(history(48), FIRST_TEST)


def test_a_fold_whose_target_is_in_the_test_is_refused():
    cheat = fold("2020-06", "2020-12")

    with pytest.raises(ValueError, match=r"last target 2021-01 lies in the test.* 2020-12"):
        score_fold(AVERAGE, selection(), cheat)


def test_a_fit_after_its_origin_is_refused():
    cheat = fold("2019-06", "2019-11", fit="2019-07")

    with pytest.raises(ValueError, match="2019-07 knows the future of the origin 2019-06"):
        score_fold(AVERAGE, selection(), cheat)


def test_no_score_depends_on_the_test():
    known = history()
    tampered = CountHistory(steps=known.steps, counts=known.counts.copy())
    tampered.counts[known.index_of(FIRST_TEST) + 1 :] = 999.0
    newest = fold("2020-06", "2020-11")

    honest, other = (
        score_fold(AVERAGE, selection_history(each, FIRST_TEST), newest)
        for each in (known, tampered)
    )

    np.testing.assert_array_equal(honest.sum_deviance, other.sum_deviance)
    assert honest.n_cases == other.n_cases


def test_the_data_version_follows_what_can_be_seen_and_nothing_else():
    known = history()
    later, earlier = (replace(known, counts=known.counts.copy()) for _ in range(2))
    later.counts[known.index_of(FIRST_TEST) + 1] += 1
    earlier.counts[known.index_of(FIRST_TEST)] += 1

    version, same, other = (
        selection_history(each, FIRST_TEST).data_version for each in (known, later, earlier)
    )

    assert version == same
    assert version != other


# --- folds ----------------------------------------------------------------------------------


def test_four_folds_by_hand():
    folds = tuning_folds(selection(), n_fits=4, refit_every=6)

    # December and June, the newest last origin is the month before the first test origin
    assert [str(each.fit_origin) for each in folds] == ["2018-12", "2019-12", "2019-06", "2020-06"]
    assert [str(each.origins[0]) for each in folds] == ["2018-12", "2019-12", "2019-06", "2020-06"]
    assert [str(each.origins[-1]) for each in folds] == ["2019-05", "2020-05", "2019-11", "2020-11"]


def test_fits_are_anchored_as_in_the_back_test():
    held = selection_history(history(), np.datetime64("2020-09"))
    plan = BacktestPlan(as_of=np.datetime64("2021-09"), refit_every=6)

    newest = max(tuning_folds(held, n_fits=3, refit_every=6), key=lambda each: each.fit_origin)

    # June serves June, July and August; August's target is September, the first test origin
    assert [str(origin) for origin in newest.origins] == ["2020-06", "2020-07", "2020-08"]
    assert {plan.fit_origin(origin) for origin in newest.origins} == {newest.fit_origin}


def test_no_target_lies_in_the_test():
    folds = tuning_folds(selection(), n_fits=5, refit_every=3)

    assert max(each.origins[-1] for each in folds) + 1 == FIRST_TEST


def test_spread_order_by_hand():
    # three binary digits reversed: 000 100 010 110 001 101 011 111; 5, 6 and 7 do not exist
    assert spread_order(5) == [0, 4, 2, 1, 3]
    assert spread_order(1) == [0]


@pytest.mark.parametrize(("n_fits", "refit_every"), [(0, 6), (4, 0)])
def test_folds_need_fits_and_months(n_fits, refit_every):
    with pytest.raises(ValueError, match=f"got {n_fits} fits every {refit_every} months"):
        tuning_folds(selection(), n_fits=n_fits, refit_every=refit_every)


def test_a_history_that_starts_too_late_is_refused():
    with pytest.raises(IncompleteDataError, match="start in 2013-12, the history in 2014-01"):
        tuning_folds(selection(), n_fits=14, refit_every=6)


# --- scores ---------------------------------------------------------------------------------


class Flat:
    """States the same rate everywhere, and remembers which months it was shown."""

    name, min_history_months = "flat", 1

    def __init__(self, rate=1.0):
        self.rate, self.seen = rate, []

    def fit(self, history, origin):  # noqa: ARG002
        self.seen.append(history.steps[-1])
        return self

    def forecast(self, history, origin, horizon):
        self.seen.append(history.steps[-1])
        rates = np.full((horizon, *history.counts.shape[1:]), self.rate)
        return ForecastArray(origin=origin, expected_count=rates, dispersion=np.zeros_like(rates))


def test_deviance_by_hand():
    # One type; three cells, of which the last never has an incident and is not judged.
    counts = np.zeros((14, 1, 1, 3), dtype=np.float32)
    counts[0] = [1, 1, 0]
    counts[13, 0, 0] = [2, 0, 0]
    steps = np.datetime64("2019-01") + np.arange(14)
    held = selection_history(CountHistory(steps=steps, counts=counts), np.datetime64("2020-02"))

    score = score_fold(Flat(), held, fold("2020-01", "2020-01"))

    # 2 (2 ln 2 - 1) for two incidents where one was expected, 2 for none
    assert score.sum_deviance == pytest.approx([2 * (2 * np.log(2) - 1) + 2])
    assert score.n_cases == 2


def test_a_forecaster_meets_only_what_each_origin_knew():
    watched = Flat()

    score_fold(watched, selection(), fold("2019-06", "2019-08"))

    assert [str(month) for month in watched.seen] == ["2019-06", "2019-06", "2019-07", "2019-08"]


def test_a_rate_of_zero_is_lifted_to_the_floor():
    score = score_fold(Flat(rate=0.0), selection(), fold("2019-06", "2019-08"))

    assert np.isfinite(score.sum_deviance).all()


def test_skill_is_pooled_before_the_ratio():
    def score(month, deviance):
        return FoldScore(
            origins=np.array([month], dtype="datetime64[M]"),
            sum_deviance=np.array([deviance]),
            n_cases=1,
        )

    ours, theirs = (
        [score("2019-06", 1.0), score("2019-12", 5.0)],
        [
            score("2019-06", 2.0),
            score("2019-12", 10.0),
        ],
    )

    assert pooled_skill(ours, theirs) == pytest.approx(1 - 6 / 12)
    with pytest.raises(ValueError, match="same origins"):
        pooled_skill(ours[:1], theirs[1:])

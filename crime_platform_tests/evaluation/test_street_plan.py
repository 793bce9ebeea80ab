import numpy as np
import pytest

from crime_platform.evaluation.street_plan import StreetPlan, anchored_plan
from crime_platform.vocabulary.timesteps import IncompleteDataError

FIRST = np.datetime64("2020-01-01")
PLAN = anchored_plan(np.datetime64("2021-02-03"))


def test_evidence_ends_with_the_last_full_month():
    assert PLAN.anchor == np.datetime64("2021-01-31")


def test_the_last_day_of_a_month_anchors_itself():
    plan = anchored_plan(np.datetime64("2021-02-28"))

    assert plan.anchor == plan.as_of


def test_the_day_decides_nothing_of_the_evidence():
    later = anchored_plan(np.datetime64("2021-02-27"))

    assert later.evidence_content == PLAN.evidence_content


def test_every_test_day_is_forecast_one_day_ahead_by_one_fit():
    refits = PLAN.refits(FIRST)

    targets = np.concatenate([refit.origins + 1 for refit in refits])

    assert len(refits) == 4
    np.testing.assert_array_equal(targets, PLAN.split(FIRST).test_days)


def test_no_fit_has_seen_a_day_after_the_first_origin_it_serves():
    refits = PLAN.refits(FIRST)

    assert [refit.split.validation_end for refit in refits] == [r.origins[0] for r in refits]
    assert [refit.through for refit in refits] == [refit.origins[0] for refit in refits]
    assert {refit.split.test_days.size for refit in refits} == {0}


def test_by_hand():
    # 397 days through 31 January 2021: 278 to train and, at day 337, 59 to validate; 60 to test
    split = PLAN.split(FIRST)

    sizes = [split.train_days.size, split.validation_days.size, split.test_days.size]
    assert sizes == [278 - 56, 59, 60]


def test_only_the_judged_leads_are_kept():
    assert PLAN.leads == (1, 7)
    assert anchored_plan(PLAN.as_of, horizon=1).leads == (1,)


def test_too_few_days_say_how_many_are_needed():
    with pytest.raises(IncompleteDataError, match="at least 34: add earlier days, about 227"):
        PLAN.split(np.datetime64("2020-07-01"))


def test_a_history_within_its_burn_in_is_refused():
    with pytest.raises(IncompleteDataError, match="no more than the 56 of burn-in"):
        PLAN.split(np.datetime64("2021-01-15"))


def test_evidence_after_the_last_day_known_is_refused():
    with pytest.raises(ValueError, match="anchor 2021-02-28 after as_of 2021-02-03"):
        StreetPlan(as_of=PLAN.as_of, anchor=np.datetime64("2021-02-28"))


def test_months_are_no_days():
    month = np.datetime64("2021-01", "M")

    with pytest.raises(ValueError, match="made of days"):
        StreetPlan(as_of=month, anchor=month)


def test_a_plan_looks_ahead():
    with pytest.raises(ValueError, match="horizon 0"):
        anchored_plan(PLAN.as_of, horizon=0)

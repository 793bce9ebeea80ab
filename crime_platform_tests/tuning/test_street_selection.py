import numpy as np
import pytest

from crime_platform.tuning.street_days import SelectionDays, selection_days
from crime_platform.vocabulary.timesteps import IncompleteDataError
from toys.street_search import LAST_DAY, LAST_SEEN, replace, tampered_after, toy_counts


def test_the_split_is_70_15_15_and_the_test_is_gone():
    held = selection_days(toy_counts(), LAST_DAY)

    # of 120 days 84 to learn from and 18 to judge by
    assert held.split.train_days.size == 84
    assert held.split.validation_days.size == 18
    assert held.split.test_days.size == 0
    assert held.history.steps[-1] == held.split.validation_end == LAST_SEEN


def test_no_later_day_can_be_reached():
    held = selection_days(toy_counts(), LAST_DAY)

    arrays = [held.history.steps, held.history.counts, *held.history.marked.values()]
    assert {each.base is None for each in arrays} == {True}
    assert {len(each) for each in arrays} == {102}
    assert held.streets.covariates is not None
    assert held.streets.covariates.days[-1] == LAST_SEEN
    assert held.streets.covariates.values.base is None


def test_the_data_version_ignores_the_test():
    plain = toy_counts()
    versions = [
        selection_days(each, LAST_DAY).data_version
        for each in (plain, tampered_after(plain, LAST_SEEN), tampered_after(plain, LAST_SEEN - 1))
    ]

    assert versions[0] == versions[1] != versions[2]


def test_days_after_the_anchor_change_nothing():
    longer = toy_counts(150)

    held = selection_days(longer, LAST_DAY)

    np.testing.assert_array_equal(held.history.counts, longer.history.counts[:102])


def test_streets_without_covariates_have_none():
    held = selection_days(replace(toy_counts(), covariates=None), LAST_DAY)

    assert held.streets.covariates is None


def test_other_days_cannot_be_put_under_the_seal():
    held = selection_days(toy_counts(), LAST_DAY)

    with pytest.raises(TypeError, match=r"made by selection_days\(streets, anchor\) only"):
        SelectionDays(streets=toy_counts(), split=held.split, _seal=None)


def test_an_anchor_outside_the_counts_is_refused():
    with pytest.raises(IncompleteDataError, match="is not in the history"):
        selection_days(toy_counts(), LAST_DAY + 1)

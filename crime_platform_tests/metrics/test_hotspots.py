import math
from functools import reduce
from itertools import permutations
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.metrics.hotspots import (
    COVERAGE_SHARES,
    hit_rate,
    hotspot_sums,
    pai,
    pei,
)

RISK = np.array([0.9, 0.1, 0.7, 0.0, 0.0])
INCIDENTS = np.array([3, 2, 1, 2, 0])


def test_shares_by_hand():
    sums = hotspot_sums(RISK, INCIDENTS, np.ones(5), coverage=0.4)

    assert hit_rate(sums) == pytest.approx(4 / 8)  # cells 0 and 2 hold 3 + 1 of 8 incidents
    assert pai(sums) == pytest.approx(0.5 / 0.4)
    assert pei(sums) == pytest.approx(4 / 5)  # the best two cells hold 3 + 2


def test_coverage_counts_extent_not_units():
    # 10 km of street in all: the long street alone would take 80 %, so 10 % flags 1/8 of it
    sums = hotspot_sums(np.array([9.0, 1.0, 0.0]), np.array([8, 2, 0]), np.array([8.0, 1.0, 1.0]),
                        coverage=0.1)  # fmt: skip

    assert sums.hits == pytest.approx(1.0)
    assert sums.best_hits == pytest.approx(2.0)  # 2 incidents on 1 km beat 1 incident a km


def test_ties_share_as_the_mean_of_all_tie_breaks():
    risk = np.array([1.0, 0.0, 0.0, 0.0, 2.0])
    incidents = np.array([1, 5, 0, 2, 3])
    orders = [(4, 0, *rest) for rest in permutations((1, 2, 3))]
    brute = np.mean([incidents[list(order[:3])].sum() for order in orders])

    sums = hotspot_sums(risk, incidents, np.ones(5), coverage=0.6)

    assert sums.hits == pytest.approx(brute)  # 3 + 1 + 7/3


def test_quiet_steps_add_nothing():
    quiet = hotspot_sums(RISK, np.zeros(5), np.ones(5), coverage=0.4)
    busy = hotspot_sums(RISK, INCIDENTS, np.ones(5), coverage=0.4)

    assert math.isnan(hit_rate(quiet))
    assert math.isnan(pai(quiet))
    assert math.isnan(pei(quiet))
    assert hit_rate(reduce(add, [quiet, busy, quiet])) == hit_rate(busy)


def test_pooling_is_a_ratio_of_sums():
    first = hotspot_sums(RISK, INCIDENTS, np.ones(5), coverage=0.2)  # 3 of 8
    second = hotspot_sums(RISK, np.array([0, 0, 0, 2, 0]), np.ones(5), coverage=0.2)  # 0 of 2

    assert hit_rate(first + second) == pytest.approx(3 / 10)
    assert pei(first + second) == pytest.approx(3 / 5)  # the best cells hold 3 and 2


@given(st.lists(st.floats(0.1, 10), min_size=1, max_size=40), st.floats(0.01, 1))
def test_constant_risk_scores_its_coverage(extent, coverage):
    extent = np.array(extent)
    flat, one_each = np.zeros(extent.size), np.ones(extent.size, dtype=int)

    sums = hotspot_sums(flat, one_each, extent, coverage=coverage)

    assert hit_rate(sums) == pytest.approx(coverage)
    assert pai(sums) == pytest.approx(1.0)


units = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 4), st.floats(0.1, 5)), min_size=1, max_size=25
)


@given(units, st.sampled_from(COVERAGE_SHARES), st.randoms(use_true_random=False))
def test_the_order_of_units_never_matters(rows, coverage, random):
    shuffled = random.sample(rows, len(rows))

    first, second = (
        hotspot_sums(*np.array(table, dtype=float).T.copy(), coverage=coverage)
        for table in (rows, shuffled)
    )

    assert first.hits == pytest.approx(second.hits)
    assert first.best_hits == pytest.approx(second.best_hits)


@given(units, st.floats(0.01, 1))
def test_nothing_beats_the_best(rows, coverage):
    risk, incidents, extent = np.array(rows, dtype=float).T.copy()

    sums = hotspot_sums(risk, incidents, extent, coverage=coverage)

    assert -1e-9 <= sums.hits <= sums.best_hits + 1e-9
    assert sums.best_hits <= sums.n_incidents + 1e-9


def test_the_whole_area_catches_everything():
    sums = hotspot_sums(RISK.reshape(1, 5), INCIDENTS.reshape(1, 5), np.ones((1, 5)), coverage=1.0)

    assert hit_rate(sums) == pytest.approx(1.0)
    assert pei(sums) == pytest.approx(1.0)


@pytest.mark.parametrize("coverage", [0.0, 20.0])
def test_a_coverage_outside_0_and_1_is_refused(coverage):
    with pytest.raises(ValueError, match=r"write 20% as 0\.2"):
        hotspot_sums(RISK, INCIDENTS, np.ones(5), coverage=coverage)


def test_a_risk_that_is_not_a_number_is_refused():
    with pytest.raises(ValueError, match="every risk must be a number, 1 are NaN"):
        hotspot_sums(np.array([1.0, np.nan]), np.ones(2), np.ones(2), coverage=0.2)


def test_a_unit_without_extent_is_refused():
    with pytest.raises(ValueError, match=r"extent must be positive, the smallest is 0\.0"):
        hotspot_sums(np.ones(2), np.ones(2), np.array([1.0, 0.0]), coverage=0.2)


def test_different_coverages_do_not_pool():
    first, second = (hotspot_sums(RISK, INCIDENTS, np.ones(5), coverage=c) for c in (0.1, 0.2))

    with pytest.raises(ValueError, match=r"one coverage only, got 0\.1 and 0\.2"):
        first + second

import math
from functools import reduce
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_np

from crime_platform.metrics.daily_hotspots import (
    CURVE_SHARES,
    DailyHits,
    daily_hits,
    hit_rate_curve,
    node_count_hit_rate,
    pooled,
)
from crime_platform.metrics.hotspots import COVERAGE_SHARES, hit_rate, hotspot_sums, pai, pei

# Day 0: 4 incidents; day 1: none; day 2: 1 incident.
EXPECTED = np.array([[0.9, 0.1, 0.7, 0.0, 0.0]] * 3)
INCIDENTS = np.array([[2, 1, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 1, 0, 0]])
ONES = np.ones(5)

many = np.random.default_rng(6)
N_DAYS, N_NODES = 60, 40
BUSY = many.poisson(0.2, (N_DAYS, N_NODES))
FORECAST = many.integers(0, 4, (N_DAYS, N_NODES)) / 4
LENGTHS = many.uniform(0.05, 0.4, N_NODES)


def test_shares_by_hand():
    daily = daily_hits(EXPECTED, INCIDENTS, ONES, coverage_shares=(0.4,))

    np.testing.assert_allclose(daily.hits, [[2, 0, 1]])  # nodes 0 and 2 are flagged
    np.testing.assert_allclose(daily.best_hits, [[3, 0, 1]])
    np.testing.assert_allclose(daily.n_incidents, [4, 0, 1])
    (sums,) = pooled(daily)
    assert hit_rate(sums) == pytest.approx(3 / 5)
    assert pai(sums) == pytest.approx(0.6 / 0.4)
    assert pei(sums) == pytest.approx(3 / 4)


def test_the_riskiest_street_is_the_one_with_most_incidents_per_length():
    # 10 km: 8 incidents on 8 km are 1 a km, 2 on 1 km are 2 a km; 10 % flags the short one whole
    daily = daily_hits(
        np.array([[8.0, 2.0, 0.0]]), np.array([[5, 3, 0]]), np.array([8.0, 1.0, 1.0]),
        coverage_shares=(0.1, 0.5),
    )  # fmt: skip

    np.testing.assert_allclose(daily.hits[:, 0], [3, 3 + 5 * 4 / 8])  # then 4 km of the long one


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_all_coverages_at_once_are_each_alone(seed, of_places):
    random = np.random.default_rng(seed)
    expected = random.integers(0, 4, (3, 12)) / 4.0
    incidents = random.poisson(0.5, (3, 12))
    extent = np.ones(12) if of_places else random.uniform(0.1, 5, 12)
    shares = (*COVERAGE_SHARES, 0.37, 1.0)

    daily = daily_hits(expected, incidents, extent, coverage_shares=shares)

    density = (expected / extent).astype(np.float32).astype(float)  # the ties of daily_hits
    alone = [
        reduce(
            add,
            [
                hotspot_sums(r, y, extent, coverage=share)
                for r, y in zip(density, incidents, strict=True)
            ],
        )
        for share in shares
    ]
    together = pooled(daily)
    np.testing.assert_allclose([s.hits for s in together], [s.hits for s in alone])
    np.testing.assert_allclose([s.best_hits for s in together], [s.best_hits for s in alone])
    assert together[0].n_incidents == alone[0].n_incidents


@given(
    st_np.arrays(float, st.integers(1, 30), elements=st.floats(0.1, 10)),
    st.floats(0.001, 50),
    st.floats(0.01, 1),
)
def test_constant_risk_scores_its_coverage(extent, rate, coverage):
    # incidents of any number: a flag on a share of every street finds that share of them
    incidents = extent[None] * 2
    daily = daily_hits((rate * extent)[None], incidents, extent, coverage_shares=(coverage,))

    assert hit_rate(pooled(daily)[0]) == pytest.approx(coverage)


def test_streets_of_equal_danger_tie_whatever_rounding_says():
    extent = np.array([0.3, 0.7, 1.1, 0.9, 1.3])
    expected = 0.1 * extent
    assert np.unique(expected / extent).size > 1  # not quite the rate again

    daily = daily_hits(
        expected[None], np.array([[0, 10, 0, 0, 0]]), extent, coverage_shares=(0.2, 0.7)
    )

    np.testing.assert_allclose(daily.hits[:, 0], [2, 7])


@given(st.permutations(range(N_NODES)))
def test_the_order_of_nodes_never_matters(order):
    here = daily_hits(FORECAST, BUSY, LENGTHS)
    there = daily_hits(FORECAST[:, order], BUSY[:, order], LENGTHS[order])

    np.testing.assert_allclose(here.hits, there.hits)
    np.testing.assert_allclose(here.best_hits, there.best_hits)


@given(st.floats(0.01, 1000))
def test_the_unit_of_length_never_matters(factor):
    here = daily_hits(FORECAST, BUSY, LENGTHS)
    there = daily_hits(FORECAST, BUSY, LENGTHS * factor)

    np.testing.assert_allclose(here.hits, there.hits)
    np.testing.assert_allclose(here.best_hits, there.best_hits)


def test_quiet_days_add_nothing():
    with_quiet, without = (
        daily_hits(EXPECTED, INCIDENTS, ONES),
        daily_hits(EXPECTED[[0, 2]], INCIDENTS[[0, 2]], ONES),
    )

    assert pooled(with_quiet) == pooled(without)


def test_no_incident_at_all_is_nan():
    daily = daily_hits(EXPECTED, np.zeros((3, 5)), ONES)

    assert all(math.isnan(hit_rate(sums)) for sums in pooled(daily))
    assert np.isnan(hit_rate_curve(daily, block_days=1).high).all()


def test_types_add_up_on_the_same_days():
    first = daily_hits(EXPECTED, INCIDENTS, ONES)
    second = daily_hits(EXPECTED[:, ::-1].copy(), INCIDENTS, ONES)

    both = first + second

    np.testing.assert_allclose(both.hits, first.hits + second.hits)
    np.testing.assert_allclose(both.n_incidents, [8, 0, 2])


def test_hits_of_other_days_are_refused():
    three = daily_hits(EXPECTED, INCIDENTS, ONES)
    two = daily_hits(EXPECTED[:2], INCIDENTS[:2], ONES)

    with pytest.raises(ValueError, match=r"same coverages and days only.* on 3 days .* on 2 days"):
        three + two


def test_curve_rises_to_one_inside_its_band():
    daily = daily_hits(FORECAST, BUSY, LENGTHS, coverage_shares=CURVE_SHARES)

    curve = hit_rate_curve(daily)

    assert (np.diff(curve.hit_rate) >= 0).all()
    assert curve.hit_rate[-1] == pytest.approx(1.0)
    assert (curve.low <= curve.hit_rate + 1e-12).all()
    assert (curve.high >= curve.hit_rate - 1e-12).all()


def test_band_by_hand():
    # two days, blocks of one: hit rates 1, 1/2, 1/2 and 0 are equally likely
    daily = DailyHits(
        coverage_shares=(0.2,),
        hits=np.array([[3.0, 0.0]]),
        best_hits=np.array([[3.0, 3.0]]),
        n_incidents=np.array([3.0, 3.0]),
    )

    wide = hit_rate_curve(daily, block_days=1)
    middle = hit_rate_curve(daily, block_days=1, level=0.4)
    whole = hit_rate_curve(daily, block_days=2)

    assert (wide.low[0], wide.hit_rate[0], wide.high[0]) == (0.0, 0.5, 1.0)
    assert (middle.low[0], middle.high[0]) == (0.5, 0.5)
    assert (whole.low[0], whole.high[0]) == (0.5, 0.5)


def test_a_level_beyond_its_range_is_refused():
    daily = daily_hits(EXPECTED, INCIDENTS, ONES)

    with pytest.raises(
        ValueError, match=r"level must be in \(0, 1\), got 95\.0; write 95% as 0\.95"
    ):
        hit_rate_curve(daily, level=95.0)


@pytest.mark.parametrize("coverage", [0.0, 20.0])
def test_a_coverage_beyond_its_range_is_refused(coverage):
    with pytest.raises(ValueError, match=f"got {coverage}; write 20% as 0.2"):
        daily_hits(EXPECTED, INCIDENTS, ONES, coverage_shares=(coverage,))
    with pytest.raises(ValueError, match=f"got {coverage}; write 20% as 0.2"):
        node_count_hit_rate(EXPECTED, INCIDENTS, coverage=coverage)


def test_an_expected_count_that_is_no_number_is_refused():
    broken = EXPECTED.copy()
    broken[1, 2] = np.nan

    with pytest.raises(ValueError, match="1 are NaN, the first on day 1, node 2"):
        daily_hits(broken, INCIDENTS, ONES)
    with pytest.raises(ValueError, match="1 are NaN"):
        node_count_hit_rate(broken, INCIDENTS, coverage=0.2)


def test_a_street_without_length_is_refused():
    with pytest.raises(ValueError, match=r"every extent must be positive, node 3 has 0\.0"):
        daily_hits(EXPECTED, INCIDENTS, np.array([1.0, 1.0, 1.0, 0.0, 1.0]))


def test_compatibility_metric_by_hand():
    # two of five nodes, 0 and 2. Day 0: one of three nodes with events is among them, however many
    # incidents it holds; day 1 has none and is left out; day 2: one of one.
    score = node_count_hit_rate(EXPECTED, INCIDENTS, coverage=0.4)

    assert score.hit_rate == pytest.approx((1 / 3 + 1) / 2)
    assert (score.n_days, score.n_days_without_events) == (2, 1)


def test_compatibility_metric_without_events_is_nan():
    score = node_count_hit_rate(EXPECTED, np.zeros((3, 5)), coverage=0.4)

    assert math.isnan(score.hit_rate)
    assert score.n_days_without_events == 3

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crime_platform.metrics.significance import (
    BLOCK_DAYS,
    N_RESAMPLES,
    block_draws,
    bootstrap_gain,
    bootstrap_skill,
    diebold_mariano_p,
)

rng = np.random.default_rng(4)
BASELINE = rng.uniform(80, 120, 12)
BETTER = 0.95 * BASELINE + rng.normal(0, 1, 12)


def test_bootstrap_by_hand():
    # two origins, blocks of one: both first, mixed twice, both second; skills 1, 1/2, 1/2, 0
    scores, ones = np.array([0.0, 1.0]), np.ones(2)

    middle = bootstrap_skill(scores, ones, level=0.4, block_origins=1)
    wide = bootstrap_skill(scores, ones, level=0.95, block_origins=1)

    assert middle == (0.5, 0.5)
    assert wide == (0.0, 1.0)


def test_bootstrap_is_paired():
    low, high = bootstrap_skill(0.9 * BASELINE, BASELINE)

    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)


def test_a_block_of_all_origins_wraps_round_and_leaves_the_pooled_skill():
    low, high = bootstrap_skill(BETTER, BASELINE, block_origins=12)

    pooled = 1 - BETTER.sum() / BASELINE.sum()
    assert low == pytest.approx(pooled)
    assert high == pytest.approx(pooled)


def test_blocks_keep_neighbouring_origins_together():
    # runs of alternating sign cancel inside a block of two, not in blocks of one
    scores = 100.0 + np.tile([10.0, -10.0], 6)

    single = np.ptp(bootstrap_skill(scores, np.full(12, 100.0), block_origins=1))
    pairs = np.ptp(bootstrap_skill(scores, np.full(12, 100.0), block_origins=2))

    assert pairs == pytest.approx(0.0)
    assert single > 0.05


def test_blocks_that_do_not_divide_the_origins_are_cut_to_their_number():
    # blocks 0 1, 1 2 or 2 0 of three origins: the worst draw is 0 1 0, two thirds lost; the best
    # is 1 2 1. Four origins drawn instead of three could not lose two thirds.
    low, high = bootstrap_skill(np.array([1.0, 0.0, 0.0]), np.ones(3), level=0.95, block_origins=2)

    assert low == pytest.approx(1 / 3)
    assert high == pytest.approx(1.0)


@given(st.integers(1, 12), st.integers(0, 99))
def test_the_interval_surrounds_the_pooled_skill_and_repeats_with_its_seed(block, seed):
    low, high = bootstrap_skill(BETTER, BASELINE, block_origins=block, seed=seed)

    pooled = 1 - BETTER.sum() / BASELINE.sum()
    assert low <= pooled + 1e-12
    assert high >= pooled - 1e-12
    assert (low, high) == bootstrap_skill(BETTER, BASELINE, block_origins=block, seed=seed)


def test_bootstrap_without_a_baseline_score_is_nan():
    assert all(map(math.isnan, bootstrap_skill(np.ones(4), np.zeros(4))))


def test_one_step_ahead_the_test_is_a_paired_t_test():
    # at lead 1 the correction of Harvey et al. turns the statistic into Student's t
    twin = stats.ttest_rel(BETTER, BASELINE).pvalue

    assert diebold_mariano_p(BETTER, BASELINE, lead=1) == pytest.approx(twin)


def test_p_value_by_hand():
    # gaps 3 and 1: mean 2, standard error 1, so t = 2 with 1 degree of freedom, which is the
    # Cauchy distribution: p = 2 (1/2 - atan(2) / pi)
    p = diebold_mariano_p(np.array([0.0, 0.0]), np.array([3.0, 1.0]), lead=1)

    assert p == pytest.approx(1 - 2 * math.atan(2) / math.pi)


def test_p_value_has_no_side():
    one_side = diebold_mariano_p(BETTER, BASELINE, lead=1)

    assert diebold_mariano_p(BASELINE, BETTER, lead=1) == pytest.approx(one_side)


def test_two_steps_ahead_neighbouring_gaps_widen_the_test():
    # gaps 3, 3, 3, 0, 0, 0 less their mean 1.5: squares sum to 13.5, neighbour products to 6.75
    # variance of the mean (13.5 + 2 * 6.75) / 36 = 3/4, correction (6 + 1 - 4 + 2/6) / 6 = 5/9
    statistic = 1.5 / math.sqrt(3 / 4) * math.sqrt(5 / 9)

    p = diebold_mariano_p(np.zeros(6), np.array([3.0, 3.0, 3.0, 0.0, 0.0, 0.0]), lead=2)

    assert p == pytest.approx(2 * stats.t.sf(statistic, 5))


def test_a_variance_that_is_not_positive_falls_back_to_lead_1():
    # gaps 3, 1, 3, 1 less their mean 2: squares sum to 4, neighbour products to -3
    scores, baseline = np.zeros(4), np.array([3.0, 1.0, 3.0, 1.0])

    p = diebold_mariano_p(scores, baseline, lead=2)

    assert p == diebold_mariano_p(scores, baseline, lead=1)


def test_gaps_that_cancel_are_no_evidence():
    assert diebold_mariano_p(np.array([1.0, -1.0]), np.zeros(2), lead=1) == pytest.approx(1.0)


@pytest.mark.parametrize("gap", [0.0, 2.0])
def test_gaps_without_variance_cannot_be_tested(gap):
    assert math.isnan(diebold_mariano_p(BASELINE * 0.0, BASELINE * 0.0 + gap, lead=1))


def test_bootstrap_refuses_a_sum_that_is_not_finite():
    with pytest.raises(ValueError, match="every score sum must be finite: resampling"):
        bootstrap_skill(np.array([1.0, np.inf]), np.ones(2), block_origins=1)


@pytest.mark.parametrize("level", [0.0, 95.0])
def test_bootstrap_refuses_a_level_outside_0_and_1(level):
    with pytest.raises(ValueError, match=r"write 95% as 0\.95"):
        bootstrap_skill(BETTER, BASELINE, level=level)


@pytest.mark.parametrize("block", [0, 13])
def test_bootstrap_refuses_a_block_longer_than_the_origins(block):
    with pytest.raises(ValueError, match="a block holds 1 to 12 origins"):
        bootstrap_skill(BETTER, BASELINE, block_origins=block)


def test_the_test_refuses_a_sum_that_is_not_finite():
    with pytest.raises(ValueError, match="every score sum must be finite: the test"):
        diebold_mariano_p(np.array([1.0, np.nan]), np.ones(2), lead=1)


@pytest.mark.parametrize("lead", [0, 12])
def test_the_test_refuses_fewer_origins_than_the_lead(lead):
    with pytest.raises(ValueError, match="more origins than the lead, got 12"):
        diebold_mariano_p(BETTER, BASELINE, lead=lead)


def test_metrics_and_baselines_load_no_heavy_library():
    code = (
        "import sys, crime_platform.models.cells.baselines, crime_platform.metrics.errors, "
        "crime_platform.metrics.hotspots, crime_platform.metrics.calibration, "
        "crime_platform.metrics.significance; "
        "print(sorted({'torch', 'sklearn', 'scores', 'pandas', 'xarray'} & set(sys.modules)))"
    )

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert loaded.stdout.strip() == "[]"


def test_gain_by_hand():
    # two days, blocks of one: mean gains 3, 2, 2 and 1 are equally likely
    scores, baselines = np.array([1.0, 2.0]), np.array([4.0, 3.0])

    assert bootstrap_gain(scores, baselines, block_origins=1) == (1.0, 3.0)
    assert bootstrap_gain(scores, baselines, level=0.4, block_origins=1) == (2.0, 2.0)


def test_gain_changes_sign_with_the_roles():
    low, high = bootstrap_gain(BETTER, BASELINE, block_origins=BLOCK_DAYS)
    back_low, back_high = bootstrap_gain(BASELINE, BETTER, block_origins=BLOCK_DAYS)

    assert low > 0
    assert (back_low, back_high) == (pytest.approx(-high), pytest.approx(-low))


def test_draws_are_as_many_as_there_are_origins():
    draws = block_draws(10, 3)

    assert draws.shape == (N_RESAMPLES, 10)
    assert (draws.sum(axis=1) == 10).all()
    assert draws.mean(axis=0) == pytest.approx(np.ones(10), abs=0.1)  # none is preferred


@pytest.mark.parametrize("block", [0, 11])
def test_a_block_of_none_or_too_many_is_refused(block):
    with pytest.raises(ValueError, match=f"1 to 10 origins .all there are., got {block}"):
        block_draws(10, block)


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_gain_of_sums_that_are_not_finite_is_refused(bad):
    with pytest.raises(ValueError, match="resampling would hide the one that is not"):
        bootstrap_gain(np.array([1.0, bad]), np.ones(2), block_origins=1)


def test_gain_at_a_level_beyond_its_range_is_refused():
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\), got 95\.0"):
        bootstrap_gain(np.ones(2), np.ones(2), level=95.0, block_origins=1)

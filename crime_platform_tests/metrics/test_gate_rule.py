"""The rule of both gates: what is clearly better, what is clearly worse, and what may be chance."""

import importlib
import math
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from crime_platform.metrics.gate_rule import (
    MIN_INCIDENTS,
    Noisy,
    StepSums,
    biased,
    compare,
    objections,
    too_little,
)
from crime_platform.metrics.significance import bootstrap_skill, few_steps_stretch
from toys.paths import REPOSITORY

RNG = np.random.default_rng(0)
REFERENCE = RNG.uniform(80, 120, 12)
BETTER = 0.95 * REFERENCE + RNG.normal(0, 1, 12)


def sums(deviance, *, squared=None, expected=50.0, observed=50.0, hits=None):
    steps = np.arange(len(deviance))
    return StepSums(
        step=steps,
        deviance=np.asarray(deviance, dtype=float),
        squared_error=np.asarray(deviance if squared is None else squared, dtype=float),
        expected=np.broadcast_to(expected, steps.shape).astype(float),
        observed=np.broadcast_to(observed, steps.shape).astype(float),
        hits=None if hits is None else np.asarray(hits, dtype=float),
    )


def test_the_interval_is_that_of_the_bootstrap_stretched_about_the_skill():
    plain = bootstrap_skill(BETTER, REFERENCE, block_origins=3)
    # 12 steps in blocks of 3: 12 / 9 of the variance, and Student's t of 11 degrees of freedom
    stretch = math.sqrt(12 / 9) * stats.t.ppf(0.975, 11) / stats.norm.ppf(0.975)

    skill = compare(sums(BETTER), sums(REFERENCE), block=3).deviance_skill

    assert skill.value == pytest.approx(1 - BETTER.sum() / REFERENCE.sum())
    assert skill.low == pytest.approx(skill.value - stretch * (skill.value - plain[0]))
    assert skill.high == pytest.approx(skill.value + stretch * (plain[1] - skill.value))


def test_rmse_skill_is_that_of_the_root():
    ours, theirs = (
        sums(BETTER, squared=np.full(12, 81.0)),
        sums(REFERENCE, squared=np.full(12, 100)),
    )

    skill = compare(ours, theirs, block=3).rmse_skill

    assert (skill.value, skill.low, skill.high) == pytest.approx((0.1, 0.1, 0.1))


def test_hits_are_compared_in_shares_of_incidents():
    ours, theirs = sums(BETTER, hits=np.full(12, 30)), sums(REFERENCE, hits=np.full(12, 20))

    paired = compare(ours, theirs, block=3)

    assert paired.hit_gain is not None
    assert paired.hit_gain.value == pytest.approx(10 / 50)
    assert (ours.hit_rate, theirs.hit_rate) == (0.6, 0.4)
    assert math.isnan(sums(BETTER).hit_rate)


@given(st.integers(4, 20), st.integers(1, 9))
def test_swapped_forecasts_have_the_opposite_sign(n_steps, block):
    ours, theirs = sums(RNG.uniform(1, 2, n_steps)), sums(RNG.uniform(1, 2, n_steps))

    one = compare(ours, theirs, block=block).deviance_skill
    other = compare(theirs, ours, block=block).deviance_skill

    assert one.value * other.value <= 0
    assert one.low <= one.value <= one.high


def test_a_single_step_has_no_interval():
    paired = compare(sums([1.0]), sums([2.0]), block=3)

    assert paired.deviance_skill.value == 0.5
    assert math.isnan(paired.deviance_skill.low)
    assert "not clearly better" in objections(paired, "x", "y", "lead 1")[0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_sum_that_is_no_number_is_never_better(wrong):
    paired = compare(sums([1.0, wrong, 1.0, 1.0]), sums([2.0] * 4), block=2)

    assert len(objections(paired, "x", "y", "lead 1")) == 2


def test_a_reference_without_deviance_cannot_be_beaten():
    assert objections(compare(sums([0.0] * 4), sums([0.0] * 4), block=2), "x", "y", "lead 1")


@pytest.mark.parametrize(
    ("figure", "n_reasons"),
    [
        (Noisy(value=0.10, low=0.05, high=0.15), 0),  # within the limit
        (Noisy(value=-0.15, low=-0.31, high=0.01), 0),  # may be chance
        (Noisy(value=-0.15, low=-0.29, high=-0.01), 1),
        (Noisy(value=math.nan, low=math.nan, high=math.nan), 1),
    ],
)
def test_bias_is_refused_where_it_is_large_and_clear(figure, n_reasons):
    assert len(biased(figure, "one month ahead")) == n_reasons


def test_too_little_evidence_is_named():
    paired = compare(sums([1.0] * 3, observed=33.0), sums([2.0] * 3), block=1)

    assert too_little(paired, min_steps=4, unit="months") == [
        "3 months are scored, and at least 4 are needed to tell skill from chance",
        f"99 incidents were recorded in the 3 scored months, and at least {MIN_INCIDENTS} are "
        "needed to tell skill from chance",
    ]
    assert too_little(compare(sums(BETTER), sums(REFERENCE), block=3), min_steps=4, unit="x") == []


def test_other_steps_are_refused():
    with pytest.raises(ValueError, match=r"scored at 4 steps, 0 to 3, .* at 3, 0 to 2: score"):
        compare(sums([1.0] * 4), sums([1.0] * 3), block=1)


def test_the_stretch_by_hand():
    # one degree of freedom: Cauchy's quantile, tan(0.475 pi); blocks of 1 of 2: half the variance
    stretch = math.tan(0.475 * math.pi) / stats.norm.ppf(0.975) * math.sqrt(2 / 1)

    assert few_steps_stretch(2, 1, level=0.95) == pytest.approx(stretch)
    assert few_steps_stretch(3, 3, level=0.95) == math.inf
    assert few_steps_stretch(10_000, 1, level=0.95) == pytest.approx(1.0, abs=0.001)


@pytest.mark.parametrize("block", [0, 4])
def test_the_stretch_of_a_block_beyond_the_steps_is_refused(block):
    with pytest.raises(
        ValueError, match=f"a block holds 1 to 3 steps .all there are., got {block}"
    ):
        few_steps_stretch(3, block, level=0.95)


def test_the_stretch_at_a_level_beyond_its_range_is_refused():
    with pytest.raises(ValueError, match=r"level must be in \(0, 1\), got 95\.0"):
        few_steps_stretch(3, 1, level=95.0)


@pytest.fixture
def simulation(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")
    yield importlib.import_module("gate_simulation")
    sys.modules.pop("gate_simulation")


@pytest.mark.parametrize(
    ("branch", "n_steps", "n_incidents"), [("months", 12, 1200), ("days", 60, 600)]
)
def test_noise_does_not_pass_and_a_clear_signal_does(simulation, branch, n_steps, n_incidents):
    # The benchmark tries many sizes on 100 cities each; ten of one size are enough to see a slip.
    noise = simulation.City(branch=branch, n_steps=n_steps, n_units=100, n_incidents=n_incidents)
    signal = simulation.replace(noise, reference_error=0.8)

    assert simulation.pass_share(noise, 10)[0] <= 0.1
    assert simulation.pass_share(signal, 10)[0] >= 0.9

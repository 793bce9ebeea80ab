import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.models.count_distribution import fit_dispersion
from crime_platform.models.dispersion import (
    ALPHA_GRID,
    BY_RATE,
    BY_TYPE,
    POISSON,
    RATE_EDGES,
    RATE_GROUPS,
    Spread,
    fit_spread,
    fit_spreads,
    rate_group,
    tabulate,
)


def drawn(rate: np.ndarray, alpha: float, seed: int = 0) -> np.ndarray:
    """Negative binomial counts: Poisson where alpha is 0."""
    rng = np.random.default_rng(seed)
    push = rng.gamma(1 / alpha, alpha, rate.shape) if alpha else 1.0
    return rng.poisson(rate * push).astype(float)


def rates(n_cells: int = 3000, seed: int = 1) -> np.ndarray:
    """Rates of 4 steps and 1 offence type, 0.01 to about 10."""
    return np.random.default_rng(seed).gamma(0.5, 2.0, (4, 1, n_cells)) + 0.01


def test_groups_start_at_their_edge():
    expected = np.array([[0.0, 0.049, 0.05], [0.2, 4.9, 5.0]])

    np.testing.assert_array_equal(rate_group(expected), [[0, 0, 1], [2, 3, 4]])


def test_every_group_has_a_name():
    assert len(RATE_GROUPS) == len(RATE_EDGES) + 1


def test_alpha_is_looked_up_by_offence_type_and_rate():
    spread = Spread(BY_RATE, np.array([[0.0, 0.1, 0.2, 0.3, 0.4], [1.0, 1.1, 1.2, 1.3, 1.4]]))

    alpha = spread.alpha(np.array([[[0.01, 0.5]], [[0.06, 9.0]]]))

    np.testing.assert_array_equal(alpha, [[[0.0, 0.2]], [[1.1, 1.4]]])


def test_one_alpha_per_type_is_the_maximum_likelihood_to_a_grid_step():
    rate = rates()
    observed = drawn(rate, 0.6)

    spread = fit_spread(observed, rate, BY_TYPE)

    exact = fit_dispersion(observed, rate)  # equals scipy's likelihood: test_count_distribution
    step = ALPHA_GRID[2] / ALPHA_GRID[1]
    assert abs(np.log(spread.by_group[0, 0] / exact)) <= np.log(step)
    assert (spread.by_group == spread.by_group[0, 0]).all()


def test_each_rate_group_finds_its_own_alpha():
    rate = rates(20_000)
    observed = np.where(rate < RATE_EDGES[2], drawn(rate, 1.5), drawn(rate, 0.1))

    spread = fit_spread(observed, rate, BY_RATE)

    assert spread.by_group[0, 2] == pytest.approx(1.5, rel=0.15)
    assert spread.by_group[0, 4] == pytest.approx(0.1, rel=0.15)


def test_a_group_without_cases_takes_the_alpha_of_its_type():
    rate = np.full((4, 1, 2000), 0.5)  # all in group 2

    observed = drawn(rate, 0.8)

    by_rate, by_type = (fit_spread(observed, rate, kind).by_group[0] for kind in (BY_RATE, BY_TYPE))
    np.testing.assert_array_equal(by_rate, by_type)


def test_a_group_with_few_cases_stays_near_its_type():
    rate = np.concatenate([np.full((1, 1, 5000), 0.5), np.full((1, 1, 5000), 0.5)], axis=0)
    observed = drawn(rate, 0.8)
    rate[0, 0, 0], observed[0, 0, 0] = 8.0, 8.0  # one busy case, right on its mean

    spread = fit_spread(observed, rate, BY_RATE)

    assert spread.by_group[0, 4] == pytest.approx(spread.by_group[0, 2], rel=0.3)


def test_a_group_with_many_cases_does_not_listen_to_its_type():
    rate = np.minimum(rates(20_000), RATE_EDGES[3] - 0.01)
    observed = np.where(rate < RATE_EDGES[2], drawn(rate, 1.5), drawn(rate, 0.1))
    rate[0, 0, 0], observed[0, 0, 0] = 8.0, 8.0  # the busiest group holds 8 incidents

    spread = fit_spread(observed, rate, BY_RATE)

    assert spread.by_group[0, 2] == pytest.approx(1.5, rel=0.1)


def test_poisson_counts_have_no_spread():
    rate = np.full((4, 2, 500), 3.0)

    spread = fit_spread(np.full((4, 2, 500), 3.0), rate, BY_RATE)

    assert (spread.by_group == 0).all()


def test_the_poisson_kind_is_alpha_zero_whatever_was_recorded():
    rate = rates(100)

    assert (fit_spread(drawn(rate, 2.0), rate, POISSON).by_group == 0).all()


def test_offence_types_do_not_share_their_alpha():
    rate = np.concatenate([rates(5000)] * 2, axis=1)
    observed = np.concatenate([drawn(rate[:, :1], 0.0), drawn(rate[:, 1:], 1.0)], axis=1)

    alpha = fit_spread(observed, rate, BY_TYPE).by_group[:, 0]

    assert alpha[0] < 0.05
    assert alpha[1] == pytest.approx(1.0, rel=0.1)


def test_equal_cases_share_a_row():
    # cases (type, count, rate): (0, 1, 0.5) twice, (0, 2, 0.5), (1, 1, 0.5), (0, 1, 0.01), ...
    observed = np.array([[[1.0, 1.0, 2.0], [1.0, 0.0, 0.0]]])
    expected = np.array([[[0.5, 0.5, 0.5], [0.5, 0.01, 0.01]]])

    table, row = tabulate(observed, expected)

    assert len(table.observed) == 4
    assert row[0, 0, 0] == row[0, 0, 1]
    assert row[0, 1, 1] == row[0, 1, 2]
    np.testing.assert_array_equal(table.observed[row], observed)
    np.testing.assert_allclose(table.expected[row], expected, rtol=0.021)


@given(st.integers(0, 50), st.integers(1, 30))
def test_a_weight_counts_like_that_many_cases(seed, times):
    rate = rates(40, seed)
    observed = drawn(rate, 1.0, seed)
    table, row = tabulate(observed, rate)
    once = np.bincount(row.ravel()).astype(float)
    repeated_table, repeated = tabulate(
        np.concatenate([observed] * times), np.concatenate([rate] * times)
    )

    weighted = fit_spreads(table, times * once[None])[BY_RATE][0]

    counted = np.bincount(repeated.ravel()).astype(float)
    cases = fit_spreads(repeated_table, counted[None])[BY_RATE][0]
    np.testing.assert_allclose(weighted.by_group, cases.by_group)


def test_a_spread_of_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="no spread is called 'wide'"):
        fit_spread(np.ones((1, 1, 1)), np.ones((1, 1, 1)), "wide")


def test_a_spread_without_cases_is_refused():
    with pytest.raises(ValueError, match="needs at least one recorded count"):
        tabulate(np.ones((0, 1, 1)), np.ones((0, 1, 1)))


@pytest.mark.parametrize(("position", "name"), [(0, "observed"), (1, "expected")])
def test_counts_that_are_not_numbers_are_refused(position, name):
    case = [np.ones((1, 1, 2)), np.ones((1, 1, 2))]
    case[position][0, 0, 1] = np.nan

    with pytest.raises(ValueError, match=f"every {name} count must be a finite number >= 0"):
        tabulate(*case)

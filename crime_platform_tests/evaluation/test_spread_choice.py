import numpy as np
import pytest

from crime_platform.evaluation.recalibration import MIN_EARLIER_ORIGINS, MODEL_OWN, calibrated
from crime_platform.models.dispersion import SPREADS
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import month_range

MONTHS = month_range(np.datetime64("2019-01", "M"), np.datetime64("2021-12", "M"))
ORIGINS = MONTHS[-16:]
OWN_ALPHA = 0.123


def simulated(alpha: float, *, n_cells: int = 400, seed: int = 5):
    """Rates, and counts that spread round them with the alpha given; a fifth of cells is quiet."""
    rng = np.random.default_rng(seed)
    rate = np.broadcast_to(rng.gamma(0.6, 2.0, (2, n_cells)) + 0.02, (36, 2, n_cells)).copy()
    rate[:, :, ::5] = 1e-4
    push = rng.gamma(1 / alpha, alpha, rate.shape) if alpha else np.ones(rate.shape)
    counts = rng.poisson(rate * push).astype(float)
    counts[:, :, ::5] = 0
    return rate, CountHistory(steps=MONTHS, counts=counts)


def forecasts_of(rate: np.ndarray, horizon: int = 2) -> RollingForecasts:
    expected = np.broadcast_to(rate[0], (len(ORIGINS), horizon, *rate.shape[1:])).copy()
    return RollingForecasts(
        origins=ORIGINS,
        expected_count=expected,
        dispersion=np.full(expected.shape, OWN_ALPHA),
    )


def test_expected_counts_stay_as_they_are():
    rate, history = simulated(0.5)
    forecasts = forecasts_of(rate)

    spread, _ = calibrated(forecasts, history)

    np.testing.assert_array_equal(spread.expected_count, forecasts.expected_count)
    assert (forecasts.dispersion == OWN_ALPHA).all()


@pytest.mark.parametrize("lead", [1, 2])
def test_the_models_own_spread_stays_until_enough_months_have_happened(lead):
    rate, history = simulated(0.5)

    spread, choices = calibrated(forecasts_of(rate), history)

    # lead 1: origin 6 knows the targets of origins 0..5; lead 2: one origin later
    first = MIN_EARLIER_ORIGINS + lead - 1
    by_origin = [choice for choice in choices if choice.lead == lead]
    assert (spread.dispersion[:first, lead - 1] == OWN_ALPHA).all()
    assert (spread.dispersion[first:, lead - 1] != OWN_ALPHA).all()
    assert [choice.distribution == MODEL_OWN for choice in by_origin] == (
        [True] * first + [False] * (16 - first)
    )


@pytest.mark.parametrize("position", [7, 10, 14])
def test_the_spread_ignores_everything_after_its_origin(position):
    rate, history = simulated(0.5)
    tampered = history.counts.copy()
    tampered[history.index_of(ORIGINS[position]) + 1 :] = 999.0

    spread, choices = calibrated(forecasts_of(rate), history)
    other, other_choices = calibrated(
        forecasts_of(rate), CountHistory(steps=MONTHS, counts=tampered)
    )

    seen = slice(0, position + 1)
    np.testing.assert_array_equal(spread.dispersion[seen], other.dispersion[seen])
    early = [choice for choice in choices if choice.origin <= ORIGINS[position]]
    other_early = [choice for choice in other_choices if choice.origin <= ORIGINS[position]]
    assert [each.distribution for each in early] == [each.distribution for each in other_early]
    np.testing.assert_allclose(
        [value for each in early for value in each.crps.values()],
        [value for each in other_early for value in each.crps.values()],
    )


def test_forecasts_of_later_origins_change_nothing_before():
    rate, history = simulated(0.5)
    other = forecasts_of(rate)
    other.expected_count[12:] = 50.0

    spread, _ = calibrated(forecasts_of(rate), history)
    tampered, _ = calibrated(other, history)

    np.testing.assert_array_equal(spread.dispersion[:12], tampered.dispersion[:12])


def test_spread_out_counts_get_their_alpha_back():
    rate, history = simulated(0.8)

    spread, choices = calibrated(forecasts_of(rate), history)

    busy = spread.dispersion[-1, 0][rate[0] > 1]
    assert choices[15].distribution.startswith("negative_binomial")
    assert np.median(busy) == pytest.approx(0.8, rel=0.2)


def test_poisson_counts_get_next_to_no_spread():
    rate, history = simulated(0.0)

    spread, _ = calibrated(forecasts_of(rate), history)

    assert spread.dispersion[-1, 0][rate[0] > 1].max() < 0.05


def test_crps_chooses_among_the_spreads_that_are_wide_enough():
    rate, history = simulated(0.8)

    _, choices = calibrated(forecasts_of(rate), history)

    choice = choices[15]
    enough = {name: choice.crps[name] for name in SPREADS if choice.pit_shortfall[name] <= 1}
    assert set(choice.crps) == set(SPREADS)
    assert choice.pit_shortfall["poisson"] > 1  # far too narrow for alpha 0.8
    assert choice.distribution == min(enough, key=enough.__getitem__)


def test_where_all_spreads_are_too_narrow_the_least_narrow_is_used():
    rate, history = simulated(0.1)

    # 30 % too low: CRPS would have Poisson, the narrowest of all
    _, choices = calibrated(forecasts_of(0.7 * rate), history)

    choice = choices[15]
    assert min(choice.pit_shortfall.values()) > 1
    assert min(choice.crps, key=choice.crps.__getitem__) == "poisson"
    shortfall = choice.pit_shortfall
    assert choice.distribution == min(shortfall, key=shortfall.__getitem__) != "poisson"


def test_cells_without_any_incident_so_far_are_no_evidence():
    rate, history = simulated(0.5)
    forecasts = forecasts_of(rate)
    wrong_there = forecasts_of(rate)
    wrong_there.expected_count[:, :, :, ::5] = 40.0  # nothing was ever recorded in these cells

    spread, _ = calibrated(forecasts, history)
    other, _ = calibrated(wrong_there, history)

    active = history.counts.any(axis=(0, 1))
    np.testing.assert_array_equal(
        spread.dispersion[:, :, :, active], other.dispersion[:, :, :, active]
    )


def test_grids_and_streets_are_the_same_to_it():
    rate, history = simulated(0.5)
    on_grid = CountHistory(steps=MONTHS, counts=history.counts.reshape(36, 2, 20, 20))

    by_node, _ = calibrated(forecasts_of(rate), history)
    by_cell, _ = calibrated(forecasts_of(rate.reshape(36, 2, 20, 20)), on_grid)

    np.testing.assert_array_equal(
        by_cell.dispersion.reshape(by_node.dispersion.shape), by_node.dispersion
    )


def test_without_any_month_that_happened_the_models_own_spread_stays():
    rate, history = simulated(0.5)
    short = forecasts_of(rate)
    last_only = RollingForecasts(
        origins=ORIGINS[-1:],
        expected_count=short.expected_count[-1:],
        dispersion=short.dispersion[-1:],
    )

    spread, choices = calibrated(last_only, history)

    assert (spread.dispersion == OWN_ALPHA).all()
    assert {choice.distribution for choice in choices} == {MODEL_OWN}

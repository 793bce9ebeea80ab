import sys
from dataclasses import asdict, replace
from subprocess import run

import numpy as np
import pytest
from optuna.trial import FixedTrial

from crime_platform.models.cells.boosted_trees import LightGbmForecaster, suggest_boosted_trees
from crime_platform.models.cells.fitted_trees import BoostedTreesConfig
from crime_platform.models.cells.tree_features import FeatureSettings, feature_blocks
from crime_platform.models.count_distribution import rate_floor
from crime_platform.vocabulary.forecast import CountHistory, Forecaster
from crime_platform.vocabulary.timesteps import IncompleteDataError

FIT_ORIGIN = np.datetime64("2020-06")  # the 30th month
CONFIG = BoostedTreesConfig(
    features=FeatureSettings(bandwidths=(1.0,)),
    horizon=2,
    rounds=8,
    num_leaves=4,
    incidents_in_leaf=5.0,
    threads=1,
)


def history(n_steps=34):
    """Hot spots that stay, in a city whose total swings with the season."""
    random = np.random.default_rng(0)
    rates = random.gamma(0.5, 2.0, (2, 6, 5))
    season = 1 + 0.3 * np.cos(2 * np.pi * np.arange(n_steps) / 12)
    counts = random.poisson(rates * season[:, None, None, None]).astype(np.float32)
    return CountHistory(steps=np.datetime64("2018-01") + np.arange(n_steps), counts=counts)


def fit(config=CONFIG, known=None):
    return LightGbmForecaster(config=config).fit(known or history(), FIT_ORIGIN)


def expected(config=CONFIG, known=None):
    return fit(config, known).forecast(known or history(), FIT_ORIGIN, 2).expected_count


def test_it_is_a_forecaster_by_the_name_of_the_tables():
    forecaster = LightGbmForecaster()

    assert isinstance(forecaster, Forecaster)
    assert (forecaster.name, forecaster.min_history_months) == ("lightgbm", 24)


def test_the_same_data_give_the_same_trees():
    np.testing.assert_array_equal(expected(), expected())


def test_learning_ignores_everything_after_the_origin():
    tampered = history()
    tampered.counts[30:] = 999.0

    left, right = fit(), fit(known=tampered)

    known = history().through(FIT_ORIGIN)
    forecasts = [each.forecast(known, FIT_ORIGIN, 2).expected_count for each in (left, right)]
    np.testing.assert_array_equal(forecasts[0], forecasts[1])
    assert left.dispersion == right.dispersion


def test_trees_that_may_not_move_a_share_state_the_base_rate():
    still = replace(CONFIG, leaf_penalty=1e12, city_penalty=1e12, city_type_penalty=1e12)
    known = history().through(FIT_ORIGIN)

    stated = expected(still)[0].reshape(2, -1)

    (block,) = feature_blocks(known, CONFIG.features, first=29, horizon=1)
    of_july = block.base * 31 / 30.436875  # the base is that of a month of mean length
    floor = rate_floor(known).reshape(2, -1)[:, block.cells]
    np.testing.assert_allclose(stated[:, block.cells], np.maximum(of_july, floor), rtol=1e-6)


def test_trees_move_shares_and_never_the_total():
    known = history().through(FIT_ORIGIN)
    low_floor = CountHistory(steps=known.steps, counts=known.counts + 0.5)  # far above any floor
    fitted = fit(replace(CONFIG, city_penalty=1e12, city_type_penalty=1e12), low_floor)

    stated = fitted.forecast(low_floor, FIT_ORIGIN, 1).expected_count[0]

    (block,) = feature_blocks(low_floor, CONFIG.features, first=29, horizon=1)
    base = block.base.reshape(stated.shape)
    np.testing.assert_allclose(
        stated.sum(axis=(1, 2)), base.sum(axis=(1, 2)) * 31 / 30.436875, rtol=1e-6
    )
    assert np.abs(stated / base - 31 / 30.436875).max() > 0.01


def test_a_log_ratio_is_bounded():
    bounded = replace(CONFIG, largest_log_ratio=1e-9)
    still = replace(CONFIG, leaf_penalty=1e12)

    np.testing.assert_allclose(expected(bounded), expected(still), rtol=1e-6)


def test_a_forecast_is_the_mean_of_its_seeds():
    both = fit(replace(CONFIG, seeds=2))

    one, other = (replace(both, trees=(trees,)) for trees in both.trees)

    forecasts = [each.forecast(history(), FIT_ORIGIN, 2).expected_count for each in (one, other)]
    together = both.forecast(history(), FIT_ORIGIN, 2).expected_count
    assert not np.array_equal(forecasts[0], forecasts[1])
    above = together > rate_floor(history().through(FIT_ORIGIN))
    np.testing.assert_allclose(together[above], np.mean(forecasts, axis=0)[above], rtol=1e-2)


@pytest.mark.parametrize(
    "changed",
    [
        {"features": FeatureSettings(bandwidths=(2.0,))},
        {"rounds": 9},
        {"learning_rate": 0.1},
        {"num_leaves": 3},
        {"extra_trees": False},
        {"incidents_in_leaf": 50.0},
        {"leaf_penalty": 100.0},
        {"feature_fraction": 0.9},
        {"row_fraction": 0.4},
        {"max_bin": 7},
        {"largest_log_ratio": 0.01},
        {"seeds": 2},
        {"city_penalty": 100.0},
        {"city_type_penalty": 10.0},
    ],
)
def test_every_setting_changes_the_forecast(changed):
    assert not np.array_equal(expected(replace(CONFIG, **changed)), expected())


def test_without_held_out_months_the_counts_are_poisson_and_expected_alike():
    known, poisson = history(), fit(replace(CONFIG, held_out_months=0))

    assert poisson.dispersion == (0.0,) * known.counts.shape[1]
    origin = known.steps[-1]
    np.testing.assert_array_equal(
        poisson.forecast(known, origin, 1).expected_count,
        fit().forecast(known, origin, 1).expected_count,
    )


def test_held_out_months_decide_the_spread():
    assert fit(replace(CONFIG, held_out_months=3)).dispersion != fit().dispersion


def test_held_out_rounds_decide_the_spread_and_nothing_else():
    full, fewer = fit(), fit(replace(CONFIG, held_out_rounds=2))

    assert fewer.dispersion != full.dispersion
    assert len(fewer.trees) == len(full.trees)
    origin = history().steps[-1]
    np.testing.assert_array_equal(
        fewer.forecast(history(), origin, 1).expected_count,
        full.forecast(history(), origin, 1).expected_count,
    )


def test_a_history_that_is_too_short_is_an_error():
    with pytest.raises(IncompleteDataError, match="lightgbm needs 24 months up to 2019-11"):
        LightGbmForecaster(config=CONFIG).fit(history(), np.datetime64("2019-11"))


def test_the_shortest_history_is_enough():
    origin = np.datetime64("2019-12")

    fitted = LightGbmForecaster(config=replace(CONFIG, horizon=3)).fit(history(), origin)

    assert fitted.forecast(history(), origin, 3).expected_count.shape == (3, 2, 6, 5)


def test_nothing_to_learn_from_is_an_error():
    known = history()
    known.counts[:] = 0.0

    with pytest.raises(ValueError, match="there is no incident in the 12 months to train on"):
        fit(known=known)


def test_a_trial_names_fields_of_the_config():
    default = BoostedTreesConfig()
    trial = FixedTrial({**asdict(default), **asdict(default.features), "num_leaves": 9})

    config = suggest_boosted_trees(trial)

    assert config == replace(default, num_leaves=9)


def test_lightgbm_is_imported_only_when_trees_grow():
    module = "crime_platform.models.cells.boosted_trees"
    code = f"import sys, {module}; assert 'lightgbm' not in sys.modules"

    assert run([sys.executable, "-c", code], check=False).returncode == 0

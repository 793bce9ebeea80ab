import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from crime_platform.models.cells.boosted_trees import LightGbmForecaster
from crime_platform.models.cells.fitted_trees import (
    CONFIG_FILE,
    BoostedTreesConfig,
    FittedTrees,
    config_from_json,
)
from crime_platform.models.cells.tree_features import FeatureSettings
from crime_platform.models.count_distribution import rate_floor
from crime_platform.vocabulary.forecast import CountHistory, Fitted
from crime_platform.vocabulary.timesteps import IncompleteDataError

FIT_ORIGIN = np.datetime64("2020-06")  # the 30th month
CONFIG = BoostedTreesConfig(
    features=FeatureSettings(bandwidths=(1.0,)),
    horizon=2,
    rounds=8,
    num_leaves=4,
    incidents_in_leaf=5.0,
    seeds=2,
    threads=1,
)


def history(n_steps=34):
    random = np.random.default_rng(0)
    rates = random.gamma(0.5, 2.0, (2, 6, 5))
    rates[:, 0, 0] = 0  # a cell in the lake
    counts = random.poisson(rates, (n_steps, 2, 6, 5)).astype(np.float32)
    return CountHistory(steps=np.datetime64("2018-01") + np.arange(n_steps), counts=counts)


@pytest.fixture(scope="module")
def fitted():
    return LightGbmForecaster(name="tiny", config=CONFIG).fit(history(), FIT_ORIGIN)


def test_it_is_a_fitted_forecaster(fitted):
    assert isinstance(fitted, Fitted)
    assert (fitted.name, fitted.fit_origin) == ("tiny", FIT_ORIGIN)
    assert fitted.training_seconds > 0


def test_saved_trees_forecast_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "fit")
    loaded = LightGbmForecaster(name="tiny", config=CONFIG).load(tmp_path / "fit")

    left, right = (each.forecast(history(), FIT_ORIGIN + 2, 2) for each in (fitted, loaded))
    np.testing.assert_array_equal(left.expected_count, right.expected_count)
    np.testing.assert_array_equal(left.dispersion, right.dispersion)
    assert loaded.config == CONFIG
    assert loaded.n_parameters == fitted.n_parameters
    assert (loaded.fit_origin, loaded.unit_shape) == (fitted.fit_origin, fitted.unit_shape)


def test_a_folder_holds_text_and_config_and_nothing_half_written(fitted, tmp_path):
    fitted.save(tmp_path)

    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [CONFIG_FILE, "trees_0.txt", "trees_1.txt"]
    described = json.loads((tmp_path / CONFIG_FILE).read_text())
    assert described["n_parameters"] == fitted.n_parameters
    assert len(described["sha256"]) == 64


def test_tampered_trees_are_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    path = tmp_path / "trees_1.txt"
    path.write_text(path.read_text().replace("leaf_value=", "leaf_value=1", 1))

    with pytest.raises(ValueError, match=r"are not those that config.json describes: expected"):
        FittedTrees.load(tmp_path)


def test_the_config_survives_json():
    config = replace(CONFIG, learning_rate=0.07, features=FeatureSettings(n_lags=5))

    rebuilt = config_from_json(json.loads(json.dumps(asdict(config))))

    assert rebuilt == config


def test_a_forecast_ignores_everything_after_its_origin(fitted):
    known, origin = history(), FIT_ORIGIN + 1
    tampered = CountHistory(steps=known.steps, counts=known.counts.copy())
    tampered.counts[31:] = 999.0

    left, right = (fitted.forecast(counts, origin, 2) for counts in (known, tampered))

    np.testing.assert_array_equal(left.expected_count, right.expected_count)


def test_a_later_origin_reads_the_new_months(fitted):
    at_fit, later = (fitted.forecast(history(), FIT_ORIGIN + shift, 2) for shift in (0, 3))

    assert later.origin == FIT_ORIGIN + 3
    assert not np.array_equal(at_fit.expected_count, later.expected_count)


def test_a_shorter_horizon_gives_the_first_leads(fitted):
    both, first = (fitted.forecast(history(), FIT_ORIGIN, horizon) for horizon in (2, 1))

    np.testing.assert_array_equal(both.expected_count[:1], first.expected_count)


def test_no_forecast_is_below_the_rate_floor(fitted):
    known = history().through(FIT_ORIGIN)

    expected = fitted.forecast(known, FIT_ORIGIN, 2).expected_count

    assert (expected >= rate_floor(known)).all()
    assert (expected[:, :, 0, 0] == rate_floor(known)[:, 0, 0]).all()  # nothing was recorded there


def test_the_spread_goes_by_offence_type(fitted):
    dispersion = fitted.forecast(history(), FIT_ORIGIN, 2).dispersion

    assert (dispersion == np.reshape(fitted.dispersion, (1, 2, 1, 1))).all()


def test_parameters_are_leaves_and_city_weights(fitted):
    # 2 seeds x 8 trees of 2 to 4 leaves; 2 leads x 2 types x 10 weights of the total.
    assert 2 * 8 * 2 <= fitted.n_parameters - 2 * 2 * 10 <= 2 * 8 * 4


@pytest.mark.parametrize("horizon", [0, 3])
def test_a_lead_that_was_not_trained_is_an_error(fitted, horizon):
    with pytest.raises(ValueError, match=rf"trained for leads 1..2, got horizon {horizon}"):
        fitted.forecast(history(), FIT_ORIGIN, horizon)


def test_an_origin_before_the_fit_is_an_error(fitted):
    with pytest.raises(ValueError, match="a forecast from 2020-05 would know its own future"):
        fitted.forecast(history(), FIT_ORIGIN - 1, 2)


def test_another_grid_is_an_error(fitted):
    known = history()
    other = CountHistory(steps=known.steps, counts=known.counts[:, :, :4])

    with pytest.raises(ValueError, match=r"trained on \(type, row, col\) \(2, 6, 5\)"):
        fitted.forecast(other, FIT_ORIGIN, 2)


def test_an_origin_outside_the_history_is_an_error(fitted):
    with pytest.raises(IncompleteDataError, match="is not in the history"):
        fitted.forecast(history(), np.datetime64("2022-01"), 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"horizon": 0},
        {"rounds": 0},
        {"seeds": 0},
        {"held_out_months": -1},
        {"held_out_rounds": 0},
        {"threads": 0},
    ],
)
def test_a_size_of_nothing_is_an_error(wrong):
    with pytest.raises(ValueError, match="need >= 1 and held_out_months >= 0"):
        BoostedTreesConfig(**wrong)


def test_held_out_months_leave_months_to_train_on():
    with pytest.raises(ValueError, match="together below 12"):
        BoostedTreesConfig(horizon=3, held_out_months=9)

from dataclasses import asdict, replace

import numpy as np
import pytest

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.training.fit import NETWORKS, NetworkForecaster
from crime_platform.training.recipe import NetworkConfig
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError

ORIGIN = np.datetime64("2020-08")  # the 32nd month
ST_RESNET = NetworkConfig(
    architecture=StResNetConfig(closeness=2, period=1, trend=1, filters=4, residual_units=1),
    seeds=1,
    epochs=3,
    horizon=2,
    validation_steps=4,
    learning_rate=2e-2,
)
CONVLSTM = replace(ST_RESNET, architecture=ConvLstmConfig(lookback=3, filters=4))
LOG1P = replace(ST_RESNET, recipe="log1p_mse")


def history(n_steps=36):
    steps = np.datetime64("2018-01") + np.arange(n_steps)
    rate = np.linspace(0.2, 3.0, 60).reshape(2, 6, 5)
    counts = np.random.default_rng(0).poisson(rate, (n_steps, 2, 6, 5)).astype(np.float32)
    return CountHistory(steps=steps, counts=counts)


def expected_count(config, known=None):
    known = history() if known is None else known
    fitted = NetworkForecaster(name="test", config=config).fit(known, ORIGIN)
    return fitted.forecast(known, ORIGIN, config.horizon).expected_count


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_fit_ignores_everything_after_the_origin(config):
    known = history()
    tampered = CountHistory(steps=known.steps, counts=known.counts.copy())
    tampered.counts[32:] = 999.0

    np.testing.assert_array_equal(expected_count(config), expected_count(config, tampered))


@pytest.mark.parametrize(
    "change",
    [
        {"seeds": 2},
        {"epochs": 2},
        {"recipe": "log1p_mse"},
        {"validation_steps": 5},
        {"batch_origins": 2},
        {"learning_rate": 5e-3},
        {"weight_decay": 5.0},
        {"fusion_rate": 1.0},
        {"largest_log_ratio": 0.01},
        {"input_scale": "log1p"},
        {"cell_embedding": 2},
        {"city_penalty": 1.0},
        {"city_type_penalty": 1.0},
    ],
)
def test_every_setting_changes_the_forecast(change):
    assert not np.array_equal(expected_count(replace(ST_RESNET, **change)), DEFAULT)


@pytest.mark.parametrize(
    "change", [{"closeness": 3}, {"period": 2}, {"trend": 2}, {"filters": 5}, {"residual_units": 2}]
)
def test_every_size_of_st_resnet_changes_the_forecast(change):
    architecture = replace(ST_RESNET.architecture, **change)
    known = history(48)
    fitted = [
        NetworkForecaster(name="test", config=config).fit(known, known.steps[-1])
        for config in (ST_RESNET, replace(ST_RESNET, architecture=architecture))
    ]

    left, right = (each.forecast(known, known.steps[-1], 2).expected_count for each in fitted)

    assert not np.array_equal(left, right)


@pytest.mark.parametrize("change", [{"lookback": 4}, {"filters": 5}, {"layers": 2}])
def test_every_size_of_convlstm_changes_the_forecast(change):
    changed = replace(CONVLSTM, architecture=replace(CONVLSTM.architecture, **change))

    assert not np.array_equal(expected_count(changed), expected_count(CONVLSTM))


def test_the_horizon_is_the_number_of_leads():
    assert expected_count(replace(ST_RESNET, horizon=3)).shape == (3, 2, 6, 5)


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_a_short_history_names_months_needed_and_held(config):
    forecaster = NetworkForecaster(name="tiny", config=config)
    needed = forecaster.min_history_months
    known = history(needed - 1)

    with pytest.raises(
        IncompleteDataError, match=f"tiny needs {needed} months up to .* {needed - 1}"
    ):
        forecaster.fit(known, known.steps[-1])


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_the_shortest_history_is_enough(config):
    forecaster = NetworkForecaster(name="tiny", config=config)
    known = history(forecaster.min_history_months)

    fitted = forecaster.fit(known, known.steps[-1])

    assert fitted.fit_origin == known.steps[-1]


def test_months_needed_by_hand():
    forecaster = NetworkForecaster(name="tiny", config=ST_RESNET)

    # lookback, half a year of targets, validation
    assert forecaster.min_history_months == 12 + 6 + 4


def test_dispersion_is_one_alpha_per_type():
    known = history()
    fitted = NetworkForecaster(name="test", config=ST_RESNET).fit(known, ORIGIN)

    alpha = fitted.forecast(known, ORIGIN, 2).dispersion

    assert alpha.shape == (2, 2, 6, 5)
    np.testing.assert_array_equal(alpha[0, 1], np.full((6, 5), fitted.dispersion[1]))


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_the_table_names_its_forecasters(name):
    forecaster = NETWORKS[name]

    assert forecaster.name == name
    assert name.startswith(forecaster.config.architecture.kind)
    assert ("log1p" in name) == (asdict(forecaster.config)["recipe"] == "log1p_mse")


DEFAULT = expected_count(ST_RESNET)

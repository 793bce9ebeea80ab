import json
from dataclasses import asdict

import pytest

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.training.recipe import NetworkConfig, config_from_json, windows_of


@pytest.mark.parametrize(
    "config",
    [
        NetworkConfig(architecture=StResNetConfig(filters=7), seeds=3),
        NetworkConfig(architecture=ConvLstmConfig(lookback=9), city_penalty=0.5),
    ],
)
def test_a_config_survives_json(config):
    assert config_from_json(json.loads(json.dumps(asdict(config)))) == config


def test_an_unknown_architecture_is_an_error():
    settings = asdict(NetworkConfig())
    settings["architecture"]["kind"] = "transformer"

    with pytest.raises(ValueError, match=r"\['convlstm', 'st_resnet'\], got 'transformer'"):
        config_from_json(settings)


@pytest.mark.parametrize("field", ["seeds", "epochs", "patience", "batch_origins"])
def test_sizes_must_be_positive(field):
    with pytest.raises(ValueError, match="seeds, epochs, patience and batch_origins need >= 1"):
        NetworkConfig(**{field: 0})


@pytest.mark.parametrize(("horizon", "validation_steps"), [(0, 6), (4, 3)])
def test_every_lead_needs_a_month_to_be_judged_on(horizon, validation_steps):
    with pytest.raises(ValueError, match="every lead needs a month to be judged on"):
        NetworkConfig(horizon=horizon, validation_steps=validation_steps)


@pytest.mark.parametrize(
    ("architecture", "lookback"),
    [
        (StResNetConfig(closeness=3, period=2, trend=2), 24),
        (ConvLstmConfig(lookback=9), 9),
        (ConvLstmConfig(lookback=2), 6),  # the city's level is compared over up to six months
    ],
)
def test_lookback_covers_slices_and_city_wide_features(architecture, lookback):
    assert NetworkConfig(architecture=architecture).lookback == lookback


def test_windows_follow_the_architecture():
    windows = windows_of(StResNetConfig(closeness=5, period=3, trend=4))

    assert (windows.closeness, windows.period, windows.trend) == (5, 3, 4)

import json
from dataclasses import replace

import numpy as np
import pytest

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.training.fit import NetworkForecaster
from crime_platform.training.fitted_model import CONFIG_FILE, WEIGHTS_FILE, FittedNetwork
from crime_platform.training.recipe import NetworkConfig
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError

FIT_ORIGIN = np.datetime64("2020-08")  # the 32nd month
ST_RESNET = NetworkConfig(
    architecture=StResNetConfig(filters=4, residual_units=1), epochs=2, horizon=2
)
CONVLSTM = replace(ST_RESNET, architecture=ConvLstmConfig(lookback=3, filters=4))
LOG1P = replace(ST_RESNET, recipe="log1p_mse", seeds=1)


def history(n_steps=36):
    steps = np.datetime64("2018-01") + np.arange(n_steps)
    counts = np.random.default_rng(0).poisson(1.0, (n_steps, 2, 6, 5)).astype(np.float32)
    return CountHistory(steps=steps, counts=counts)


def fit(config):
    return NetworkForecaster(name="tiny", config=config).fit(history(), FIT_ORIGIN)


@pytest.fixture(scope="module")
def fitted():
    return fit(ST_RESNET)


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_a_saved_network_forecasts_the_same(config, tmp_path):
    network, origin = fit(config), FIT_ORIGIN + 2

    network.save(tmp_path / "fit")
    loaded = FittedNetwork.load(tmp_path / "fit")

    left, right = (each.forecast(history(), origin, 2) for each in (network, loaded))
    np.testing.assert_array_equal(left.expected_count, right.expected_count)
    np.testing.assert_array_equal(left.dispersion, right.dispersion)
    assert loaded.config == network.config
    assert (loaded.epochs, loaded.base_settings) == (network.epochs, network.base_settings)


def test_a_folder_holds_weights_and_config_and_nothing_half_written(fitted, tmp_path):
    fitted.save(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [CONFIG_FILE, WEIGHTS_FILE]
    described = json.loads((tmp_path / CONFIG_FILE).read_text())
    assert described["n_parameters"] == fitted.n_parameters
    assert len(described["sha256"]) == 64


def test_tampered_weights_are_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    content = bytearray((tmp_path / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    (tmp_path / WEIGHTS_FILE).write_bytes(content)

    with pytest.raises(ValueError, match=r"is not the file that was described when"):
        FittedNetwork.load(tmp_path)


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_a_forecast_ignores_everything_after_its_origin(config):
    network, origin = fit(config), FIT_ORIGIN + 1
    known = history()
    tampered = CountHistory(steps=known.steps, counts=known.counts.copy())
    tampered.counts[33:] = 999.0

    left, right = (network.forecast(counts, origin, 2) for counts in (known, tampered))

    np.testing.assert_array_equal(left.expected_count, right.expected_count)


def test_a_later_origin_reads_the_new_months(fitted):
    at_fit, later = (fitted.forecast(history(), FIT_ORIGIN + shift, 2) for shift in (0, 3))

    assert later.origin == FIT_ORIGIN + 3
    assert not np.array_equal(at_fit.expected_count, later.expected_count)


def test_a_shorter_horizon_gives_the_first_leads(fitted):
    both, first = (fitted.forecast(history(), FIT_ORIGIN, horizon) for horizon in (2, 1))

    np.testing.assert_array_equal(both.expected_count[:1], first.expected_count)


def test_the_forecast_is_the_mean_of_the_members(fitted):
    alone = [replace(fitted, members=(member,)) for member in fitted.members]

    mean = np.mean([one.forecast(history(), FIT_ORIGIN, 2).expected_count for one in alone], axis=0)

    together = fitted.forecast(history(), FIT_ORIGIN, 2).expected_count
    np.testing.assert_allclose(together, mean, rtol=1e-6)


def test_no_forecast_is_below_the_rate_floor():
    network = fit(LOG1P)

    expected = network.forecast(history(), FIT_ORIGIN, 2).expected_count

    assert expected.min() >= 0.5 / 32  # half an incident in 32 months


def test_fusion_share_sums_to_one_in_every_cell(fitted):
    share = fitted.fusion_share

    assert share.shape == (3, 2, 6, 5)
    np.testing.assert_allclose(share.sum(axis=0), 1, rtol=1e-6)


def test_a_convlstm_has_no_fusion_share():
    assert fit(CONVLSTM).fusion_share is None


@pytest.mark.parametrize("horizon", [0, 3])
def test_a_lead_that_was_not_trained_is_an_error(fitted, horizon):
    with pytest.raises(ValueError, match=rf"trained for leads 1..2, got horizon {horizon}"):
        fitted.forecast(history(), FIT_ORIGIN, horizon)


def test_an_origin_before_the_fit_is_an_error(fitted):
    with pytest.raises(ValueError, match="a forecast from 2020-07 would know its own future"):
        fitted.forecast(history(), FIT_ORIGIN - 1, 2)


def test_another_grid_is_an_error(fitted):
    known = history()
    other = CountHistory(steps=known.steps, counts=known.counts[:, :, :4])

    with pytest.raises(ValueError, match=r"trained on \(type, row, col\) \(2, 6, 5\)"):
        fitted.forecast(other, FIT_ORIGIN, 2)


def test_an_origin_outside_the_history_is_an_error(fitted):
    with pytest.raises(IncompleteDataError, match="is not in the history"):
        fitted.forecast(history(), np.datetime64("2022-01"), 2)

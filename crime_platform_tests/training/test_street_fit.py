"""GLDNet as a forecaster: what it learns from, what it never sees, and that it can be kept."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.tensors.street_inputs import StreetInputs
from crime_platform.training.fitted_gldnet import CONFIG_FILE, WEIGHTS_FILE, FittedGldnet
from crime_platform.training.gldnet_fit import GldnetForecaster
from crime_platform.training.gldnet_loop import fresh_gldnet, threads_for_seeds, train_gldnet
from crime_platform.training.gldnet_samples import training_samples
from crime_platform.training.numerics import N_THREADS, at_most_threads
from crime_platform.vocabulary.daily_forecast import FittedStreet, StreetForecaster
from crime_platform.vocabulary.timesteps import IncompleteDataError
from toys.streets import FIRST_DAY, N_NODES, toy_diffusion, toy_history, toy_split

TINY = GldnetConfig(
    inputs=StreetInputs(lookback=4, half_lives=(7.0, 30.0), base_half_lives=(30.0,)),
    gated_units=4,
    diffusion_units=4,
    seeds=2,
    epochs=2,
    batch_days=8,
    burn_in_days=10,
)
FORECASTER = GldnetForecaster(
    diffusion=toy_diffusion(),
    config=TINY,
    node_features={"log_length": np.linspace(-1, 1, N_NODES)},
)


@pytest.fixture(scope="module")
def fitted():
    return FORECASTER.fit(toy_history(n_types=2), toy_split())


def test_it_is_a_street_forecaster(fitted):
    assert isinstance(FORECASTER, StreetForecaster)
    assert isinstance(fitted, FittedStreet)


def test_a_forecast_has_a_number_for_every_lead_group_and_node(fitted):
    origins = FIRST_DAY + np.arange(99, 103)

    forecast = fitted.rolling(toy_history(n_types=2), origins, 7)

    assert forecast.expected_count.shape == (4, 7, 2, N_NODES)
    assert forecast.dispersion.shape == (4, 7, 2, N_NODES)
    assert (forecast.expected_count > 0).all()


def test_no_day_after_the_validation_days_is_learned_from(fitted):
    history = toy_history(n_types=2)
    counts = history.counts.copy()
    counts[100:] = 999

    again = FORECASTER.fit(replace(history, counts=counts), toy_split())

    assert again.alpha == fitted.alpha
    np.testing.assert_array_equal(
        again.members[0].head.weight.detach(), fitted.members[0].head.weight.detach()
    )


def test_validation_days_are_learned_from_only_when_asked():
    history = toy_history()
    counts = history.counts.copy()
    counts[80:100] += 5
    changed = replace(history, counts=counts)

    held_back = [FORECASTER.fit(each, toy_split()) for each in (history, changed)]
    learned = FORECASTER.fit(changed, toy_split(), learn_from_validation=True)

    weights = [each.members[0].head.weight.detach().numpy() for each in (*held_back, learned)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert (weights[0] != weights[2]).any()
    assert learned.fit_day == toy_split().validation_end
    assert held_back[0].fit_day == toy_split().train_end


def test_a_forecast_ignores_every_day_after_its_origin(fitted):
    history = toy_history(n_types=2)
    counts, night = history.counts.copy(), history.marked["hours_night"].copy()
    counts[101:], night[101:] = 999, 999
    tampered = replace(history, counts=counts, marked={"hours_night": night})
    origins = FIRST_DAY + np.arange(99, 101)

    before, after = (fitted.rolling(each, origins, 3) for each in (history, tampered))

    np.testing.assert_array_equal(before.expected_count, after.expected_count)


@pytest.mark.parametrize("days_back", [0, 1, 2, 3])
def test_every_day_of_the_lookback_changes_the_forecast(fitted, days_back):
    history = toy_history(n_types=2)
    counts = history.counts.copy()
    counts[100 - days_back, 0, 2] += 2
    origins = FIRST_DAY + np.array([100])

    before, after = (
        fitted.rolling(each, origins, 1) for each in (history, replace(history, counts=counts))
    )

    assert (before.expected_count != after.expected_count).any()


def test_the_gated_layers_use_the_lookback_channels():
    """What only the lookback windows show moves the network's own part, not the base rate."""
    history = toy_history()
    fitted = FORECASTER.fit(history, toy_split())
    samples = training_samples(history, [100], TINY.inputs, FORECASTER.setting)
    first_window = 1 + len(TINY.inputs.half_lives)  # behind log base and ratios
    nudged = samples.channels.clone()
    nudged[..., first_window : first_window + len(TINY.inputs.windows)] += 1

    before = samples.expected(fitted.members[0])
    after = replace(samples, channels=nudged).expected(fitted.members[0])

    assert not before.allclose(after)


def test_the_target_weekday_tells_the_leads_apart(fitted):
    forecast = fitted.rolling(toy_history(n_types=2), FIRST_DAY + np.array([100]), 7)

    totals = forecast.expected_count[0].sum(axis=(1, 2))
    assert len(np.unique(totals)) == 7


def test_the_same_seed_gives_the_same_network(fitted):
    again = FORECASTER.fit(toy_history(n_types=2), toy_split())

    assert [e.loss for e in again.epochs] == [e.loss for e in fitted.epochs]


def test_seeds_trained_at_once_are_those_trained_in_turn(fitted):
    with at_most_threads(1):
        in_turn = FORECASTER.fit(toy_history(n_types=2), toy_split())

    assert in_turn.epochs == fitted.epochs
    for one, other in zip(in_turn.members, fitted.members, strict=True):
        torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


def test_large_graphs_train_one_network_at_a_time_with_all_threads():
    assert (threads_for_seeds(4_999), threads_for_seeds(5_000)) == (N_THREADS, 1)


def test_one_batch_can_be_learned_by_heart():
    history = toy_history()
    config = replace(TINY, epochs=60, batch_days=4, learning_rate=0.05, node_embedding=4)
    setting = FORECASTER.setting
    samples = training_samples(history, [50, 51, 52, 53], config.inputs, setting)

    network = fresh_gldnet(config, samples, setting, seed=0)
    curve = train_gldnet(network, config, samples, None, seed=0)

    assert curve[-1].loss < curve[0].loss - 0.2


def test_curves_hold_every_epoch_of_every_seed(fitted):
    assert [(row["seed"], row["epoch"]) for row in fitted.curves] == [
        (0, 1), (0, 2), (1, 1), (1, 2),
    ]  # fmt: skip
    assert all(0 <= row["hit_rate_20"] <= 1 for row in fitted.curves)


def test_no_curve_is_judged_by_days_that_are_learned_from():
    learned = FORECASTER.fit(toy_history(), toy_split(), learn_from_validation=True)

    assert {row["validation_loss"] for row in learned.curves} == {None}


def test_a_large_graph_learns_from_some_days_of_every_weekday():
    few = replace(FORECASTER, config=replace(TINY, max_cases=40 * N_NODES))

    origins = few._learned_origins(toy_history(), toy_split().train_days)

    assert len(origins) == 40
    assert origins == sorted(set(origins))
    assert {origin % 7 for origin in origins} == set(range(7))
    assert min(origins) >= TINY.burn_in_days - 1


def test_a_large_graph_is_judged_on_some_of_its_validation_days():
    few = replace(FORECASTER, config=replace(TINY, max_cases=5 * N_NODES, burn_in_days=60))

    fitted = few.fit(toy_history(), toy_split())

    assert len(fitted.curves) == TINY.seeds * TINY.epochs
    assert 0 <= fitted.alpha[0] < 10


def test_a_saved_network_forecasts_the_same(fitted, tmp_path):
    origins = FIRST_DAY + np.arange(99, 102)
    fitted.save(tmp_path)

    loaded = FittedGldnet.load(tmp_path, FORECASTER.setting)

    assert loaded.config == fitted.config
    assert loaded.curves == fitted.curves
    np.testing.assert_array_equal(
        loaded.rolling(toy_history(n_types=2), origins, 2).expected_count,
        fitted.rolling(toy_history(n_types=2), origins, 2).expected_count,
    )


def test_tampered_weights_are_refused(fitted, tmp_path):
    fitted.save(tmp_path)
    described = json.loads((tmp_path / CONFIG_FILE).read_bytes())
    (tmp_path / CONFIG_FILE).write_text(json.dumps(described | {"sha256": "0" * 64}))

    with pytest.raises(ValueError, match=f"{WEIGHTS_FILE} is not the file"):
        FittedGldnet.load(tmp_path, FORECASTER.setting)


def test_a_forecast_before_the_fit_is_refused(fitted):
    with pytest.raises(ValueError, match="would know its own future"):
        fitted.rolling(toy_history(n_types=2), FIRST_DAY + np.array([50]), 1)


def test_another_graph_is_refused(fitted):
    with pytest.raises(ValueError, match="was fitted on 2 offence groups and 6 nodes"):
        fitted.rolling(toy_history(n_types=1), FIRST_DAY + np.array([100]), 1)


def test_too_short_a_history_is_refused():
    late = replace(FORECASTER, config=replace(TINY, burn_in_days=90))

    with pytest.raises(IncompleteDataError, match="no day to learn from"):
        late.fit(toy_history(), toy_split())

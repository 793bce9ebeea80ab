import itertools
import logging
from dataclasses import replace

import numpy as np
import pytest
import torch

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.models.cells.symmetry import UNTURNED
from crime_platform.training import loop
from crime_platform.training.folds import chronological_fold
from crime_platform.training.loop import (
    batches,
    expected_on,
    loss_on,
    random_turn,
    set_city_effect,
    train,
)
from crime_platform.training.recipe import NetworkConfig
from crime_platform.training.samples import build_samples
from crime_platform.vocabulary.forecast import CountHistory

CPU = torch.device("cpu")
SETTINGS = ((0.96, 2.0, 2.0), (0.98, 4.0, 1.0))
ST_RESNET = NetworkConfig(
    architecture=StResNetConfig(filters=4, residual_units=1), epochs=3, learning_rate=1e-2
)
CONVLSTM = replace(ST_RESNET, architecture=ConvLstmConfig(lookback=3, filters=4))
LOG1P = replace(ST_RESNET, recipe="log1p_mse", input_scale="log1p")


def prepared(config, n_steps=32):
    counts = np.random.default_rng(0).poisson(1.0, (n_steps, 2, 6, 5)).astype(np.float32)
    steps = np.datetime64("2018-01") + np.arange(n_steps)
    fold = chronological_fold(
        n_steps,
        first_origin=config.lookback - 1,
        horizon=config.horizon,
        validation_steps=config.validation_steps,
    )
    history = CountHistory(steps=steps, counts=counts)
    return build_samples(history, fold.origins.tolist(), config, SETTINGS, CPU), fold


def weights(model):
    return torch.cat([weight.detach().flatten() for weight in model.parameters()])


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_the_same_seed_gives_the_same_weights_whatever_the_caller_did(config):
    samples, fold = prepared(config)
    n_threads = torch.get_num_threads()

    first, _ = train(config, samples, fold, seed=3, task="test")
    torch.manual_seed(99)
    torch.set_num_threads(1)
    second, _ = train(config, samples, fold, seed=3, task="test")
    torch.set_num_threads(n_threads)

    assert torch.equal(weights(first), weights(second))


def test_another_seed_gives_other_weights():
    samples, fold = prepared(ST_RESNET)

    first, second = (train(ST_RESNET, samples, fold, seed=s, task="test")[0] for s in (1, 2))

    assert not torch.equal(weights(first), weights(second))


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_training_moves_every_weight(config):
    samples, fold = prepared(config)
    with loop.reproducible(0, n_cells=30):
        fresh = dict(loop.build_model(config, (2, 6, 5)).named_parameters())

    trained, _ = train(config, samples, fold, seed=0, task="test")

    still = [name for name, w in trained.named_parameters() if torch.equal(w, fresh[name])]
    assert still == []


def city_effect(samples, fold, config):
    model = loop.build_model(config, (2, 6, 5))
    set_city_effect(model, samples, fold.train | fold.validation, config)
    return model.city_effect.weight


def test_the_city_effect_follows_totals_that_leave_the_base_rate():
    free = replace(ST_RESNET, city_penalty=1.0, city_type_penalty=1.0)
    samples, fold = prepared(free)
    always_one = torch.zeros_like(samples.context)
    always_one[..., -1] = 1.0
    a_fifth_more = replace(samples, context=always_one, observed=1.2 * samples.base)

    weight = city_effect(a_fifth_more, fold, free)

    # The only regressor is 1: its weight is ln 1.2, shrunk a little by the ridge.
    assert weight[..., :-1].abs().max() == 0
    assert (weight[..., -1] > 0.17).all()
    assert (weight[..., -1] < np.log(1.2)).all()


def test_the_city_effect_ignores_totals_that_are_not_known():
    samples, fold = prepared(ST_RESNET)
    unknown = torch.from_numpy(~(fold.train | fold.validation))[..., None, None, None]
    tampered = replace(samples, observed=samples.observed.masked_fill(unknown, 999.0))

    known, leaked = (city_effect(each, fold, ST_RESNET) for each in (samples, tampered))

    torch.testing.assert_close(known, leaked)


def test_the_log1p_recipe_has_no_city_effect():
    samples, fold = prepared(LOG1P)
    model = loop.build_model(LOG1P, (2, 6, 5))

    set_city_effect(model, samples, fold.train, LOG1P)

    assert "city_effect.weight" not in model.state_dict()


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM, LOG1P])
def test_one_batch_can_be_overfitted(config):
    samples, fold = prepared(config)
    pairs = fold.train[:3]
    with loop.reproducible(0, n_cells=30):
        model = loop.build_model(config, (2, 6, 5))
        step = loop._Step(model, replace(config, fusion_rate=1.0), n_updates=60)
        losses = []
        for _ in range(60):
            before = samples.expected_counts(model, [0, 1, 2]).detach()
            losses.append(float(loss_on(pairs, before, samples.observed[:3], config)))
            step.update(samples, [0, 1, 2], pairs, UNTURNED)

    assert losses[-1] < 0.9 * losses[0]


def test_the_best_epoch_is_kept_and_patience_ends_training(monkeypatch):
    losses = iter([3.0, 1.0, 2.0, 2.0, 2.0, 0.0])
    monkeypatch.setattr(loop, "validation_loss", lambda *_: next(losses))
    config = replace(ST_RESNET, epochs=6, patience=2)
    samples, fold = prepared(config)

    _, best_epoch = train(config, samples, fold, seed=0, task="test")

    assert best_epoch == 2
    assert list(losses) == [2.0, 0.0]  # epochs 3 and 4 were no better: 5 and 6 never ran


def test_every_epoch_reports_progress(caplog):
    samples, fold = prepared(ST_RESNET)

    with caplog.at_level(logging.INFO, logger="crime_platform"):
        train(ST_RESNET, samples, fold, seed=0, task="st_resnet fit 2020-12 seed 0")

    reports = [record.progress for record in caplog.records]
    assert [report.done for report in reports] == [1, 2, 3]
    assert reports[0].task == "st_resnet fit 2020-12 seed 0"
    assert reports[0].total == 3
    assert "validation loss" in reports[0].detail


def test_validation_targets_do_not_reach_the_weights():
    config = replace(ST_RESNET, epochs=1)
    samples, fold = prepared(config)
    tampered = replace(samples, observed=samples.observed.clone())
    tampered.observed[torch.from_numpy(~fold.train)] = 999.0

    known, leaked = (train(config, s, fold, seed=0, task="test")[0] for s in (samples, tampered))

    assert torch.equal(weights(known), weights(leaked))


def test_poisson_deviance_by_hand():
    expected = torch.tensor([1.0, 2.0]).reshape(1, 1, 1, 1, 2)
    observed = torch.tensor([0.0, 4.0]).reshape(1, 1, 1, 1, 2)

    loss = loss_on(np.array([[True]]), expected, observed, ST_RESNET)

    # Cell 1: 2 * 1; cell 2: 2 * (4 ln 2 - 4 + 2) = 1.545; 4 incidents.
    assert float(loss) == pytest.approx((2 + 8 * np.log(2) - 4) / 4)


def test_log1p_error_by_hand():
    expected = torch.tensor([np.e - 1, 0.0]).float().reshape(1, 1, 1, 1, 2)
    observed = torch.zeros(1, 1, 1, 1, 2)

    assert float(loss_on(np.array([[True]]), expected, observed, LOG1P)) == pytest.approx(0.5)


def test_loss_ignores_pairs_that_were_not_asked_for():
    expected = torch.ones(2, 1, 1, 1, 1)
    observed = torch.tensor([1.0, 50.0]).reshape(2, 1, 1, 1, 1)

    assert float(loss_on(np.array([[True], [False]]), expected, observed, ST_RESNET)) == 0


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM])
@pytest.mark.parametrize("seed", range(4))
def test_an_epoch_uses_every_training_sample_once(config, seed):
    pairs = np.arange(11)[:, None] < [9, 8]

    epoch = list(batches(pairs, config, torch.Generator().manual_seed(seed)))

    assert sorted(itertools.chain(*epoch)) == list(range(9))
    assert max(map(len, epoch)) <= config.batch_origins


@pytest.mark.parametrize("seed", range(4))
def test_batches_of_the_convlstm_are_runs(seed):
    epoch = batches(np.ones((13, 2), dtype=bool), CONVLSTM, torch.Generator().manual_seed(seed))

    assert {int(gap) for run in epoch for gap in np.diff(run)} == {1}


def test_only_samples_with_such_a_pair_are_forecast():
    samples, fold = prepared(ST_RESNET)
    with loop.reproducible(0, n_cells=30):
        model = loop.build_model(ST_RESNET, (2, 6, 5))

    expected = expected_on(fold.validation, model, samples, ST_RESNET)

    judged = fold.validation.any(axis=1)
    assert (expected[judged] > 0).all()
    assert (expected[~judged] == 0).all()


def test_the_poisson_recipe_draws_turns_and_the_other_does_not():
    order = torch.Generator().manual_seed(0)

    turns = {random_turn(ST_RESNET, order) for _ in range(100)}

    assert len(turns) == 8
    assert random_turn(LOG1P, order) == UNTURNED

from dataclasses import replace

import numpy as np
import pytest
import torch

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.tensors.windows import CONTEXT_FEATURES
from crime_platform.training.recipe import NetworkConfig
from crime_platform.training.samples import build_model, build_samples
from crime_platform.vocabulary.forecast import CountHistory

CPU = torch.device("cpu")
ST_RESNET = NetworkConfig(architecture=StResNetConfig(filters=4, residual_units=1))
CONVLSTM = NetworkConfig(architecture=ConvLstmConfig(lookback=4, filters=4))
SETTINGS = ((0.96, 2.0, 2.0), (0.98, 4.0, 1.0))


def history(counts):
    steps = np.datetime64("2018-01") + np.arange(len(counts))
    return CountHistory(steps=steps, counts=counts.astype(np.float32))


def random_counts():
    return np.random.default_rng(0).poisson(1.0, (30, 2, 6, 5))


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM])
def test_inputs_ignore_everything_after_the_origin(config):
    counts = random_counts()
    tampered = counts.copy()
    tampered[26:] = 999

    known, leaked = (
        build_samples(history(array), range(20, 26), config, SETTINGS, CPU)
        for array in (counts, tampered)
    )

    for left, right in zip(known.maps, leaked.maps, strict=True):
        torch.testing.assert_close(left, right)
    torch.testing.assert_close(known.context, leaked.context)
    torch.testing.assert_close(known.base, leaked.base)


def test_targets_follow_the_origin_and_end_with_the_history():
    counts = random_counts()

    samples = build_samples(history(counts), range(25, 29), ST_RESNET, SETTINGS, CPU)

    np.testing.assert_array_equal(samples.observed[0], counts[26:29])
    np.testing.assert_array_equal(samples.observed[-1, 0], counts[29])
    assert samples.observed[-1, 1:].abs().sum() == 0


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM])
def test_an_untrained_model_states_the_base_rate_in_every_lead(config):
    samples = build_samples(history(random_counts()), range(20, 24), config, SETTINGS, CPU)

    expected = samples.expected_counts(build_model(config, (2, 6, 5)), [0, 1, 2])

    torch.testing.assert_close(expected, samples.base[:3])


@pytest.mark.parametrize("config", [ST_RESNET, CONVLSTM])
def test_a_sample_alone_is_the_first_of_its_run(config):
    samples = build_samples(history(random_counts()), range(20, 24), config, SETTINGS, CPU)
    model = build_model(replace(config, recipe="poisson"), (2, 6, 5))
    for head in model.maps.heads:
        torch.nn.init.normal_(head.weight)

    alone, first = samples.expected_counts(model, [1]), samples.expected_counts(model, [1, 2])

    torch.testing.assert_close(alone[0], first[0])


def test_the_log1p_recipe_shows_counts_alone():
    config = replace(ST_RESNET, recipe="log1p_mse", input_scale="log1p")
    counts = random_counts()

    closeness = build_samples(history(counts), range(20, 24), config, SETTINGS, CPU).maps[0]

    assert closeness.shape == (4, 3 * 2, 6, 5)
    np.testing.assert_allclose(closeness[0, -2:], np.log1p(counts[20]), rtol=1e-6)


def test_every_feature_has_a_weight():
    model = build_model(ST_RESNET, (2, 6, 5))

    assert model.city_effect.weight.shape == (3, 2, len(CONTEXT_FEATURES))

import pickle

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.tuning.street_search_space import gldnet_space
from toys.street_search import TINY, replace, toy_counts

UNITS = CategoricalDistribution((2, 4, 8, 16))


@pytest.fixture(scope="module")
def space():
    return gldnet_space(toy_counts(), epochs=9)


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("gated_layers", IntDistribution(1, 4)),
        ("gated_units", UNITS),
        ("diffusion_layers", IntDistribution(1, 7)),
        ("diffusion_units", UNITS),
        ("loss", CategoricalDistribution(("poisson", "weighted_mse"))),
    ],
)
def test_a_published_range_is_searched_as_published(space, name, published):
    assert space.ranges[name] == published


def test_rho_reaches_beyond_its_published_range_to_the_winner(space):
    assert space.ranges["rho"] == FloatDistribution(0.005, 0.05, step=0.005)
    assert space.only_with == {"rho": ("loss", "weighted_mse")}


def test_lookback_kernel_and_training_are_searched_too(space):
    ours = {"lookback", "kernel_m", "learning_rate", "weight_decay", "batch_days", "node_embedding"}

    assert ours < set(space.ranges)
    assert space.ranges["lookback"] == IntDistribution(1, 56, log=True)
    assert space.ranges["kernel_m"] == FloatDistribution(50.0, 500.0, log=True)


def test_the_default_is_gldnets_own_with_one_seed_and_the_epochs_of_the_search(space):
    assert space.default == replace(GldnetConfig(), seeds=1, epochs=9)
    assert space.config_of(space.default_parameters) == space.default


def test_every_parameter_reaches_the_config(space):
    default = space.default_parameters

    changed = [
        space.config_of(default | {name: _other(allowed, default[name])})
        for name, allowed in space.ranges.items()
    ]

    assert space.default not in changed
    assert len({str(config) for config in changed}) == len(space.ranges)


def test_the_lookback_is_set_in_the_inputs(space):
    config = space.config_of(space.default_parameters | {"lookback": 3})

    assert config.inputs == replace(space.default.inputs, lookback=3)


def test_what_is_not_searched_stays_as_in_the_default():
    space = gldnet_space(toy_counts(), epochs=2, default=TINY)

    config = space.config_of(space.default_parameters | {"loss": "weighted_mse"})

    assert config == replace(TINY, seeds=1, epochs=2, loss="weighted_mse")


def test_a_trial_diffuses_with_the_kernel_it_asks_for(space):
    streets = toy_counts()

    built = space.build("trial", replace(space.default, kernel_m=60.0))

    expected = diffusion_matrix(streets.graph, alpha_m=60.0).toarray()
    np.testing.assert_array_equal(built.diffusion.toarray(), expected)
    assert built.name == "trial"
    assert list(built.node_features) == ["station_m"]
    assert built.covariates is not None


def test_a_space_can_be_sent_to_another_process(space):
    sent = pickle.loads(pickle.dumps(space))

    assert sent.ranges == space.ranges
    assert sent.default == space.default


def _other(allowed, value):
    ends = getattr(allowed, "choices", None) or (allowed.low, allowed.high)
    return next(end for end in (ends[0], ends[-1]) if end != value)

from dataclasses import replace

from crime_platform.evaluation.street_catalogue import (
    is_network,
    street_forecasters,
    street_model_content,
)
from crime_platform.schema.values import GLDNET, LONG_RUN_FREQUENCY
from crime_platform.vocabulary.artifact import content_key
from toys.street_evidence import toy_counts, toy_forecasters

COUNTS = toy_counts()
BASELINES = toy_forecasters(COUNTS)


def test_the_network_comes_last():
    models = street_forecasters(COUNTS, kernel_m=200.0)

    assert list(models) == [*BASELINES, GLDNET]
    assert is_network(models[GLDNET])
    assert [model.name for model in models.values()] == list(models)


def test_baselines_are_no_networks():
    assert LONG_RUN_FREQUENCY in BASELINES
    assert not any(is_network(model) for model in BASELINES.values())


def test_each_model_has_its_own_content():
    keys = {content_key(*street_model_content(model)) for model in BASELINES.values()}

    assert len(keys) == len(BASELINES)


def test_whom_a_model_hears_is_part_of_its_content():
    model = BASELINES["gamma_poisson"]
    deaf = replace(model, diffusion=model.diffusion * 0.5)

    assert content_key(*street_model_content(model)) != content_key(*street_model_content(deaf))

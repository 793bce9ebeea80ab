import pickle
from dataclasses import dataclass, replace

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import FixedTrial

from crime_platform.training.fit import NETWORKS
from crime_platform.tuning.search_spaces import (
    TUNABLE,
    SearchSpace,
    border_of,
    search_space,
    suggest_convlstm,
    suggest_st_resnet,
)

NETWORK_NAMES = ("st_resnet", "convlstm")


@dataclass(frozen=True, kw_only=True)
class Inner:
    width: int = 4


@dataclass(frozen=True, kw_only=True)
class Toy:
    inner: Inner = Inner()
    decay: float = 0.9
    scale: str = "sqrt"


def suggest(trial):
    return Toy(
        inner=Inner(width=trial.suggest_int("width", 2, 8, step=2)),
        decay=trial.suggest_float("decay", 0.5, 1.0),
        scale=trial.suggest_categorical("scale", ["sqrt", "log1p"]),
    )


def toy_space(default, suggest=suggest):
    return SearchSpace(model="toy", default=default, suggest=suggest, build=lambda *_: None)


@pytest.mark.parametrize("model", TUNABLE)
def test_the_default_is_a_point_of_its_space(model):
    space = search_space(model)

    assert space.config_of(space.default_parameters) == space.default


@pytest.mark.parametrize("model", NETWORK_NAMES)
def test_a_network_is_searched_with_one_seed_and_its_own_recipe(model):
    space = search_space(model)

    assert space.default == replace(NETWORKS[model].config, seeds=1)
    assert space.build("trial", space.default) == replace(
        NETWORKS[model], name="trial", config=space.default
    )


@pytest.mark.parametrize("model", NETWORK_NAMES)
def test_every_parameter_reaches_the_config(model):
    space = search_space(model)
    default = space.default_parameters

    changed = [
        space.config_of(default | {name: _other(allowed, default[name])})
        for name, allowed in space.ranges.items()
    ]

    assert space.default not in changed
    assert len({str(config) for config in changed}) == len(changed)


@pytest.mark.parametrize("name", TUNABLE)
def test_ends_of_every_range_make_a_config(name):
    space = search_space(name)

    lowest, highest = (
        space.config_of({key: _end(allowed, at) for key, allowed in space.ranges.items()})
        for at in (0, -1)
    )

    assert lowest != highest


@pytest.mark.parametrize("name", TUNABLE)
def test_a_space_can_be_sent_to_another_process(name):
    space = search_space(name)

    sent = pickle.loads(pickle.dumps(space))

    assert sent.default == space.default
    assert sent.build("trial", sent.default) == space.build("trial", space.default)


def test_trees_are_searched_for_the_lead_that_is_judged():
    space = search_space("lightgbm")

    assert (space.default.horizon, space.default.held_out_months) == (1, 0)
    assert space.build("trial", space.default).name == "trial"


def test_parameters_of_nested_configs_are_found_by_name():
    assert toy_space(Toy()).default_parameters == {"width": 4, "decay": 0.9, "scale": "sqrt"}


@pytest.mark.parametrize(
    ("default", "told"),
    [
        (Toy(decay=0.2), r"decay = 0\.2 in Float"),
        (Toy(inner=Inner(width=3)), r"width = 3 in Int"),  # between two steps
        (Toy(inner=Inner(width=10)), r"width = 10 in Int"),
    ],
)
def test_a_default_outside_its_space_is_named(default, told):
    with pytest.raises(ValueError, match=told):
        toy_space(default)


def test_a_choice_that_does_not_exist_is_named():
    with pytest.raises(ValueError, match="cube"):
        toy_space(Toy(scale="cube"))


def test_a_space_that_cannot_say_the_default_is_refused():
    with pytest.raises(ValueError, match=r"toy does not lead to its default.*0\.7"):
        toy_space(Toy(), suggest=lambda trial: replace(suggest(trial), decay=0.7))


def test_an_unknown_model_is_told_which_there_are():
    with pytest.raises(ValueError, match="'gldnet'; there are st_resnet, convlstm, lightgbm"):
        search_space("gldnet")


@pytest.mark.parametrize(
    ("suggest_other", "model"), [(suggest_st_resnet, "st_resnet"), (suggest_convlstm, "convlstm")]
)
def test_a_network_of_another_kind_is_refused(suggest_other, model, monkeypatch):
    swapped = {"st_resnet": NETWORKS["convlstm"], "convlstm": NETWORKS["st_resnet"]}
    monkeypatch.setitem(NETWORKS, model, swapped[model])

    with pytest.raises(TypeError, match=f"{model} is a"):
        suggest_other(FixedTrial({}))


@pytest.mark.parametrize(
    ("allowed", "value", "where"),
    [
        (FloatDistribution(0.0, 1.0), 0.5, "inside"),
        (FloatDistribution(0.0, 1.0), 0.04, "low"),  # within a twentieth of the width
        (FloatDistribution(0.0, 1.0), 0.96, "high"),
        (FloatDistribution(1e-4, 1.0, log=True), 1e-2, "inside"),  # half way in powers of ten
        (FloatDistribution(1e-4, 1.0, log=True), 1.5e-4, "low"),  # 0.18 of 4 powers of ten
        (IntDistribution(4, 32, step=4), 32, "high"),
        (IntDistribution(4, 32, step=4), 4, "low"),
        (IntDistribution(1, 4), 1, "least"),  # nothing has less than one layer
        (IntDistribution(0, 4), 0, "least"),
        (CategoricalDistribution(["sqrt", "log1p"]), "sqrt", "choice"),
        (CategoricalDistribution([True, False]), True, "choice"),
        (CategoricalDistribution([2, 4, 8]), 8, "high"),  # numbers have an order
        (CategoricalDistribution([2, 4, 8]), 2, "low"),
        (CategoricalDistribution([2, 4, 8]), 4, "inside"),
    ],
)
def test_borders_by_hand(allowed, value, where):
    assert border_of(allowed, value) == where


def _other(allowed, value):
    return next(each for each in (_end(allowed, 0), _end(allowed, -1)) if each != value)


def _end(allowed, at):
    if isinstance(allowed, CategoricalDistribution):
        return allowed.choices[at]
    return (allowed.low, allowed.high)[at]

import numpy as np
import pytest

from crime_platform.evaluation.model_catalogue import GROUPS, config_of, forecasters, plan_for
from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.models.cells.baselines import BASELINES
from crime_platform.vocabulary.forecast import Forecaster

PLAN = BacktestPlan(as_of=np.datetime64("2021-12", "M"))


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_holds_forecasters(group):
    models = forecasters(group)

    assert models
    assert all(isinstance(model, Forecaster) for model in models)


def test_every_model_has_a_name_of_its_own():
    names = [model.name for group in GROUPS for model in forecasters(group)]
    assert len(set(names)) == len(names)


def test_learned_models_tell_their_settings_and_baselines_have_none():
    (trees,) = forecasters("boosted_trees")
    assert config_of(trees)
    assert config_of(BASELINES["ewma"]) == {}


def test_baselines_are_refitted_at_every_origin_and_the_old_recipe_once():
    networks = {model.name: model for model in forecasters("st_resnet")}
    assert plan_for(BASELINES["ewma"], PLAN).refit_every == 1
    assert plan_for(networks["st_resnet"], PLAN).refit_every == PLAN.refit_every
    old = plan_for(networks["st_resnet_log1p_mse"], PLAN)
    assert (old.refit_every, old.n_selection) == (None, 0)


def test_an_unknown_group_is_named():
    with pytest.raises(ValueError, match="no group of models is called 'kriging'"):
        forecasters("kriging")

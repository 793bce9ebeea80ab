"""Which models there are, in the groups that run together, and what decides their forecasts."""

from dataclasses import asdict, is_dataclass, replace

from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.vocabulary.code_version import code_version
from crime_platform.vocabulary.daily_forecast import StreetForecaster
from crime_platform.vocabulary.forecast import Forecaster

GROUPS = ("baselines", "boosted_trees", "st_resnet", "convlstm")  # one Dagster asset each
OLD_RECIPE = "_log1p_mse"  # ending of the rows that show what a loss does
POOLED = ("empirical_bayes", "lightgbm", "st_resnet", "convlstm")
"""Members of the ensemble."""


def forecasters(group: str) -> list[Forecaster]:
    """The models that one asset runs, imported only when they are needed.

    Raises:
        ValueError: if there is no such group.
    """
    if group == "baselines":
        from crime_platform.models.cells.baselines import BASELINES

        return list(BASELINES.values())
    if group == "boosted_trees":
        from crime_platform.models.cells.boosted_trees import LightGbmForecaster

        return [LightGbmForecaster()]
    if group in GROUPS:
        from crime_platform.training.fit import NETWORKS

        return [network for name, network in NETWORKS.items() if name.startswith(group)]
    raise ValueError(f"no group of models is called {group!r}; there are {list(GROUPS)}")


def plan_for(forecaster: Forecaster, plan: BacktestPlan) -> BacktestPlan:
    """The plan with the origins and the refit rule of one model.

    Baselines are refitted at every origin, learned models as the study area says. The `log1p_mse`
    rows are fitted once, before the first scored origin, and serve no selection origin: they are
    there to show what a loss does, and can never be chosen.
    """
    if not competes(forecaster.name):
        return replace(plan, n_selection=0, refit_every=None)
    return plan if is_learned(forecaster) else replace(plan, refit_every=1)


def competes(model: str) -> bool:
    """Whether a model may become champion."""
    return not model.endswith(OLD_RECIPE)


def is_learned(forecaster: Forecaster) -> bool:
    """Whether the model has a configuration and weights, which are kept on disk."""
    return hasattr(forecaster, "config")


def code_of(forecaster: Forecaster | StreetForecaster) -> str:
    """Version of the code that decides what this model forecasts."""
    return code_version(type(forecaster).__module__)


def config_of(forecaster: Forecaster | StreetForecaster) -> dict[str, object]:
    """The model's settings as plain values; none for a baseline."""
    config = getattr(forecaster, "config", None)
    return asdict(config) if is_dataclass(config) and not isinstance(config, type) else {}

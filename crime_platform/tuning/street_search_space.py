"""Which settings a search may try for GLDNet: the published ranges, and ours beside them.

Source: Zhang & Cheng (2020), CEUS 79, 101403, as searched by the public implementation: 1-4 gated
and 1-7 diffusion layers of 2, 4, 8 or 16 units, rho from 0.005 to 0.035 in steps of 0.005. The
winner it reports, 0.04, lay outside that range; ours goes on to 0.05. Lookback, kernel, training
and embedding are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from jaxtyping import Float
from optuna.trial import BaseTrial

from crime_platform.geography.street_graph import StreetGraph, diffusion_matrix
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.tensors.street_counts import DayCovariates, SegmentCounts
from crime_platform.training.gldnet_fit import NAME, GldnetForecaster
from crime_platform.tuning.search_spaces import SearchSpace

UNITS = (2, 4, 8, 16)
BATCH_DAYS = (8, 16, 32)
ONLY_WITH = {"rho": ("loss", "weighted_mse")}


def gldnet_space(
    streets: SegmentCounts, *, epochs: int, default: GldnetConfig | None = None
) -> SearchSpace:
    """The space of GLDNet on one street graph.

    Args:
        streets: the graph, and what is known of its nodes and days.
        epochs: of every trial that is not stopped: the one-cycle schedule needs to know.
        default: of the first trial, but for its seeds and epochs; GLDNet's own if left out.
    """
    first = replace(default or GldnetConfig(), seeds=1, epochs=epochs)
    known = _KnownStreets(
        graph=streets.graph,
        node_features=streets.node_features,
        covariates=streets.covariates,
    )
    return SearchSpace(
        model=NAME,
        default=first,
        suggest=partial(suggest_gldnet, first),
        build=known.forecaster,
        only_with=ONLY_WITH,
    )


def suggest_gldnet(default: GldnetConfig, trial: BaseTrial) -> GldnetConfig:
    """Layers, loss, inputs and training; the rest is as in the default."""
    lookback = trial.suggest_int("lookback", 1, 56, log=True)
    return replace(
        default,
        inputs=replace(default.inputs, lookback=lookback),
        gated_layers=trial.suggest_int("gated_layers", 1, 4),
        gated_units=trial.suggest_categorical("gated_units", UNITS),
        diffusion_layers=trial.suggest_int("diffusion_layers", 1, 7),
        diffusion_units=trial.suggest_categorical("diffusion_units", UNITS),
        node_embedding=trial.suggest_int("node_embedding", 0, 4),
        kernel_m=trial.suggest_float("kernel_m", 50.0, 500.0, log=True),
        loss=trial.suggest_categorical("loss", ("poisson", "weighted_mse")),
        rho=trial.suggest_float("rho", 0.005, 0.05, step=0.005),
        batch_days=trial.suggest_categorical("batch_days", BATCH_DAYS),
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-4, 1.0, log=True),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _KnownStreets:
    """What a trial needs besides counts."""

    graph: StreetGraph
    node_features: Mapping[str, Float[np.ndarray, " node"]]
    covariates: DayCovariates | None

    def forecaster(self, name: str, config: GldnetConfig) -> GldnetForecaster:
        """GLDNet with the kernel that the trial asks for."""
        return GldnetForecaster(
            name=name,
            config=config,
            diffusion=diffusion_matrix(self.graph, alpha_m=config.kernel_m),
            node_features=self.node_features,
            covariates=self.covariates,
        )

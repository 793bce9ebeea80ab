"""The forecasters of the grid that learn: from a history and an origin to a fitted network."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.st_resnet import StResNetConfig
from crime_platform.models.count_distribution import fit_dispersion
from crime_platform.training.base_rate import choose_base
from crime_platform.training.fitted_model import FittedNetwork
from crime_platform.training.folds import chronological_fold
from crime_platform.training.loop import expected_on, train
from crime_platform.training.numerics import best_device
from crime_platform.training.recipe import NetworkConfig
from crime_platform.training.samples import Samples, build_samples
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import IncompleteDataError

MIN_TRAINING_STEPS = 6  # the base rate knows season and level: half a year of targets will do


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkForecaster:
    """ST-ResNet or ConvLSTM under one recipe."""

    name: str
    config: NetworkConfig

    @property
    def min_history_months(self) -> int:
        """Months up to the origin without which nothing can be trained and judged."""
        return self.config.lookback + MIN_TRAINING_STEPS + self.config.validation_steps

    def fit(self, history: CountHistory, origin: np.datetime64) -> FittedNetwork:
        """Learn from steps up to and including `origin` only.

        Raises:
            IncompleteDataError: if fewer than `min_history_months` months are known.
        """
        known = history.through(origin)
        if len(known.steps) < self.min_history_months:
            raise IncompleteDataError(
                f"{self.name} needs {self.min_history_months} months up to {origin}, the history "
                f"holds {len(known.steps)}: take in earlier months or leave this model out"
            )
        return _fit_members(self.name, self.config, known)

    def load(self, folder: Path) -> FittedNetwork:
        """A network that was fitted and saved earlier.

        Raises:
            ValueError: if the weights are not the ones that its `config.json` names.
        """
        return FittedNetwork.load(folder)


def _fit_members(name: str, config: NetworkConfig, known: CountHistory) -> FittedNetwork:
    started = time.perf_counter()
    fold = chronological_fold(
        len(known.steps),
        first_origin=config.lookback - 1,
        horizon=config.horizon,
        validation_steps=config.validation_steps,
    )
    settings = choose_base(known)
    samples = build_samples(known, fold.origins.tolist(), config, settings, best_device())
    members, epochs, judged = [], [], []
    for seed in range(config.seeds):
        task = f"{name} fit {known.steps[-1]} seed {seed}"
        model, best_epoch = train(config, samples, fold, seed=seed, task=task)
        judged.append(expected_on(fold.validation, model, samples, config))
        members.append(model.cpu().eval())
        epochs.append(best_epoch)
    n_types, n_rows, n_cols = known.counts.shape[1:]
    return FittedNetwork(
        name=name,
        config=config,
        fit_origin=known.steps[-1],
        unit_shape=(n_types, n_rows, n_cols),
        base_settings=settings,
        dispersion=_dispersion(torch.stack(judged).mean(dim=0), samples, fold.validation),
        members=tuple(members),
        epochs=tuple(epochs),
        training_seconds=time.perf_counter() - started,
    )


def _dispersion(
    expected: Float[Tensor, "batch lead type row col"],
    samples: Samples,
    pairs: Bool[np.ndarray, "batch lead"],
) -> tuple[float, ...]:
    """Alpha of each offence type, from the validation months that the weights did not see."""
    mu = expected.clamp(min=0).cpu().numpy().astype(np.float64)[pairs]
    observed = samples.observed.cpu().numpy().astype(np.float64)[pairs]
    return tuple(fit_dispersion(observed[:, i], mu[:, i]) for i in range(mu.shape[1]))


# The settings of the rows that should win were chosen on forecasts of 2019 and 2020, Toronto 500 m,
# on 2026-11-21; benchmarks/tuning/README.md has every trial, and what it was judged on.
# The two log1p rows keep a widespread recipe. Their number of epochs is capped for time: by then
# the validation loss fell by less than 1 % in ten epochs.
NETWORKS: dict[str, NetworkForecaster] = {
    "st_resnet": NetworkForecaster(
        name="st_resnet",
        config=NetworkConfig(
            architecture=StResNetConfig(closeness=4, trend=1, filters=20, residual_units=1),
            learning_rate=3.26e-3,
            weight_decay=2.98e-3,
            fusion_rate=3.01e-2,
            cell_embedding=1,
            largest_log_ratio=1.77,
        ),
    ),
    "convlstm": NetworkForecaster(
        name="convlstm",
        config=NetworkConfig(architecture=ConvLstmConfig(), learning_rate=8e-3),
    ),
    "st_resnet_log1p_mse": NetworkForecaster(
        name="st_resnet_log1p_mse",
        config=NetworkConfig(
            architecture=StResNetConfig(
                closeness=6, period=2, trend=4, filters=32, residual_units=4
            ),
            recipe="log1p_mse",
            seeds=1,
            epochs=30,
            patience=15,
            batch_origins=2,
            learning_rate=1e-4,
            input_scale="log1p",
        ),
    ),
    "convlstm_log1p_mse": NetworkForecaster(
        name="convlstm_log1p_mse",
        config=NetworkConfig(
            architecture=ConvLstmConfig(lookback=6, filters=32),
            recipe="log1p_mse",
            seeds=1,
            epochs=25,
            patience=15,
            batch_origins=2,
            learning_rate=1e-4,
            input_scale="log1p",
        ),
    ),
}
"""The forecasters by the name that tables give them."""

"""Counts turned into what a network is fed: inputs, base rate and targets of many origins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from crime_platform.models.baseline_tuning import Setting
from crime_platform.models.cells.convlstm import ConvLstm, ConvLstmConfig
from crime_platform.models.cells.rate_model import BaseRateModel, CityEffect, Log1pModel
from crime_platform.models.cells.st_resnet import StResNet, StResNetConfig
from crime_platform.models.cells.symmetry import UNTURNED, Turn
from crime_platform.tensors.windows import (
    CONTEXT_FEATURES,
    city_context,
    closeness_stack,
    period_stack,
    trend_stack,
)
from crime_platform.training.base_rate import base_rates
from crime_platform.training.recipe import NetworkConfig, windows_of
from crime_platform.vocabulary.forecast import CountHistory

MAPS_OF_BASE = 2  # per offence type, from `_shown_base`
QUIET_RATE = 0.01  # incidents per month below which cells look alike to a network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Inputs and targets of consecutive origins."""

    maps: tuple[Tensor, ...]  # one per branch, by origin; or the frames of all steps
    context: Float[Tensor, "batch lead type feature"]
    base: Float[Tensor, "batch lead type row col"]
    observed: Float[Tensor, "batch lead type row col"]  # 0 where the target is not known yet
    lookback: int  # frames up to and including an origin; 0 where maps go by origin

    def expected_counts(
        self,
        model: BaseRateModel | Log1pModel,
        chosen: list[int],
        turn: Turn = UNTURNED,
    ) -> Float[Tensor, "chosen lead type row col"]:
        """What the model states for the chosen samples; frames serve consecutive ones only."""
        inputs = (
            (self.maps[0][chosen[0] : chosen[-1] + self.lookback],)
            if self.lookback
            else tuple(by_origin[chosen] for by_origin in self.maps)
        )
        return model(inputs, self.context[chosen], self.base[chosen], turn)


def build_samples(
    history: CountHistory,
    origins: Sequence[int],
    config: NetworkConfig,
    settings: Sequence[Setting],
    device: torch.device,
) -> Samples:
    """What a network needs for consecutive `origins`, given as positions on the step axis."""
    counts = history.counts.astype(np.float32)
    architecture = config.architecture
    lookback = architecture.lookback if isinstance(architecture, ConvLstmConfig) else 0
    first = origins[0] + 1 - max(lookback, 1)
    base = base_rates(history, settings, first=first, last=origins[-1], horizon=config.horizon)
    base_at_origin = base[-len(origins) :]
    context = [
        city_context(
            counts[: origin + 1], rate[0], history.steps[origin], config.horizon, history.holidays
        )
        for origin, rate in zip(origins, base_at_origin, strict=True)
    ]
    maps = (
        (_shown(counts[first : origins[-1] + 1], base[:, 0], config),)
        if isinstance(architecture, ConvLstmConfig)
        else tuple(
            _shown(stack, base_at_origin[:, 0], config)
            for stack in _slices(counts, origins, architecture, config.horizon)
        )
    )
    return Samples(
        maps=tuple(_on_device(stack, device, torch.channels_last) for stack in maps),
        context=_on_device(np.stack(context), device),
        base=_on_device(base_at_origin, device),
        observed=_on_device(_targets(counts, origins, config.horizon), device),
        lookback=lookback,
    )


def build_model(
    config: NetworkConfig, unit_shape: tuple[int, int, int]
) -> BaseRateModel | Log1pModel:
    """A model with fresh weights; under the recipe "poisson" it states the base rate."""
    architecture, horizon, n_types = config.architecture, config.horizon, unit_shape[0]
    extra = MAPS_OF_BASE if config.recipe == "poisson" else 0
    place = config.cell_embedding
    if isinstance(architecture, ConvLstmConfig):
        channels = n_types * (1 + extra) + place
        maps = ConvLstm(architecture, channels=channels, horizon=horizon, unit_shape=unit_shape)
    else:
        n_shown = (architecture.closeness, architecture.period * horizon, architecture.trend)
        closeness, period, trend = (n_types * (n_slices + extra) + place for n_slices in n_shown)
        maps = StResNet(
            architecture,
            channels=(closeness, period, trend),
            horizon=horizon,
            unit_shape=unit_shape,
        )
    if config.recipe == "log1p_mse":
        model = Log1pModel(maps)
    else:
        city_effect = CityEffect(horizon, n_types, len(CONTEXT_FEATURES))
        embedding = torch.zeros(place, *unit_shape[1:])
        model = BaseRateModel(maps, city_effect, embedding, config.largest_log_ratio)
    # Module.to takes a memory format, though its annotations leave this out.
    return model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]


def _slices(
    counts: Float[np.ndarray, "step type row col"],
    origins: Sequence[int],
    config: StResNetConfig,
    horizon: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    windows = windows_of(config)
    return (
        np.stack([closeness_stack(counts, origin, windows) for origin in origins]),
        np.stack([period_stack(counts, origin, windows, horizon) for origin in origins]),
        np.stack([trend_stack(counts, origin, windows) for origin in origins]),
    )


def _shown(
    counts: Float[np.ndarray, "batch channel row col"],
    base: Float[np.ndarray, "batch type row col"],
    config: NetworkConfig,
) -> Float[np.ndarray, "batch shown row col"]:
    """Counts on a scale that suits a network, and the base rate they depart from."""
    scale = np.sqrt if config.input_scale == "sqrt" else np.log1p
    if config.recipe == "log1p_mse":
        return scale(counts)
    # The first scale of the base rate tells busy cells apart, the second one quiet cells.
    return np.concatenate([scale(counts), scale(base), 0.3 * np.log(base + QUIET_RATE)], axis=1)


def _targets(
    counts: Float[np.ndarray, "step type row col"], origins: Sequence[int], horizon: int
) -> Float[np.ndarray, "batch lead type row col"]:
    padded = np.concatenate([counts, np.zeros_like(counts[:1]).repeat(horizon, axis=0)])
    return np.stack([padded[origin + 1 : origin + 1 + horizon] for origin in origins])


def _on_device(
    values: np.ndarray,
    device: torch.device,
    memory_format: torch.memory_format = torch.contiguous_format,
) -> Tensor:
    tensor = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
    return tensor.to(device).contiguous(memory_format=memory_format)

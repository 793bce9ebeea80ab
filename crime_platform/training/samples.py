"""Counts turned into what a network is fed: inputs, base rate and targets of many origins."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from einops import rearrange, reduce
from jaxtyping import Float
from torch import Tensor

from crime_platform.models.baselines import ewma_rate
from crime_platform.models.convlstm import ConvLstm, ConvLstmConfig
from crime_platform.models.count_distribution import rate_floor
from crime_platform.models.rate_model import BaseRateModel, CityEffect, Log1pModel
from crime_platform.models.st_resnet import StResNet, StResNetConfig
from crime_platform.models.symmetry import UNTURNED, Turn
from crime_platform.tensors.windows import (
    CONTEXT_FEATURES,
    city_context,
    closeness_stack,
    period_stack,
    trend_stack,
)
from crime_platform.training.recipe import NetworkConfig, windows_of
from crime_platform.vocabulary.forecast import CountHistory

MAPS_OF_BASE = 2  # per offence type, from `_shown_base`
QUIET_RATE = 0.01  # incidents per month below which cells look alike to a network


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Samples:
    """Inputs and targets of consecutive origins."""

    maps: tuple[Tensor, ...]  # one per branch, by origin; or the frames of all steps
    context: Float[Tensor, "batch lead type feature"]
    base: Float[Tensor, "batch 1 type row col"]
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
    decays: Sequence[float],
    device: torch.device,
) -> Samples:
    """What a network needs for consecutive `origins`, given as positions on the step axis."""
    counts = history.counts.astype(np.float32)
    architecture = config.architecture
    lookback = architecture.lookback if isinstance(architecture, ConvLstmConfig) else 0
    first = origins[0] + 1 - max(lookback, 1)
    base = base_rates(history, decays, config.level_decay, first=first, last=origins[-1])
    base_at_origin = base[-len(origins) :]
    context = [
        city_context(counts[: origin + 1], rate, history.steps[origin], config.horizon)
        for origin, rate in zip(origins, base_at_origin, strict=True)
    ]
    maps = (
        (_shown(counts[first : origins[-1] + 1], base, config),)
        if isinstance(architecture, ConvLstmConfig)
        else tuple(
            _shown(stack, base_at_origin, config)
            for stack in _slices(counts, origins, architecture, config.horizon)
        )
    )
    return Samples(
        maps=tuple(_on_device(stack, device, torch.channels_last) for stack in maps),
        context=_on_device(np.stack(context), device),
        base=_on_device(rearrange(base_at_origin, "batch ... -> batch 1 ..."), device),
        observed=_on_device(_targets(counts, origins, config.horizon), device),
        lookback=lookback,
    )


def base_rates(
    history: CountHistory,
    cell_decays: Sequence[float],
    level_decay: float,
    *,
    first: int,
    last: int,
) -> Float[np.ndarray, "origin type row col"]:
    """EWMA of two speeds at each step from `first` to `last`, each from its own past only.

    Where incidents happen changes slowly, how many there are changes fast: a slow EWMA of each
    cell, with one decay per offence type, is scaled to a fast EWMA of the city's total.
    """
    rates = []
    totals = reduce(history.counts, "step type row col -> step type 1 1", "sum")
    for end in range(first + 1, last + 2):
        past = CountHistory(steps=history.steps[:end], counts=history.counts[:end])
        slow = np.concatenate(
            [ewma_rate(past.counts[:, [i]], decay) for i, decay in enumerate(cell_decays)]
        )
        slow = np.maximum(slow, rate_floor(past))
        # Half an incident over the history, lest a type that went quiet be ruled out for good.
        level = np.maximum(ewma_rate(totals[:end], level_decay), 0.5 / end)
        rates.append(slow * level / slow.sum(axis=(1, 2), keepdims=True))
    return np.stack(rates)


def build_model(
    config: NetworkConfig, unit_shape: tuple[int, int, int]
) -> BaseRateModel | Log1pModel:
    """A model with fresh weights; under the recipe "poisson" it states the base rate."""
    architecture, horizon, n_types = config.architecture, config.horizon, unit_shape[0]
    extra = MAPS_OF_BASE if config.recipe == "poisson" else 0
    if isinstance(architecture, ConvLstmConfig):
        channels = n_types * (1 + extra)
        maps = ConvLstm(architecture, channels=channels, horizon=horizon, unit_shape=unit_shape)
    else:
        n_shown = (architecture.closeness, architecture.period * horizon, architecture.trend)
        closeness, period, trend = (n_types * (n_slices + extra) for n_slices in n_shown)
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
        model = BaseRateModel(maps, city_effect, config.largest_log_ratio)
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

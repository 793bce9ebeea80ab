"""The training loop of GLDNet: fresh weights to the last epoch of a one-cycle schedule."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float

from crime_platform.metrics.daily_hotspots import daily_hits, pooled
from crime_platform.metrics.hotspots import hit_rate
from crime_platform.models.streets.gldnet import Gldnet, GldnetConfig, count_loss
from crime_platform.training.gldnet_samples import StreetSamples, StreetSetting
from crime_platform.training.numerics import granted_threads, reproducible

CURVE_COVERAGE = 0.20
# Below, a second thread saves a fifth of the time on idle cores and costs five times as much on
# busy ones, where threads wait for each other (1,123 places, two cores).
NODES_FOR_THREADS = 5_000
SCORED_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """How far training had come; the last two are None without validation days."""

    seed: int
    epoch: int
    loss: float  # on the days learned from, while they were learned
    validation_loss: float | None
    hit_rate_20: float | None  # pooled over types, on the validation days


OnEpoch = Callable[[Epoch, Float[np.ndarray, "batch type node"] | None], None]


def train_gldnet(
    model: Gldnet,
    config: GldnetConfig,
    learned: StreetSamples,
    judged: StreetSamples | None,
    *,
    seed: int,
    on_epoch: OnEpoch | None = None,
) -> list[Epoch]:
    """Train a network in place; returns how training went.

    The number of epochs is a setting, chosen beforehand: nothing is stopped by the validation
    days, so that they can be learned from in the end. Nothing here draws from torch's common
    random numbers, so that several networks can be trained at once.

    Args:
        model: with fresh weights.
        config: of the network.
        learned: days to learn from.
        judged: validation days, for the curve alone.
        seed: of the order of days.
        on_epoch: called after each epoch, with the expected counts of the validation days; a
            search stops a hopeless trial by raising.
    """
    order = torch.Generator().manual_seed(seed)
    n_batches = -(-len(learned) // config.batch_days)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=config.learning_rate,
        total_steps=config.epochs * n_batches + 1,
        cycle_momentum=False,
    )
    curve = []
    for number in range(1, config.epochs + 1):
        losses = []
        for chosen in torch.randperm(len(learned), generator=order).tensor_split(n_batches):
            loss = count_loss(learned.expected(model, chosen), learned.observed[chosen], config)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        expected = None if judged is None else expected_counts(model, judged)
        mean = float(np.mean(losses))
        epoch = Epoch(seed=seed, epoch=number, loss=mean, validation_loss=None, hit_rate_20=None)
        if judged is not None and expected is not None:
            epoch = _judged(epoch, expected, judged, config)
        curve.append(epoch)
        if on_epoch is not None:
            on_epoch(epoch, expected)
    model.eval()
    return curve


def repeatable(n_nodes: int) -> AbstractContextManager[None]:
    """Inside, the same seeds give the same numbers, on a graph of this size."""
    return reproducible(0, n_cells=n_nodes, cells_for_threads=NODES_FOR_THREADS)


def threads_for_seeds(n_nodes: int) -> int:
    """How many networks to train at once: one per core, where each computes with one thread."""
    return 1 if n_nodes >= NODES_FOR_THREADS else granted_threads()


def fresh_gldnet(
    config: GldnetConfig, learned: StreetSamples, setting: StreetSetting, *, seed: int
) -> Gldnet:
    """A network with random weights, its channels standardised by the days to learn from."""
    torch.manual_seed(seed)
    model = Gldnet(
        config,
        n_types=learned.base.shape[1],
        n_channels=learned.channels.shape[-1],
        n_covariates=learned.covariates.shape[-1],
        adjacency=setting.adjacency(),
    )
    model.standardise(learned.channels, learned.covariates)
    return model


def expected_counts(model: Gldnet, samples: StreetSamples) -> Float[np.ndarray, "batch type node"]:
    """Expected counts of all samples, without a gradient."""
    with torch.inference_mode():
        parts = [
            samples.expected(model, slice(first, first + SCORED_AT_ONCE))
            for first in range(0, len(samples), SCORED_AT_ONCE)
        ]
    return torch.cat(parts).numpy()


def _judged(
    epoch: Epoch,
    expected: Float[np.ndarray, "day type node"],
    judged: StreetSamples,
    config: GldnetConfig,
) -> Epoch:
    observed = judged.observed.numpy()
    return replace(
        epoch,
        validation_loss=float(count_loss(torch.from_numpy(expected), judged.observed, config)),
        hit_rate_20=_hit_rate(expected.sum(axis=1), observed.sum(axis=1)),
    )


def _hit_rate(
    expected: Float[np.ndarray, "day node"], observed: Float[np.ndarray, "day node"]
) -> float:
    """Of nodes, not of street length: a curve of training needs no geometry."""
    extent = np.ones(expected.shape[1])
    daily = daily_hits(
        expected.astype(np.float64),
        observed.astype(np.float64),
        extent,
        coverage_shares=(CURVE_COVERAGE,),
    )
    return hit_rate(pooled(daily)[0])

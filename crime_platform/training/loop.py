"""The training loop: one model from fresh weights to its best epoch on the validation steps."""

import copy
import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from crime_platform.models.cells.city_total import fit_city_weights
from crime_platform.models.cells.convlstm import ConvLstmConfig
from crime_platform.models.cells.rate_model import BaseRateModel, Log1pModel
from crime_platform.models.cells.symmetry import UNTURNED, Turn
from crime_platform.training.folds import Fold
from crime_platform.training.numerics import number_format, reproducible
from crime_platform.training.recipe import NetworkConfig
from crime_platform.training.samples import Samples, build_model
from crime_platform.vocabulary.progress import Progress, report_progress

SMALLEST_RATE = 1e-8  # keeps logarithms finite, far below any base rate

Model = BaseRateModel | Log1pModel


def train(
    config: NetworkConfig, samples: Samples, fold: Fold, *, seed: int, task: str
) -> tuple[Model, int]:
    """A trained model and the epoch after which it was best.

    Training stops when the validation loss has not fallen for `patience` epochs.
    """
    n_types, n_rows, n_cols = samples.observed.shape[2:]
    best_loss, best_epoch = math.inf, 0
    with reproducible(seed, n_cells=n_rows * n_cols):
        model = build_model(config, (n_types, n_rows, n_cols)).to(samples.base.device)
        set_city_effect(model, samples, fold.train, config)
        order = torch.Generator().manual_seed(seed)
        step = _Step(model, config, n_updates=config.epochs * _most_batches(fold, config))
        best = model
        for epoch in range(1, config.epochs + 1):
            for chosen in batches(fold.train, config, order):
                step.update(samples, chosen, fold.train[chosen], random_turn(config, order))
            loss = validation_loss(fold.validation, model, samples, config)
            if loss < best_loss:
                best, best_loss, best_epoch = copy.deepcopy(model), loss, epoch
            _report(task, epoch, config.epochs, loss)
            if epoch - best_epoch >= config.patience:
                break
    # Validation has judged; what its months say of the city's total is not thrown away.
    set_city_effect(best, samples, fold.train | fold.validation, config)
    return best, best_epoch


def set_city_effect(
    model: Model, samples: Samples, pairs: Bool[np.ndarray, "batch lead"], config: NetworkConfig
) -> None:
    """Fit the city effect to the totals of some pairs, one fit per lead; not for "log1p_mse"."""
    if not isinstance(model, BaseRateModel):
        return
    context = samples.context.cpu().numpy().astype(np.float64)
    exposure, observed = (
        counts.sum(dim=(-2, -1)).cpu().numpy().astype(np.float64)
        for counts in (samples.base, samples.observed)
    )
    fits = [
        fit_city_weights(
            context[known, lead],
            exposure[known, lead],
            observed[known, lead],
            penalty=config.city_penalty,
            type_penalty=config.city_type_penalty,
        )
        for lead, known in enumerate(pairs.T)
    ]
    model.city_effect.weight.copy_(torch.from_numpy(np.stack(fits)))


class _Step:
    """One update of a model's weights, with the optimizer and schedule of its recipe."""

    def __init__(self, model: Model, config: NetworkConfig, *, n_updates: int) -> None:
        self.model, self.config = model, config
        rate = config.learning_rate
        if config.recipe == "log1p_mse":
            self.optimizer = torch.optim.Adam(model.parameters(), lr=rate)
            self.schedule = None
            return
        groups = _by_rate(model, config)
        peaks = [rate * share for share in groups]
        parameters = [{"params": each} for each in groups.values()]
        self.optimizer = torch.optim.AdamW(parameters, lr=rate, weight_decay=config.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=peaks, total_steps=n_updates + 1, cycle_momentum=False
        )

    def update(
        self, samples: Samples, chosen: list[int], pairs: Bool[np.ndarray, "batch lead"], turn: Turn
    ) -> None:
        with number_format(samples.base.device):
            expected = samples.expected_counts(self.model, chosen, turn)
        loss = loss_on(pairs, expected, samples.observed[chosen], self.config)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()


def _by_rate(model: Model, config: NetworkConfig) -> dict[float, list[nn.Parameter]]:
    """Weights by the share of the learning rate that they are given."""
    groups: dict[float, list[nn.Parameter]] = {}
    for name, value in model.named_parameters():
        groups.setdefault(config.fusion_rate if "of_cell" in name else 1.0, []).append(value)
    return groups


def loss_on(
    pairs: Bool[np.ndarray, "batch lead"],
    expected: Float[Tensor, "batch lead type row col"],
    observed: Float[Tensor, "batch lead type row col"],
    config: NetworkConfig,
) -> Float[Tensor, ""]:
    """Poisson deviance per incident, or mean squared error of log(1 + count), over some pairs."""
    chosen = torch.from_numpy(pairs).to(expected.device)
    mu, y = expected[chosen], observed[chosen]
    if config.recipe == "log1p_mse":
        return ((torch.log1p(mu) - torch.log1p(y)) ** 2).mean()
    mu = mu.clamp(min=SMALLEST_RATE)
    deviance = 2 * (torch.xlogy(y, y) - torch.xlogy(y, mu) - y + mu)
    return deviance.sum() / y.sum().clamp(min=1)


def validation_loss(
    pairs: Bool[np.ndarray, "batch lead"], model: Model, samples: Samples, config: NetworkConfig
) -> float:
    """Loss on the pairs, without a turn and without a gradient."""
    expected = expected_on(pairs, model, samples, config)
    return float(loss_on(pairs, expected, samples.observed, config))


def expected_on(
    pairs: Bool[np.ndarray, "batch lead"], model: Model, samples: Samples, config: NetworkConfig
) -> Float[Tensor, "batch lead type row col"]:
    """Expected counts of every sample with such a pair; 0 for the others."""
    expected = torch.zeros_like(samples.observed)
    wanted = np.flatnonzero(pairs.any(axis=1)).tolist()
    with torch.inference_mode(), number_format(samples.base.device):
        for start in range(0, len(wanted), config.batch_origins):
            chosen = wanted[start : start + config.batch_origins]
            expected[chosen] = samples.expected_counts(model, chosen)
    return expected


def batches(
    pairs: Bool[np.ndarray, "batch lead"], config: NetworkConfig, order: torch.Generator
) -> Iterator[list[int]]:
    """Every sample with such a pair once, in random order; runs of neighbours for ConvLSTM."""
    usable = np.flatnonzero(pairs.any(axis=1)).tolist()
    size = config.batch_origins
    if isinstance(config.architecture, ConvLstmConfig):
        shift = int(torch.randint(size, (), generator=order))
        starts = range(-shift, len(usable), size)
        runs = [usable[max(start, 0) : start + size] for start in starts]
        yield from (runs[i] for i in torch.randperm(len(runs), generator=order))
        return
    shuffled = [usable[i] for i in torch.randperm(len(usable), generator=order)]
    yield from (shuffled[start : start + size] for start in range(0, len(usable), size))


def random_turn(config: NetworkConfig, order: torch.Generator) -> Turn:
    """One of the eight symmetries of the grid; none under the recipe "log1p_mse"."""
    if config.recipe == "log1p_mse":
        return UNTURNED
    rows, cols, swap = (bool(coin) for coin in torch.randint(2, (3,), generator=order))
    return Turn(flip_rows=rows, flip_cols=cols, swap_rows_and_cols=swap)


def _most_batches(fold: Fold, config: NetworkConfig) -> int:
    """Batches of an epoch; a shifted run of neighbours can make one more."""
    return math.ceil(fold.train.any(axis=1).sum() / config.batch_origins) + 1


def _report(task: str, epoch: int, total: int, loss: float) -> None:
    detail = f"validation loss {loss:.5f}"
    report_progress(Progress(task=task, done=epoch, total=total, unit="epoch", detail=detail))

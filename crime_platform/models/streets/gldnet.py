"""GLDNet: gated layers over the lookback, localised diffusion over the street graph.

Source: Zhang & Cheng (2020), Computers, Environment and Urban Systems 79, 101403. Departures, each
for a defect of the public implementation: lags are channels, so that the lookback reaches the
output; rows of the adjacency are normalised; counts have no upper bound. Ours besides: the network
moves a base rate through a head that starts at zero, and the area's total is kept apart.
"""

from dataclasses import dataclass, field
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from crime_platform.tensors.street_inputs import StreetInputs

LEAST_SPREAD = 1e-3  # below it an input is as good as constant


@dataclass(frozen=True, slots=True, kw_only=True)
class GldnetConfig:
    """Everything that decides what a fitted GLDNet looks like, besides the data and the graph."""

    inputs: StreetInputs = field(default_factory=StreetInputs)
    gated_layers: int = 1
    gated_units: int = 8
    diffusion_layers: int = 2  # each lets a node hear one link further
    diffusion_units: int = 8
    node_embedding: int = 0  # learned numbers of each node; they learn the training years by heart
    kernel_m: float = 150.0  # alpha of the Gaussian link weights
    loss: Literal["poisson", "weighted_mse"] = "poisson"
    rho: float = 0.03  # weight of a node without an incident; weighted_mse only
    largest_log_ratio: float = 3.0  # between a node's share and its base rate's
    seeds: int = 4  # networks whose expected counts are averaged
    epochs: int = 9
    batch_days: int = 16
    learning_rate: float = 5e-3  # peak of the one-cycle schedule
    weight_decay: float = 1e-2
    burn_in_days: int = 365  # first days that no network learns from: their base rates are immature
    max_cases: int = 4_000_000  # node-days of an epoch; of a large graph only some days are learned

    def __post_init__(self) -> None:
        sizes = (
            *(self.gated_layers, self.gated_units, self.diffusion_layers, self.diffusion_units),
            *(self.seeds, self.epochs, self.batch_days, self.burn_in_days, self.max_cases),
        )
        if min(sizes) < 1 or self.node_embedding < 0:
            raise ValueError(f"layers, units, seeds, epochs, days and cases need >= 1, got {self}")
        rates = (self.kernel_m, self.rho, self.largest_log_ratio, self.learning_rate)
        if min(rates) <= 0 or self.weight_decay < 0:
            raise ValueError(
                f"kernel, rho, bound and learning rate must be above 0, decay >= 0, got {self}"
            )


class GatedLayer(nn.Module):
    """relu(X W + b) * sigmoid(X U + c): what is shown, and how much of it counts."""

    def __init__(self, n_channels: int, n_units: int) -> None:
        super().__init__()
        self.shown = nn.Linear(n_channels, n_units)
        self.gate = nn.Linear(n_channels, n_units)

    def forward(self, x: Float[Tensor, "batch node channel"]) -> Float[Tensor, "batch node unit"]:
        return torch.relu(self.shown(x)) * torch.sigmoid(self.gate(x))


class DiffusionLayer(nn.Module):
    """relu(H W_self + A H W_local): a node hears its neighbours, one link away."""

    def __init__(self, n_channels: int, n_units: int) -> None:
        super().__init__()
        self.own = nn.Linear(n_channels, n_units)
        self.local = nn.Linear(n_channels, n_units, bias=False)

    def forward(
        self, h: Float[Tensor, "batch node channel"], adjacency: Tensor
    ) -> Float[Tensor, "batch node unit"]:
        heard = rearrange(self.local(h), "batch node unit -> node (batch unit)")
        heard = torch.sparse.mm(adjacency, heard)
        heard = rearrange(heard, "node (batch unit) -> batch node unit", batch=len(h))
        return torch.relu(self.own(h) + heard)


class Gldnet(nn.Module):
    """Expected counts per offence group and node, one day.

    A Poisson likelihood falls apart into the area's total and the nodes' shares of it. The layers
    move shares; `area_effect`, linear in the day's covariates, moves the recent level of the
    total. Fresh weights state level and base rate themselves.
    """

    adjacency: Tensor
    mean: Tensor
    scale: Tensor
    covariate_mean: Tensor
    covariate_scale: Tensor

    def __init__(
        self,
        config: GldnetConfig,
        *,
        n_types: int,
        n_channels: int,
        n_covariates: int,
        adjacency: Tensor,
    ) -> None:
        super().__init__()
        n_nodes = adjacency.shape[0]
        self.bound = config.largest_log_ratio
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.register_buffer("mean", torch.zeros(n_channels))
        self.register_buffer("scale", torch.ones(n_channels))
        self.register_buffer("covariate_mean", torch.zeros(n_covariates))
        self.register_buffer("covariate_scale", torch.ones(n_covariates))
        embedding = 0.1 * torch.randn(n_nodes, config.node_embedding)
        self.embedding = nn.Parameter(embedding) if config.node_embedding else None
        width = n_channels + n_covariates + config.node_embedding
        gated = [width, *[config.gated_units] * config.gated_layers]
        self.gated = nn.ModuleList(map(GatedLayer, gated, gated[1:]))
        diffused = [gated[-1], *[config.diffusion_units] * config.diffusion_layers]
        self.diffusion = nn.ModuleList(map(DiffusionLayer, diffused, diffused[1:]))
        # Beside what was diffused the head reads what the node itself showed.
        self.head = nn.Linear(diffused[-1] + gated[-1], n_types)
        self.area_effect = nn.Linear(n_covariates, n_types)
        for zeroed in (self.head, self.area_effect):
            nn.init.zeros_(zeroed.weight)
            nn.init.zeros_(zeroed.bias)

    def standardise(
        self,
        channels: Float[Tensor, "batch node channel"],
        covariates: Float[Tensor, "batch covariate"],
    ) -> None:
        """Take every input's mean and spread from the days learned from.

        A user's table comes in its own units, and a constant column says nothing.
        """
        self.mean.copy_(channels.mean(dim=(0, 1)))
        self.scale.copy_(channels.std(dim=(0, 1), correction=0).clamp(min=LEAST_SPREAD))
        self.covariate_mean.copy_(covariates.mean(dim=0))
        self.covariate_scale.copy_(covariates.std(dim=0, correction=0).clamp(min=LEAST_SPREAD))

    def forward(
        self,
        channels: Float[Tensor, "batch node channel"],
        covariates: Float[Tensor, "batch covariate"],
        base: Float[Tensor, "batch type node"],
        level: Float[Tensor, "batch type"],
    ) -> Float[Tensor, "batch type node"]:
        n_nodes = channels.shape[1]
        day = (covariates - self.covariate_mean) / self.covariate_scale
        parts = [(channels - self.mean) / self.scale, day[:, None].expand(-1, n_nodes, -1)]
        if self.embedding is not None:
            parts.append(self.embedding.expand(len(channels), -1, -1))
        shown = torch.cat(parts, dim=-1)
        for layer in self.gated:
            shown = layer(shown)
        heard = shown
        for layer in self.diffusion:
            heard = layer(heard, self.adjacency)
        log_ratio = rearrange(
            self.head(torch.cat([heard, shown], dim=-1)), "batch node type -> batch type node"
        )
        bounded = self.bound * torch.tanh(log_ratio / self.bound)
        share = torch.softmax(torch.log(base) + bounded, dim=-1)
        total = level * torch.exp(self.area_effect(day))
        return total[..., None] * share


def count_loss(
    expected: Float[Tensor, "batch type node"],
    observed: Float[Tensor, "batch type node"],
    config: GldnetConfig,
) -> Float[Tensor, ""]:
    """Poisson log-likelihood per incident with its sign turned, or the paper's weighted MSE.

    Weighted MSE: mean of w (observed - expected)^2, w the count itself, or rho where it is 0.
    """
    if config.loss == "weighted_mse":
        weight = torch.where(observed > 0, observed, config.rho)
        return (weight * (observed - expected) ** 2).mean()
    loss = (expected - torch.xlogy(observed, expected)).sum()
    return loss / observed.sum().clamp(min=1)

"""ST-ResNet: three stacks of residual units over slices of the past, fused with a weight per cell.

Source: Zhang, Zheng & Qi (2017), AAAI, "Deep Spatio-Temporal Residual Networks for Citywide Crowd
Flows Prediction", equations 1-3. Departures: one output per lead instead of a recursion; the
fusion weights of a cell are positive and sum to one, so that they read as shares; no tanh at the
end, because the output is a log-ratio or a log count. The external branch is `CityEffect`.
"""

from dataclasses import dataclass, field

import torch
from einops import einsum, rearrange
from jaxtyping import Float
from torch import Tensor, nn

from crime_platform.models.cells.symmetry import UNTURNED, Turn, seen_turned

BRANCHES = ("closeness", "period", "trend")


@dataclass(frozen=True, slots=True, kw_only=True)
class StResNetConfig:
    """Slices and size of the network."""

    kind: str = field(default="st_resnet", init=False)
    closeness: int = 3  # months up to and including the origin
    period: int = 1  # earlier years, in each of which the targets' months are shown
    trend: int = 2  # quarterly means before closeness
    filters: int = 16
    residual_units: int = 2  # per branch

    def __post_init__(self) -> None:
        if min(self.filters, self.residual_units) < 1:
            raise ValueError(f"ST-ResNet needs at least 1 filter and 1 residual unit, got {self}")


class ResUnit(nn.Module):
    """Two 3x3 convolutions, each behind a ReLU, added to their input (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.second = nn.Conv2d(width, width, kernel_size=3, padding=1)

    def forward(
        self, x: Float[Tensor, "batch width row col"]
    ) -> Float[Tensor, "batch width row col"]:
        return x + self.second(torch.relu(self.first(torch.relu(x))))


class Branch(nn.Module):
    """One slice of the past to one map per output: convolution, residual units, convolution."""

    def __init__(self, in_channels: int, out_channels: int, config: StResNetConfig) -> None:
        super().__init__()
        self.stem = nn.Conv2d(in_channels, config.filters, kernel_size=3, padding=1)
        self.units = nn.Sequential(*(ResUnit(config.filters) for _ in range(config.residual_units)))
        self.head = nn.Conv2d(config.filters, out_channels, kernel_size=3, padding=1)

    def forward(
        self, x: Float[Tensor, "batch channel row col"]
    ) -> Float[Tensor, "batch output row col"]:
        return self.head(torch.relu(self.units(self.stem(x))))


class Fusion(nn.Module):
    """Weighted mean of the branches; a weight belongs to an offence type and, in part, a cell."""

    def __init__(self, n_branches: int, unit_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.of_type = nn.Parameter(torch.zeros(n_branches, unit_shape[0], 1, 1))
        self.of_cell = nn.Parameter(torch.zeros(n_branches, *unit_shape))

    def share(self) -> Float[Tensor, "branch type row col"]:
        """Weight of each branch; the weights of one type and cell sum to one."""
        return torch.softmax(self.of_type + self.of_cell, dim=0)

    def forward(
        self, maps: Float[Tensor, "branch batch lead type row col"]
    ) -> Float[Tensor, "batch lead type row col"]:
        pattern = "branch type row col, branch batch lead type row col -> batch lead type row col"
        return einsum(self.share(), maps, pattern)


class StResNet(nn.Module):
    """One map per lead and offence type from three slices of the past.

    `channels` is the number of input channels of each branch, in the order of `BRANCHES`.
    """

    def __init__(
        self,
        config: StResNetConfig,
        *,
        channels: tuple[int, int, int],
        horizon: int,
        unit_shape: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.horizon = horizon
        self.closeness, self.period, self.trend = (
            Branch(in_channels, horizon * unit_shape[0], config) for in_channels in channels
        )
        self.fusion = Fusion(len(BRANCHES), unit_shape)

    @property
    def heads(self) -> tuple[nn.Conv2d, ...]:
        """The convolutions whose zero weights make the output zero."""
        return self.closeness.head, self.period.head, self.trend.head

    def forward(
        self,
        closeness: Float[Tensor, "batch closeness_channel row col"],
        period: Float[Tensor, "batch period_channel row col"],
        trend: Float[Tensor, "batch trend_channel row col"],
        turn: Turn = UNTURNED,
    ) -> Float[Tensor, "batch lead type row col"]:
        # Only the branches see the grid turned: a fusion weight belongs to its cell.
        maps = torch.stack(
            [
                seen_turned(self.closeness, closeness, turn),
                seen_turned(self.period, period, turn),
                seen_turned(self.trend, trend, turn),
            ]
        )
        pattern = "branch batch (lead type) row col -> branch batch lead type row col"
        return self.fusion(rearrange(maps, pattern, lead=self.horizon))

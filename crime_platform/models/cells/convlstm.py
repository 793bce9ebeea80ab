"""ConvLSTM: a recurrent network whose state is a map, run over the months before the origin.

Source: Shi et al. (2015), NeurIPS, "Convolutional LSTM Network", equation 3. Departures: no
peephole terms; a convolution over the last state gives every lead at once, not a decoder.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from crime_platform.models.cells.symmetry import UNTURNED, Turn, seen_turned


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvLstmConfig:
    """Lookback and size of the network."""

    kind: str = field(default="convlstm", init=False)
    lookback: int = 3  # months up to and including the origin
    filters: int = 16
    layers: int = 1

    def __post_init__(self) -> None:
        if min(self.lookback, self.filters, self.layers) < 1:
            raise ValueError(
                f"ConvLSTM needs at least 1 month of lookback, 1 filter and 1 layer, got {self}"
            )


class ConvLstmLayer(nn.Module):
    """An LSTM over the steps whose gates are 3x3 convolutions; starts from an empty state."""

    def __init__(self, in_channels: int, filters: int) -> None:
        super().__init__()
        self.filters = filters
        self.from_input = nn.Conv2d(in_channels, 4 * filters, kernel_size=3, padding=1)
        self.from_state = nn.Conv2d(filters, 4 * filters, kernel_size=3, padding=1, bias=False)

    def forward(
        self, frames: Float[Tensor, "step channel row col"]
    ) -> Float[Tensor, "step width row col"]:
        # What the inputs add to the gates does not depend on the state: one call for all steps.
        gates_from_input = self.from_input(frames)
        hidden = memory = gates_from_input.new_zeros(1, self.filters, *frames.shape[-2:])
        states = []
        for from_input in gates_from_input.split(1):
            entry, keep, output, candidate = (from_input + self.from_state(hidden)).chunk(4, dim=1)
            memory = torch.sigmoid(keep) * memory + torch.sigmoid(entry) * torch.tanh(candidate)
            hidden = torch.sigmoid(output) * torch.tanh(memory)
            states.append(hidden)
        return torch.cat(states)


class ConvLstm(nn.Module):
    """One map per lead and offence type for each origin of a run of consecutive months.

    The first origin is the last month of the first lookback. One pass serves the whole run, so a
    later origin also sees the months before its own lookback.
    """

    def __init__(
        self,
        config: ConvLstmConfig,
        *,
        channels: int,
        horizon: int,
        unit_shape: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.horizon = horizon
        self.lookback = config.lookback
        widths = [channels] + [config.filters] * config.layers
        self.layers = nn.Sequential(*(ConvLstmLayer(*pair) for pair in pairwise(widths)))
        self.head = nn.Conv2d(config.filters, horizon * unit_shape[0], kernel_size=3, padding=1)

    @property
    def heads(self) -> tuple[nn.Conv2d, ...]:
        """The convolutions whose zero weights make the output zero."""
        return (self.head,)

    def forward(
        self, frames: Float[Tensor, "step channel row col"], turn: Turn = UNTURNED
    ) -> Float[Tensor, "batch lead type row col"]:
        maps = seen_turned(self._maps, frames, turn)
        pattern = "batch (lead type) row col -> batch lead type row col"
        return rearrange(maps, pattern, lead=self.horizon)

    def _maps(
        self, frames: Float[Tensor, "step channel row col"]
    ) -> Float[Tensor, "batch output row col"]:
        return self.head(self.layers(frames)[self.lookback - 1 :])

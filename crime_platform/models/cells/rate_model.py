"""From what a network's maps say to expected counts: the last step of each training recipe."""

import torch
from einops import einsum, rearrange, repeat
from jaxtyping import Float
from torch import Tensor, nn

from crime_platform.models.cells.city_total import LARGEST_EFFECT
from crime_platform.models.cells.convlstm import ConvLstm
from crime_platform.models.cells.st_resnet import StResNet
from crime_platform.models.cells.symmetry import UNTURNED, Turn


class CityEffect(nn.Module):
    """One number per lead and offence type, linear in the city-wide features.

    Its weights are no business of the network: sixty-odd totals are learned by heart by anything
    that walks through them twenty times. They are fitted by `city_total`, which shrinks them.
    """

    weight: Tensor

    def __init__(self, horizon: int, n_types: int, n_features: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(horizon, n_types, n_features))

    def forward(
        self, context: Float[Tensor, "batch lead type feature"]
    ) -> Float[Tensor, "batch lead type 1 1"]:
        pattern = "lead type feature, batch lead type feature -> batch lead type"
        effect = einsum(self.weight, context, pattern).clamp(-LARGEST_EFFECT, LARGEST_EFFECT)
        return rearrange(effect, "batch lead type -> batch lead type 1 1")


class BaseRateModel(nn.Module):
    """Expected counts as a base rate whose incidents the maps move and the city effect multiplies.

    A Poisson likelihood falls apart into the city's total and the shares of the cells. Each half
    gets its own parameters: the maps cannot change a total, so that convolutions do not learn the
    sixty-odd totals of the training months by heart, and the few numbers of the city effect
    cannot move an incident. Fresh weights state the base rate itself.
    """

    def __init__(
        self,
        maps: StResNet | ConvLstm,
        city_effect: CityEffect,
        embedding: Float[Tensor, "feature row col"],
        largest_log_ratio: float,
    ) -> None:
        super().__init__()
        self.maps = maps
        self.embedding_of_cell = nn.Parameter(embedding) if len(embedding) else None
        self.city_effect = city_effect
        self.largest_log_ratio = largest_log_ratio
        for head in maps.heads:
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)  # pyright: ignore[reportArgumentType]

    def forward(
        self,
        inputs: tuple[Tensor, ...],
        context: Float[Tensor, "batch lead type feature"],
        base: Float[Tensor, "batch lead type row col"],
        turn: Turn = UNTURNED,
    ) -> Float[Tensor, "batch lead type row col"]:
        bound = self.largest_log_ratio
        shown = [self._placed(maps) for maps in inputs]
        log_ratio = bound * torch.tanh(self.maps(*shown, turn=turn).float() / bound)
        moved = base * torch.exp(log_ratio)
        kept = base.sum(dim=(-2, -1), keepdim=True) / moved.sum(dim=(-2, -1), keepdim=True)
        return moved * kept * torch.exp(self.city_effect(context).float())

    def _placed(self, maps: Float[Tensor, "seen channel row col"]) -> Tensor:
        """The maps with what was learned of each cell beside them; it turns as they do."""
        if self.embedding_of_cell is None:
            return maps
        place = repeat(
            self.embedding_of_cell, "feature row col -> seen feature row col", seen=len(maps)
        )
        return torch.cat([maps, place], dim=1)


class Log1pModel(nn.Module):
    """Expected counts from maps that state log(1 + count); base rate and context go unused.

    An expected count can be as low as -1 here: who forecasts cuts it off.
    """

    def __init__(self, maps: StResNet | ConvLstm) -> None:
        super().__init__()
        self.maps = maps

    def forward(
        self,
        inputs: tuple[Tensor, ...],
        context: Float[Tensor, "batch lead type feature"],  # noqa: ARG002
        base: Float[Tensor, "batch lead type row col"],  # noqa: ARG002
        turn: Turn = UNTURNED,
    ) -> Float[Tensor, "batch lead type row col"]:
        return torch.expm1(self.maps(*inputs, turn=turn).float())

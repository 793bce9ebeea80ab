"""The eight ways to lay a square grid down: what a network learned of one holds for all.

Training with random ones keeps a network from recognising a place by its surroundings and
learning what will happen there by heart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One of the symmetries of the grid; the default leaves it as it is."""

    flip_rows: bool = False
    flip_cols: bool = False
    swap_rows_and_cols: bool = False


UNTURNED = Turn()


def seen_turned(
    layer: Callable[[Tensor], Tensor], maps: Float[Tensor, "batch channel row col"], turn: Turn
) -> Float[Tensor, "seen output row col"]:
    """What `layer` makes of the turned maps, turned back; it may answer for fewer maps."""
    flipped = [axis for axis, flip in ((-2, turn.flip_rows), (-1, turn.flip_cols)) if flip]
    seen = torch.flip(maps, flipped)
    if turn.swap_rows_and_cols:
        return torch.flip(layer(seen.transpose(-2, -1)).transpose(-2, -1), flipped)
    return torch.flip(layer(seen), flipped)

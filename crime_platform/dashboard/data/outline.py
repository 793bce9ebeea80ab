"""The border of the cells where incidents were ever recorded: the map's base layer."""

import numpy as np
from jaxtyping import Bool, Float, Int


def outline(
    is_active: Bool[np.ndarray, "row col"], *, cell_size_m: float
) -> Float[np.ndarray, "segment 2 2"]:
    """Straight stretches of the border, metres from the grid's south-west corner; holes are filled.

    A hole is what the active cells enclose on all four sides, such as a lake or a quiet park.
    """
    from scipy.ndimage import binary_fill_holes

    filled = np.pad(np.asarray(binary_fill_holes(is_active)), 1)
    # A border stands between two neighbours of which one is inside.
    across = filled[:-1, 1:-1] != filled[1:, 1:-1]  # [horizontal grid line, col]
    along = filled[1:-1, :-1] != filled[1:-1, 1:]  # [row, vertical grid line]
    line, start, end = _stretches(across)
    horizontal = np.stack([start, line, end, line], axis=1)
    line, start, end = _stretches(along.T)
    vertical = np.stack([line, start, line, end], axis=1)
    corners = np.concatenate([horizontal, vertical]).reshape(-1, 2, 2)
    return (corners * cell_size_m).astype(np.float32)


def _stretches(
    is_border: Bool[np.ndarray, "line place"],
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " n"], Int[np.ndarray, " n"]]:
    """Runs of neighbours that are True: line, first place, place behind the last."""
    change = np.diff(np.pad(is_border.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    line, start = np.nonzero(change == 1)
    return line, start, np.nonzero(change == -1)[1]

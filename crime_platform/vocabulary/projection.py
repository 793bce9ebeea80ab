"""Points moved from one coordinate reference system to another, and what a grid says of them."""

from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float

if TYPE_CHECKING:
    from pyproj import CRS, Transformer

WGS84 = "EPSG:4326"


@runtime_checkable
class CellFinder(Protocol):
    """Whoever knows the cells: sources ask it, and need not know what a grid is."""

    def cell_of(self, x_m: np.ndarray, y_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Row and column of each point in the study area's CRS; both -1 outside."""
        ...


def project(
    x: Float[np.ndarray, " point"],
    y: Float[np.ndarray, " point"],
    *,
    source: str,
    target: str,
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Points in another CRS, eastward coordinate first; infinite where none exists."""
    return _transformer(source, target).transform(x, y)


def known_crs(code: str) -> "CRS | None":
    """The CRS of a code such as EPSG:26917; None where no registry has it."""
    from pyproj import CRS  # slow to import
    from pyproj.exceptions import CRSError

    try:
        return CRS.from_user_input(code)
    except CRSError:
        return None


@lru_cache(maxsize=8)
def _transformer(source: str, target: str) -> "Transformer":
    from pyproj import Transformer  # slow to import, and only projecting needs it

    return Transformer.from_crs(source, target, always_xy=True)

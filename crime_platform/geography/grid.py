"""The square grid of a study area: which cell a point is in, and where each cell lies.

Row 0 is the southernmost, column 0 the westernmost. A cell owns its south and west edge; the
outermost east and north edge belong to the last column and row, so that no point of the closed
extent is lost and none is counted twice.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from crime_platform.vocabulary.projection import WGS84, project

OUTSIDE = -1
SQUARE_METRES_PER_KM2 = 1_000_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Equal squares in a projected CRS, in metres."""

    crs: str
    x_min: float  # west edge
    y_min: float  # south edge
    cell_size_m: float
    n_rows: int
    n_cols: int

    def __post_init__(self) -> None:
        if min(self.n_rows, self.n_cols) < 1 or self.cell_size_m <= 0:
            raise ValueError(
                f"a grid needs rows, columns and a cell size above 0; got {self.n_rows} x "
                f"{self.n_cols} cells of {self.cell_size_m:g} m"
            )

    @property
    def extent_m(self) -> tuple[float, float, float, float]:
        """West, south, east and north edge."""
        x_edges, y_edges = self.edges()
        return (self.x_min, self.y_min, float(x_edges[-1]), float(y_edges[-1]))

    @property
    def area_km2(self) -> float:
        """Area of one cell, in the plane of the CRS."""
        return self.cell_size_m**2 / SQUARE_METRES_PER_KM2

    @property
    def n_cells(self) -> int:
        return self.n_rows * self.n_cols

    def edges(self) -> tuple[Float[np.ndarray, " x_edge"], Float[np.ndarray, " y_edge"]]:
        """Edges between columns, west to east, and between rows, south to north."""
        x_edges = self.x_min + self.cell_size_m * np.arange(self.n_cols + 1)
        y_edges = self.y_min + self.cell_size_m * np.arange(self.n_rows + 1)
        return x_edges, y_edges

    def cell_of(
        self, x_m: Float[np.ndarray, " point"], y_m: Float[np.ndarray, " point"]
    ) -> tuple[Int[np.ndarray, " point"], Int[np.ndarray, " point"]]:
        """Row and column of each point; both are OUTSIDE (-1) beyond the extent and for NaN."""
        x_edges, y_edges = self.edges()
        col, row = _slot(x_edges, x_m), _slot(y_edges, y_m)
        outside = (row == OUTSIDE) | (col == OUTSIDE)
        return np.where(outside, OUTSIDE, row), np.where(outside, OUTSIDE, col)

    def rows_and_cols(self) -> tuple[Int[np.ndarray, " unit"], Int[np.ndarray, " unit"]]:
        """Row and column of every cell, row by row from the south-west corner."""
        unit = np.arange(self.n_cells, dtype=np.int32)
        return unit // self.n_cols, unit % self.n_cols

    def cell_ids(self) -> np.ndarray:
        """`r012c034` for every cell, in the order of `rows_and_cols`."""
        return cell_ids(*self.rows_and_cols())

    def centroids(self) -> tuple[Float[np.ndarray, " unit"], Float[np.ndarray, " unit"]]:
        """Longitude and latitude of every cell's centre, in the order of `rows_and_cols`."""
        row, col = self.rows_and_cols()
        x_m = self.x_min + self.cell_size_m * (col + 0.5)
        y_m = self.y_min + self.cell_size_m * (row + 0.5)
        return project(x_m, y_m, source=self.crs, target=WGS84)

    def polygons_wkb(self) -> np.ndarray:
        """Square of every cell as WKB in EPSG:4326, in the order of `rows_and_cols`."""
        import shapely  # only publishing needs it

        row, col = self.rows_and_cols()
        x_edges, y_edges = self.edges()
        x_m = np.stack([x_edges[col], x_edges[col + 1], x_edges[col + 1], x_edges[col]], axis=1)
        y_m = np.stack([y_edges[row], y_edges[row], y_edges[row + 1], y_edges[row + 1]], axis=1)
        lon, lat = project(x_m.ravel(), y_m.ravel(), source=self.crs, target=WGS84)
        corners = np.stack([lon, lat], axis=1).reshape(self.n_cells, 4, 2)
        return np.asarray(shapely.to_wkb(shapely.polygons(corners)), dtype=object)


def cell_ids(row: Int[np.ndarray, " unit"], col: Int[np.ndarray, " unit"]) -> np.ndarray:
    """`r012c034` for row 12 and column 34; more digits where a number needs them."""
    pairs = zip(row.tolist(), col.tolist(), strict=True)
    return np.array([f"r{r:03d}c{c:03d}" for r, c in pairs], dtype=object)


def _slot(
    edges: Float[np.ndarray, " edge"], values: Float[np.ndarray, " point"]
) -> Int[np.ndarray, " point"]:
    """Which gap between edges holds each value; the last gap is closed at its end."""
    slot = np.searchsorted(edges, values, side="right") - 1
    slot = np.where(values == edges[-1], len(edges) - 2, slot)
    inside = (values >= edges[0]) & (values <= edges[-1])  # False for NaN
    return np.where(inside, slot, OUTSIDE).astype(np.int32)

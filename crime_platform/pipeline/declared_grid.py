"""The grid that a study area's TOML declares, by an extent, a boundary or the incidents."""

from pathlib import Path

import numpy as np

from crime_platform.geography.grid import Grid
from crime_platform.sources.files.vector_files import POLYGONS, read_vector
from crime_platform.study_area.parts import GridSpec
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.incident import CoordinateError

MAX_SIDE = 32_767  # rows and columns are stored as numbers of two bytes


def grid_of(
    area: StudyArea,
    *,
    home: Path | None = None,
    x_m: np.ndarray | None = None,
    y_m: np.ndarray | None = None,
) -> Grid:
    """The grid a study area declares.

    Args:
        area: with an extent, or a boundary file, or neither.
        home: folder below which a relative boundary file lies.
        x_m: metres east of geocoded incidents; read only when the area declares no extent.
        y_m: metres north of the same incidents.

    Raises:
        CoordinateError: if the extent follows from incidents and none are given.
    """
    spec = area.grid
    if spec.extent_m is not None:
        return _covering(area, spec.extent_m)
    if spec.boundary_file is not None:
        return _covering(area, _boundary_bounds(area, (home or Path()) / spec.boundary_file))
    if x_m is None or y_m is None or not len(x_m):
        raise CoordinateError(
            f"{area.name}: the grid follows from geocoded incidents and there are none; state "
            "extent_m = [xmin, ymin, xmax, ymax] under [grid]"
        )
    return _covering(area, _trimmed_bounds(x_m, y_m, spec))


def _covering(area: StudyArea, extent: tuple[float, float, float, float]) -> Grid:
    """The smallest grid over `extent`; an extent that is not stated snaps to whole cells."""
    size = area.grid.cell_size_m
    west, south, east, north = extent
    if area.grid.extent_m is None:
        west, south = np.floor(west / size) * size, np.floor(south / size) * size
    n_cols, n_rows = np.ceil((east - west) / size), np.ceil((north - south) / size)
    if not max(n_rows, n_cols) <= MAX_SIDE:
        raise CoordinateError(
            f"{area.name}: the grid would have {n_rows:,.0f} x {n_cols:,.0f} cells of {size:g} m, "
            f"at most {MAX_SIDE:,} on a side can be counted: choose a smaller extent_m or a larger "
            "cell_size_m under [grid], or keep one city with [source.only]"
        )
    return Grid(
        crs=area.crs,
        x_min=float(west),
        y_min=float(south),
        cell_size_m=size,
        n_rows=max(1, int(n_rows)),
        n_cols=max(1, int(n_cols)),
    )


def _boundary_bounds(area: StudyArea, path: Path) -> tuple[float, float, float, float]:
    if not (path.is_file() or path.is_dir()):  # a geodatabase is a folder
        raise CoordinateError(
            f"{path.absolute()}: no such file, and {area.name} takes its extent from it; put the "
            "boundary there, or state extent_m under [grid]"
        )
    boundary = read_vector(path, wanted=POLYGONS)
    if boundary.crs is None:
        raise CoordinateError(
            f"{path}: states no CRS, so its extent is unknown; save it again with one"
        )
    west, south, east, north = boundary.to_crs(area.crs).total_bounds
    return (float(west), float(south), float(east), float(north))


def _trimmed_bounds(
    x_m: np.ndarray, y_m: np.ndarray, spec: GridSpec
) -> tuple[float, float, float, float]:
    shares = [spec.trim_share, 1 - spec.trim_share]
    (west, east), (south, north) = np.quantile(x_m, shares), np.quantile(y_m, shares)
    return (float(west), float(south), float(east), float(north))

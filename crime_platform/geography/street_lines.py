"""Street centre lines read from whatever file a city has, in the study area's CRS."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crime_platform.sources.files.vector_files import LINES, layer_names, read_vector
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from crime_platform.vocabulary.projection import WGS84

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReport:
    """What was read from a street file, and what of it was left out."""

    n_features: int
    n_multi: int  # features of several lines, taken apart
    n_with_z: int  # features with heights, which are dropped
    n_empty: int  # features without a geometry
    n_zero_length: int  # lines whose points all are the same
    n_duplicates: int  # lines that repeat another one, in either direction
    n_lines: int  # lines that remain


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StreetLines:
    """Distinct plane lines of some length, in metres of `crs`, in the order of the file."""

    line: np.ndarray  # shapely LineStrings
    crs: str
    report: LineReport


def read_street_lines(path: Path, *, crs: str, layer: str | None = None) -> StreetLines:
    """Street lines of any vector file geopandas reads, reprojected to `crs`.

    Features are numbered from 1, as they stand in the file.

    Args:
        path: as for `read_vector`.
        crs: the study area's, in metres.
        layer: of the file; without a name the first one with lines.

    Raises:
        CoordinateError: if the file is missing, states no CRS, or holds a line that has no place in
            `crs`.
        SourceFormatError: if it cannot be read, a feature is not a line, or no line remains.
    """
    table = read_vector(path, layer=layer, wanted=LINES)
    shapes = np.asarray(table.geometry.values, dtype=object)
    _require_lines(shapes, path)
    _require_crs(table, path)
    is_there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    projected = np.asarray(table.to_crs(crs).geometry.values, dtype=object)
    _require_finite(projected, path, crs)
    flat = shapely.force_2d(projected[is_there])
    lines = shapely.get_parts(flat)
    longer = lines[shapely.length(lines) > 0]
    # A line drawn backwards is the same street.
    first = np.unique(shapely.to_wkb(shapely.normalize(longer)), return_index=True)[1]
    distinct = longer[np.sort(first)]
    if not len(distinct):
        raise SourceFormatError(
            f"{path}: expected street lines, found {len(shapes)} features and not one line with a "
            "length; name the file of road centre lines"
        )
    report = LineReport(
        n_features=len(shapes),
        n_multi=int((shapely.get_num_geometries(flat) > 1).sum()),
        n_with_z=int(shapely.has_z(shapes).sum()),
        n_empty=int((~is_there).sum()),
        n_zero_length=len(lines) - len(longer),
        n_duplicates=len(longer) - len(distinct),
        n_lines=len(distinct),
    )
    return StreetLines(line=distinct, crs=crs, report=report)


def _require_lines(shapes: np.ndarray, path: Path) -> None:
    names = [None if shape is None else shape.geom_type for shape in shapes.tolist()]
    wrong = [at for at, name in enumerate(names) if name is not None and name not in LINES]
    if wrong:
        raise SourceFormatError(
            f"{path}: expected lines, and feature {wrong[0] + 1} is a {names[wrong[0]]} "
            f"({len(wrong)} of {len(names)} features are not lines); the file holds "
            f"{', '.join(layer_names(path))}: name the file of road centre lines, or its layer"
        )


def _require_crs(table: "GeoDataFrame", path: Path) -> None:
    if table.crs is not None:
        return
    west, south, east, north = table.total_bounds
    in_degrees = max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90
    look = (
        f"look like degrees: save the file again as {WGS84}"
        if in_degrees
        else ("tell no CRS: ask the publisher for it, then save the file again with it")
    )
    raise CoordinateError(
        f"{path}: states no CRS (a shapefile keeps it in the .prj), and its coordinates, "
        f"{west:g} to {east:g} and {south:g} to {north:g}, {look}"
    )


def _require_finite(projected: np.ndarray, path: Path, crs: str) -> None:
    coordinates, owner = shapely.get_coordinates(projected, return_index=True)
    lost = owner[~np.isfinite(coordinates).all(axis=1)]
    if len(lost):
        raise CoordinateError(
            f"{path}: feature {lost[0] + 1} has no place in {crs}; does the file state the CRS its "
            "coordinates are in?"
        )

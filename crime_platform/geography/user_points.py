"""A user's own points, such as police stations or census blocks, from whatever file has them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from jaxtyping import Float

from crime_platform.sources.files.vector_files import read_vector
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from crime_platform.vocabulary.projection import WGS84, project


@dataclass(frozen=True, slots=True, kw_only=True)
class UserPoints:
    """Points in metres of the study area's CRS, each with a value."""

    x_m: Float[np.ndarray, " point"]
    y_m: Float[np.ndarray, " point"]
    value: Float[np.ndarray, " point"]  # 1 for each where no column is asked for


def read_user_points(
    path: Path, *, crs: str, value_column: str | None = None, lon: str = "lon", lat: str = "lat"
) -> UserPoints:
    """Points of a vector file or of a CSV with two columns of degrees.

    A polygon or line counts at a point on it. Numbers are read as they stand; a feature without a
    place or a value is an error, not a zero.

    Args:
        path: a name that ends in .csv is read as CSV, anything else by geopandas.
        crs: the study area's.
        value_column: what `value` holds, such as a population.
        lon: column of a CSV, degrees in EPSG:4326.
        lat: column of a CSV, degrees in EPSG:4326.

    Raises:
        CoordinateError: if the file is missing, states no CRS, or a point has no place in `crs`.
        SourceFormatError: if it cannot be read, lacks a column, or a value is no number.
    """
    if path.suffix.lower() == ".csv":
        x_m, y_m, columns = _from_csv(path, crs, lon, lat)
    else:
        x_m, y_m, columns = _from_vector(path, crs)
    lost = np.flatnonzero(~(np.isfinite(x_m) & np.isfinite(y_m)))
    if len(lost):
        raise CoordinateError(
            f"{path}: feature {lost[0] + 1} has no place in {crs}; correct or remove it"
        )
    if value_column is None:
        return UserPoints(x_m=x_m, y_m=y_m, value=np.ones(len(x_m)))
    return UserPoints(x_m=x_m, y_m=y_m, value=_numbers(columns, value_column, path))


def _from_csv(
    path: Path, crs: str, lon: str, lat: str
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    import pandas as pd

    if not path.is_file():
        raise CoordinateError(f"{path.absolute()}: no such file; put it there or correct the path")
    try:
        table = pd.read_csv(path)
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise SourceFormatError(f"{path}: cannot be read as CSV ({error})") from error
    columns = {str(name): table[name].to_numpy() for name in table.columns}
    degrees = [_numbers(columns, name, path) for name in (lon, lat)]
    x_m, y_m = project(degrees[0], degrees[1], source=WGS84, target=crs)
    return x_m, y_m, columns


def _from_vector(path: Path, crs: str) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    table = read_vector(path)
    if table.crs is None:
        raise CoordinateError(f"{path}: states no CRS; save it again with one")
    shapes = np.asarray(table.to_crs(crs).geometry.values, dtype=object)
    points = shapely.point_on_surface(shapes)
    names = [str(name) for name in table.columns if name != table.geometry.name]
    columns = {name: table[name].to_numpy() for name in names}
    return shapely.get_x(points), shapely.get_y(points), columns


def _numbers(columns: dict[str, np.ndarray], name: str, path: Path) -> Float[np.ndarray, " point"]:
    if name not in columns:
        raise SourceFormatError(
            f"{path}: expected a column {name!r}, found {sorted(columns)}; name the one "
            "that holds it"
        )
    try:
        numbers = columns[name].astype(np.float64)
    except (TypeError, ValueError) as error:
        raise SourceFormatError(f"{path}: column {name!r} holds text ({error})") from error
    empty = np.flatnonzero(~np.isfinite(numbers))
    if len(empty):
        raise SourceFormatError(
            f"{path}: column {name!r} has no number at feature {empty[0] + 1}; fill it or remove "
            "the feature"
        )
    return numbers

"""What an area's TOML says of its streets and days besides incidents, read from the user's files.

Values are raw, in the unit of their name: scaling them is a model's own work, on its training days.
"""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from crime_platform.geography.node_features import (
    log_length,
    nearby_total,
    point_density,
    point_distance,
)
from crime_platform.geography.street_graph import SEGMENT, StreetGraph
from crime_platform.geography.user_points import UserPoints, read_user_points
from crime_platform.sources.day_table import read_day_table
from crime_platform.study_area.streets import DENSITY, DISTANCE, StreetPoints, StreetSpec
from crime_platform.tensors.day_covariates import filled_days
from crime_platform.tensors.street_counts import DayCovariates
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.timesteps import Day

LOG_LENGTH = "log_length"  # natural logarithm of the length in km
TEMPERATURE = "temperature_c"


def node_features(
    spec: StreetSpec, graph: StreetGraph, home: PlatformHome
) -> dict[str, Float[np.ndarray, " node"]]:
    """Raw features of every node: the log of a segment's km, and the user's points.

    A place has no length, and no feature of it.

    Raises:
        CoordinateError: if a file of points is missing, states no CRS, or a point has no place.
        SourceFormatError: if a file of points cannot be read or lacks the value.
    """
    lengths = {LOG_LENGTH: log_length(graph)} if graph.kind == SEGMENT else {}
    return lengths | {points.feature: _of_points(points, graph, home) for points in spec.points}


def day_covariates(
    spec: StreetSpec, home: PlatformHome, *, first: Day, last: Day
) -> DayCovariates | None:
    """Temperatures of every day through the horizon after `last`; None without a file of them.

    Days that the file does not hold take the mean of their calendar day over all years of it.

    Raises:
        SourceFormatError: if the file is missing or cannot be read.
        IncompleteDataError: if a day has neither a value nor a calendar-day mean.
    """
    if spec.temperature_file is None:
        return None
    path = home.root.absolute() / spec.temperature_file
    known, degrees = read_day_table(path, value=TEMPERATURE)
    until = last + spec.horizon
    values = filled_days(known, degrees, first=first, last=until)
    days = np.arange(first, until + 1, dtype="datetime64[D]")
    return DayCovariates(days=days, names=(TEMPERATURE,), values=values[:, None])


def require_points(found: UserPoints, path: Path) -> None:
    """Refuse a file of points that holds none.

    Raises:
        SourceFormatError: if it does.
    """
    if not len(found.x_m):
        raise SourceFormatError(
            f"{path}: holds no point; add some, or leave its [[streets.points]] out of the TOML"
        )


def _of_points(
    points: StreetPoints, graph: StreetGraph, home: PlatformHome
) -> Float[np.ndarray, " node"]:
    path = home.root.absolute() / points.file
    found = read_user_points(path, crs=graph.crs, value_column=points.value_column)
    require_points(found, path)
    if points.kind == DISTANCE:
        return point_distance(graph, found)
    if points.kind == DENSITY:
        return point_density(graph, found, bandwidth_m=points.bandwidth_m or 0.0)
    return nearby_total(graph, found, radius_m=points.radius_m or 0.0)

"""Where a city lies by its incidents: the CRS and the extent that would suit it."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from crime_platform.vocabulary.projection import WGS84, project

FAR_OFF = 2.0  # times the distance from the middle within which 95 % of all points lie
NEAR_SHARE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Whole cells around most of a city's incidents."""

    bounds_m: tuple[float, float, float, float]  # west, south, east, north
    n_rows: int
    n_cols: int
    inside_share: float  # of the points it was made from


def utm_crs(lon: float, lat: float) -> str | None:
    """EPSG code of the UTM zone (WGS 84) that a point lies in; None near the poles."""
    from pyproj.aoi import AreaOfInterest  # slow to import, and few commands ask for it
    from pyproj.database import query_utm_crs_info

    here = AreaOfInterest(
        west_lon_degree=lon, south_lat_degree=lat, east_lon_degree=lon, north_lat_degree=lat
    )
    zones = query_utm_crs_info(datum_name="WGS 84", area_of_interest=here)
    return f"EPSG:{zones[0].code}" if zones else None


def area_stretch(crs: str, lon: float, lat: float) -> float:
    """How much larger an area is in the plane of `crs` than on the ground: 0.01 is one percent."""
    from pyproj import Proj

    return float(Proj(crs).get_factors(lon, lat).areal_scale) - 1


def middle(
    x_m: Float[np.ndarray, " point"], y_m: Float[np.ndarray, " point"], crs: str
) -> tuple[float, float]:
    """Longitude and latitude of the median point."""
    lon, lat = project(
        np.array([np.median(x_m)]), np.array([np.median(y_m)]), source=crs, target=WGS84
    )
    return float(lon[0]), float(lat[0])


def suggested_extent(
    x_m: Float[np.ndarray, " point"],
    y_m: Float[np.ndarray, " point"],
    *,
    cell_size_m: float,
    trim_share: float,
) -> Extent:
    """Whole cells around the points, without those far off and a few on each side.

    A wrong geocode can lie in another town, so trimming a share alone would not do: points twice
    as far from the middle as 95 % of all are put aside before.
    """
    near = _near(x_m, y_m)
    shares = [trim_share, 1 - trim_share]
    (west, east), (south, north) = (np.quantile(axis[near], shares) for axis in (x_m, y_m))
    first_col, first_row = (int(np.floor(edge / cell_size_m)) for edge in (west, south))
    n_cols = max(1, int(np.ceil(east / cell_size_m)) - first_col)
    n_rows = max(1, int(np.ceil(north / cell_size_m)) - first_row)
    bounds = (
        first_col * cell_size_m,
        first_row * cell_size_m,
        (first_col + n_cols) * cell_size_m,
        (first_row + n_rows) * cell_size_m,
    )
    inside = (x_m >= bounds[0]) & (x_m <= bounds[2]) & (y_m >= bounds[1]) & (y_m <= bounds[3])
    return Extent(
        bounds_m=bounds, n_rows=n_rows, n_cols=n_cols, inside_share=float(np.mean(inside))
    )


def _near(
    x_m: Float[np.ndarray, " point"], y_m: Float[np.ndarray, " point"]
) -> Bool[np.ndarray, " point"]:
    distance = np.hypot(x_m - np.median(x_m), y_m - np.median(y_m))
    return distance <= FAR_OFF * np.quantile(distance, NEAR_SHARE)

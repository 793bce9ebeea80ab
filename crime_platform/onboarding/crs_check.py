"""Whether points can be written in a CRS, by the area it is made for, and which fits better."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.geography.siting import utm_crs
from crime_platform.vocabulary.projection import WGS84, known_crs, project

if TYPE_CHECKING:
    from pyproj import CRS
    from pyproj.database import CRSInfo

MARGIN_DEGREES = 1.5  # beyond the area of use, where a neighbouring city may still use the CRS
NEIGHBOUR_DEGREES = 3.0  # around the area of use, in which other zones are tried
LOCAL_DEGREES = 12.0  # width of an area of use, above which a CRS is not one of a region
MAX_NAMED = 3  # CRSs that a message names
HOW_TO_FIND = (
    "the publisher's metadata or a .prj file beside the data names it, and epsg.io finds the code "
    "of a name. Numbers of six or seven digits may be feet: American cities often use a State "
    "Plane zone, e.g. EPSG:2263 for New York City in feet"
)


def code_problem(code: str) -> str | None:
    """Why a code cannot be the CRS of coordinates that are no degrees; None where it can."""
    found = known_crs(code)
    if found is None:
        return f"{code!r} is no CRS that the registries of EPSG and ESRI know: {HOW_TO_FIND}"
    if not found.is_projected:
        return f"{code} ({found.name}) is in degrees, and x and y are not: {HOW_TO_FIND}"
    return None


def misfit(code: str, x: Float[np.ndarray, " point"], y: Float[np.ndarray, " point"]) -> str | None:
    """Why most points cannot be written in a CRS, and in which one they can; None where they can.

    A wrong unit or zone gives places that exist, far from those that were meant. Each CRS says
    for which area it is made.

    Args:
        code: of the CRS that the points are said to be written in.
        x: eastward coordinates, as written.
        y: northward ones.
    """
    crs = known_crs(code)
    if crs is None or crs.area_of_use is None:
        return None
    middle_x, middle_y = float(np.median(x)), float(np.median(y))
    place = _degrees(crs, middle_x, middle_y)
    if place is not None and _holds(crs.area_of_use.bounds, place, MARGIN_DEGREES):
        return None
    where = "nowhere on Earth" if place is None else _written(place)
    return (
        f"the points lie outside the area of use of {code} ({crs.name}, {_unit(crs)}): {where}, "
        f"and it is made for {_made_for(crs)}: wrong unit or zone. {_cure(crs, middle_x, middle_y)}"
    )


def grid_misfit(code: str, lon: float, lat: float) -> str | None:
    """Why a CRS does not suit a grid at a place, and which would; None where it does."""
    crs = known_crs(code)
    if crs is None or crs.area_of_use is None:
        return None
    if _holds(crs.area_of_use.bounds, (lon, lat), MARGIN_DEGREES):
        return None
    return (
        f"{code} ({crs.name}) is made for {_made_for(crs)}, and the points lie at "
        f"{_written((lon, lat))}. In metres there: {', '.join(metric_crs_near(lon, lat))}"
    )


def crs_remarks(area_crs: str, source_crs: Iterable[str], lon: float, lat: float) -> list[str]:
    """What to look at in the CRS of sources and grid of an area whose incidents lie at a place."""
    remarks: list[str] = []
    for code in dict.fromkeys(source_crs):
        x, y = project(np.array([lon]), np.array([lat]), source=WGS84, target=code)
        problem = misfit(code, x, y)
        if problem is not None:
            remarks.append(f"crs of [[source]]: {problem}")
    if remarks:
        return remarks  # where the points really lie is not known
    problem = grid_misfit(area_crs, lon, lat)
    return [] if problem is None else [f"crs: {problem}"]


def metric_crs_near(lon: float, lat: float) -> list[str]:
    """Grids in metres that are made for a place: its UTM zone, then those of small areas."""
    utm = utm_crs(lon, lat)
    found: list[tuple[float, str]] = [(-1.0, f"{utm} (UTM)")] if utm else []
    for info in _registered((lon, lat, lon, lat)):
        crs = known_crs(f"{info.auth_name}:{info.code}")
        if info.auth_name == "EPSG" and crs is not None and _unit(crs) == "metre":
            found.append((_size(info), f"EPSG:{info.code} ({info.name})"))
    return [name for _, name in sorted(found)[:MAX_NAMED]]


def _cure(crs: "CRS", x: float, y: float) -> str:
    """Which CRS the numbers fit; else what else may be wrong with them."""
    if abs(x) <= 180 and abs(y) <= 90:
        return "The numbers look like degrees: map the columns as lon and lat"
    area = crs.area_of_use
    if area is not None:
        swapped = _degrees(crs, y, x)
        if swapped is not None and _holds(area.bounds, swapped, 0.0):
            return "They fit it when x and y are swapped: name the columns the other way round"
        fitting = [f"{info.auth_name}:{info.code} ({name})" for info, name in _fitting(crs, x, y)]
        if fitting:
            return f"The numbers fit {' or '.join(fitting[:MAX_NAMED])}"
    return f"Find the CRS: {HOW_TO_FIND}"


def _fitting(crs: "CRS", x: float, y: float) -> list[tuple["CRSInfo", str]]:
    """Registered CRSs in whose area the point lies: of the same area, else neighbours of its datum.

    A wrong datum moves a point by metres only, so of several the same datum comes first.
    """
    area, datum = crs.area_of_use, _datum(crs)
    if area is None:
        return []
    west, south, east, north = area.bounds
    more = NEIGHBOUR_DEGREES
    wide = (west - more, south - more, east + more, north + more)
    listed = list(_registered(wide, contains=False))
    same_area = [info for info in listed if info.area_of_use and info.area_of_use.name == area.name]
    same_datum = [info for info in listed if info.name.startswith(f"{datum} / ")]
    for group in (same_area, same_datum):
        fits = [(info, name) for info in group if (name := _fit(info, x, y)) is not None]
        if fits:
            return sorted(fits, key=lambda fit: (f"{datum} /" not in fit[1], "27" in fit[1]))
    return []


def _fit(info: "CRSInfo", x: float, y: float) -> str | None:
    """Name and unit of a registered CRS, where the point lies in its area."""
    crs = known_crs(f"{info.auth_name}:{info.code}")
    area = info.area_of_use
    if crs is None or area is None:
        return None
    place = _degrees(crs, x, y)
    if place is None or not _holds(area.bounds, place, 0.0):
        return None
    return f"{info.name}, {_unit(crs)}"


def _registered(
    bounds: tuple[float, float, float, float], *, contains: bool = True
) -> Iterator["CRSInfo"]:
    """Projected CRSs for a region, of both registries: EPSG lacks many in feet that ESRI has."""
    from pyproj.aoi import AreaOfInterest
    from pyproj.database import query_crs_info
    from pyproj.enums import PJType

    here = AreaOfInterest(*bounds)
    for registry in ("EPSG", "ESRI"):
        for info in query_crs_info(
            auth_name=registry,
            pj_types=PJType.PROJECTED_CRS,
            area_of_interest=here,
            contains=contains,
        ):
            area = info.area_of_use
            if area is not None and 0 < area.east - area.west <= LOCAL_DEGREES:
                yield info


def _degrees(crs: "CRS", x: float, y: float) -> tuple[float, float] | None:
    """Longitude and latitude of a point, to about 100 m: without a change of datum."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    geodetic = crs.geodetic_crs
    if geodetic is None:
        return None
    try:
        lon, lat = Transformer.from_crs(crs, geodetic, always_xy=True).transform(x, y)
    except ProjError:
        return None  # a method that this build of PROJ lacks
    return (float(lon), float(lat)) if np.isfinite(lon) and np.isfinite(lat) else None


def _holds(
    bounds: tuple[float, float, float, float], place: tuple[float, float], margin: float
) -> bool:
    west, south, east, north = bounds
    lon, lat = place
    width = (east - west) % 360 or 360.0  # an area may cross the 180th meridian
    offset = (lon - west + margin) % 360
    return offset <= width + 2 * margin and south - margin <= lat <= north + margin


def _written(place: tuple[float, float]) -> str:
    return f"longitude {place[0]:.2f}, latitude {place[1]:.2f}"


def _made_for(crs: "CRS") -> str:
    area = crs.area_of_use
    if area is None:
        return "no stated area"
    west, south, east, north = area.bounds
    return f"longitude {west:g} to {east:g}, latitude {south:g} to {north:g}"


def _unit(crs: "CRS") -> str:
    return crs.axis_info[0].unit_name if crs.axis_info else "unknown unit"


def _datum(crs: "CRS") -> str:
    geodetic = crs.geodetic_crs
    return geodetic.name if geodetic else crs.name


def _size(info: "CRSInfo") -> float:
    area = info.area_of_use
    return (area.east - area.west) * (area.north - area.south) if area else np.inf

"""What the release says of each published area, taken from its TOML: grid, offences, sources."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from crime_platform.geography.grid import Grid
from crime_platform.pipeline.ingest import GRID_FILE, area_grid
from crime_platform.schema.area_tables import AREA_TABLES
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import StudyArea, load_study_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import CoordinateError
from crime_platform.vocabulary.seal import damage

if TYPE_CHECKING:
    import pandas as pd

Rows = list[dict[str, object]]


def area_tables(home: PlatformHome, names: Iterable[str]) -> "dict[str, pd.DataFrame]":
    """Frames of `study_area`, `offence_type`, `offence_group` and `source`, rows by area.

    An area whose TOML is gone, or cannot be read any more, has no row: what is published of it
    stays published, and one area's TOML never stops another area's release.
    """
    import pandas as pd

    rows: dict[str, Rows] = {table.name: [] for table in AREA_TABLES}
    for name in sorted(set(names)):
        try:
            area = load_study_area(home.study_areas / f"{name}.toml")
        except StudyAreaError:
            continue
        rows["study_area"].append(_area_row(area, _known_grid(area, home)))
        rows["offence_type"] += _offence_rows(area)
        rows["offence_group"] += _group_rows(area)
        rows["source"] += _source_rows(area)
    columns = {table.name: [column.name for column in table.columns] for table in AREA_TABLES}
    return {table: pd.DataFrame(rows[table], columns=columns[table]) for table in rows}


def area_timezone(home: PlatformHome, name: str) -> str | None:
    """IANA name of the area's time zone; None where its TOML is gone or cannot be read."""
    try:
        return load_study_area(home.study_areas / f"{name}.toml").timezone
    except StudyAreaError:
        return None


def _known_grid(area: StudyArea, home: PlatformHome) -> Grid | None:
    """The area's grid; None where it would follow from incidents and was not found yet.

    Publishing never finds it: an area with streets alone would keep a grid nobody asked for.
    """
    is_stated = area.grid.extent_m is not None or area.grid.boundary_file is not None
    kept = home.artifacts(area.name) / GRID_FILE
    if not is_stated and (not kept.exists() or damage(kept) is not None):
        return None
    try:
        return area_grid(area, home)
    except CoordinateError:  # the boundary file is gone, and with it what the grid was
        return None


def _area_row(area: StudyArea, grid: Grid | None) -> dict[str, object]:
    return {
        "study_area": area.name,
        "title": area.title,
        "crs": area.crs,
        "cell_size_m": float(area.grid.cell_size_m),
        "west_m": None if grid is None else grid.x_min,
        "south_m": None if grid is None else grid.y_min,
        "n_rows": None if grid is None else grid.n_rows,
        "n_cols": None if grid is None else grid.n_cols,
        "timezone": area.timezone,
        "is_simulated": area.is_simulated,
    }


def _offence_rows(area: StudyArea) -> Rows:
    return [
        {
            "study_area": area.name,
            "offence_type": kind.name,
            "position": position,
            "title": kind.title,
            "is_police_discovered": kind.police_discovered,
        }
        for position, kind in enumerate(area.offence_types)
    ]


def _group_rows(area: StudyArea) -> Rows:
    groups = () if area.streets is None else area.streets.offence_groups
    return [
        {
            "study_area": area.name,
            "offence_group": group.name,
            "position": position,
            "title": group.title,
        }
        for position, group in enumerate(groups)
    ]


def _source_rows(area: StudyArea) -> Rows:
    return [
        {
            "study_area": area.name,
            "source": source.name,
            "publisher": source.publisher or None,
            "licence": source.licence or None,
            "url": source.url or None,
        }
        for source in area.sources
    ]

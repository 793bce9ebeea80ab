"""A small town of two streets that cross, drawn by hand, and its seven incidents.

West, east, south and north of the crossing are four segments of 500 m. Coordinates below count
from the town's south-west corner.
"""

from pathlib import Path

import geopandas
import numpy as np
import shapely

from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.segment_counts import count_segments, read_segment_counts
from crime_platform.pipeline.street_graph import build_graph
from crime_platform.study_area.study_area import StudyArea, load_study_area
from crime_platform.vocabulary.home import PlatformHome

EAST, NORTH = 630000, 4833000
UTM_17 = "EPSG:26917"
WEST_SIDE, EAST_SIDE = f"x{EAST + 250}y{NORTH + 500}", f"x{EAST + 750}y{NORTH + 500}"
SOUTH_SIDE, NORTH_SIDE = f"x{EAST + 500}y{NORTH + 250}", f"x{EAST + 500}y{NORTH + 750}"
STREETS = [[(0, 500), (1000, 500)], [(500, 0), (500, 1000)]]

TOWN = """
name = "town"
title = "Small Town"
crs = "EPSG:26917"
timezone = "America/Toronto"
first_month = "2020-01"
last_month = "2020-02"

[grid]
cell_size_m = 500
extent_m = [630000, 4833000, 631000, 4834000]

[[offence_type]]
name = "burglary"
labels = ["Burglary"]

[[offence_type]]
name = "robbery"
labels = ["Robbery"]

[[offence_type]]
name = "theft"
labels = ["Theft"]

[[premises_type]]
name = "house"
labels = ["House"]

[[source]]
name = "police"
paths = ["raw/*.csv"]
crs = "EPSG:26917"

[source.columns]
occurred_at = "when"
offence = "what"
hour = "hour"
premises = "where"
x = "east"
y = "north"

[quality]
min_geocoded_share = 0.5

[calendar]
country = "CA"
subdivision = "ON"
"""

STREET_TABLE = """
[streets]
file = "raw/streets.gpkg"
nearby_types = ["theft"]
max_beyond_share = 0.25

[[streets.offence_group]]
name = "homes"
offence_types = ["burglary"]

[[streets.offence_group]]
name = "street"
offence_types = ["robbery"]
"""

PLACES = STREET_TABLE.replace('file = "raw/streets.gpkg"', "max_snap_m = 200")  # no streets known

INCIDENTS = (
    ("2020-01-01", 2, "Burglary", "House", 100, 510),  # 10 m from the west side
    ("2020-01-01", 2, "Burglary", "Shop", 100, 510),
    ("2020-01-01", 12, "Robbery", "Street", 900, 480),  # 20 m from the east side
    ("2020-01-03", 23, "Robbery", "Street", 500, 900),  # on the north side
    ("2020-02-29", 7, "Burglary", "House", 250, 700),  # 200 m from everywhere
    ("2020-02-29", 7, "Theft", "Street", 500, 100),  # on the south side
    ("2020-02-29", 7, "Robbery", "Street", None, None),
)


def write_streets(path: Path, streets: list = STREETS) -> None:
    lines = [shapely.LineString(np.array([EAST, NORTH]) + np.array(line)) for line in streets]
    path.parent.mkdir(parents=True, exist_ok=True)
    geopandas.GeoDataFrame(geometry=lines, crs=UTM_17).to_file(path)


def write_incidents(home: PlatformHome, incidents: tuple = INCIDENTS) -> None:
    lines = ["when,hour,what,where,east,north"]
    for when, hour, what, where, east, north in incidents:
        place = "," if east is None else f"{EAST + east},{NORTH + north}"
        lines.append(f"{when},{hour},{what},{where},{place}")
    (home.root / "raw").mkdir(exist_ok=True)
    (home.root / "raw/incidents.csv").write_text("\n".join(lines) + "\n")


def write_town(
    home: PlatformHome,
    *,
    streets: str = STREET_TABLE,
    changes: tuple[tuple[str, str], ...] = (),
    incidents: tuple = INCIDENTS,
    lines: list = STREETS,
) -> StudyArea:
    """The town's TOML, streets and incidents below a home; `changes` replace passages."""
    text = TOWN + streets
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (home.study_areas / "town.toml").write_text(text)
    write_streets(home.root / "raw/streets.gpkg", lines)
    write_incidents(home, incidents)
    return load_study_area(home.study_areas / "town.toml")


def count_town(home: PlatformHome, **options) -> tuple:
    """Writes the town, ingests, builds its graph and counts: area, both reports, dense counts."""
    area = write_town(home, **options)
    ingest_area(area, home)
    graph, report = build_graph(area, home), count_segments(area, home)
    return area, graph, report, read_segment_counts(home, "town")

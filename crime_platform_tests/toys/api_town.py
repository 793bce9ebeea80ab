"""A town whose police publish through the toy API: its TOML, its rows, and how it is fetched.

Ten thefts lie in the first three months of 2024, each changed on a day of June.
"""

from pathlib import Path

from crime_platform.sources.api.fetching import FetchReport, fetch_source
from crime_platform.sources.api.http_client import RetryPolicy
from crime_platform.study_area.study_area import StudyArea, load_study_area
from crime_platform.vocabulary.home import PlatformHome
from toys.api_server import ARCGIS_PATH, SOCRATA_PATH, ToyApi

AREA = """
name = "town"
crs = "EPSG:26917"
timezone = "America/Toronto"
first_month = "2024-01"

[grid]
cell_size_m = 500
extent_m = [630000, 4830000, 632500, 4833000]

[[offence_type]]
name = "theft"
labels = ["Theft"]

[[source]]
name = "police"
"""
SOCRATA_SOURCE = """
format = "socrata"
duplicates = "drop_same_id"

[source.api]
url = [{urls}]
updated_at = "updated_on"
page_rows = 3
requests_per_second = 100000
fresh_hours = 0
{more}

[source.columns]
id = "id"
occurred_at = "date"
offence = "primary_type"
lon = "longitude"
lat = "latitude"
"""
ARCGIS_SOURCE = """
format = "arcgis"

[source.api]
url = [{urls}]
page_rows = 3
requests_per_second = 100000
fresh_hours = 0
{more}

[source.columns]
occurred_at = "OCC_DATE"
hour = "OCC_HOUR"
offence = "OFFENCE"
lon = "geometry.x"
lat = "geometry.y"
"""
HASTY = RetryPolicy(attempts=3, backoff_s=0.0, longest_wait_s=0, timeout_s=5.0)
JANUARY_2_EST = 1_704_171_600_000  # 2024-01-02 05:00 UTC: midnight in Toronto


def socrata_town(home: PlatformHome, api: ToyApi, more: str = "", n_urls: int = 1) -> StudyArea:
    """The town as a Socrata dataset (or several), with ten rows."""
    paths = [SOCRATA_PATH, "/resource/efgh-5678"][:n_urls]
    api.tables.setdefault(SOCRATA_PATH, [theft(number) for number in range(10)])
    return _load(home, SOCRATA_SOURCE, [api.url(path) for path in paths], more)


def theft(number: int, **changes: object) -> dict[str, object]:
    """One row as the publisher has it, columns about persons included."""
    return {
        ":id": f"row-{number:04d}",
        ":updated_at": f"2024-06-{number + 1:02d}T04:00:00.000Z",
        "id": str(500 + number),
        "date": f"2024-0{number % 3 + 1}-05T10:30:00.000",
        "primary_type": "Theft",
        "longitude": "-79.370",
        "latitude": "43.620",
        "updated_on": f"2024-06-{number + 1:02d}T00:00:00.000",
        "arrest": True,
        "vic_sex": "F",
    } | changes


def arcgis_town(home: PlatformHome, api: ToyApi, more: str = "") -> StudyArea:
    """The town as an ArcGIS layer with ten rows, a day apart."""
    day = 86_400_000
    api.tables.setdefault(
        ARCGIS_PATH,
        [
            {
                "OBJECTID": number,
                "OCC_DATE": JANUARY_2_EST + number * day,
                "OCC_HOUR": number,
                "OFFENCE": "Theft",
                "EDITED": JANUARY_2_EST + (200 + number) * day,
                "SUSPECT_AGE": 30,
                "geometry.x": -79.37,
                "geometry.y": 43.62,
            }
            for number in range(10)
        ],
    )
    return _load(home, ARCGIS_SOURCE, [api.url(ARCGIS_PATH)], more)


def _load(home: PlatformHome, source: str, urls: list[str], more: str) -> StudyArea:
    path = home.study_areas / "town.toml"
    written = source.format(urls=", ".join(f'"{url}"' for url in urls), more=more)
    path.write_text(AREA + written)
    return load_study_area(path)


def fetch(area: StudyArea, home: PlatformHome, **options: object) -> FetchReport:
    """Fetch the town's one source, hardly waiting when something goes wrong."""
    retries = options.pop("retries", HASTY)
    return fetch_source(area.sources[0], area, home, retries=retries, **options)  # pyright: ignore[reportArgumentType]


def folder(home: PlatformHome) -> Path:
    """Where the town's fetched files lie."""
    return home.root / "raw" / "town" / "police"


def month_bytes(home: PlatformHome) -> dict[str, bytes]:
    """Content of every month's file, by its name."""
    return {path.name: path.read_bytes() for path in folder(home).glob("months/*.csv")}


def month_stats(home: PlatformHome) -> dict[str, tuple[int, int]]:
    """Inode and time of every month's file: both stay where a file was not written."""
    found = {path.name: path.stat() for path in folder(home).glob("months/*.csv")}
    return {name: (stat.st_ino, stat.st_mtime_ns) for name, stat in found.items()}


def ids_of(home: PlatformHome, month: str) -> list[str]:
    """Identifiers in a month's file, in its order."""
    lines = (folder(home) / "months" / f"{month}.csv").read_text().splitlines()
    at = lines[0].split(",").index("id")
    return [line.split(",")[at] for line in lines[1:]]

"""GeoJSON turned into a CSV of the mapped columns only, one feature after the other.

A feature collection is one JSON value, so a database would hold all of it in memory at once. The
point of a feature is offered as two columns, `geometry.x` and `geometry.y`.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from crime_platform.sources.files.encodings import EUROPEAN, looks_like
from crime_platform.sources.scan.columns import column_key
from crime_platform.sources.scan.json_lists import CHUNK_CHARACTERS, JsonList, JsonListError
from crime_platform.vocabulary.incident import SourceFormatError

GEOMETRY_COLUMNS = ("geometry.x", "geometry.y")
MAX_VALUE_CHARACTERS = 20_000
_START_OF_FEATURES = re.compile(r'"features"\s*:\s*\[')
# Before RFC 7946 a collection could name its CRS: EPSG:25833 or urn:ogc:def:crs:EPSG::25833.
_CRS = re.compile(
    r'"crs"\s*:\s*\{[^\[\]]*?"name"\s*:\s*"(?:urn:ogc:def:crs:)?EPSG:(?:[\d.]*:)?(\d{4,6})"'
)


def write_features_as_csv(
    path: Path, label: str, wanted: tuple[str, ...], target: Path
) -> tuple[str, ...]:
    """Write `wanted` columns of every feature to `target`, under a header, and name all found.

    Raises:
        SourceFormatError: if the file is no feature collection, or breaks off.
    """
    keys = [column_key(name) for name in wanted]
    key_of: dict[str, str] = {}  # of every property name met, in order
    # JSON can write half a character as an escape, which no file can hold: it becomes "?".
    with target.open("w", encoding="utf-8", errors="replace", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(wanted)
        for feature in _checked_features(path, label):
            values = dict(zip(map(column_key, GEOMETRY_COLUMNS), _point(feature), strict=True))
            for name, value in (feature.get("properties") or {}).items():
                if name not in key_of:
                    key_of[name] = column_key(name)
                values[key_of[name]] = value
            writer.writerow([_as_text(values.get(key)) for key in keys])
    return (*key_of, *GEOMETRY_COLUMNS)


def stated_crs(path: Path) -> str | None:
    """The EPSG code that a feature collection names above its features; None if it names none."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        text = file.read(CHUNK_CHARACTERS)
    start = _START_OF_FEATURES.search(text)
    found = _CRS.search(text, 0, start.start() if start else len(text))
    return f"EPSG:{found[1]}" if found else None


def _checked_features(path: Path, label: str) -> Iterator[dict[str, Any]]:
    try:
        for number, feature in enumerate(_features(path, label), start=1):
            if not isinstance(feature, dict) or not isinstance(
                feature.get("properties") or {}, dict
            ):
                raise SourceFormatError(
                    f"{label}: feature {number} is {_shown(feature)}, expected an object with "
                    "properties; fetch the file again"
                )
            if "attributes" in feature and "properties" not in feature:
                raise SourceFormatError(
                    f"{label}: Esri JSON, not GeoJSON; ask the service for GeoJSON (f=geojson), or "
                    "export the layer as GeoJSON or CSV"
                )
            yield feature
    except UnicodeDecodeError as error:
        raise SourceFormatError(
            f"{label}: not UTF-8 throughout ({error.reason}); state its encoding under [[source]], "
            f'e.g. encoding = "{looks_like(path) or EUROPEAN[0]}"'
        ) from error
    except RecursionError as error:
        raise SourceFormatError(
            f"{label}: values stand inside each other without end; fetch the file again"
        ) from error


def _shown(feature: object) -> str:
    return f"{str(feature)[:40]!r}"


def _features(path: Path, label: str) -> Iterator[Any]:
    # Whole numbers stay the digits they are written in, however many.
    decoder = json.JSONDecoder(parse_int=str)
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(CHUNK_CHARACTERS)
        start = _START_OF_FEATURES.search(text)
        if start is None:
            raise SourceFormatError(
                f"{label}: JSON without a list of features; expected a GeoJSON feature "
                "collection, so export as GeoJSON or CSV"
            )
        features = JsonList(file, text, start.end(), decoder, whole="GeoJSON", each="feature")
        try:
            yield from features
        except JsonListError as error:
            raise SourceFormatError(f"{label}: {error}") from error
        _require_last(file, features.text, label)


def _require_last(file: TextIO, text: str, label: str) -> None:
    """Nothing but the end may follow: a second collection would be lost."""
    while text:
        if _START_OF_FEATURES.search(text):
            raise SourceFormatError(
                f"{label}: more than one list of features; split the file, one collection in each"
            )
        more = file.read(CHUNK_CHARACTERS)
        text = text[-40:] + more if more else ""


def _point(feature: dict[str, Any]) -> tuple[Any, Any]:
    match feature.get("geometry"):
        case {"type": "Point", "coordinates": [east, north, *_]}:
            return (east, north)
        case {"type": "MultiPoint", "coordinates": [[east, north, *_]]}:  # of a single point
            return (east, north)
    return (None, None)  # no place, a line or several points: such an incident is not geocoded


def _as_text(value: object) -> str:
    # A scan drops rows of 32 MB; nobody's label, date or identifier is as long as this.
    return "" if value is None else str(value)[:MAX_VALUE_CHARACTERS]

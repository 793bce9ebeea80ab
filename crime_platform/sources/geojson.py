"""GeoJSON turned into a CSV of the mapped columns only, one feature after the other.

A feature collection is one JSON value, so a database would hold all of it in memory at once. The
point of a feature is offered as two columns, `geometry.x` and `geometry.y`.
"""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crime_platform.sources.columns import column_key
from crime_platform.vocabulary.incident import SourceFormatError

GEOMETRY_COLUMNS = ("geometry.x", "geometry.y")
CHUNK_CHARACTERS = 1 << 20
_START_OF_FEATURES = re.compile(r'"features"\s*:\s*\[')
_BETWEEN_FEATURES = re.compile(r"[\s,]*")


def write_features_as_csv(
    path: Path, label: str, wanted: tuple[str, ...], target: Path
) -> tuple[str, ...]:
    """Write `wanted` columns of every feature to `target`, under a header, and name all found.

    Raises:
        SourceFormatError: if the file is no feature collection, or breaks off.
    """
    keys = [column_key(name) for name in wanted]
    key_of: dict[str, str] = {}  # of every property name met, in order
    with target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(wanted)
        for feature in _features(path, label):
            values = dict(zip(map(column_key, GEOMETRY_COLUMNS), _point(feature), strict=True))
            for name, value in (feature.get("properties") or {}).items():
                if name not in key_of:
                    key_of[name] = column_key(name)
                values[key_of[name]] = value
            writer.writerow([_as_text(values.get(key)) for key in keys])
    return (*key_of, *GEOMETRY_COLUMNS)


def _features(path: Path, label: str) -> Iterator[dict[str, Any]]:
    decode = json.JSONDecoder().raw_decode
    with path.open(encoding="utf-8-sig") as file:
        text = file.read(CHUNK_CHARACTERS)
        start = _START_OF_FEATURES.search(text)
        if start is None:
            raise SourceFormatError(
                f"{label}: JSON without a list of features; expected a GeoJSON feature "
                "collection, so export as GeoJSON or CSV"
            )
        position = start.end()
        while True:
            position = _end_of(_BETWEEN_FEATURES, text, position)
            if text.startswith("]", position):
                return
            try:
                feature, end = decode(text, position)
            except json.JSONDecodeError as error:
                more = file.read(CHUNK_CHARACTERS)
                if not more:
                    raise SourceFormatError(
                        f"{label}: the GeoJSON breaks off or is damaged ({error.msg}); fetch the "
                        "file again"
                    ) from error
                text, position = text[position:] + more, 0
                continue
            yield feature
            position = end


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return found.end() if found else position


def _point(feature: dict[str, Any]) -> tuple[Any, Any]:
    geometry = feature.get("geometry") or {}
    coordinates = geometry.get("coordinates") or []
    if geometry.get("type") != "Point" or len(coordinates) < 2:
        return (None, None)  # no place, or a line: such an incident is not geocoded
    return (coordinates[0], coordinates[1])


def _as_text(value: object) -> str:
    return "" if value is None else str(value)

"""JSON lines, or a JSON list: one object a row, its keys in any order.

A line that cannot be read is broken, and so is a value of a list that is no object.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from crime_platform.sources.conversion.plain_table import (
    ConversionError,
    Converted,
    Job,
    as_text,
    require_width,
    text_schema,
)
from crime_platform.sources.scan.json_lists import CHUNK_CHARACTERS, JsonList, JsonListError

START_BYTES = 1 << 12
MAX_LINE_BYTES = 1 << 24
ROWS_AT_ONCE = 20_000
BYTES_AT_ONCE = 1 << 25
MAX_DEPTH = 3  # of objects inside each other that become columns of their own
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Whole numbers stay the digits they are written in, however many; so do fractions.
DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
RECORD_SEPARATOR = b"\x1e"  # before each line of a GeoJSON text sequence

Row = dict[str, object]


def convert(job: Job) -> Converted:
    """Write one column per key; `a.b` is key b of the object under a."""
    names: dict[str, None] = {}
    blank, broken = [], []
    for number, row in _rows(Path(job.path)):
        if row is None:
            broken.append(number)
        elif not row:
            blank.append(number)
        else:
            names |= dict.fromkeys(row)
            require_width(len(names))
    schema = text_schema(list(names))
    with pq.ParquetWriter(job.target, schema, compression="snappy") as writer:
        for rows in _batches(Path(job.path)):
            columns = [pa.array([as_text(row.get(name)) for row in rows]) for name in names]
            writer.write_table(pa.table([c.cast(pa.string()) for c in columns], schema=schema))
    return Converted(header=list(names), blank=blank, broken=broken)


def _batches(path: Path) -> Iterator[list[Row]]:
    rows, n_cells = [], 0
    for _, row in _rows(path):
        if row:
            rows.append(row)
            n_cells += sum(len(value) if isinstance(value, str) else 8 for value in row.values())
        if len(rows) >= ROWS_AT_ONCE or n_cells > BYTES_AT_ONCE:
            yield rows
            rows, n_cells = [], 0
    if rows:
        yield rows


def _rows(path: Path) -> Iterator[tuple[int, Row | None]]:
    """Number and object of each row: nothing of a blank line, None of one that cannot be read."""
    with path.open("rb") as file:
        is_list = file.read(START_BYTES).removeprefix(BYTE_ORDER_MARK).lstrip().startswith(b"[")
    yield from _rows_of_list(path) if is_list else _rows_of_lines(path)


def _rows_of_list(path: Path) -> Iterator[tuple[int, Row | None]]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(CHUNK_CHARACTERS)
            start = text.index("[") + 1
            values = JsonList(file, text, start, DECODER, whole="JSON list", each="value")
            for number, value in enumerate(values, start=1):
                yield number, _row_of(value)
            if values.text[1:].strip() or any(line.strip() for line in file):
                raise ConversionError(
                    "more follows the end of the JSON list; split the file, one list in each"
                )
    except UnicodeDecodeError as error:
        raise ConversionError(f"not UTF-8 throughout ({error.reason}); save it as UTF-8") from error
    except RecursionError as error:
        raise ConversionError(
            "values stand inside each other without end; fetch the file again"
        ) from error
    except JsonListError as error:
        raise ConversionError(str(error)) from error


def _rows_of_lines(path: Path) -> Iterator[tuple[int, Row | None]]:
    with path.open("rb") as file:
        number = 0
        while line := file.readline(MAX_LINE_BYTES):
            number += 1
            is_whole = line.endswith(b"\n") or len(line) < MAX_LINE_BYTES
            if not is_whole:
                while (rest := file.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
            yield number, _row(line.removeprefix(BYTE_ORDER_MARK)) if is_whole else None


def _row(line: bytes) -> Row | None:
    text = line.strip().removeprefix(RECORD_SEPARATOR)
    if not text:
        return {}
    try:
        value = DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))
    except (ValueError, RecursionError):
        return None
    return _row_of(value)


def _row_of(value: object) -> Row | None:
    if not isinstance(value, dict) or not value:
        return None
    if value.get("type") == "Feature" and isinstance(value.get("properties"), dict):
        east, north = _point(value.get("geometry"))
        return {**_flat(value["properties"]), "geometry.x": east, "geometry.y": north}
    return _flat(value)


def _point(geometry: object) -> tuple[object, object]:
    match geometry:
        case {"type": "Point", "coordinates": [east, north, *_]}:
            return east, north
    return None, None


def _flat(value: dict[str, object], before: str = "", depth: int = 1) -> Row:
    row: Row = {}
    for name, part in value.items():
        if isinstance(part, dict) and None not in (point := _point(part)):
            row[f"{before}{name}.x"], row[f"{before}{name}.y"] = point
        elif isinstance(part, dict) and depth < MAX_DEPTH:
            row |= _flat(part, f"{before}{name}.", depth + 1)
        else:
            row[before + name] = part
    return row

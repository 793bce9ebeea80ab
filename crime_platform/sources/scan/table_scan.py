"""The mapped columns of one file loaded as typed values by DuckDB; no other column is read.

Nothing is judged here: a value that cannot be parsed is null beside its text, and a row that
cannot be split into fields is listed.
"""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np

from crime_platform.sources.files.archives import fresh_path
from crime_platform.sources.files.kinds import GEOJSON, PARQUET
from crime_platform.sources.files.opening import TableFile
from crime_platform.sources.scan.columns import column_key, match_columns
from crime_platform.sources.scan.csv_quotes import (
    copy_with_line_feeds,
    overwrite_lines,
    overwrite_open_quotes,
)
from crime_platform.sources.scan.geojson import GEOMETRY_COLUMNS, write_features_as_csv
from crime_platform.sources.scan.long_rows import may_hold_long_rows, overwrite_long_rows
from crime_platform.sources.scan.row_numbers import numbered_rows, rows_passed_over
from crime_platform.sources.scan.typed_values import query_values, typed_columns, wanted_columns
from crime_platform.study_area.study_area import Source, StudyArea
from crime_platform.vocabulary.incident import FileHeader, SourceFormatError

DELIMITERS = (",", "\t", ";", "|")
HEADER_CHARACTERS = 1 << 18
MAX_ROUNDS = 20  # scans of one file, to find rows that hide behind each other

STRICT = "strict_mode = true"
LENIENT = "strict_mode = false, new_line = '\\r\\n'"
"""Files that mix line ends are read only leniently, and counted rightly only with this one."""

LOADED_COLUMNS = {
    "source_file": "varchar",
    "source_row": "bigint",
    "source_id": "varchar",
    "occurred_on": "date",
    "occurred_hour": "tinyint",
    "bad_date": "varchar",
    "source_offence": "varchar",
    "source_premises": "varchar",
    "part": "varchar",
    "place": "varchar",
    "district": "varchar",
    "is_elsewhere": "boolean",
    "east": "double",
    "north": "double",
    "n_incidents": "integer",
    "bad_count": "varchar",
    "bad_place": "varchar",
    "fingerprint": "ubigint",
}
LOADED = f"create table loaded ({', '.join(map(' '.join, LOADED_COLUMNS.items()))})"
"""One row per row that could be split; `east` and `north` are null when not geocoded."""

BROKEN = "create table broken (source_file varchar, source_row bigint)"
"""Rows that could not be split into fields, or hold a byte that is not UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """Where to select from: one text column per key of the mapping, under the key's name."""

    relation: str  # SQL with $path
    keys: tuple[str, ...]  # of the mapping, without those whose column the file leaves out
    path: Path
    first_row: int  # number of the first row of data
    is_text: bool
    numeric: frozenset[str] = frozenset()  # keys whose columns hold numbers, not texts
    delimiter: str = ","
    n_columns: int = 0
    header: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


def load_file(
    connection: duckdb.DuckDBPyConnection,
    file: TableFile,
    source: Source,
    area: StudyArea,
    scratch: Path,
    *,
    is_alone: bool = False,
) -> FileHeader:
    """Append one file to the tables LOADED and BROKEN; returns all columns that it holds.

    Of a file that is alone, `loaded` becomes a view of what was scanned: a large table is not
    copied only to number its rows. `drop_loaded` drops either.

    Raises:
        SourceFormatError: if a mapped column is missing, or the file cannot be read at all.
    """
    with _explained(file):
        if file.kind == PARQUET:
            scan, source = _scan_parquet(connection, file, source)
        elif file.kind == GEOJSON:
            scan = _scan_geojson(file, source, scratch)
        else:
            scan = _scan_text(file, source)
        scan, rejects = _scan_without_open_quotes(
            connection, scan, source, area, scratch, file.label
        )
    broken, passed = rows_passed_over(connection, scan.path, rejects, is_text=scan.is_text)
    broken = np.union1d(broken, np.array(file.broken, dtype=np.int64))
    passed = np.union1d(passed, np.array([*file.blank, *file.broken], dtype=np.int64))
    connection.execute("insert into broken select ?, unnest(?)", [file.label, broken.tolist()])
    names = ", ".join(LOADED_COLUMNS)
    numbered = numbered_rows(connection, file.label, scan.first_row, passed)
    if is_alone:
        connection.execute(f"drop table loaded; create view loaded ({names}) as {numbered}")
    else:
        connection.execute(f"insert into loaded {numbered}; drop table scanned")
    return FileHeader(member=file.label, columns=scan.header, types=scan.types)


def drop_loaded(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop `loaded`, be it a table or a view, and what it is a view of."""
    kinds = connection.execute(
        "select table_type from information_schema.tables where table_name = 'loaded'"
    ).fetchall()
    kind = "view" if kinds == [("VIEW",)] else "table"
    connection.execute(f"drop {kind} loaded; drop table if exists scanned")


def _scan_parquet(
    connection: duckdb.DuckDBPyConnection, file: TableFile, source: Source
) -> tuple[Scan, Source]:
    described = connection.execute("describe select * from read_parquet(?)", [str(file.path)])
    types = {str(row[0]): str(row[1]) for row in described.fetchall()}
    names = list(types)
    wanted = wanted_columns(source)
    if file.remark and any(column_key(name) in GEOMETRY_COLUMNS for name in wanted.values()):
        raise SourceFormatError(f"{file.label}: {file.remark}")
    positions = match_columns(file.label, file.header or names, wanted, source.optional)
    quoted = {key: '"' + names[at].replace('"', '""') + '"' for key, at in positions.items()}
    columns = ", ".join(f"cast({name} as varchar) as {key}" for key, name in quoted.items())
    type_of = {key: types[names[at]] for key, at in positions.items()}
    date_type = type_of.get("occurred_at", "VARCHAR")
    if date_type == "TIMESTAMP WITH TIME ZONE" and source.timestamps_are == "local":
        raise SourceFormatError(
            f"{file.label}: column {source.columns.occurred_at!r} holds instants, not local times; "
            f'write timestamps_are = "utc" for source {source.name!r}'
        )
    if date_type.startswith(("DATE", "TIMESTAMP")):
        source = replace(source, datetime_formats=())  # a date is written as ISO 8601
    relation = f"select {columns} from read_parquet($path)"
    scan = Scan(
        relation=relation,
        keys=tuple(positions),
        path=file.path,
        first_row=file.first_row,
        is_text=False,
        numeric=frozenset(key for key, kind in type_of.items() if _is_number(kind)),
        header=file.header or tuple(names),
        types=tuple(types.values()),
    )
    return scan, source


def _is_number(duckdb_type: str) -> bool:
    return duckdb_type.endswith("INT") or duckdb_type.startswith(
        ("INTEGER", "UINTEGER", "FLOAT", "DOUBLE", "DECIMAL", "HUGEINT")
    )


def _scan_geojson(file: TableFile, source: Source, scratch: Path) -> Scan:
    target = fresh_path(scratch)
    mapped = wanted_columns(source)
    wanted = tuple(mapped.values())
    found = write_features_as_csv(file.path, file.label, wanted, target)
    match_columns(file.label, found, mapped, source.optional)
    relation = _csv_relation(",", len(wanted), {key: at for at, key in enumerate(mapped)})
    return Scan(
        relation=relation,
        keys=tuple(mapped),
        path=target,
        first_row=1,
        is_text=False,
        numeric=frozenset(key for key, name in mapped.items() if name in GEOMETRY_COLUMNS),
        header=found,
    )


def _scan_text(file: TableFile, source: Source) -> Scan:
    with file.path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        start = text.read(HEADER_CHARACTERS)
    headers = {mark: _first_row(start, mark) for mark in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda mark: len(headers[mark]))
    header = headers[delimiter]
    if not any(header) or not ({"\n", "\r"} & set(start) or len(start) < HEADER_CHARACTERS):
        raise SourceFormatError(
            f"{file.label}: the first line is blank, or too long to be a header; remove what "
            "stands above the header, or fetch the file again"
        )
    positions = match_columns(file.label, header, wanted_columns(source), source.optional)
    relation = _csv_relation(delimiter, len(header), positions)
    return Scan(
        relation=relation,
        keys=tuple(positions),
        path=file.path,
        first_row=2,
        is_text=True,
        delimiter=delimiter,
        n_columns=len(header),
        header=tuple(header),
    )


def _first_row(start: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(start, newline=None), delimiter=delimiter), [])
    except csv.Error:  # a field that is too long
        return []


def _csv_relation(delimiter: str, n_columns: int, positions: dict[str, int]) -> str:
    columns = ", ".join(f"c{at} as {key}" for key, at in positions.items())
    types = ", ".join(f"'c{at}': 'VARCHAR'" for at in range(n_columns))
    return (
        f"select {columns} from read_csv($path, auto_detect = false, header = true, "
        f"delim = '{delimiter}', quote = '\"', escape = '\"', columns = {{{types}}}, "
        f"{STRICT}, compression = 'none', store_rejects = true, rejects_limit = 0)"
    )


def _scan_without_open_quotes(
    connection: duckdb.DuckDBPyConnection,
    scan: Scan,
    source: Source,
    area: StudyArea,
    scratch: Path,
    label: str,
) -> tuple[Scan, list[tuple[int, int]]]:
    """Fill the table `scanned`, whose rowid follows the file.

    Returns what was scanned in the end, and line and byte of every row that was rejected.
    """
    if scan.is_text and may_hold_long_rows(scan.path, scan.delimiter, scan.n_columns):
        scan = _without_long_rows(scan, scratch)
    try:
        rejects, has_open_quote = _fill_scanned(connection, scan, source, area)
        if not has_open_quote:
            return scan, rejects
    except duckdb.InvalidInputException:
        if not scan.is_text:
            raise
        scan = _leniently(scan)
    whole = replace(scan, path=fresh_path(scratch))
    overwrite_open_quotes(scan.path, whole.path, delimiter=scan.delimiter, n_columns=scan.n_columns)
    for _ in range(MAX_ROUNDS):
        try:
            rejects, has_open_quote = _fill_scanned(connection, whole, source, area)
        except duckdb.InvalidInputException:
            if LENIENT in whole.relation:
                raise
            # Rows that an open quote had hidden end their lines in another way.
            whole = _leniently(whole)
            continue
        # A quote inside a field and an open one make an even number, which looks right from afar.
        # Every round finds one such row.
        if not has_open_quote or not overwrite_lines(whole.path, [byte for _, byte in rejects]):
            return whole, rejects
    raise SourceFormatError(
        f"{label}: more than {MAX_ROUNDS} rows hide others behind a quote that is never closed; "
        "fetch the file again, or export it with every quote inside a field doubled"
    )


def _without_long_rows(scan: Scan, scratch: Path) -> Scan:
    """The scan of a copy in which no line and no quoted field is longer than a scan can take."""
    copies = [fresh_path(scratch) for _ in range(3)]
    layout = {"delimiter": scan.delimiter, "n_columns": scan.n_columns}
    copy_with_line_feeds(scan.path, copies[0])
    overwrite_long_rows(copies[0], copies[1], **layout)
    overwrite_open_quotes(copies[1], copies[2], **layout)
    copies[0].unlink()
    copies[1].unlink()
    return replace(scan, path=copies[2])


def _leniently(scan: Scan) -> Scan:
    return replace(scan, relation=scan.relation.replace(STRICT, LENIENT))


def _fill_scanned(
    connection: duckdb.DuckDBPyConnection, scan: Scan, source: Source, area: StudyArea
) -> tuple[list[tuple[int, int]], bool]:
    """Rejects, and whether one of them may hide rows behind an open quote."""
    columns = typed_columns(scan.relation, source, scan.keys, scan.numeric)
    query = f"create or replace table scanned as {columns}"
    values = query_values(query, source, area.timezone)
    connection.execute(query, {"path": str(scan.path), **values})
    if "store_rejects" not in query:
        return [], False
    rejects = connection.execute("""
        select line, min(line_byte_position) - 1, -- counted from 1; before a row after CR LF
            bool_or(error_type in ('UNQUOTED VALUE', 'LINE SIZE OVER MAXIMUM'))
        from reject_errors group by line order by line
    """).fetchall()
    connection.execute("drop table reject_errors; drop table reject_scans")
    return [(line, byte) for line, byte, _ in rejects], any(is_open for *_, is_open in rejects)


@contextmanager
def _explained(file: TableFile) -> Iterator[None]:
    """Say which file a database error is about."""
    try:
        yield
    except duckdb.Error as error:
        first_line = str(error).splitlines()[0]
        cure = "fetch the file again, or open it and compare its layout with [source.columns]"
        raise SourceFormatError(f"{file.label}: cannot be read ({first_line}); {cure}") from error

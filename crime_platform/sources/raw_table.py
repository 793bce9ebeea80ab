"""A publisher's file before anything is known of it: its columns as text, and what they look like.

Columns that speak of a person, an arrest or a patrol are left out here already: their values are
not read, so that no guess can rest on them.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from crime_platform.sources.file_kinds import GEOJSON, PARQUET
from crime_platform.sources.files import TableFile, open_tables
from crime_platform.sources.geojson import write_features_as_csv
from crime_platform.sources.table_scan import DELIMITERS, HEADER_CHARACTERS
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.source import is_never_loaded

CHUNK_CHARACTERS = 1 << 20
MEMORY_LIMIT = "2GB"  # beyond it the table goes to the scratch folder
FALLBACK_ENCODING = "cp1252"  # of older office programs, of which ISO 8859-1 is nearly a part


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """What the values of one column look like; shares are of the filled ones."""

    name: str
    position: str  # name in the table `raw`
    n_filled: int
    n_distinct: int  # approximate
    number_share: float
    low: float | None  # smallest number
    high: float | None
    clock_share: float  # written 23:05


class RawTable:
    """One file, or the tables of one layout in an archive, in the table `raw` of a database."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, names: list[str]) -> None:
        self.connection = connection
        self.left_out = [name for name in names if is_never_loaded(name)]
        self.names = {f"c{at}": name for at, name in enumerate(names) if not is_never_loaded(name)}
        self.encoding: str | None = None
        self.n_rows = 0

    def rows(self, query: str, values: Sequence[object] = ()) -> list[tuple]:
        """Answer of a query on `raw`."""
        return self.connection.execute(query, list(values)).fetchall()

    def arrays(self, query: str) -> list[np.ndarray]:
        """Columns of a query's answer as numbers; nulls are NaN."""
        found = self.connection.execute(query).fetchnumpy()
        return [
            np.ma.filled(np.ma.asarray(values, dtype=float), np.nan) for values in found.values()
        ]

    def columns(self) -> list[Column]:
        """Every column that may be mapped, in the order of the file."""
        described = [
            f"""
            select '{place}', count({place}), approx_count_distinct({place}),
                count(try_cast({place} as double)), min(try_cast({place} as double)),
                max(try_cast({place} as double)),
                count(*) filter (regexp_full_match({place}, '\\d{{1,2}}:\\d\\d.*'))
            from raw
            """
            for place in self.names
        ]
        return [
            Column(
                name=self.names[place],
                position=place,
                n_filled=n_filled,
                n_distinct=n_distinct,
                number_share=n_numbers / max(n_filled, 1),
                low=low,
                high=high,
                clock_share=n_clocks / max(n_filled, 1),
            )
            for place, n_filled, n_distinct, n_numbers, low, high, n_clocks in (
                self.rows(query)[0] for query in described
            )
        ]


def read_raw(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    scratch: Path,
    *,
    layouts: Sequence[frozenset[str]] = (),
) -> RawTable:
    """Load a file, or the tables of an archive that share one header.

    Args:
        connection: where the table `raw` is made.
        path: CSV, TSV, Parquet or GeoJSON, as it is or in a gzip or zip file.
        scratch: existing folder for what must be unpacked.
        layouts: headers, in small letters, of which a table is preferred that has all of one.

    Raises:
        SourceFormatError: if the file cannot be read, or holds no column that may be read.
    """
    connection.execute("set memory_limit = ?", [MEMORY_LIMIT])
    connection.execute("set temp_directory = ?", [str(scratch)])
    tables, encoding = _open(path, scratch)
    headers = [_header(table, scratch) for table in tables]
    keys = [{name.strip().lower() for name in names} for names, _ in headers]
    known = [at for at, found in enumerate(keys) if any(layout <= found for layout in layouts)]
    names, delimiter = headers[(known or [0])[0]]
    same = [table for table, header in zip(tables, headers, strict=True) if header[0] == names]
    raw = RawTable(connection, names)
    raw.encoding = encoding
    if not raw.names:
        raise SourceFormatError(f"{path}: holds no column that may be read, found {names}")
    _load(raw, same, names, delimiter, scratch)
    raw.n_rows = raw.rows("select count(*) from raw")[0][0]
    if not raw.n_rows:
        raise SourceFormatError(f"{path}: a header and no rows; fetch it again")
    return raw


def _open(path: Path, scratch: Path) -> tuple[list[TableFile], str | None]:
    """The tables, and the encoding to state where it is not UTF-8."""
    tables = open_tables(path, scratch)
    if all(table.kind == PARQUET or _is_utf8(table.path) for table in tables):
        return tables, None
    return open_tables(path, scratch, encoding=FALLBACK_ENCODING), FALLBACK_ENCODING


def _is_utf8(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8", newline="") as text:
            while text.read(CHUNK_CHARACTERS):
                pass
    except UnicodeDecodeError:
        return False
    return True


def _header(table: TableFile, scratch: Path) -> tuple[list[str], str]:
    if table.kind == PARQUET:
        with duckdb.connect() as connection:
            described = connection.execute(
                "describe select * from read_parquet(?)", [str(table.path)]
            )
            return [str(row[0]) for row in described.fetchall()], ""
    if table.kind == GEOJSON:
        found = write_features_as_csv(table.path, table.label, (), scratch / "names.csv")
        return list(found), ""
    with table.path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        start = text.read(HEADER_CHARACTERS)
    headers = {
        mark: next(csv.reader(io.StringIO(start), delimiter=mark), []) for mark in DELIMITERS
    }
    delimiter = max(DELIMITERS, key=lambda mark: len(headers[mark]))
    return headers[delimiter], delimiter


def _load(
    raw: RawTable, tables: list[TableFile], names: list[str], delimiter: str, scratch: Path
) -> None:
    kept = {place: int(place[1:]) for place in raw.names}
    paths = [str(table.path) for table in tables]
    if tables[0].kind == PARQUET:
        quoted = {place: '"' + names[at].replace('"', '""') + '"' for place, at in kept.items()}
        relation, chosen = "read_parquet($paths)", quoted
    else:
        if tables[0].kind == GEOJSON:
            paths, names, delimiter = _as_csv(tables, [names[at] for at in kept.values()], scratch)
            kept = {place: at for at, place in enumerate(kept)}
        types = ", ".join(f"'f{at}': 'VARCHAR'" for at in range(len(names)))
        relation = (
            f"read_csv($paths, auto_detect = false, header = true, delim = '{delimiter}', "
            f"quote = '\"', escape = '\"', columns = {{{types}}}, strict_mode = false, "
            "ignore_errors = true)"
        )
        chosen = {place: f"f{at}" for place, at in kept.items()}
    selected = ", ".join(
        f"nullif(trim(cast({column} as varchar)), '') as {place}"
        for place, column in chosen.items()
    )
    raw.connection.execute(
        f"create or replace table raw as select {selected} from {relation}", {"paths": paths}
    )


def _as_csv(
    tables: list[TableFile], wanted: list[str], scratch: Path
) -> tuple[list[str], list[str], str]:
    paths = []
    for table in tables:
        target = scratch / f"{table.path.name}-features.csv"
        write_features_as_csv(table.path, table.label, tuple(wanted), target)
        paths.append(str(target))
    return paths, wanted, ","

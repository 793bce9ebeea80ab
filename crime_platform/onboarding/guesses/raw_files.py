"""A publisher's files loaded as texts, whatever they are, for their columns to be guessed."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import duckdb

from crime_platform.onboarding.guesses.column_names import name_rank
from crime_platform.onboarding.guesses.raw_table import FILE, RawTable
from crime_platform.sources.files.encodings import looks_like
from crime_platform.sources.files.kinds import GEOJSON, PARQUET, TEXT
from crime_platform.sources.files.opening import TableFile, open_tables
from crime_platform.sources.scan.columns import column_key
from crime_platform.sources.scan.geojson import stated_crs, write_features_as_csv
from crime_platform.sources.scan.table_scan import DELIMITERS, HEADER_CHARACTERS
from crime_platform.vocabulary.incident import SourceFormatError

MEMORY_LIMIT = "2GB"  # beyond it the table goes to the scratch folder
MIN_SHARED = 0.5  # of the columns of two tables that hold the same things
MIN_FIELDS = 3  # of a row below lines that are no header
MAX_SHOWN = 5
FILLERS = (
    *("null", "(null)", "<null>", "#null!", "none", "nan", "na", "n/a", "#n/a", "n.a.", "nil"),
    *("-", "--", "?", "unknown", "missing", "not available"),
)
# A number, a date, a clock or a point.
MEASURED = r"^[-+]?\d+$|^[-+(\[]?\s*\d+([-/:.,]\s*\d|\s+[-+]?\d)|(?i)^point"
MIN_MEASURED = 0.99
_VALUE = re.compile(
    r"[-+]?\d+[.,]\d+|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*|POINT\s*\(.*|\d{1,2}:\d\d.*", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFile:
    """One table that was opened."""

    path: Path  # the file of the publisher
    table: TableFile
    names: tuple[str, ...]
    delimiter: str = ""
    stored: tuple[str, ...] = ()  # names in a Parquet file, where they are not the publisher's
    crs: str | None = None  # that a GeoJSON file names

    @property
    def keys(self) -> frozenset[str]:
        """Names of its columns, in the form in which they are compared."""
        return frozenset(map(column_key, self.names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How to get at the table in a file, where that is not plain."""

    encoding: str | None = None
    sheet: str | None = None
    layer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFiles:
    """The table `raw`, and the files behind it."""

    raw: RawTable
    loaded: list[RawFile]
    others: list[RawFile]  # of other columns, so not loaded


def read_raw(
    connection: duckdb.DuckDBPyConnection,
    paths: Sequence[Path],
    scratch: Path,
    *,
    layouts: Sequence[frozenset[str]] = (),
    opening: Opening | None = None,
) -> RawFiles:
    """Load files, and the tables of archives, that share most of their columns.

    Args:
        connection: where the table `raw` is made.
        paths: tables of any kind that is read, as they are or packed.
        scratch: existing folder for what must be unpacked.
        layouts: headers, in small letters, of which a table is preferred that has all of one.
        opening: what a person says of how to open them.

    Raises:
        SourceFormatError: if a file cannot be read, or no column may be read.
    """
    connection.execute("set memory_limit = ?", [MEMORY_LIMIT])
    connection.execute("set temp_directory = ?", [str(scratch)])
    files: list[RawFile] = []
    found_encoding = None if opening is None else opening.encoding
    for path in paths:
        tables, own = _open(path, scratch, opening or Opening())
        found_encoding = found_encoding or own
        files += [_described(path, table, scratch) for table in tables]
    _require_use(opening or Opening(), files)
    loaded = _alike(files, layouts)
    names = _all_names(loaded)
    raw = RawTable(connection, names)
    raw.encoding = found_encoding
    first = loaded[0]
    if first.table.kind == TEXT:
        _require_header(first)
    if not raw.names:
        raise SourceFormatError(
            f"{first.table.label}: holds no column that may be read, found {list(names)}"
        )
    _load(raw, loaded, scratch)
    _empty_fillers(raw)
    raw.n_rows = raw.rows("select count(*) from raw")[0][0]
    if not raw.n_rows:
        raise SourceFormatError(f"{first.path}: a header and no rows; fetch it again")
    return RawFiles(raw=raw, loaded=loaded, others=[file for file in files if file not in loaded])


def _require_use(opening: Opening, files: Sequence[RawFile]) -> None:
    """Refuse a sheet or a layer of files that have neither.

    Raises:
        SourceFormatError: if no file is a workbook or a file of layers.
    """
    # What is no plain table comes with the header that was found in it.
    if any(file.table.header for file in files):
        return
    for option, name, kind in (
        ("--sheet", opening.sheet, "workbook"),
        ("--layer", opening.layer, "file of layers"),
    ):
        if name is not None:
            raise SourceFormatError(
                f"{files[0].path}: no {kind}, so it has no {option[2:]} {name!r}; leave {option} "
                "out"
            )


def _open(path: Path, scratch: Path, opening: Opening) -> tuple[list[TableFile], str | None]:
    """The tables, and the encoding to state where it is not UTF-8."""
    opened = partial(open_tables, path, scratch, sheet=opening.sheet, layer=opening.layer)
    tables = opened(encoding=opening.encoding)
    if opening.encoding is not None:
        return tables, opening.encoding
    texts = [table for table in tables if table.kind in (TEXT, GEOJSON)]
    seen = next((found for table in texts if (found := looks_like(table.path))), None)
    if seen is None:
        return tables, None
    return opened(encoding=seen), seen


def _described(path: Path, table: TableFile, scratch: Path) -> RawFile:
    if table.kind == PARQUET:
        with duckdb.connect() as connection, _explained(table.label):
            found = connection.execute("describe select * from read_parquet(?)", [str(table.path)])
            names = [str(row[0]) for row in found.fetchall()]
        return RawFile(
            path=path, table=table, names=table.header or tuple(names), stored=tuple(names)
        )
    if table.kind == GEOJSON:
        names = write_features_as_csv(table.path, table.label, (), scratch / "names.csv")
        return RawFile(path=path, table=table, names=names, crs=stated_crs(table.path))
    rows = {mark: _rows(table.path, mark, 1) for mark in DELIMITERS}
    headers = {mark: found[0] if found else [] for mark, found in rows.items()}
    delimiter = max(DELIMITERS, key=lambda mark: len(headers[mark]))
    return RawFile(path=path, table=table, names=tuple(headers[delimiter]), delimiter=delimiter)


def _rows(path: Path, delimiter: str, n_rows: int) -> list[list[str]]:
    """The first rows of a text; fewer where one of them is no row."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as text:
        start = text.read(HEADER_CHARACTERS)
    reader = csv.reader(io.StringIO(start, newline=None), delimiter=delimiter)
    found = []
    try:
        for row in reader:
            found.append(row)
            if len(found) == n_rows:
                break
    except csv.Error:  # a field that is too long
        return found
    return found


def _require_header(file: RawFile) -> None:
    """Refuse a text whose first line is no line of column names.

    Raises:
        SourceFormatError: if it looks like data, or like a title above the header.
    """
    names = [name.strip() for name in file.names]
    values = [name for name in names if _VALUE.fullmatch(name)]
    if values:
        shown = ", ".join(map(repr, names[:MAX_SHOWN]))
        raise SourceFormatError(
            f"{file.table.label}: the first line looks like data, not like column names: {shown}; "
            "write a line with the name of each column above it, e.g. date,offence,lat,lon"
        )
    if len(names) == 1 and (mark := _strange_mark(file.table.path)):
        raise SourceFormatError(
            f"{file.table.label}: its fields look separated by {mark!r}, and read are those of "
            "comma, semicolon, tab and |: save it with one of these"
        )
    for mark in DELIMITERS:
        rows = _rows(file.table.path, mark, 30)
        widths = Counter(len(row) for row in rows[1:] if any(row))
        usual = widths.most_common(1)[0][0] if widths else 0
        if usual >= max(MIN_FIELDS, 2 * len(names)):
            line = next(at for at, row in enumerate(rows, start=1) if len(row) == usual)
            raise SourceFormatError(
                f"{file.table.label}: the first line {', '.join(names)[:60]!r} is no line of "
                f"column names: line {line} is the first with the {usual} fields of the rows below "
                "it; remove the lines above it"
            )


def _strange_mark(path: Path) -> str | None:
    """A mark that stands equally often, more than once, in each of the first lines."""
    with path.open(encoding="utf-8-sig", errors="replace") as text:
        lines = [line for line in text.read(HEADER_CHARACTERS).splitlines()[:20] if line]
    counts = [Counter(re.findall(r"[^\w\s.'\"-]", line)) for line in lines]
    alike = [
        mark
        for mark, n in counts[0].items()
        if n > 1 and all(other[mark] == n for other in counts[1:-1])
    ]
    return alike[0] if alike and len(lines) > 2 else None


def _alike(files: Sequence[RawFile], layouts: Sequence[frozenset[str]]) -> list[RawFile]:
    """The tables of a known layout, or of the columns that hold most bytes, and those like them."""
    sizes: Counter[frozenset[str]] = Counter()
    for file in files:
        sizes[file.keys] += file.table.path.stat().st_size
    known = [keys for keys in sizes if any(layout <= keys for layout in layouts)]
    main = max(known or list(sizes), key=lambda keys: sizes[keys])
    return [
        file
        for file in files
        if file.keys == main or len(file.keys & main) >= MIN_SHARED * len(file.keys | main)
    ]


def _all_names(files: Sequence[RawFile]) -> list[str]:
    """Names of all columns, each once, in the order of the first file."""
    first = list(files[0].names)
    keys = {column_key(name) for name in first}
    for file in files[1:]:
        for name in file.names:
            if column_key(name) not in keys:
                keys.add(column_key(name))
                first.append(name)
    return first


def _load(raw: RawTable, files: Sequence[RawFile], scratch: Path) -> None:
    columns = ", ".join(f"{place} varchar" for place in raw.names)
    raw.connection.execute(f"create or replace table raw ({columns}, {FILE} integer)")
    for at, file in enumerate(files):
        relation, path, sql_of = _relation(file, raw, scratch)
        selected = ", ".join(
            f"nullif(trim(cast({sql_of[column_key(name)]} as varchar)), '')"
            if column_key(name) in sql_of
            else "null"
            for name in raw.names.values()
        )
        with _explained(file.table.label):
            raw.connection.execute(
                f"insert into raw select {selected}, {at} from {relation}", {"path": str(path)}
            )


def _empty_fillers(raw: RawTable) -> None:
    """Take words such as NULL for nothing in columns of dates, numbers and points.

    A run reads nothing there either. In a column of offences they are labels, to be decided on.
    """
    for place, name in raw.names.items():
        if name_rank("offence", name) is not None:
            continue
        is_filler = f"list_contains({list(FILLERS)}, lower({place}))"
        ((n_fillers, n_measured, n),) = raw.rows(
            f"select count(*) filter ({is_filler}), count(*) filter (regexp_matches({place}, "
            f"'{MEASURED}')), count({place}) from raw"
        )
        if n_fillers and n_measured >= MIN_MEASURED * (n - n_fillers) > 0:
            raw.connection.execute(f"update raw set {place} = null where {is_filler}")


def _relation(file: RawFile, raw: RawTable, scratch: Path) -> tuple[str, Path, dict[str, str]]:
    """SQL to select from, the file it reads, and the SQL of each column by its key."""
    if file.table.kind == PARQUET:
        quoted = {
            column_key(name): '"' + stored.replace('"', '""') + '"'
            for name, stored in zip(file.names, file.stored, strict=True)
        }
        return "read_parquet($path)", file.table.path, quoted
    path, names, delimiter = file.table.path, list(file.names), file.delimiter
    if file.table.kind == GEOJSON:
        wanted = [name for name in raw.names.values() if column_key(name) in file.keys]
        path, names, delimiter = scratch / f"{path.name}-features.csv", wanted, ","
        write_features_as_csv(file.table.path, file.table.label, tuple(wanted), path)
    types = ", ".join(f"'f{at}': 'VARCHAR'" for at in range(len(names)))
    relation = (
        f"read_csv($path, auto_detect = false, header = true, delim = '{delimiter}', "
        f"quote = '\"', escape = '\"', columns = {{{types}}}, strict_mode = false, "
        "ignore_errors = true, compression = 'none')"
    )
    keys = [column_key(name) for name in names]
    return relation, path, {key: f"f{keys.index(key)}" for key in keys}


@contextmanager
def _explained(label: str) -> Iterator[None]:
    """Say which file a database error is about."""
    try:
        yield
    except duckdb.Error as error:
        raise SourceFormatError(
            f"{label}: cannot be read ({str(error).splitlines()[0]}); fetch the file again"
        ) from error

"""Any table of incidents read by the mapping of a study area: CSV, TSV, Parquet or GeoJSON.

Rows go through DuckDB in bounded memory and come out as two Parquet files, one with the accepted
incidents and one with the rejected rows, beside a report that accounts for every row.
"""

import datetime as dt
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from crime_platform.sources.files.archives import fresh_path
from crime_platform.sources.files.encodings import looks_like
from crime_platform.sources.files.kinds import TEXT
from crime_platform.sources.files.opening import open_tables, source_files
from crime_platform.sources.places import locate
from crime_platform.sources.quality import require_quality, require_some_accepted
from crime_platform.sources.row_checks import (
    REJECTED,
    apply_duplicate_rule,
    judge_rows,
    place_points,
)
from crime_platform.sources.scan.table_scan import BROKEN, LOADED, load_file
from crime_platform.sources.table_report import TableReport, report_of
from crime_platform.study_area.study_area import Source, StudyArea
from crime_platform.vocabulary.incident import BROKEN_ROW, INCIDENT_COLUMNS
from crime_platform.vocabulary.projection import CellFinder

MEMORY_LIMIT = "2GB"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """What one file (or archive) held."""

    path: Path
    incidents: Path  # Parquet, INCIDENT_COLUMNS
    rejected: Path  # Parquet, REJECTED_COLUMNS
    report: TableReport


def read_source(
    source: Source,
    area: StudyArea,
    home: Path,
    scratch: Path,
    *,
    grid: CellFinder | None = None,
    as_of: dt.date | None = None,
) -> list[TableReading]:
    """Every file of a source, refused as a whole when it breaks the area's quality limits.

    Raises:
        SourceFormatError: if a file is missing or unreadable, or too many rows are rejected.
        CoordinateError: if too many incidents lie outside the grid.
    """
    readings = [
        read_table_file(path, source, area, scratch, home=home, grid=grid, as_of=as_of)
        for path in source_files(source, home)
    ]
    require_quality([reading.report for reading in readings], source, area, grid)
    return readings


def read_table_file(
    path: Path,
    source: Source,
    area: StudyArea,
    scratch: Path,
    *,
    home: Path = Path(),
    grid: CellFinder | None = None,
    as_of: dt.date | None = None,
) -> TableReading:
    """Read one file, or all tables in one archive, by the mapping of `source`.

    Arguments are those of `examine_table_file`.

    Raises:
        SourceFormatError: if the file cannot be read as described, or no row is accepted.
        CoordinateError: if no row is accepted because all lie outside the grid.
    """
    reading = examine_table_file(path, source, area, scratch, home=home, grid=grid, as_of=as_of)
    require_some_accepted(reading.report, source, area, grid)
    return reading


def examine_table_file(
    path: Path,
    source: Source,
    area: StudyArea,
    scratch: Path,
    *,
    home: Path = Path(),
    grid: CellFinder | None = None,
    as_of: dt.date | None = None,
) -> TableReading:
    """Read one file, or all tables in one archive, even if no row of it can be accepted.

    Args:
        path: the publisher's file.
        source: how its columns are read.
        area: offence types, months and time zone.
        scratch: existing folder for the result and what is unpacked on the way.
        home: where the path of the table of places starts, if the source has one.
        grid: finds each incident's cell; without one, cells stay null and nothing is outside.
        as_of: last day that can have happened; today in the area when absent.

    Raises:
        SourceFormatError: if the file cannot be read as described.
        RuntimeError: if the rows do not add up, which is a mistake of the platform.
    """
    own = fresh_path(scratch)
    unpacked = own / "unpacked"
    unpacked.mkdir(parents=True)
    as_of = as_of or dt.datetime.now(ZoneInfo(area.timezone)).date()
    try:
        with duckdb.connect() as connection:
            _configure(connection, unpacked)
            tables = open_tables(
                path,
                unpacked,
                encoding=source.encoding,
                members=source.members,
                sheet=source.sheet,
                layer=source.layer,
                crs=source.crs,
            )
            headers = tuple(
                load_file(connection, file, source, area, unpacked, is_alone=len(tables) == 1)
                for file in tables
            )
            n_rows = _n_loaded(connection)
            match = None
            if source.places is not None:
                match = locate(connection, source.places, home, unpacked)
            place_points(connection, source, area, grid, unpacked / "places.parquet")
            judge_rows(connection, area, as_of, unpacked / "places.parquet")
            n_repeated = apply_duplicate_rule(connection, source.duplicates)
            incidents, rejected = _write(connection, own)
            report = report_of(
                connection,
                path.name,
                n_rows=n_rows,
                n_repeated=n_repeated,
                as_of=as_of,
                match=match,
            )
            encoding = None
            if source.encoding is None and report.n_rejected.get(BROKEN_ROW):
                texts = [file.path for file in tables if file.kind == TEXT]
                encoding = next(filter(None, map(looks_like, texts)), None)
            report = replace(report, headers=headers, encoding=encoding)
    finally:
        shutil.rmtree(unpacked)
    report.require_accounted()
    return TableReading(path=path, incidents=incidents, rejected=rejected, report=report)


def _configure(connection: duckdb.DuckDBPyConnection, spill: Path) -> None:
    connection.execute("set memory_limit = ?", [MEMORY_LIMIT])
    connection.execute("set temp_directory = ?", [str(spill)])
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"{LOADED}; {BROKEN}")


def _n_loaded(connection: duckdb.DuckDBPyConnection) -> int:
    query = "select (select count(*) from loaded) + (select count(*) from broken)"
    return int(connection.execute(query).fetchall()[0][0])


def _write(connection: duckdb.DuckDBPyConnection, folder: Path) -> tuple[Path, Path]:
    connection.execute(REJECTED)
    incidents, rejected = folder / "incidents.parquet", folder / "rejected.parquet"
    columns = ", ".join(INCIDENT_COLUMNS)
    # Both are read once and thrown away, so nothing is spent on making them small.
    for query, path in (
        (f"select {columns} from judged where is_accepted", incidents),
        ("select * from rejected", rejected),
    ):
        target = "'" + str(path).replace("'", "''") + "'"
        connection.execute(
            f"copy ({query}) to {target} (format parquet, compression snappy, "
            "dictionary_size_limit 1)"
        )
    return incidents, rejected

"""From a publisher's files to incidents in the warehouse: new and changed files only.

A file is read into scratch, judged as a whole, and stored in one transaction. Its key is its bytes
and the way it is read, so an unchanged file is not opened again and a changed mapping is.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from crime_platform.geography.grid import Grid
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.sources.api.fetching import fetch_area, last_fetch
from crime_platform.sources.conversion.kinds import CONVERTERS
from crime_platform.sources.files.opening import file_sha256, file_state, published_on, source_files
from crime_platform.sources.files.times import content_moment
from crime_platform.sources.quality import require_quality
from crime_platform.sources.table import TableReading, read_table_file
from crime_platform.sources.table_report import TableReport
from crime_platform.study_area.source import PlaceTable, Source
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.artifact import content_key, remove, write_json
from crime_platform.vocabulary.code_version import code_version
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.seal import is_whole, sealed
from crime_platform.warehouse.file import now
from crime_platform.warehouse.warehouse import Warehouse

if TYPE_CHECKING:
    import pandas as pd

GRID_FILE = "grid.json"
SCRATCH = "scratch-"


@dataclass(slots=True, kw_only=True)
class IngestReport:
    """What one ingest found."""

    read_at: datetime = field(default_factory=now)  # one moment for all files of this ingest
    n_accepted: int = 0  # incidents rows in the current view
    n_read: int = 0  # files that were new or changed
    problems: list[str] = field(default_factory=list)  # why a source was refused as a whole
    file_rows: list[dict] = field(default_factory=list)  # one per current file, for the UI
    findings: list[dict] = field(default_factory=list)  # accepted and rejected, for the UI
    preview: "pd.DataFrame | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """One file of one source, with its key."""

    source: Source
    path: Path
    sha256: str
    reading_key: str
    state: tuple[int, int, int]  # when it was hashed

    def label(self, home: PlatformHome) -> str:
        inside = self.path.is_relative_to(home.root)
        return str(self.path.relative_to(home.root) if inside else self.path)


def ingest_area(area: StudyArea, home: PlatformHome) -> IngestReport:
    """Bring the warehouse up to date with the area's files, which an API's are fetched for first.

    A source whose rows break the area's quality limits is refused as a whole: nothing of it is
    stored, the report says why, and what the warehouse held before stays. The current view changes
    once, when every source is taken in: until then it is that of the last ingest.

    Raises:
        SourceFormatError: if a file is missing or cannot be read as the TOML says, or an API
            cannot be fetched from.
        CoordinateError: if no incident of a file lies in the study area.
    """
    fetch_area(area, home)
    warehouse = Warehouse(home.warehouse)
    warehouse.add_missing_tables()
    report = IngestReport()
    grid = area_grid(area, home)
    current: list[tuple[str, str, str]] = []
    known = warehouse.known_files(area.name)
    for source in area.sources:
        files = _files(source, area, grid, home)
        keys = [(file.label(home), file.sha256, file.reading_key) for file in files]
        fresh = [file for file, key in zip(files, keys, strict=True) if key not in known]
        report.n_read += len(fresh)
        current += keys
        with _scratch(home) as scratch:
            _take_in(fresh, source, area, grid, home, scratch, report)
    is_news = report.n_read or {key for key, is_current in known.items() if is_current} != {
        *current
    }
    if is_news and not report.problems:
        warehouse.retire_other_files(area.name, current, moment=report.read_at)
    if not report.problems:
        _confirm_fetched(area, home, warehouse)
    _describe(area, warehouse, report)
    return report


def _confirm_fetched(area: StudyArea, home: PlatformHome, warehouse: Warehouse) -> None:
    """Note of an API's files that they still were what it holds when it was asked last."""
    for source in area.sources:
        fetched_at = last_fetch(source, area, home)
        if fetched_at is not None:
            warehouse.confirm_files(area.name, source.name, fetched_at)


def area_grid(area: StudyArea, home: PlatformHome) -> Grid:
    """The area's grid; one that follows from incidents is found once and then kept.

    A grid that moved with every new file would make months incomparable. Delete the area's
    `grid.json` to find it anew.
    """
    kept = home.artifacts(area.name) / GRID_FILE
    if area.grid.extent_m is not None or area.grid.boundary_file is not None:
        return grid_of(area, home=home.root)
    if not is_whole(kept):
        with sealed(kept) as aside:
            write_json(aside, asdict(_grid_of_incidents(area, home)))
    return Grid(**json.loads(kept.read_text(encoding="utf-8")))


def _grid_of_incidents(area: StudyArea, home: PlatformHome) -> Grid:
    import pandas as pd

    with _scratch(home) as scratch:
        readings = [
            read_table_file(path, source, area, scratch, home=home.root)
            for source in area.sources
            for path in source_files(source, home.root)
        ]
        points = pd.concat(
            [pd.read_parquet(reading.incidents, columns=["x_m", "y_m"]) for reading in readings]
        ).dropna()
    return grid_of(area, x_m=points["x_m"].to_numpy(), y_m=points["y_m"].to_numpy())


def _files(source: Source, area: StudyArea, grid: Grid, home: PlatformHome) -> list[SourceFile]:
    """Files of a source by name; the same bytes under two names are an error.

    Raises:
        SourceFormatError: if two files are equal: their incidents would count twice.
    """
    key = content_key(
        # How files came here says nothing on how they are read.
        {key: value for key, value in asdict(source).items() if key != "api"},
        [asdict(kind) for kind in area.offence_types],
        [*area.ignored_labels, *area.ignored_label_patterns],
        [area.first_month, area.last_month, area.timezone, area.crs],
        grid,
        None if source.places is None else file_sha256(_places_file(source.places, home)),
        code_version(__name__, *CONVERTERS.values()),
    )
    found: dict[str, SourceFile] = {}
    for path in source_files(source, home.root):
        state = file_state(path)
        file = SourceFile(
            source=source, path=path, sha256=file_sha256(path), reading_key=key, state=state
        )
        if file.sha256 in found:
            raise SourceFormatError(
                f"{path} and {found[file.sha256].path} hold the same bytes, and their incidents "
                f"would count twice: remove one, or narrow paths of source {source.name!r}"
            )
        found[file.sha256] = file
    return list(found.values())


def _places_file(places: PlaceTable, home: PlatformHome) -> Path:
    path = home.root.absolute() / places.file
    if not path.is_file():
        raise SourceFormatError(
            f"{path}: no such file. Put the table of {places.vintage} there, or correct file under "
            "[source.places]"
        )
    return path


def _take_in(
    files: list[SourceFile],
    source: Source,
    area: StudyArea,
    grid: Grid,
    home: PlatformHome,
    scratch: Path,
    report: IngestReport,
) -> None:
    """Read the files into scratch, judge them together, then store them one by one."""
    readings: list[tuple[SourceFile, TableReading]] = []
    for done, file in enumerate(files, start=1):
        reading = read_table_file(file.path, source, area, scratch, home=home.root, grid=grid)
        if file_state(file.path) != file.state:
            raise SourceFormatError(
                f"{file.path}: was written to while it was read, so it may be half a file; run "
                "again when it is whole"
            )
        readings.append((file, reading))
        report_progress(
            Progress(
                task=f"reading {source.name}",
                done=done,
                total=len(files),
                unit="file",
                detail=f"{reading.report.n_rows:,} rows",
            )
        )
    if not readings:
        return
    reports = [reading.report for _, reading in readings]
    try:
        require_quality(reports, source, area, grid)
    except (SourceFormatError, CoordinateError) as problem:
        report.problems.append(str(problem))
        report.findings += _findings(area, readings, home).to_dict("records")
        return
    store_readings(readings, area, home, read_at=report.read_at)


def store_readings(
    readings: Sequence[tuple[SourceFile, TableReading]],
    area: StudyArea,
    home: PlatformHome,
    *,
    read_at: datetime,
) -> None:
    """Store files that were read, each in one transaction; none is current before it is said so.

    What was found in them goes first: a file that is stored is not read again, so a run that ends
    in between would leave it without findings for ever.

    Raises:
        SourceFormatError: if a file's name does not say when it was published, and it should.
    """
    entries = [_entry(area, file, reading.report, home, read_at) for file, reading in readings]
    warehouse = Warehouse(home.warehouse)
    warehouse.replace_quality(area.name, _findings(area, readings, home))
    for entry, (_, reading) in zip(entries, readings, strict=True):
        warehouse.replace_file(
            entry,
            incidents=reading.incidents,
            rejected=reading.rejected,
            headers=reading.report.headers,
        )


def _entry(
    area: StudyArea, file: SourceFile, found: TableReport, home: PlatformHome, read_at: datetime
) -> dict[str, object]:
    _, changed_ns, _ = file.state
    return {
        "study_area": area.name,
        "source": file.source.name,
        "file_path": file.label(home),
        "sha256": file.sha256,
        "reading_key": file.reading_key,
        "n_rows": found.n_rows,
        "n_accepted": found.n_accepted,
        "n_rejected": sum(found.n_rejected.values()),
        "n_ungeocoded": found.n_accepted - found.n_geocoded,
        "n_duplicates": found.n_repeated,
        "first_day": found.first_day,
        # Also of rows that are not counted: they show that the months before them have ended.
        "last_day": found.end_day,
        "published_on": published_on(file.source, file.path),
        "content_at": content_moment(
            changed_ns, found.last_day, timezone=area.timezone, read_at=read_at
        ),
        "revisions": file.source.revisions,
        "is_current": False,  # until every source of the area is taken in
        "ingested_at": read_at,
    }


def _findings(
    area: StudyArea, readings: Sequence[tuple[SourceFile, TableReading]], home: PlatformHome
) -> "pd.DataFrame":
    import pandas as pd

    rows = [
        {
            "study_area": area.name,
            "source": file.source.name,
            "file_path": file.label(home),
            "finding": finding,
            "n_rows": n_rows,
            "share": share,
            "example": example,
            "measured_at": now(),
        }
        for file, reading in readings
        for finding, n_rows, share, example in reading.report.findings()
    ]
    return pd.DataFrame(rows)


def _describe(area: StudyArea, warehouse: Warehouse, report: IngestReport) -> None:
    """Fill in what the UI shows of the current files."""
    queries = (
        "select n_rows, n_accepted, n_rejected, n_ungeocoded, n_duplicates, "
        "first_day::varchar as first_day, last_day::varchar as last_day, source, file_path, sha256 "
        "from source_file where study_area = ? and is_current order by file_path",
        "select finding, n_rows, share, example, source, file_path from data_quality "
        "where study_area = ? and n_rows > 0 order by file_path, n_rows desc",
        # Not from the incidents themselves: to go through millions of them takes seconds.
        "select coalesce(sum(n_rows), 0)::bigint as n from month_known_at('infinity'::timestamptz) "
        "where study_area = ?",
        "select occurred_on::varchar as occurred_on, occurred_hour, offence_type, source_offence, "
        "lon, lat, row, col, n_incidents from incident where study_area = ? limit 5",
    )
    files, findings, counted, report.preview = warehouse.read_each(queries, area.name)
    report.n_accepted = int(counted["n"].item())
    report.file_rows = files.to_dict("records")
    report.findings = report.findings or findings.to_dict("records")


@contextmanager
def _scratch(home: PlatformHome) -> Iterator[Path]:
    """A folder on the same disk that is gone afterwards; those of killed processes go too."""
    home.root.mkdir(parents=True, exist_ok=True)
    for left in home.root.glob(f"{SCRATCH}*"):
        # A folder of the user's may begin with the same word.
        ours = re.fullmatch(rf"{SCRATCH}(\d{{1,9}})-\w+", left.name)
        if ours is not None and not _is_alive(int(ours[1])):
            remove(left)
    prefix = f"{SCRATCH}{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=home.root) as folder:
        yield Path(folder)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

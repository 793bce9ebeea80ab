"""What a study area's TOML makes of its files, found without storing anything.

The files are read as an ingest reads them; nothing is written but scratch that is gone afterwards.
What an ingest would refuse is gathered, not raised, so that a person sees all of it at once.
"""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
from jaxtyping import Float

from crime_platform.geography.grid import Grid, grid_of
from crime_platform.geography.siting import (
    Extent,
    area_stretch,
    middle,
    suggested_extent,
    utm_crs,
)
from crime_platform.ingest import GRID_FILE, area_grid
from crime_platform.sources.files import file_sha256, missing_files, source_files
from crime_platform.sources.quality import require_quality, require_some_accepted
from crime_platform.sources.table import TableReading, examine_table_file
from crime_platform.sources.table_report import TableReport, together
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import OUTSIDE_GRID, CoordinateError, SourceFormatError
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.projection import project
from crime_platform.vocabulary.source import Source
from crime_platform.vocabulary.study_area import StudyArea
from crime_platform.vocabulary.timesteps import month_range

SUGGESTED_TRIM = 0.001  # of the incidents, on each side of a suggested extent


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What the files of one source hold."""

    source: Source
    n_files: int
    report: TableReport  # of all its files together
    with_hour_share: float  # of accepted rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the incidents lie, inside the stated grid or not."""

    crs: str | None  # UTM zone of the median incident
    stretch: float  # of areas in the stated CRS, there
    extent: Extent  # that would suit them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timing:
    """When the accepted incidents happened."""

    months: np.ndarray  # from the area's first month to the last one with an incident
    per_month: np.ndarray  # incidents
    last_day: np.datetime64
    months_only: bool  # every incident is on the first of a month


@dataclass(slots=True, kw_only=True, eq=False)
class AreaFacts:
    """What was found in the files of an area."""

    area: StudyArea
    grid: Grid | None = None
    sources: list[SourceFacts] = field(default_factory=list)
    per_label: list[tuple[str, str, int]] = field(default_factory=list)  # type, label, incidents
    timing: Timing | None = None  # without one, no incident was accepted
    site: Site | None = None  # without one, no incident has a place
    refusals: list[str] = field(default_factory=list)  # why an ingest would not take the files in


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One file of one source, read."""

    source: Source
    reading: TableReading


def gather_facts(area: StudyArea, home: PlatformHome) -> AreaFacts:
    """Read every file of an area.

    Args:
        area: what the TOML declares.
        home: where relative paths of files start; its warehouse is not touched.
    """
    facts = AreaFacts(area=area)
    with tempfile.TemporaryDirectory(prefix="check-area-") as folder:
        scratch = Path(folder)
        files = _files(facts, home)
        facts.grid = _grid(facts, files, home, scratch)
        read = _read(facts, files, home, scratch)
        for source in area.sources:
            own = [each.reading for each in read if each.source is source]
            if own:
                _judge_source(facts, source, own)
        if any(found.report.n_accepted for found in facts.sources):
            _describe(facts, read)
    return facts


def _missing(source: Source, area: StudyArea, path: Path) -> str:
    if source.api is not None:
        return (
            f"source {source.name!r} was never fetched from {', '.join(source.api.urls)}: run "
            f"crime-platform fetch --study-area {area.name}, then check again"
        )
    return (
        f"{path}: no such file. Put the publisher's file there, or correct paths of source "
        f"{source.name!r} (relative paths start at the home folder)"
    )


def _files(facts: AreaFacts, home: PlatformHome) -> list[tuple[Source, Path]]:
    """Every file that is there; what is not there, or twice, is noted."""
    found: list[tuple[Source, Path]] = []
    for source in facts.area.sources:
        missing = missing_files(source.paths, home.root)
        facts.refusals += [_missing(source, facts.area, home.root / each) for each in missing]
        patterns = tuple(pattern for pattern in source.paths if pattern not in missing)
        if not patterns:
            continue
        try:
            paths = source_files(replace(source, paths=patterns), home.root)
        except SourceFormatError as problem:
            facts.refusals.append(str(problem))
            continue
        first_with: dict[str, Path] = {}
        for path in paths:
            twin = first_with.setdefault(file_sha256(path), path)
            if twin is path:
                found.append((source, path))
            else:
                facts.refusals.append(
                    f"{path} and {twin} hold the same bytes, and their incidents would count "
                    f"twice: remove one, or narrow paths of source {source.name!r}"
                )
    return found


def _grid(
    facts: AreaFacts, files: list[tuple[Source, Path]], home: PlatformHome, scratch: Path
) -> Grid | None:
    """The grid that an ingest would use; one that follows from incidents is not kept here."""
    spec = facts.area.grid
    is_known = spec.extent_m is not None or spec.boundary_file is not None
    try:
        if is_known or (home.artifacts(facts.area.name) / GRID_FILE).exists():
            return area_grid(facts.area, home)
        if files:
            x_m, y_m = _points(facts.area, _read(facts, files, home, scratch, is_first=True))
            return grid_of(facts.area, x_m=x_m, y_m=y_m)
    except CoordinateError as problem:
        facts.refusals.append(str(problem))
    return None


def _read(
    facts: AreaFacts,
    files: list[tuple[Source, Path]],
    home: PlatformHome,
    scratch: Path,
    *,
    is_first: bool = False,
) -> list[_Read]:
    """The files that can be read at all; the others are noted, unless they are read again."""
    read: list[_Read] = []
    for done, (source, path) in enumerate(files, start=1):
        try:
            reading = examine_table_file(
                path, source, facts.area, scratch, home=home.root, grid=facts.grid
            )
            read.append(_Read(source=source, reading=reading))
        except (SourceFormatError, CoordinateError) as problem:
            if not is_first:
                facts.refusals.append(str(problem))
        report_progress(
            Progress(
                task="placing incidents" if is_first else "reading files",
                done=done,
                total=len(files),
                unit="file",
                detail=path.name,
            )
        )
    return read


def _judge_source(facts: AreaFacts, source: Source, readings: list[TableReading]) -> None:
    """Note why an ingest would refuse the source, in its words."""
    usable: list[TableReport] = []
    for reading in readings:
        try:
            require_some_accepted(reading.report, source, facts.area, facts.grid)
            usable.append(reading.report)
        except (SourceFormatError, CoordinateError) as problem:
            facts.refusals.append(str(problem))
    if usable:
        try:
            require_quality(usable, source, facts.area, facts.grid)
        except (SourceFormatError, CoordinateError) as problem:
            facts.refusals.append(str(problem))
    ((n_rows, n_with_hour),) = _rows(
        "select count(*), count(occurred_hour) from read_parquet($files)",
        [reading.incidents for reading in readings],
    )
    facts.sources.append(
        SourceFacts(
            source=source,
            n_files=len(readings),
            report=together([reading.report for reading in readings], source.name),
            with_hour_share=n_with_hour / max(n_rows, 1),
        )
    )


def _describe(facts: AreaFacts, read: list[_Read]) -> None:
    """Fill in what, when and where, from what was accepted."""
    incidents = [each.reading.incidents for each in read]
    facts.per_label = _rows(
        "select offence_type, min(source_offence), sum(n_incidents)::bigint from "
        "read_parquet($files) group by offence_type, lower(trim(source_offence)) "
        "order by 3 desc, 1, 2",
        incidents,
    )
    counted = dict(
        _rows(
            "select month::varchar, sum(n_incidents)::bigint from read_parquet($files) group by 1",
            incidents,
        )
    )
    ((last_day, months_only),) = _rows(
        "select max(occurred_on)::varchar, bool_and(day(occurred_on) = 1) "
        "from read_parquet($files)",
        incidents,
    )
    months = month_range(facts.area.first_month, np.datetime64(max(counted)[:7], "M"))
    facts.timing = Timing(
        months=months,
        per_month=np.array([counted.get(f"{month}-01", 0) for month in months]),
        last_day=np.datetime64(last_day, "D"),
        months_only=bool(months_only),
    )
    x_m, y_m = _points(facts.area, read)
    if x_m.size:
        facts.site = _site(facts.area, x_m, y_m)


def _site(
    area: StudyArea, x_m: Float[np.ndarray, " point"], y_m: Float[np.ndarray, " point"]
) -> Site:
    lon, lat = middle(x_m, y_m, area.crs)
    return Site(
        crs=utm_crs(lon, lat),
        stretch=area_stretch(area.crs, lon, lat),
        extent=suggested_extent(
            x_m, y_m, cell_size_m=area.grid.cell_size_m, trim_share=SUGGESTED_TRIM
        ),
    )


def _points(
    area: StudyArea, read: list[_Read]
) -> tuple[Float[np.ndarray, " point"], Float[np.ndarray, " point"]]:
    """Metres of every accepted incident, and of those that only their place speaks against."""
    placed = _arrays(
        "select x_m, y_m from read_parquet($files) where x_m is not null",
        [each.reading.incidents for each in read],
    )
    points = [placed]
    for each in read:
        east, north = _arrays(
            "select split_part(value, ' ', 1)::double as x, split_part(value, ' ', 2)::double as y "
            f"from read_parquet($files) where reason = '{OUTSIDE_GRID}'",
            [each.reading.rejected],
        )
        points.append(project(east, north, source=each.source.point_crs, target=area.crs))
    x_m, y_m = (np.concatenate(axis) for axis in zip(*points, strict=True))
    known = np.isfinite(x_m) & np.isfinite(y_m)
    return x_m[known], y_m[known]


def _rows(query: str, files: list[Path]) -> list[tuple]:
    with duckdb.connect() as connection:
        return connection.execute(query, {"files": [str(file) for file in files]}).fetchall()


def _arrays(query: str, files: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    with duckdb.connect() as connection:
        found = connection.execute(query, {"files": [str(file) for file in files]}).fetchnumpy()
    x, y = (np.asarray(column, dtype=float) for column in found.values())
    return x, y

"""What a study area's TOML makes of its files, found without storing anything.

The files are read as an ingest reads them; nothing is written but scratch that is gone afterwards.
What an ingest would refuse is gathered, not raised, so that a person sees all of it at once.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb
import numpy as np
from jaxtyping import Float

from crime_platform.data_checks.run_size import RunSize, size_of_run
from crime_platform.geography.grid import Grid
from crime_platform.geography.siting import (
    Extent,
    area_stretch,
    middle,
    suggested_extent,
    utm_crs,
)
from crime_platform.onboarding.crs_check import crs_remarks
from crime_platform.onboarding.street_trial import StreetTrial, try_streets
from crime_platform.onboarding.trial import Trial, try_data
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import GRID_FILE, SourceFile, area_grid
from crime_platform.sources.files.opening import (
    file_sha256,
    file_state,
    missing_files,
    source_files,
)
from crime_platform.sources.quality import require_quality, require_some_accepted
from crime_platform.sources.table import TableReading, examine_table_file
from crime_platform.sources.table_report import TableReport, together
from crime_platform.study_area.source import Source
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import (
    BEFORE_FIRST_MONTH,
    OUTSIDE_GRID,
    CoordinateError,
    SourceFormatError,
)
from crime_platform.vocabulary.progress import Progress, report_progress
from crime_platform.vocabulary.projection import project
from crime_platform.vocabulary.timesteps import Month
from crime_platform.warehouse.warehouse import Warehouse

SUGGESTED_TRIM = 0.001  # of the incidents, on each side of a suggested extent
EARLIEST = np.datetime64("1900-01", "M")
MANY_EARLIER = 0.02  # of a file's rows; fewer are late reports
READ_HERE = "check-area"  # with the source: in the place of the key of how an ingest reads


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What the files of one source hold."""

    source: Source
    n_files: int
    report: TableReport  # of all its files together
    with_hour_share: float  # of accepted rows
    n_older: int = 0  # accepted rows of months that a later file holds anew


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Where the incidents lie, inside the stated grid or not."""

    crs: str | None  # UTM zone of the median incident
    stretch: float  # of areas in the stated CRS, there
    extent: Extent  # that would suit them
    crs_remarks: list[str]  # why the CRS of grid or source may be a wrong one


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFacts:
    """What is counted of one offence type."""

    name: str
    n: int  # incidents
    n_placed: int  # of them with a place in the grid
    n_outside: int = 0  # rows rejected because they lie outside the grid, where none is counted


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Timing:
    """When the counted incidents happened."""

    months: np.ndarray  # from the area's first month to the last one with an incident
    per_month: np.ndarray  # incidents
    n_complete: int  # months that a forecast may be made of
    last_complete: Month | None


@dataclass(slots=True, kw_only=True, eq=False)
class AreaFacts:
    """What was found in the files of an area."""

    area: StudyArea
    grid: Grid | None = None
    sources: list[SourceFacts] = field(default_factory=list)
    per_label: list[tuple[str, str, int]] = field(default_factory=list)  # type, label, incidents
    per_type: list[TypeFacts] = field(default_factory=list)  # in the order of the TOML
    timing: Timing | None = None  # without one, no incident was accepted
    trial: Trial = field(default_factory=Trial)  # of the data part of a run
    earlier: dict[Month, int] = field(default_factory=dict)  # incidents before the first month
    size: RunSize | None = None  # of a run of the months; without one, no grid or no month is known
    streets: StreetTrial | None = None  # without one, the TOML has no [streets]
    site: Site | None = None  # without one, no incident has a place
    refusals: list[str] = field(default_factory=list)  # why an ingest would not take the files in


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """One file of one source, read."""

    file: SourceFile
    reading: TableReading

    @property
    def source(self) -> Source:
        return self.file.source


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
        trial_home = replace(home, trial=scratch)
        if any(found.report.n_accepted for found in facts.sources):
            pairs = [(each.file, each.reading) for each in read]
            facts.trial = try_data(area, pairs, trial_home)
            _describe(facts, read, trial_home)
            _count_types(facts, read, trial_home, scratch)
            facts.earlier = _earlier(facts, read, home, scratch)
        facts.size = _size(facts)
        if area.streets is not None:
            is_stored = facts.trial.counts is not None
            facts.streets = try_streets(area, trial_home, is_stored=is_stored)
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


def _files(facts: AreaFacts, home: PlatformHome) -> list[SourceFile]:
    """Every file that is there; what is not there, or twice, is noted."""
    found: list[SourceFile] = []
    for source in facts.area.sources:
        try:
            missing = missing_files(source.paths, home.root)
            facts.refusals += [_missing(source, facts.area, home.root / each) for each in missing]
            patterns = tuple(pattern for pattern in source.paths if pattern not in missing)
            if patterns:
                paths = source_files(replace(source, paths=patterns), home.root)
                found += _distinct(facts, source, paths)
        except SourceFormatError as problem:
            facts.refusals.append(str(problem))
    return found


def _distinct(facts: AreaFacts, source: Source, paths: Sequence[Path]) -> list[SourceFile]:
    """Files with bytes of their own; the others are noted."""
    first_with: dict[str, SourceFile] = {}
    for path in paths:
        file = SourceFile(
            source=source,
            path=path,
            sha256=file_sha256(path),
            reading_key=f"{READ_HERE} {source.name}",  # two sources may share a file
            state=file_state(path),
        )
        twin = first_with.setdefault(file.sha256, file)
        if twin is not file:
            facts.refusals.append(
                f"{path} and {twin.path} hold the same bytes, and their incidents would count "
                f"twice: remove one, or narrow paths of source {source.name!r}"
            )
    return list(first_with.values())


def _grid(
    facts: AreaFacts, files: list[SourceFile], home: PlatformHome, scratch: Path
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
    files: list[SourceFile],
    home: PlatformHome,
    scratch: Path,
    *,
    is_first: bool = False,
) -> list[_Read]:
    """The files that can be read at all; the others are noted, unless they are read again."""
    read: list[_Read] = []
    for done, file in enumerate(files, start=1):
        try:
            reading = examine_table_file(
                file.path, file.source, facts.area, scratch, home=home.root, grid=facts.grid
            )
            read.append(_Read(file=file, reading=reading))
        except (SourceFormatError, CoordinateError) as problem:
            if not is_first:
                facts.refusals.append(str(problem))
        report_progress(
            Progress(
                task="placing incidents" if is_first else "reading files",
                done=done,
                total=len(files),
                unit="file",
                detail=file.path.name,
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


def _describe(facts: AreaFacts, read: list[_Read], home: PlatformHome) -> None:
    """Fill in what, when and where, from what a run would count."""
    warehouse, area = Warehouse(home.warehouse), facts.area
    labels, counted = warehouse.read_each(
        (
            "select offence_type, min(source_offence) as label, sum(n_incidents)::bigint as n "
            "from incident where study_area = ? group by offence_type, lower(trim(source_offence)) "
            "order by 3 desc, 1, 2",
            "select source, count(*) as n from incident where study_area = ? group by all",
        ),
        area.name,
    )
    facts.per_label = list(labels.itertuples(index=False, name=None))
    current = dict(zip(counted["source"], counted["n"], strict=True))
    facts.sources = [
        replace(each, n_older=each.report.n_accepted - int(current.get(each.source.name, 0)))
        for each in facts.sources
    ]
    counts = facts.trial.counts
    if counts is not None:
        facts.timing = Timing(
            months=counts.totals["month"].to_numpy().astype("datetime64[M]"),
            per_month=counts.totals["count"].to_numpy(),
            n_complete=counts.n_complete,
            last_complete=counts.last_complete,
        )
    x_m, y_m = _points(area, read)
    if x_m.size:
        facts.site = _site(area, x_m, y_m)


def _earlier(
    facts: AreaFacts, read: list[_Read], home: PlatformHome, scratch: Path
) -> dict[Month, int]:
    """Incidents by month of the files in which many rows lie before the area's first month."""
    area = replace(facts.area, first_month=EARLIEST)
    reports = {each.file.path: each.reading.report for each in read}
    many = [
        each
        for each in read
        if reports[each.file.path].n_rejected.get(BEFORE_FIRST_MONTH, 0)
        > MANY_EARLIER * reports[each.file.path].n_rows
    ]
    if not many:
        return {}
    found = _rows(
        "select month::varchar, sum(n_incidents)::bigint from read_parquet($files) group by 1 "
        "order by 1",
        [
            examine_table_file(
                each.file.path, each.source, area, scratch, home=home.root, grid=facts.grid
            ).incidents
            for each in many
        ],
    )
    months = [(np.datetime64(month[:7], "M"), n) for month, n in found]
    return {month: n for month, n in months if month < facts.area.first_month}


def _size(facts: AreaFacts) -> RunSize | None:
    grid, counts = facts.grid, facts.trial.counts
    if grid is None or counts is None:
        return None
    n_months = int(counts.totals["is_complete"].sum())
    return size_of_run(facts.area, n_rows=grid.n_rows, n_cols=grid.n_cols, n_months=n_months)


def _count_types(facts: AreaFacts, read: list[_Read], home: PlatformHome, scratch: Path) -> None:
    """Fill in the incidents of every offence type, with and without a place."""
    rows = Warehouse(home.warehouse).read(
        "select offence_type, sum(n_incidents)::bigint as n, coalesce(sum(n_incidents) filter "
        "(row is not null), 0)::bigint as n_placed from incident where study_area = ? group by all",
        facts.area.name,
    )
    found = {name: (n, n_placed) for name, n, n_placed in rows.itertuples(index=False)}
    absent = [name for name in facts.area.offence_names if name not in found]
    outside = _outside(facts, read, absent, home, scratch)
    for name in facts.area.offence_names:
        n, n_placed = found.get(name, (0, 0))
        facts.per_type.append(
            TypeFacts(name=name, n=n, n_placed=n_placed, n_outside=outside.get(name, 0))
        )


def _outside(
    facts: AreaFacts, read: list[_Read], absent: list[str], home: PlatformHome, scratch: Path
) -> dict[str, int]:
    """Rows of the absent offence types that are rejected for their place alone."""
    with_outside = [each for each in read if each.reading.report.n_rejected.get(OUTSIDE_GRID)]
    if not absent or not with_outside:
        return {}
    anywhere = [
        examine_table_file(
            each.file.path, each.source, facts.area, scratch, home=home.root
        ).incidents
        for each in with_outside
    ]
    found = _rows(
        "select offence_type, count(*) from read_parquet($files) where x_m is not null "
        "group by all",
        anywhere,
    )
    return {name: n for name, n in found if name in absent}


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
        crs_remarks=crs_remarks(area.crs, [each.point_crs for each in area.sources], lon, lat),
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

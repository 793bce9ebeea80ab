"""Builds whole releases of `forecasts.duckdb` and swaps them in under the readers.

A release is made from the published candidates alone, written aside, fsynced and renamed; then one
symlink is replaced. A reader sees the old release or the new one, never half of either.
"""

import fcntl
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from crime_platform.schema.cell_tables import RUN_ID, TABLES, Table
from crime_platform.schema.cell_views import VIEWS, view_comments
from crime_platform.schema.columns import MODEL
from crime_platform.schema.policy import named_policy
from crime_platform.system.read_only import READ_ONLY_SETTINGS
from crime_platform.vocabulary.artifact import (
    content_key,
    remove,
    remove_orphans,
    swap_symlink,
    sync_file,
)
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.progress import LOGGER
from crime_platform.vocabulary.seal import (
    DAMAGED,
    LOG,
    SEAL,
    cut_short,
    damage,
    is_sealed,
    sealed,
    set_aside,
)
from crime_platform.vocabulary.timesteps import Day

if TYPE_CHECKING:
    import pandas as pd

# DuckDB 2 writes a newer format by default, which the 1.x command line cannot open.
STORAGE_VERSION = "v1.4.0"
RELEASES_KEPT = 5
LOCK = ".lock"
KEPT_FOREVER = ("cell_forecast",)  # of earlier months: the champion and its opponent
KEPT_DAYS = 60  # of earlier days: the champion's street forecasts, to compare with what came
EVERY_ROW = "true"
RELEASE_NAME = re.compile(r"^forecasts-[0-9a-f]+\.duckdb$")
DAMAGED_NAME = re.compile(rf"{RELEASE_NAME.pattern[:-1]}{re.escape(DAMAGED)}\d+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One published candidate: the folder of its Parquet tables and its row in `release`."""

    study_area: str
    as_of_month: str
    folder: Path
    run_id: str
    is_latest: bool

    @property
    def as_of(self) -> str:
        return self.as_of_month

    def rows_of(self, table: str) -> str | None:
        """Which rows of a table are released, as an SQL condition; None for no row."""
        if self.is_latest:
            return EVERY_ROW
        # Forecasts of earlier months are history: the published model and its opponent stay.
        return "is_champion or model = 'historical_average'" if table in KEPT_FOREVER else None


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetPublication:
    """One published street candidate; `newest_day` is that of the area's newest one."""

    study_area: str
    as_of_day: Day
    newest_day: Day
    folder: Path
    run_id: str

    @property
    def as_of(self) -> str:
        return str(self.as_of_day)

    def rows_of(self, table: str) -> str | None:
        """Which rows of a table are released, as an SQL condition; None for no row."""
        if self.as_of_day == self.newest_day:
            return EVERY_ROW
        is_recent = self.newest_day - self.as_of_day <= np.timedelta64(KEPT_DAYS, "D")
        return "is_champion" if table == "segment_forecast" and is_recent else None


AnyPublication = Publication | StreetPublication


class ReleaseError(ValueError):
    """A release that cannot be read or built."""


def open_release(home: PlatformHome) -> duckdb.DuckDBPyConnection:
    """Connection to the release that is published now; it can read that file and nothing else.

    Raises:
        ReleaseError: if nothing was published yet, or the release was cut short.
    """
    if not home.forecasts.exists():
        raise ReleaseError(
            f"no release at {home.forecasts}: nothing has passed the gate yet. Run "
            "`crime-platform run` first, or set CRIME_PLATFORM_HOME to where the releases are."
        )
    # The resolved name differs for every release, so no cached connection serves an old one.
    path = home.forecasts.resolve()
    if (found := cut_short(path)) is not None:
        raise ReleaseError(
            f"the release {path} is damaged: {found}. `crime-platform run` sets it aside and "
            "builds it anew."
        )
    return duckdb.connect(str(path), read_only=True, config=dict(READ_ONLY_SETTINGS))


def release_key(home: PlatformHome) -> str:
    """Short name of the published release: its file name without what all of them share.

    Raises:
        ReleaseError: if nothing was published yet.
    """
    if not home.forecasts.exists():
        raise ReleaseError(f"no release at {home.forecasts}: run `crime-platform run` first")
    return home.forecasts.resolve().stem.removeprefix("forecasts-")


def say_left_out(study_area: str, candidate_id: str, problem: object, *, options: str) -> None:
    """Log that a published candidate cannot be released, and which run makes it anew."""
    LOGGER.warning(
        "%s: the published forecast %s is left out of the release: %s. To make it anew: "
        "crime-platform run --study-area %s %s",
        study_area,
        candidate_id,
        problem,
        study_area,
        options,
    )


def release_name(publications: Sequence[AnyPublication], table_versions: object) -> str:
    """File name of the release made of these candidates; equal contents have equal names."""
    parts = [[item.study_area, item.as_of, item.folder.name] for item in publications]
    return f"forecasts-{content_key(parts, table_versions)}.duckdb"


@contextmanager
def release_lock(home: PlatformHome) -> Iterator[None]:
    """One builder at a time, from the reading of what is published to the swap of the link.

    A builder that read before it waited would take away what was published meanwhile. The kernel
    frees the lock of a killed process.
    """
    home.releases.mkdir(parents=True, exist_ok=True)
    with (home.releases / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def publish_release(
    home: PlatformHome,
    publications: Sequence[AnyPublication],
    releases: "pd.DataFrame | None",
    *,
    quality: "pd.DataFrame",
    checks: "pd.DataFrame | None" = None,
    street_releases: "pd.DataFrame | None" = None,
    areas: "Mapping[str, pd.DataFrame] | None" = None,
) -> Path:
    """Build the release of these publications and make it the one that readers open.

    The caller holds `release_lock`, and has held it since it gathered the publications.

    Args:
        home: where the release goes.
        publications: every published candidate of every area, of months and of streets.
        releases: rows of the `release` table, one per published month; none before the first.
        quality: rows of the `data_quality` table.
        checks: rows of the `data_check` table; none when absent.
        street_releases: rows of the `street_release` table, one per published day; none when
            absent.
        areas: rows of the tables that say what each area is, by table; none when absent. They are
            part of the release's name: a new title or licence makes a new release.

    Returns:
        The release file. If it is already the published one, nothing is written.
    """
    schema = [[table.name, *(column.name for column in table.columns)] for table in TABLES]
    described = {table: frame.to_dict("records") for table, frame in (areas or {}).items()}
    name = release_name(publications, [schema, sorted(VIEWS.items()), described])
    target = home.releases / name
    is_published = home.forecasts.exists() and home.forecasts.resolve() == target.resolve()
    found = damage(target)
    remove_orphans(home.forecasts)
    if is_published and is_sealed(target) and found is None:
        _prune(home, keep=target)
        return target
    given = {
        "release": releases,
        "data_quality": quality,
        "data_check": checks,
        "street_release": street_releases,
        **(areas or {}),
    }
    frames = {table: frame for table, frame in given.items() if frame is not None}
    with sealed(target) as aside:
        _build(aside, publications, frames)
        sync_file(aside)
        if found is not None:
            set_aside(target, found)
        remove(target.with_name(target.name + LOG))  # of a release that had no seal yet
    swap_symlink(home.forecasts, f"{home.releases.name}/{name}")
    _prune(home, keep=target)
    return target


@contextmanager
def preview_release(
    publication: AnyPublication, frames: "Mapping[str, pd.DataFrame]"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release of one candidate in memory, with every table and view; nothing is published.

    Args:
        publication: the candidate, as if it were published.
        frames: rows of tables that are no file of the candidate, such as `release`.
    """
    with duckdb.connect() as connection:
        _fill(connection, [publication], frames)
        yield connection


def _build(
    path: Path, publications: Sequence[AnyPublication], frames: "Mapping[str, pd.DataFrame]"
) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{path}' as built (storage_version '{STORAGE_VERSION}')")
        connection.execute("use built")
        _fill(connection, publications, frames)
        connection.execute("use memory")
        connection.execute("detach built")


def _fill(
    connection: duckdb.DuckDBPyConnection,
    publications: Sequence[AnyPublication],
    frames: "Mapping[str, pd.DataFrame]",
) -> None:
    for table in TABLES:
        _create(connection, table)
        for publication in publications:
            _append(connection, table, publication)
    for name, frame in frames.items():
        connection.register(f"{name}_rows", frame)
        connection.execute(f"insert into {name} by name select * from {name}_rows")
    for name, (comment, query) in VIEWS.items():
        _create_view(connection, name, comment, query)


def _create(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
    connection.execute(f"create table {table.name} ({columns})")
    connection.execute(f"comment on table {table.name} is {_quoted(table.comment)}")
    for column in table.columns:
        connection.execute(
            f'comment on column {table.name}."{column.name}" is {_quoted(column.comment)}'
        )


def _append(
    connection: duckdb.DuckDBPyConnection, table: Table, publication: AnyPublication
) -> None:
    file, condition = publication.folder / f"{table.name}.parquet", publication.rows_of(table.name)
    if not file.exists() or condition is None:
        return
    rows = f"* replace ({named_policy(MODEL.name)} as model)" if MODEL in table.columns else "*"
    labelled = f"{rows}, ? as run_id" if RUN_ID in table.columns else rows
    connection.execute(
        f"insert into {table.name} by name select {labelled} from read_parquet(?) "
        f"where {condition}",
        [*([publication.run_id] if RUN_ID in table.columns else []), str(file)],
    )


def _create_view(
    connection: duckdb.DuckDBPyConnection, name: str, comment: str, query: str
) -> None:
    connection.execute(f"create view {name} as {query}")
    connection.execute(f"comment on view {name} is {_quoted(comment)}")
    described = view_comments(name)
    for (column,) in connection.execute(
        "select column_name from duckdb_columns() where table_name = ?", [name]
    ).fetchall():
        connection.execute(f'comment on column {name}."{column}" is {_quoted(described[column])}')


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _prune(home: PlatformHome, *, keep: Path) -> None:
    """Remove all but the newest releases, and what killed builds and rude readers left.

    Of damaged releases as many are kept, for somebody to look at.
    """
    whole, damaged = (
        sorted(
            (path for path in home.releases.iterdir() if pattern.match(path.name)),
            key=lambda path: path.stat().st_mtime,
            reverse=True,
        )
        for pattern in (RELEASE_NAME, DAMAGED_NAME)
    )
    others = [path for path in whole if path != keep]
    kept = {keep, *others[: RELEASES_KEPT - 1], *damaged[:RELEASES_KEPT]}
    for path in home.releases.iterdir():
        owner = path.with_name(path.name.removesuffix(LOG).removesuffix(f".{SEAL}"))
        if path.name != LOCK and owner not in kept:
            remove(path)

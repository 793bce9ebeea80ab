"""Rows of an API as plain files: one CSV per month, rewritten only where a row of it changed.

All that is known stands in one Parquet file, a row per identifier with the time of its last change;
the CSV files follow from it. They hold the mapped columns and nothing else, sorted, so that equal
rows give equal bytes in whatever order, how often and on which pages the server sent them.
"""

import filecmp
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from crime_platform.sources.api.dataset import ApiRow, columns_of
from crime_platform.sources.scan.clock_values import moment_of
from crime_platform.study_area.source import Source
from crime_platform.vocabulary.artifact import sync_file, written_aside
from crime_platform.vocabulary.incident import DROP_SAME_ID
from crime_platform.vocabulary.timesteps import Month

MEMORY_LIMIT = "2GB"
KNOWN_FILE = "known.parquet"
MONTHS = "months"
UNDATED = "undated"

KEEP_THE_NEWEST = """
    create table known as
    select {columns}, row_key, updated_at from (
        select {columns}, row_key, updated_at, 0 as came, 0 as dataset, 0 as place from earlier
        union all by name
        select {columns}, {key} as row_key, updated_at, 1 as came, dataset, place from fetched
    )
    qualify row_number() over (
        partition by row_key order by updated_at desc nulls last, came desc, dataset desc,
        place desc
    ) = 1
"""

# A file of nothing but rows with impossible dates would be refused as a whole, so such rows lie
# with those of the first good month, where each is rejected and counted.
WITH_MONTHS = """
    create table dated as
    with moments as (
        select *, strftime({moment}, '%Y-%m') as month from known
    ),
    good as (select * replace (case when month between $first and $last then month end as month)
        from moments)
    select * replace (coalesce(month, min(month) over (), '{undated}') as month) from good
"""


class MonthFiles:
    """Takes in fetched rows, then brings the files of one source up to date."""

    def __init__(self, folder: Path, source: Source, scratch: Path) -> None:
        """Start with no row.

        Args:
            folder: where the source's files lie.
            source: how its columns are read.
            scratch: existing folder on the same disk, for what is under way.
        """
        self._scratch = scratch
        self._folder = folder
        self._source = source
        self._columns = columns_of(source)
        self._names = [f"c{at}" for at in range(len(self._columns))]
        self._place = 0
        self._connection = duckdb.connect()
        self._connection.execute("set memory_limit = ?", [MEMORY_LIMIT])
        self._connection.execute("set temp_directory = ?", [str(scratch)])
        self._connection.execute("set TimeZone = 'UTC'")
        texts = ", ".join(f"{name} varchar" for name in ("row_id", "updated_at", *self._names))
        self._connection.execute(f"create table fetched ({texts}, dataset int, place bigint)")

    def __enter__(self) -> "MonthFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def add(self, rows: Sequence[ApiRow], dataset: int) -> None:
        """Take in one page."""
        if not rows:
            return
        columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
        places = pa.array(range(self._place, self._place + len(rows)), pa.int64())
        names = ["row_id", "updated_at", *self._names, "place"]
        self._connection.register("page", pa.table([*columns, places], names=names))
        self._connection.execute(
            "insert into fetched by name select *, ? as dataset from page", [dataset]
        )
        self._connection.unregister("page")
        self._place += len(rows)

    def count(self, dataset: int) -> int:
        """Different rows of one dataset taken in so far."""
        counted = self._connection.execute(
            "select count(distinct row_id) from fetched where dataset = ?", [dataset]
        ).fetchall()
        return int(counted[0][0])

    def write(self, first: Month, last: Month, *, is_full: bool) -> list[str]:
        """Merge with what was known, unless all was fetched, and write what changed.

        Args:
            first: month before which, and
            last: month after which a date cannot be right.
            is_full: the rows taken in are all there are.

        Returns:
            Names of the months whose files were written or removed.
        """
        self._merge(is_full=is_full)
        self._date(first, last)
        folder = self._folder / MONTHS
        found = self._connection.execute("select distinct month from dated order by all").fetchall()
        months = [str(month) for (month,) in found]
        changed = [month for month in months if self._write_month(folder / f"{month}.csv", month)]
        for path in sorted(folder.glob("*.csv")):
            if path.stem not in months:
                path.unlink()
                changed.append(path.stem)
        return changed

    def _merge(self, *, is_full: bool) -> None:
        columns = ", ".join(self._names)
        known = self._folder / KNOWN_FILE
        if is_full:
            texts = ", ".join(f"{name} varchar" for name in (*self._names, "row_key", "updated_at"))
            self._connection.execute(f"create table earlier ({texts})")
        else:
            self._connection.execute(
                "create table earlier as select * from read_parquet(?)", [str(known)]
            )
        key = "concat(dataset, ' ', row_id)"
        if self._source.duplicates == DROP_SAME_ID:  # blank identifiers never match
            at = self._columns.index(str(self._source.columns.id))
            key = f"coalesce('id ' || nullif(trim(c{at}), ''), {key})"
        self._connection.execute(KEEP_THE_NEWEST.format(columns=columns, key=key))
        with written_aside(known) as aside:
            self._connection.execute(
                f"copy known to '{_quoted(aside)}' (format parquet, compression zstd)"
            )
            sync_file(aside)

    def _date(self, first: Month, last: Month) -> None:
        at = self._columns.index(self._source.columns.occurred_at)
        moment = f"try_cast(left(c{at}, 10) as timestamp)"
        values: dict[str, object] = {"first": str(first), "last": str(last)}
        if self._source.datetime_formats:
            # The publisher's month is all that is asked: which clock it is by does not matter.
            local = replace(self._source, timestamps_are="local")
            moment = f"cast({moment_of(f'c{at}', local)} as timestamp)"
        self._connection.execute(WITH_MONTHS.format(moment=moment, undated=UNDATED), values)

    def _write_month(self, path: Path, month: str) -> bool:
        """Whether the file was written; one with the same bytes is not touched."""
        named = ", ".join(
            f'{name} as "{column.replace(chr(34), chr(34) * 2)}"'
            for name, column in zip(self._names, self._columns, strict=True)
        )
        order = ", ".join(self._names)
        mapped_id = self._source.columns.id
        if mapped_id is not None:
            order = f"c{self._columns.index(mapped_id)}, {order}"
        made = self._scratch / path.name
        self._connection.execute(
            f"copy (select {named} from dated where month = '{month}' order by {order}) "
            f"to '{_quoted(made)}' (format csv, header, delimiter ',')"
        )
        if path.exists() and filecmp.cmp(path, made, shallow=False):
            made.unlink()
            return False
        with written_aside(path) as aside:
            made.replace(aside)
            sync_file(aside)
        return True


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")

"""Every loaded row placed, given its offence type, and judged: the first reason against it.

What was loaded is in the tables of `table_scan`; what is judged is the table `judged`.
"""

import datetime as dt
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crime_platform.sources.label_types import fill_labels
from crime_platform.sources.scan.table_scan import drop_loaded
from crime_platform.sources.table_report import MAX_VALUE_CHARACTERS
from crime_platform.study_area.study_area import Source, StudyArea
from crime_platform.vocabulary.incident import (
    AFTER_LAST_MONTH,
    BAD_COUNT,
    BEFORE_FIRST_MONTH,
    BROKEN_ROW,
    DROP_EXACT,
    DROP_SAME_ID,
    EXACT_DUPLICATE,
    IN_THE_FUTURE,
    MISSING_OFFENCE,
    OUTSIDE_GRID,
    REPEATED_ID,
    UNMAPPED_LABEL,
    UNPARSEABLE_DATE,
)
from crime_platform.vocabulary.projection import WGS84, CellFinder, project

POINTS_AT_ONCE = 1 << 18


PLACES = pa.schema(
    [(name, pa.float64()) for name in ("east", "north", "lon", "lat", "x_m", "y_m")]
    + [("row", pa.int32()), ("col", pa.int32()), ("is_outside", pa.bool_())]
)

JUDGED = f"""
    create table judged as
    with matched as (
        select
            loaded.* exclude (east, north, place, district), loaded.east, loaded.north,
            place.* exclude (east, north),
            label.offence_type,
            label.label_key is not null and label.offence_type is null and not is_elsewhere
                as is_ignored,
            label.label_key is not null as is_mapped
        from loaded
        left join read_parquet($places) as place
            on loaded.east = place.east and loaded.north = place.north
        left join label on lower(trim(loaded.source_offence)) = label.label_key
    ),
    reasoned as (
        select *, case
            when is_ignored or is_elsewhere then null
            when source_offence is null then '{MISSING_OFFENCE}'
            when not is_mapped then '{UNMAPPED_LABEL}'
            when occurred_on is null then '{UNPARSEABLE_DATE}'
            when occurred_on < $first_day then '{BEFORE_FIRST_MONTH}'
            when occurred_on >= $end_day then '{AFTER_LAST_MONTH}'
            when occurred_on > $as_of then '{IN_THE_FUTURE}'
            when n_incidents is null then '{BAD_COUNT}'
            when is_outside then '{OUTSIDE_GRID}'
        end as reason
        from matched
    )
    select
        * exclude (is_mapped, is_outside, bad_date, bad_count),
        cast(date_trunc('month', occurred_on) as date) as month,
        reason is null and not is_ignored and not is_elsewhere as is_accepted,
        case reason
            when '{UNMAPPED_LABEL}' then left(source_offence, {MAX_VALUE_CHARACTERS})
            when '{UNPARSEABLE_DATE}' then left(bad_date, {MAX_VALUE_CHARACTERS})
            when '{BAD_COUNT}' then left(bad_count, {MAX_VALUE_CHARACTERS})
            when '{OUTSIDE_GRID}' then concat(east, ' ', north)
            when '{BEFORE_FIRST_MONTH}' then cast(occurred_on as varchar)
            when '{AFTER_LAST_MONTH}' then cast(occurred_on as varchar)
            when '{IN_THE_FUTURE}' then cast(occurred_on as varchar)
        end as value
    from reasoned
"""

REPEATED = """
    create or replace table repeated as
    with twice as (
        select {key} from judged where is_accepted and {key} is not null
        group by {key} having count(*) > 1
    )
    select {key}, min(struct_pack(source_file, source_row)) as first_row
    from judged semi join twice using ({key}) where is_accepted
    group by {key}
"""

DROP_REPEATED = """
    update judged set reason = ?, value = judged.source_id, is_accepted = false
    from repeated
    where is_accepted and judged.{key} = repeated.{key}
        and struct_pack(source_file, source_row) <> first_row
"""

REJECTED = f"""
    create view rejected as
    select source_file, source_row, reason, value from judged where reason is not null
    union all
    select source_file, source_row, '{BROKEN_ROW}' as reason, cast(null as varchar) as value
    from broken
"""


def place_points(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    area: StudyArea,
    grid: CellFinder | None,
    target: Path,
) -> None:
    """Project each distinct point once: publishers snap incidents to few points."""
    points = connection.sql("select distinct east, north from loaded where east is not null")
    with pq.ParquetWriter(target, PLACES, compression="none") as writer:
        for batch in points.to_arrow_reader(POINTS_AT_ONCE):
            east, north = batch["east"].to_numpy(), batch["north"].to_numpy()
            x_m, y_m = project(east, north, source=source.point_crs, target=area.crs)
            lon, lat = project(east, north, source=source.point_crs, target=WGS84)
            is_outside = ~(np.isfinite(x_m) & np.isfinite(y_m))
            cell = (None, None)
            if grid is not None:
                row, col = grid.cell_of(x_m, y_m)
                is_outside |= row < 0
                cell = (pa.array(row, pa.int32()), pa.array(col, pa.int32()))
            columns = [east, north, lon, lat, x_m, y_m]
            nothing = pa.nulls(len(east), pa.int32())
            columns += [nothing if numbers is None else numbers for numbers in cell]
            writer.write_table(pa.table([*columns, is_outside], schema=PLACES))


def judge_rows(
    connection: duckdb.DuckDBPyConnection, area: StudyArea, as_of: dt.date, places: Path
) -> None:
    """Give every loaded row its offence type, its place, and the first reason against it."""
    fill_labels(connection, area)
    end = area.last_month + 1 if area.last_month is not None else np.datetime64("9999-12", "M")
    values = {
        "first_day": area.first_month.astype("datetime64[D]").item(),
        "end_day": end.astype("datetime64[D]").item(),
        "as_of": as_of,
        "places": str(places),
    }
    connection.execute(JUDGED, values)
    drop_loaded(connection)


def apply_duplicate_rule(connection: duckdb.DuckDBPyConnection, rule: str) -> int:
    """Reject what the rule drops; returns how many accepted rows equal an earlier one."""
    counted = connection.execute(
        "select count(*) - count(distinct fingerprint) from judged where is_accepted"
    ).fetchall()
    if rule == DROP_SAME_ID:
        connection.execute(REPEATED.format(key="source_id"))
        connection.execute(DROP_REPEATED.format(key="source_id"), [REPEATED_ID])
    elif rule == DROP_EXACT:
        connection.execute(REPEATED.format(key="fingerprint"))
        connection.execute(DROP_REPEATED.format(key="fingerprint"), [EXACT_DUPLICATE])
    return int(counted[0][0])

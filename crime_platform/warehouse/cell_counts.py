"""Counts of the current incidents, filled in SQL: per cell and month, by mark, and per month.

The incidents are gone through once. What is counted from their sums cannot disagree.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import duckdb

from crime_platform.vocabulary.incident import HOUR_BANDS

if TYPE_CHECKING:
    import pandas as pd

BAND = " ".join(
    f"when occurred_hour >= {first} and occurred_hour < {end} then 'hours_{band}'"
    for band, (first, end) in HOUR_BANDS.items()
)
SUMS = f"""
    create temp table sums as
    select month, offence_type, row, col, p.mark as premises, case {BAND} end as hours,
        sum(n_incidents) as n
    from incident left join premises p on lower(source_premises) = p.label
    where study_area = $study_area
    group by all
"""
"""Incidents by everything that is counted; `row` is null without a place."""

CELLS = """
    insert into cell_month_count
    select $study_area, month, offence_type, row, col, sum(n) from sums where row is not null
    group by all order by month, offence_type, row, col
"""

MARKS = """
    insert into cell_month_mark
    select $study_area, mark, month, offence_type, row, col, sum(n)
    from (
        select premises as mark, * from sums union all select hours as mark, * from sums
    )
    where mark is not null and row is not null group by all order by all
"""

MONTHS = """
    insert into month_count by name
    with totals as (
        select month, offence_type, sum(n) as n, sum(n) filter (row is null) as n_ungeocoded
        from sums group by all
    )
    select $study_area as study_area, c.month, t.offence_type, coalesce(n, 0) as count,
        coalesce(n_ungeocoded, 0) as n_ungeocoded, c.is_complete, c.completeness_share,
        c.treatment, c.note
    from calendar c cross join (select unnest($offence_types::varchar[]) as offence_type) t
    left join totals using (month, offence_type) order by all
"""

PREMISES = """
    create temp table premises as
    select unnest($label::varchar[]) as label, unnest($mark::varchar[]) as mark
"""

HELD_COUNTS = f"""
    create temp table held_cell as
    with sums as (
        select source, sha256, coalesce(part, '') as part, month, offence_type, row, col,
            p.mark as premises, case {BAND} end as hours, sum(n_incidents) as n
        from incident_vintage v join file_known f using (study_area, source, sha256, reading_key)
        left join premises p on lower(source_premises) = p.label
        where v.study_area = $area and v.row is not null
        group by all
    ),
    marked as (
        select '' as mark, * from sums
        union all select premises as mark, * from sums where premises is not null
        union all select hours as mark, * from sums where hours is not null
    )
    select source, sha256, part, mark, month, offence_type, row, col, sum(n) as n
    from marked group by all
"""
"""Counts per cell of every file that was ever known, all incidents and those with each mark."""


VINTAGE_DIFFERENCES = """
with known as (
    select mark, month, offence_type, row, col, sum(n) as n from held_cell
    join month_known_at($moment::timestamptz) k using (source, sha256, part, month)
    where k.study_area = $area and month <= $origin group by all
),
today as (
    select '' as mark, month, offence_type, row, col, count from cell_month_count
    where study_area = $area and month <= $origin
    union all by name
    select mark, month, offence_type, row, col, count from cell_month_mark
    where study_area = $area and month <= $origin
)
select mark, month, offence_type, row, col, coalesce(known.n, 0)::double as count
from known full join today using (mark, month, offence_type, row, col)
where coalesce(known.n, 0) <> coalesce(today.count, 0) or ($is_scaled and month = $origin)
order by all
"""
"""Counts through `origin` that were other at `moment` than they are in the current counts."""


KNOWN_TOTALS = """
with held as (
    select k.month, t.offence_type, t.n, max(
            least($day::date, k.published_on, (k.content_at at time zone $zone)::date)
        ) over (partition by k.month) as known_on
    from held_total t join month_known_at($moment::timestamptz) k
        using (source, sha256, part, month)
    where k.study_area = $area and k.month <= $last
)
select month, offence_type, known_on, sum(n)::bigint as count from held
group by all order by all
"""
"""What was known of each month at `moment`, with the day on which its files were known."""


def premises_marks(premises_of_label: Mapping[str, str]) -> dict[str, list[str]]:
    """Parameters of `PREMISES`: which label gives an incident which mark."""
    marks = [f"premises_{kind}" for kind in premises_of_label.values()]
    return {"label": list(premises_of_label), "mark": marks}


def write_counts(
    connection: duckdb.DuckDBPyConnection,
    study_area: str,
    *,
    months: "pd.DataFrame",
    offence_types: list[str],
    premises_of_label: Mapping[str, str],
) -> None:
    """Replace an area's counts: sparse per cell, explicit zeros per month.

    Args:
        connection: inside a transaction.
        study_area: whose counts they are.
        months: `month, is_complete, completeness_share, treatment, note`, a row per month.
        offence_types: that have a count in every month.
        premises_of_label: kind of place by label, in lower case.
    """
    for table in ("cell_month_count", "cell_month_mark", "month_count"):
        connection.execute(f"delete from {table} where study_area = ?", [study_area])
    connection.register("calendar_rows", months)
    connection.execute(
        "create temp table calendar as select * replace (month::date as month) from calendar_rows"
    )
    connection.execute(PREMISES, premises_marks(premises_of_label))
    area = {"study_area": study_area}
    connection.execute(SUMS, area)
    connection.execute(CELLS, area)
    connection.execute(MARKS, area)
    connection.execute(MONTHS, area | {"offence_types": offence_types})

"""Counts of the current incidents, filled in SQL: per cell and month, by mark, and per month.

The incidents are gone through once. What is counted from their sums cannot disagree.
"""

from collections.abc import Mapping, Sequence

import duckdb

from crime_platform.vocabulary.incident import HOUR_BANDS

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
    insert into month_count
    with totals as (
        select month, offence_type, sum(n) as n, sum(n) filter (row is null) as n_ungeocoded
        from sums group by all
    )
    select $study_area, c.month, t.offence_type, coalesce(n, 0), coalesce(n_ungeocoded, 0),
        c.is_complete
    from calendar c cross join (select unnest($offence_types::varchar[]) as offence_type) t
    left join totals using (month, offence_type) order by all
"""


def write_counts(
    connection: duckdb.DuckDBPyConnection,
    study_area: str,
    *,
    calendar: Sequence[tuple[object, bool]],
    offence_types: list[str],
    premises_of_label: Mapping[str, str],
) -> None:
    """Replace an area's counts: sparse per cell, explicit zeros per month.

    Args:
        connection: inside a transaction.
        study_area: whose counts they are.
        calendar: first day of each month, and whether the month is complete.
        offence_types: that have a count in every month.
        premises_of_label: kind of place by label, in lower case.
    """
    for table in ("cell_month_count", "cell_month_mark", "month_count"):
        connection.execute(f"delete from {table} where study_area = ?", [study_area])
    connection.execute("create temp table calendar (month date, is_complete boolean)")
    connection.executemany("insert into calendar values (?, ?)", calendar)
    connection.execute(
        "create temp table premises as "
        "select unnest(?::varchar[]) as label, unnest(?::varchar[]) as mark",
        [list(premises_of_label), [f"premises_{kind}" for kind in premises_of_label.values()]],
    )
    area = {"study_area": study_area}
    connection.execute(SUMS, area)
    connection.execute(CELLS, area)
    connection.execute(MARKS, area)
    connection.execute(MONTHS, area | {"offence_types": offence_types})

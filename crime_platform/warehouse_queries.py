"""Longer queries over the warehouse's tables."""

from collections.abc import Mapping

from crime_platform.vocabulary.incident import HOUR_BANDS

MARKS = "select unnest($column) as column_name, unnest($value) as value, unnest($mark) as mark"
IS_MARKED = (
    "m.value = case m.column_name when 'premises' then lower(source_premises) "
    "else cast(occurred_hour as varchar) end"
)


def mark_values(premises_of_label: Mapping[str, str]) -> dict[str, list[str]]:
    """Which value of which column gives an incident which mark, as parameters of `MARKS`."""
    rows = [
        *(("premises", label, f"premises_{kind}") for label, kind in premises_of_label.items()),
        *(
            ("hour", str(hour), f"hours_{band}")
            for band, (first, end) in HOUR_BANDS.items()
            for hour in range(first, end)
        ),
    ]
    return {
        name: [row[place] for row in rows] for place, name in enumerate(("column", "value", "mark"))
    }


COUNT_CELLS = """
insert into cell_month_count
    select study_area, month, offence_type, row, col, sum(n_incidents)
    from incident where study_area = ? and row is not null
    group by all order by month, offence_type, row, col
"""

COUNT_MARKS = f"""
insert into cell_month_mark
    select study_area, m.mark, month, offence_type, row, col, sum(n_incidents)
    from incident join ({MARKS}) m on {IS_MARKED}
    where study_area = $area and row is not null group by all order by all
"""
"""Counts by kind of place and by part of the day, as far as both are known."""

COUNT_MONTHS = """
insert into month_count by name
    select ? as study_area, c.month::date as month, t.offence_type,
        coalesce(sum(i.n_incidents), 0) as count,
        coalesce(sum(i.n_incidents) filter (i.row is null), 0) as n_ungeocoded,
        any_value(c.is_complete) as is_complete,
        any_value(c.completeness_share) as completeness_share, any_value(c.treatment) as treatment,
        any_value(c.note) as note
    from calendar c cross join (select unnest(?::varchar[]) as offence_type) t
    left join incident i on i.study_area = ? and i.month = c.month
        and i.offence_type = t.offence_type
    group by all order by all
"""

HELD_COUNTS = f"""
create temp table held_cell as
    with held as (
        select v.* from incident_vintage v
        join file_known f using (study_area, source, sha256, reading_key)
        where v.study_area = $area and v.row is not null
    ),
    marked as (
        select '' as mark, held.* from held
        union all
        select m.mark, held.* from held join ({MARKS}) m on {IS_MARKED}
    )
    select source, sha256, coalesce(part, '') as part, mark, month, offence_type, row, col,
        sum(n_incidents) as n
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

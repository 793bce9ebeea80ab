"""Counts of the current incidents per day and node of a street graph, filled in SQL.

Which node a place belongs to is found elsewhere, once for each distinct place; here incidents are
joined to that and gone through once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from crime_platform.vocabulary.timesteps import Day, IncompleteDataError
from crime_platform.warehouse.cell_counts import BAND, PREMISES, premises_marks
from crime_platform.warehouse.file import WarehouseFile, now

if TYPE_CHECKING:
    import pandas as pd

SNAPPED, BEYOND, OUTSIDE = "snapped", "beyond", "outside"
"""Where a place went: to a node, nowhere though it lies in the street area, or out of that area."""

NEARBY = "nearby_"
"""Begins the mark of an offence type that is not forecast; its rows belong to no group."""

PLACES = """
    select x_m, y_m,
        coalesce(sum(n_incidents) filter (offence_type in (select unnest($grouped::varchar[]))), 0)
            ::bigint as n_forecast,
        sum(n_incidents)::bigint as n_incidents
    from incident
    where study_area = $study_area and occurred_on between $first and $last
        and offence_type in (select unnest($wanted::varchar[]))
    group by all order by all
"""

SUMS = f"""
    create temp table sums as
    select i.occurred_on as day, i.offence_type, t.offence_group, s.segment_id,
        p.mark as premises, case {BAND} end as hours, sum(n_incidents) as n
    from incident i
    join types t using (offence_type)
    join spots s on s.x_m = i.x_m and s.y_m = i.y_m
    left join premises p on lower(i.source_premises) = p.label
    where i.study_area = $study_area and i.occurred_on between $first and $last
        and s.fate = '{SNAPPED}'
    group by all
"""

COUNTS = f"""
    insert into segment_day_count
    select $study_area, day, offence_group, mark, segment_id, sum(n)
    from (
        select * exclude (offence_type), '' as mark from sums where offence_group <> ''
        union all by name
        select * exclude (offence_type), premises as mark from sums where offence_group <> ''
        union all by name
        select * exclude (offence_type), hours as mark from sums where offence_group <> ''
        union all by name
        select * exclude (offence_type), '{NEARBY}' || offence_type as mark from sums
        where offence_group = ''
    )
    where mark is not null group by all order by mark, day, offence_group, segment_id
"""

UNSNAPPED = f"""
    insert into unsnapped_incident by name
    select i.study_area, i.source, i.sha256, i.source_file, i.source_row, i.offence_type,
        s.reason, s.distance_m
    from incident i join types t using (offence_type)
    join spots s on s.x_m = i.x_m and s.y_m = i.y_m
    where i.study_area = $study_area and i.occurred_on between $first and $last
        and s.fate = '{BEYOND}'
    order by source_file, source_row
"""

UNKNOWN = """
    select count(*) from incident i join types t using (offence_type)
    left join spots s on s.x_m = i.x_m and s.y_m = i.y_m
    where i.study_area = $study_area and i.occurred_on between $first and $last
        and i.x_m is not null and s.x_m is null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetCount:
    """What an area's counts by day and node cover."""

    graph_key: str
    offence_groups: tuple[str, ...]
    first: Day
    last: Day


class StreetCountTables(WarehouseFile):
    """What the warehouse holds of an area's streets."""

    __slots__ = ()

    def incident_places(
        self, study_area: str, *, grouped: list[str], nearby: list[str], first: Day, last: Day
    ) -> "pd.DataFrame":
        """Distinct places of the current incidents: `x_m, y_m, n_forecast, n_incidents`.

        Incidents without a place are one row of their own, whose coordinates are NaN.

        Args:
            study_area: whose incidents.
            grouped: offence types that `n_forecast` counts.
            nearby: further ones, which only `n_incidents` counts.
            first: oldest day.
            last: newest day.
        """
        parameters = {
            "study_area": study_area,
            "grouped": grouped,
            "wanted": [*grouped, *nearby],
            "first": first.item(),
            "last": last.item(),
        }
        with self.reader() as connection:
            return connection.sql(PLACES, params=parameters).to_arrow_table().to_pandas()

    def replace_segment_counts(
        self,
        study_area: str,
        spots: "pd.DataFrame",
        *,
        group_of_type: Mapping[str, str],
        premises_of_label: Mapping[str, str],
        entry: Mapping[str, object],
    ) -> None:
        """Replace an area's counts by day and node, and its list of incidents on no node.

        Args:
            study_area: whose incidents they are.
            spots: `x_m, y_m, segment_id, fate, reason, distance_m`, a row for each distinct place.
            group_of_type: group by offence type; blank where a type is not forecast.
            premises_of_label: kind of place by the publisher's label, in lower case.
            entry: the rest of the area's row in `street_count`, days as dates; `first_day` and
                `last_day` say which days are counted.

        Raises:
            IncompleteDataError: if an incident's place is not among the spots.
        """
        import pyarrow as pa

        span = {
            "study_area": study_area,
            "first": entry["first_day"],
            "last": entry["last_day"],
        }
        types = [list(group_of_type), list(group_of_type.values())]
        with self.writer() as connection:
            # Through Arrow: DuckDB guesses a pandas column's type from its first rows.
            connection.register("spot_rows", pa.Table.from_pandas(spots, preserve_index=False))
            connection.register("type_rows", pa.table(types, ["offence_type", "offence_group"]))
            connection.execute("create temp table spots as select * from spot_rows")
            connection.execute("create temp table types as select * from type_rows")
            connection.execute(PREMISES, premises_marks(premises_of_label))
            unknown = connection.execute(UNKNOWN, span).fetchone()
            if unknown is not None and unknown[0]:
                raise IncompleteDataError(
                    f"{unknown[0]:,} incidents of {study_area} came in while their places were "
                    "looked up; materialise segment_day_count again"
                )
            for table in ("segment_day_count", "unsnapped_incident", "street_count"):
                connection.execute(f"delete from {table} where study_area = ?", [study_area])
            for statement in (SUMS, COUNTS, UNSNAPPED):
                wanted = {key: span[key] for key in span if f"${key}" in statement}
                connection.execute(statement, wanted)
            row = {**entry, "study_area": study_area, "counted_at": now()}
            names, marks = ", ".join(row), ", ".join("?" * len(row))
            connection.execute(
                f"insert into street_count ({names}) values ({marks})", list(row.values())
            )

    def street_count(self, study_area: str) -> StreetCount | None:
        """What the area's counts on streets cover; None before they were made."""
        query = (
            "select graph_key, offence_groups, first_day, last_day from street_count "
            "where study_area = ?"
        )
        try:
            with self.reader() as connection:
                found = connection.execute(query, [study_area]).fetchone()
        except duckdb.CatalogException:  # an earlier version made the file, and counted nothing
            return None
        if found is None:
            return None
        key, groups, first, last = found
        return StreetCount(
            graph_key=key,
            offence_groups=tuple(groups),
            first=np.datetime64(first, "D"),
            last=np.datetime64(last, "D"),
        )

    def segment_rows(self, study_area: str) -> "pd.DataFrame":
        """Sparse counts `mark, day, offence_group, segment_id, count`, by mark and day."""
        return self.read(
            "select mark, day, offence_group, segment_id, count from segment_day_count "
            "where study_area = ? order by mark, day, offence_group, segment_id",
            study_area,
        )

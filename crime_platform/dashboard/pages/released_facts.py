"""Facts of an area's newest monthly forecast, read from the release instead of its candidate.

The About page states what the report and the model card state, by the same sentences.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from crime_platform.dashboard.data.declared import declared, offence_titles
from crime_platform.dashboard.data.rows import holds, records
from crime_platform.evaluation.candidate import Candidate
from crime_platform.reporting.facts import SitedFacts
from crime_platform.schema.cell_tables import BY_NAME
from crime_platform.vocabulary.timesteps import Month, parse_month

if TYPE_CHECKING:
    import pandas as pd

_RELEASED = "select * from release where study_area = ? and is_latest"
_FIRST = "select strftime(min(month), '%Y-%m') as month from month_count where study_area = ?"
_SIDE = "select round(1000 * sqrt(min(area_km2)), 1) as metres from cell where study_area = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedCandidate(Candidate):
    """A candidate whose tables are rows of the release; its folder names it and is not read."""

    connection: duckdb.DuckDBPyConnection

    def table(self, name: str) -> "pd.DataFrame":
        """Its rows of one published table."""
        return self.select(name, ["*"], {})

    def select(self, name: str, columns: list[str], wanted: dict[str, list]) -> "pd.DataFrame":
        """Some columns of its rows, only those whose columns hold one of the wanted values."""
        own = {"study_area": self.manifest["study_area"]}
        if any(column.name == "as_of_month" for column in BY_NAME[name].columns):
            own["as_of_month"] = f"{self.manifest['as_of_month']}-01"
        given = [*own.values(), *wanted.values()]
        conditions = [
            *(f"cast({column} as varchar) = ?" for column in own),
            *(f"list_contains(?, {column})" for column in wanted),
        ]
        query = f"select {', '.join(columns)} from {name} where {' and '.join(conditions)}"
        return self.connection.sql(query, params=given).to_arrow_table().to_pandas()


@dataclass(frozen=True, kw_only=True, eq=False)
class ReleasedFacts(SitedFacts):
    """What one released forecast's tables say of its scores, and the release of its area."""

    candidate: ReleasedCandidate

    def has(self, name: str) -> bool:
        """Whether the release holds this table with at least one row of the forecast."""
        return holds(self.candidate.connection, name) and not self.candidate.table(name).empty

    def read(self, name: str, columns: list[str], **wanted: list) -> "pd.DataFrame":
        """Some columns of a table, only the rows whose columns hold one of the wanted values."""
        return self.candidate.select(name, columns, wanted)

    @property
    def area(self) -> str:
        return str(self.candidate.manifest["study_area"])

    @cached_property
    def declared(self) -> dict[str, object]:
        """Title, cell size and projection of the area, and whether it is simulated."""
        title = str(self.candidate.manifest["title"])
        return declared(self.candidate.connection, self.area, title)

    @property
    def cell_size_m(self) -> float:
        stated = self.declared["cell_size_m"]
        if stated is None:
            stated = records(self.candidate.connection, _SIDE, [self.area])[0]["metres"]
        return float(str(stated))

    @property
    def first_month(self) -> Month:
        found = records(self.candidate.connection, _FIRST, [self.area])
        return parse_month(str(found[0]["month"]))

    @property
    def offence_titles(self) -> dict[str, str]:
        return offence_titles(self.candidate.connection, self.area)


def released_facts(connection: duckdb.DuckDBPyConnection, area: str) -> ReleasedFacts | None:
    """Facts of the area's newest monthly forecast; None where no month is published."""
    found = records(connection, _RELEASED, [area])
    if not found:
        return None
    row = found[0]
    manifest = {
        **row,
        "as_of_month": row["as_of_month"][: len("YYYY-MM")],
        "reason": row["champion_reason"],
    }
    folder = Path(row["candidate_id"])
    candidate = ReleasedCandidate(folder=folder, manifest=manifest, connection=connection)
    return ReleasedFacts(candidate=candidate)

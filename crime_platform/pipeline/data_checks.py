"""The data checks of one area, asked of the warehouse: what they are called and what they read.

The rules themselves are in `data_checks`. A further check is one more entry in INCIDENT_CHECKS or
COUNT_CHECKS: it then runs with its asset, is shown and is published like the others.
"""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from crime_platform.data_checks.outcome import Outcome
from crime_platform.pipeline import data_check_queries
from crime_platform.pipeline.data_check_queries import Evidence
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.home import PlatformHome

SEVERITY = "warn"  # none of these stops a run: the data are usable, and a person should look


@dataclass(frozen=True, slots=True, kw_only=True)
class DataCheck:
    """One check: its name, what passes, and how it is answered."""

    name: str
    description: str
    judge: Callable[[Evidence], Outcome]


def run_checks(
    checks: Sequence[DataCheck],
    area: StudyArea,
    home: PlatformHome,
    *,
    today: dt.date | None = None,
) -> dict[str, Outcome]:
    """Answer the checks from the warehouse as it is, and keep the answers there.

    Args:
        checks: INCIDENT_CHECKS or COUNT_CHECKS.
        area: whose data are judged.
        home: where the warehouse is.
        today: day on which freshness is judged; today in the area when absent.
    """
    from crime_platform.warehouse.file import now
    from crime_platform.warehouse.warehouse import Warehouse  # opens DuckDB, which loading must not

    warehouse = Warehouse(home.warehouse)
    today = today or dt.datetime.now(ZoneInfo(area.timezone)).date()
    warehouse.add_missing_tables()
    with warehouse.reader() as connection:
        evidence = Evidence(area=area, connection=connection, today=today)
        outcomes = {check.name: check.judge(evidence) for check in checks}
    with warehouse.writer() as connection:
        for name, outcome in outcomes.items():
            told = "\n".join(outcome.problems) or None
            connection.execute(
                "insert or replace into data_check values (?, ?, ?, ?, ?, ?)",
                [area.name, name, outcome.passed, SEVERITY, told, now()],
            )
    return outcomes


INCIDENT_CHECKS = (
    DataCheck(
        name="schema_is_unchanged",
        description="The newest files have the columns of those before",
        judge=data_check_queries.schema,
    ),
    DataCheck(
        name="geocode_rate_is_usual",
        description="As many newest incidents have a place as in the two years before",
        judge=data_check_queries.places,
    ),
    DataCheck(
        name="labels_are_mapped",
        description="The publisher's words for offences are known, and the usual ones still occur",
        judge=data_check_queries.labels,
    ),
    DataCheck(
        name="files_are_distinct",
        description="No two files hold mostly the same incidents",
        judge=data_check_queries.files,
    ),
    DataCheck(
        name="every_part_has_every_month",
        description="No force or source lacks a month that the others have",
        judge=data_check_queries.parts,
    ),
    DataCheck(
        name="months_are_full",
        description="No month holds less than half of what the months around it let expect",
        judge=data_check_queries.thin_months,
    ),
    DataCheck(
        name="nothing_was_taken_back",
        description="No newer file took away most incidents of an offence type in a month",
        judge=data_check_queries.taken_back,
    ),
    DataCheck(
        name="data_are_fresh",
        description="The newest incident is no older than max_age_days of [quality]",
        judge=data_check_queries.freshness,
    ),
)
"""Checks of the incidents, run when files were read."""

COUNT_CHECKS = (
    DataCheck(
        name="levels_are_steady",
        description="No offence type changed its level from one month to the next in two years",
        judge=data_check_queries.levels,
    ),
    DataCheck(
        name="revisions_are_usual",
        description="The newest files changed no earlier month by more than three times the usual",
        judge=data_check_queries.revisions,
    ),
)
"""Checks of the monthly counts, run when incidents were counted."""

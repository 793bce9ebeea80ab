"""When runs start by themselves: once a month, for the month that has just ended."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg
import numpy as np

from crime_platform.defs.assets_grid import as_of_months
from crime_platform.sources.files.opening import missing_files
from crime_platform.study_area.study_area import StudyArea
from crime_platform.system.escape import markdown
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import Day, Month, parse_month

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as Job,
    )

RUN_KEY = "dagster/run_key"
DAY_OF_MONTH, HOUR = 5, 6  # publishers load the last days of a month with some delay


def monthly_job(area: StudyArea) -> "Job":
    """Everything of one area: ingest, models, gate, release, page."""
    return dg.define_asset_job(
        f"{area.name}_monthly",
        selection=dg.AssetSelection.groups(area.name),
        description=f"Ingest, forecast, judge and publish {markdown(area.title)}; export its page",
        tags={"study_area": area.name},
    )


def ingest_job(area: StudyArea) -> "Job":
    """Only the data: incidents, counts, tensor."""
    keys = [[area.name, name] for name in ("incidents", "cell_month_count", "grid_tensor")]
    return dg.define_asset_job(
        f"{area.name}_ingest",
        selection=dg.AssetSelection.assets(*keys),
        description=f"Read new and changed files of {markdown(area.title)}",
        tags={"study_area": area.name},
    )


def monthly_schedule(area: StudyArea, job: "Job", home: PlatformHome) -> dg.ScheduleDefinition:
    """The 5th at 06:00 local: forecast from the last complete month, once per month.

    An area whose files were never fetched is left alone, and the tick says what is missing. That
    holds for an API as well: a fresh installation must not load millions of rows that nobody asked
    for, so the first fetch is started by hand and the schedule keeps it up to date.

    A data set that is closed (`last_month` in the TOML) has the same last month at every tick: it
    runs once and then rests.
    """

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if reason := _nothing_to_read(area, home):
            return dg.SkipReason(reason)
        moment = context.scheduled_execution_time
        with dg.partition_loading_context(effective_dt=moment):
            month = as_of_months(area).get_last_partition_key()
        if month is None:
            return dg.SkipReason(f"{area.name} has no month with enough history yet")
        today = np.datetime64(moment.astimezone(ZoneInfo(area.timezone)).date(), "D")
        month, reason = _month_at_hand(area, home, parse_month(month), today)
        if reason:
            return dg.SkipReason(reason)
        run_key = f"{area.name}:{month}"
        if was_asked_for(context, run_key):
            return dg.SkipReason(f"{area.name} was forecast from {month} already")
        return dg.RunRequest(
            run_key=run_key, partition_key=str(month), tags={"trigger": "schedule"}
        )

    return dg.ScheduleDefinition(
        name=f"{area.name}_monthly_schedule",
        job=job,
        cron_schedule=f"0 {HOUR} {DAY_OF_MONTH} * *",
        execution_timezone=area.timezone,
        execution_fn=request,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Forecast {markdown(area.title)} on the {DAY_OF_MONTH}th at {HOUR:02d}:00 "
        "local time",
    )


def was_asked_for(context: dg.ScheduleEvaluationContext, run_key: str) -> bool:
    """Whether a run with this key waits, runs or has ended well; one that failed is tried again.

    Dagster itself compares the keys of one tick only.
    """
    states = [
        state
        for state in dg.DagsterRunStatus
        if state not in (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
    ]
    wanted = dg.RunsFilter(tags={RUN_KEY: run_key}, statuses=states)
    return bool(context.instance.get_runs(wanted, limit=1))


def _month_at_hand(
    area: StudyArea, home: PlatformHome, newest: Month, today: Day
) -> tuple[Month, str]:
    """The month to forecast from, and why it is no use to try; blank when it is.

    What files hold is known already: the sensor of new files reads them as they come. An API is
    asked in the run itself, so a month that will still be too young today is not asked for.
    """
    from crime_platform.pipeline.revisions import newest_mature, read_record
    from crime_platform.warehouse.warehouse import Warehouse

    warehouse = Warehouse(home.warehouse)
    if any(source.api is not None for source in area.sources):
        warehouse.add_missing_tables()  # the first tick may come before the first ingest
        return newest_mature(area, read_record(area, warehouse), newest, today), ""
    month = newest - warehouse.n_months_left_out(area.name)
    reached = warehouse.last_complete_month(area.name)
    if reached is None or reached >= month:
        return month, ""
    return month, (
        f"the files of {area.name} reach {reached}, and {month} is due; its forecast starts when "
        "the file lies there"
    )


def _nothing_to_read(area: StudyArea, home: PlatformHome) -> str:
    """Why the area cannot be read, with the cure; blank when every source has files."""
    missing = {each.name: missing_files(each.paths, home.root) for each in area.sources}
    unfetched = [each.name for each in area.sources if each.api is not None and missing[each.name]]
    if unfetched:
        return (
            f"{area.name} was never fetched from its API ({', '.join(unfetched)}): start it once "
            f"by hand with `crime-platform run --study-area {area.name}`"
        )
    patterns = [pattern for found in missing.values() for pattern in found]
    return f"{area.name} has no file yet at {', '.join(patterns)}" if patterns else ""

"""When the streets of an area are forecast by themselves: every morning, from the newest whole day.

What files hold is known from their last ingest: the sensor of new files reads them as they come. An
API is asked in the run itself, so its newest day is forecast from on the next morning.
"""

from typing import TYPE_CHECKING

import dagster as dg

from crime_platform.defs.assets_dashboard import DASHBOARD
from crime_platform.defs.assets_street import as_of_days, street_group
from crime_platform.defs.schedules import was_asked_for
from crime_platform.study_area.streets import last_complete_day
from crime_platform.study_area.study_area import StudyArea
from crime_platform.system.escape import markdown
from crime_platform.vocabulary.home import PlatformHome

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as Job,
    )

    from crime_platform.vocabulary.timesteps import Day

HOUR, MINUTE = 6, 30  # after the monthly run has begun, which takes the incidents in as well


def street_job(area: StudyArea) -> "Job":
    """Everything of one area's streets, incidents and page included."""
    shared = dg.AssetSelection.assets([area.name, "incidents"], [area.name, DASHBOARD])
    return dg.define_asset_job(
        f"{area.name}_daily",
        selection=dg.AssetSelection.groups(street_group(area)) | shared,
        description=f"Ingest {markdown(area.title)}, count it by day and street, forecast, "
        "publish, export",
        tags={"study_area": area.name},
    )


def daily_schedule(area: StudyArea, job: "Job", home: PlatformHome) -> dg.ScheduleDefinition:
    """Every day at 06:30 local: forecast from the last complete day on record, once per day.

    An area that was never ingested is left alone, as in `monthly_schedule`. A day that was asked
    for before is not asked for again, unless an API may have more by now. The job must hold assets
    that are partitioned by `as_of_days`.
    """
    is_fetched = any(source.api is not None for source in area.sources)

    def request(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        day = _last_complete_day(area, home)
        if day is None:
            return dg.SkipReason(
                f"{area.name} was never ingested: start it once by hand with "
                f"`crime-platform run --study-area {area.name}`"
            )
        moment = context.scheduled_execution_time
        with dg.partition_loading_context(effective_dt=moment):
            if not as_of_days(area).has_partition_key(str(day)):
                return dg.SkipReason(f"{day} has too little history of {area.name}, or lies ahead")
        run_key = f"{area.name}:{day}:{moment.date()}" if is_fetched else f"{area.name}:{day}"
        if was_asked_for(context, run_key):
            return dg.SkipReason(
                f"the files of {area.name} reach no further than before: {day} is their last "
                "complete day, and it was asked for already"
            )
        return dg.RunRequest(run_key=run_key, partition_key=str(day), tags={"trigger": "schedule"})

    return dg.ScheduleDefinition(
        name=f"{area.name}_daily_schedule",
        job=job,
        cron_schedule=f"{MINUTE} {HOUR} * * *",
        execution_timezone=area.timezone,
        execution_fn=request,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"Forecast the streets of {markdown(area.title)} daily at "
        f"{HOUR:02d}:{MINUTE:02d} local",
    )


def _last_complete_day(area: StudyArea, home: PlatformHome) -> "Day | None":
    from crime_platform.pipeline.known_states import day_record

    record = day_record(area, home)
    if record is None or area.streets is None:
        return None
    return last_complete_day(record, area.streets, area.last_month)

"""What starts runs when data arrive: new and revised files, and months that became complete.

Two steps, so that each starts no more than it must: files start the ingest, and only counts that
were never published start a forecast.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from crime_platform.defs.assets_grid import as_of_months
from crime_platform.sources.files.opening import file_sha256, missing_files, source_files
from crime_platform.study_area.source import Source
from crime_platform.study_area.study_area import StudyArea
from crime_platform.system.escape import markdown
from crime_platform.vocabulary.artifact import content_key
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.timesteps import Month

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as Job,
    )

SECONDS_BETWEEN_LOOKS = 60
UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def new_files_sensor(area: StudyArea, job: "Job", home: PlatformHome) -> dg.SensorDefinition:
    """Start the ingest when files are new or other than they were, and no longer growing.

    A file counts once its size and its time of change were the same in two looks running: one that
    is still being copied is never read. What is new is told by the bytes, not by the time. Files
    that come from an API are the ingest's own work, and start nothing.
    """
    given = [source for source in area.sources if source.api is None]

    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        missing = [p for source in given for p in missing_files(source.paths, home.root)]
        if missing:
            return _nothing(f"{area.name} has no file yet at {', '.join(missing)}", context.cursor)
        seen = json.loads(context.cursor or "{}")
        try:
            stamps = _stamps(given, home)
        except (OSError, SourceFormatError) as gone:
            return _nothing(f"a file went away or cannot be read: {gone}", context.cursor)
        cursor = {**seen, "stamps": stamps}
        if stamps != seen.get("stamps"):
            return _nothing("files have changed; they are read once they stay as they are", cursor)
        if stamps != seen.get("hashed"):
            hashes = {path: file_sha256(Path(path)) for path in stamps}
            cursor |= {"hashed": stamps, "key": content_key(hashes)}
        if cursor["key"] == seen.get("started"):
            return _nothing("no file is new", cursor)
        # Bytes that come back are news again, and Dagster never starts the same run key twice.
        cursor |= {"started": cursor["key"], "n_started": seen.get("n_started", 0) + 1}
        request = dg.RunRequest(
            run_key=f"{area.name}:{cursor['n_started']}:{cursor['key']}",
            tags={"trigger": "new or revised files"},
        )
        return dg.SensorResult(run_requests=[request], cursor=json.dumps(cursor))

    return dg.SensorDefinition(
        name=f"{area.name}_new_files",
        job=job,
        evaluation_fn=look,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Reads new and revised files of {markdown(area.title)} once they are whole",
    )


def new_months_sensor(area: StudyArea, job: "Job", home: PlatformHome) -> dg.SensorDefinition:
    """Forecast from the newest complete month when its counts were never published.

    A gate that refused them is not asked again until the counts change.
    """

    def look(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        from crime_platform.pipeline.cell_counts import tensor_version
        from crime_platform.publication.publish import published_version
        from crime_platform.warehouse.warehouse import Warehouse

        counted = tensor_version(home, area.name)
        if counted is None:
            return _nothing(f"nothing of {area.name} was counted yet", None)
        month, version = counted
        months = as_of_months(area).get_partition_keys()
        if str(month) not in months:
            return _nothing(_why_not(month, area, months), None)
        published = published_version(home, area.name, month)
        if published == version:
            later = Warehouse(home.warehouse).why_not_newer(area.name)
            return _nothing("; ".join([f"{month} is published with these counts", *later]), None)
        if context.instance.get_runs(dg.RunsFilter(job_name=job.name, statuses=UNFINISHED)):
            return _nothing("a forecast is under way", None)
        request = dg.RunRequest(
            # With what it replaces: counts that come back after a revision are forecast again.
            run_key=f"{area.name}:{month}:{published or 'first'}:{version}",
            partition_key=str(month),
            tags={"trigger": "new counts"},
        )
        return dg.SensorResult(run_requests=[request])

    return dg.SensorDefinition(
        name=f"{area.name}_new_months",
        job=job,
        evaluation_fn=look,
        minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Forecasts {markdown(area.title)} anew when a month is complete or revised",
    )


def has_given_files(area: StudyArea) -> bool:
    """Whether somebody puts files there: not where all of them are fetched from an API."""
    return any(source.api is None for source in area.sources)


def _why_not(month: Month, area: StudyArea, months: Sequence[str]) -> str:
    """Why nothing can be forecast from a month that is none of those."""
    enough = area.first_month + (area.min_months - 1)
    if month < enough:
        return (
            f"{month} has too little history to forecast from; the first month with enough is "
            f"{enough}"
        )
    newest = months[-1] if months else "none yet"
    return f"{month} has not ended in {area.timezone}, and counts once it has; newest: {newest}"


def _stamps(sources: list[Source], home: PlatformHome) -> dict[str, list[int]]:
    """Size and time of change of each file."""
    paths = {path for source in sources for path in source_files(source, home.root)}
    found = {str(path): path.stat() for path in sorted(paths)}
    return {path: [stat.st_size, stat.st_mtime_ns] for path, stat in found.items()}


def _nothing(why: str, cursor: dict | str | None) -> dg.SensorResult:
    kept = json.dumps(cursor) if isinstance(cursor, dict) else cursor
    return dg.SensorResult(skip_reason=dg.SkipReason(why), cursor=kept)

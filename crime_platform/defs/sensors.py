"""What watches the runs: a failed one leaves a line in `alerts.jsonl` and calls a webhook.

And what a killed one left undone: a publication on record that the release lacks.
"""

import json
import os
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from crime_platform.vocabulary.artifact import content_key
from crime_platform.vocabulary.home import PlatformHome

WEBHOOK_VARIABLE = "CRIME_PLATFORM_ALERT_WEBHOOK"
WEBHOOK_SECONDS = 10
SECONDS_BETWEEN_REPAIRS = 300


def alert_on_failure(home: PlatformHome) -> dg.SensorDefinition:
    """Sensor that reports every failed run, refused gates included."""

    @dg.run_failure_sensor(
        name="alert_on_failure",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Appends failed runs to {home.alerts.name} and posts them to "
        f"${WEBHOOK_VARIABLE} if that is set",
    )
    def sensor(context: dg.RunFailureSensorContext) -> None:
        alert = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "job": context.dagster_run.job_name,
            "run_id": context.dagster_run.run_id,
            "month": context.dagster_run.tags.get("dagster/partition"),
            "message": context.failure_event.message,
        }
        append_alert(home.alerts, alert)
        if url := os.environ.get(WEBHOOK_VARIABLE):
            post_alert(url, alert)
            context.log.info("posted the alert to the webhook")

    return sensor


def repair_job(home: PlatformHome) -> dg.JobDefinition:
    """Publishes what is on record as published but missing from the release."""

    @dg.op(pool="warehouse")
    def publish_what_is_missing(context: dg.OpExecutionContext) -> None:
        from crime_platform.publication.publish import repair_release

        for line in repair_release(home):
            context.log.info("published now: %s", line)

    @dg.job(description="Publishes what is on record as published but missing from the release")
    def release_repair() -> None:
        publish_what_is_missing()

    return release_repair


def lacking_release(job: dg.JobDefinition, home: PlatformHome) -> dg.SensorDefinition:
    """Sensor that starts the repair of a release that lacks a publication on record."""

    def look(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        from crime_platform.publication.publish import missing_publications

        missing = missing_publications(home)
        if not missing:
            return dg.SkipReason("the release holds every publication on record")
        context.log.warning("the release lacks %s", "; ".join(missing))
        release = home.forecasts.resolve().name
        return dg.RunRequest(run_key=content_key(missing, release))

    return dg.SensorDefinition(
        name="lacking_release",
        job=job,
        evaluation_fn=look,
        minimum_interval_seconds=SECONDS_BETWEEN_REPAIRS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Publishes what a killed run recorded as published but did not release",
    )


def append_alert(path: Path, alert: dict[str, object]) -> None:
    """Add one JSON line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(alert) + "\n")


def post_alert(url: str, alert: dict[str, object]) -> None:
    """Send the alert as JSON.

    Raises:
        ValueError: if the URL is not http or https.
        OSError: if the receiver cannot be reached or refuses; Dagster shows it on the sensor.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"${WEBHOOK_VARIABLE} must be an http or https URL, got {url!r}")
    body = json.dumps(alert).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=WEBHOOK_SECONDS):
        pass

"""What watches the runs: a failed one leaves a line in `alerts.jsonl` and calls a webhook."""

import json
import os
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from crime_platform.vocabulary.home import PlatformHome

WEBHOOK_VARIABLE = "CRIME_PLATFORM_ALERT_WEBHOOK"
WEBHOOK_SECONDS = 10


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

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import pytest

from crime_platform.defs.sensors import WEBHOOK_VARIABLE, alert_on_failure


@dg.op
def breaks():
    raise ValueError("no such file: 2021-09.csv")


@dg.job
def monthly():
    breaks()


@pytest.fixture
def failed_run():
    """Context of the failure sensor for a run that has just failed."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = monthly.execute_in_process(
            instance=instance, raise_on_error=False, tags={"dagster/partition": "2021-09"}
        )
        yield dg.build_run_status_sensor_context(
            sensor_name="alert_on_failure",
            dagster_instance=instance,
            dagster_run=result.dagster_run,
            dagster_event=next(e for e in result.all_events if e.is_run_failure),
        ).for_run_failure()


@pytest.fixture
def webhook(monkeypatch):
    """A web server on loopback; yields the list of what was posted to it."""
    received = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            """Stay quiet."""

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(WEBHOOK_VARIABLE, f"http://127.0.0.1:{server.server_port}/alert")
    yield received
    server.shutdown()
    server.server_close()


def test_a_failed_run_leaves_a_line(home, failed_run):
    alert_on_failure(home)(failed_run)

    alert = json.loads(home.alerts.read_text())
    assert (alert["job"], alert["month"]) == ("monthly", "2021-09")
    assert alert["run_id"] == failed_run.dagster_run.run_id
    assert "breaks" in alert["message"]


def test_a_failed_run_is_posted_to_the_webhook(home, failed_run, webhook):
    alert_on_failure(home)(failed_run)
    assert [alert["job"] for alert in webhook] == ["monthly"]


def test_a_webhook_that_cannot_be_reached_is_an_error_after_the_line(home, failed_run, monkeypatch):
    monkeypatch.setenv(WEBHOOK_VARIABLE, "http://127.0.0.1:9/alert")
    with pytest.raises(OSError, match="refused"):
        alert_on_failure(home)(failed_run)
    assert home.alerts.exists()

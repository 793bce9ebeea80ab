"""The command that serves the page: what it prints, what it opens, and what it refuses."""

import signal
import socket
import subprocess
import sys
import urllib.request
import webbrowser

import pytest
import typer
from typer.testing import CliRunner

from crime_platform.commands import dashboard as cli_dashboard
from crime_platform.commands.dashboard import dashboard, has_display
from crime_platform.dashboard import server
from crime_platform.dashboard.listening import PortError
from toys.dashboard import publish, write_web
from toys.paths import REPOSITORY

app = typer.Typer()
app.command()(dashboard)
LOCAL = ("http://127.0.0.1:8321/", "127.0.0.1")


@pytest.fixture
def opened(monkeypatch):
    """Links that were opened; there is a display unless a test takes it away."""
    links = []
    monkeypatch.setattr(webbrowser, "open", lambda link: links.append(link) or True)
    monkeypatch.setattr(cli_dashboard, "has_display", lambda: True)
    return links


def call(monkeypatch, *arguments, started=LOCAL):
    """The command, with a server that starts at once and is stopped at once."""
    asked = {}

    def serve(home, *, host, port, on_start):
        asked.update(home=home, host=host, port=port)
        on_start(*started)

    monkeypatch.setattr(server, "serve", serve)
    answer = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "300"})
    return answer, asked


def test_the_link_is_printed_and_opened(home, monkeypatch, opened):
    publish(home, "0a")

    answer, asked = call(monkeypatch)

    assert answer.stdout == "Dashboard: http://127.0.0.1:8321/  (Ctrl-C stops it)\n"
    assert answer.stderr == ""
    assert asked == {"home": home, "host": "127.0.0.1", "port": 8321}
    assert opened == ["http://127.0.0.1:8321/"]


def test_no_open_opens_nothing(home, monkeypatch, opened):
    publish(home, "0a")

    answer, _ = call(monkeypatch, "--no-open")

    assert "http://127.0.0.1:8321/" in answer.stdout
    assert opened == []


def test_without_a_display_nothing_is_opened(home, monkeypatch, opened):
    publish(home, "0a")
    monkeypatch.setattr(cli_dashboard, "has_display", has_display)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    call(monkeypatch)

    assert opened == []


@pytest.mark.parametrize(
    ("platform", "variable", "is_there"),
    [
        ("linux", "DISPLAY", True),
        ("linux", "WAYLAND_DISPLAY", True),
        ("linux", "OTHER", False),
        ("darwin", "OTHER", True),
    ],
)
def test_where_a_browser_has_a_screen(monkeypatch, platform, variable, is_there):
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv(variable, ":0")

    assert has_display() == is_there


def test_another_port_is_told(home, monkeypatch, opened):
    publish(home, "0a")

    answer, asked = call(
        monkeypatch, "--port", "9000", started=("http://127.0.0.1:9001/", "127.0.0.1")
    )

    assert asked["port"] == 9000
    assert answer.stdout.splitlines()[0] == "Port 9000 is taken."
    assert opened == ["http://127.0.0.1:9001/"]


def test_a_page_for_the_whole_network_is_warned_of(home, monkeypatch):
    publish(home, "0a")

    answer, asked = call(
        monkeypatch, "--host", "0.0.0.0", "--no-open", started=("http://127.0.0.1:8321/", "0.0.0.0")
    )

    assert asked["host"] == "0.0.0.0"
    assert "Everyone on the network can read this page: it is bound to 0.0.0.0" in answer.stderr


@pytest.mark.usefixtures("home")
def test_before_the_first_release_the_page_is_served_and_the_cure_told(monkeypatch):
    answer, asked = call(monkeypatch, "--no-open")

    assert asked["port"] == 8321
    assert "Nothing is published yet: crime-platform run makes the first release" in answer.stderr


@pytest.mark.usefixtures("home")
def test_what_cannot_be_served_ends_with_bad_input(monkeypatch):
    def fail(*_, **__):
        raise PortError("ports 8321 to 8330 of 127.0.0.1 are taken: name a free one with --port")

    monkeypatch.setattr(server, "serve", fail)
    answer = CliRunner().invoke(app, [], env={"COLUMNS": "300"})

    assert answer.exit_code == 2
    assert "ports 8321 to 8330 of 127.0.0.1 are taken" in answer.stderr


SERVE = """
import sys
from functools import partial
from pathlib import Path
from crime_platform.dashboard import server
server.build_app = partial(server.build_app, web=Path(sys.argv[1]))
from crime_platform.cli import app
app(["dashboard", "--no-open", "--port", "0"])
"""


def test_ctrl_c_stops_it_without_a_traceback(home, tmp_path):
    publish(home, "0a")
    web = write_web(tmp_path / "web")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(web)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        link = process.stdout.readline().split()[1]
        with urllib.request.urlopen(f"{link}api/release", timeout=10) as answer:
            told = answer.read()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)

    assert told == b'{"release":"0a"}'
    assert (process.returncode, err) == (0, "")
    with pytest.raises(OSError, match="refused"), socket.socket() as client:
        client.connect(("127.0.0.1", int(link.rstrip("/").rpartition(":")[2])))
    assert out == ""

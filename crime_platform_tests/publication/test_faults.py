"""kill -9 at every stage: run again, same result, nothing doubled, a release always readable."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import prepare_home, use_home, write_toy_city

COMMAND = [str(Path(sys.executable).parent / "crime-platform"), "run", "--study-area", "toy"]
SECONDS = 600  # a busy machine is slow, and only a run that hangs fails
CONTENT = """
select model, lead, cell_id, offence_type, expected_count from cell_forecast order by all
"""
SIGNS = {
    "ingest": "scratch-*/*",
    "training": "artifacts/toy/model_runs/convlstm/.tmp-*",
    "candidate": "artifacts/toy/candidates/.tmp-*/*/*",
    "release": "releases/.tmp-*",
}


def content(home):
    with open_release(home) as connection:
        return connection.sql(CONTENT).fetchall()


def kill_when(home, sign):
    """Start a run and kill it as soon as a file matches the sign."""
    run = subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with run:
        deadline = time.monotonic() + SECONDS
        while not any(home.root.glob(sign)) and run.poll() is None:
            assert time.monotonic() < deadline, f"no {sign} within {SECONDS} s"
            time.sleep(0.002)
        os.kill(run.pid, signal.SIGKILL)
    return run.returncode


@pytest.mark.slow
@pytest.mark.parametrize("stage", SIGNS)
def test_kill_9_then_run_again_gives_the_same_release(stage, published_once, tmp_path, monkeypatch):
    home = prepare_home(tmp_path / "home")
    use_home(monkeypatch, home.root)
    write_toy_city(home)

    assert kill_when(home, SIGNS[stage]) == -signal.SIGKILL
    again = subprocess.run(COMMAND, capture_output=True, text=True, check=False)

    assert again.returncode == 0, again.stdout + again.stderr
    assert content(home) == content(PlatformHome(published_once))
    files = Warehouse(home.warehouse).read("select * from source_file")
    assert len(files) == 1
    incidents = Warehouse(home.warehouse).read("select count(*) n from incident_vintage")
    assert incidents["n"].item() == files["n_accepted"].item()
    left = [path for path in home.root.rglob(".tmp-*") if "dagster_home" not in path.parts]
    assert left == []
    assert list(home.root.glob("scratch-*")) == []


@pytest.mark.slow
def test_kill_9_leaves_the_last_release_readable(published):
    before = content(published)
    write_toy_city(published, n_months=30, moving=True)
    file = published.root / "raw/toy/all.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, *lines[-50:]]) + "\n")  # a revision: everything is new

    assert kill_when(published, SIGNS["candidate"]) == -signal.SIGKILL

    assert content(published) == before

import os
import subprocess
import sys

import dagster as dg
import pytest

from crime_platform.defs.dagster_home import SETTINGS, prepare_dagster_home
from crime_platform.vocabulary.home import HOME_VARIABLE, PlatformHome
from toys.paths import REPOSITORY


@pytest.fixture
def fresh(tmp_path, monkeypatch):
    """A home that no command has seen; Dagster's own home of this process stays as it is."""
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "elsewhere"))
    return PlatformHome(tmp_path / "home")


def test_a_fresh_home_gets_the_settings_of_the_checkout(fresh):
    prepare_dagster_home(fresh)

    settings = fresh.dagster_home / "dagster.yaml"
    assert settings.read_text() == (REPOSITORY / "data/dagster_home/dagster.yaml").read_text()
    assert os.environ["DAGSTER_HOME"] == str(fresh.dagster_home)
    with dg.DagsterInstance.get() as instance:
        assert not instance.telemetry_enabled
        assert instance.run_retries_enabled


def test_settings_that_are_there_are_kept(fresh):
    fresh.dagster_home.mkdir(parents=True)
    (fresh.dagster_home / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    prepare_dagster_home(fresh)

    assert (fresh.dagster_home / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"


def test_the_package_brings_the_settings():
    assert SETTINGS.is_file()


@pytest.mark.slow
def test_processes_that_start_at_once_on_a_fresh_home_leave_whole_databases(fresh, tmp_path):
    command = [sys.executable, "-m", "crime_platform.defs.dagster_home"]
    environment = {**os.environ, HOME_VARIABLE: str(fresh.root), "HOME": str(tmp_path / "user")}
    processes = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]

    told = [process.communicate(timeout=120)[1] for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, told
    assert not (tmp_path / "user").exists()  # Dagster's telemetry would write an identifier there
    prepare_dagster_home(fresh)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs() == []
        assert list(instance.all_instigator_state()) == []

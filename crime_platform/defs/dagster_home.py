"""Dagster's folder of a home: its settings, and its databases before anyone uses them.

Run as a module, it prepares the home that `$CRIME_PLATFORM_HOME` names, for `dagster dev`.
"""

import fcntl
import os
import shutil
from pathlib import Path

import dagster as dg

from crime_platform.vocabulary.artifact import written_aside
from crime_platform.vocabulary.home import PlatformHome

SETTINGS = Path(__file__).with_name("dagster.yaml")
LOCK = "dagster_home.lock"
LAST_DATABASE = Path("schedules", "schedules.db")  # of those that are created below


def prepare_dagster_home(home: PlatformHome) -> None:
    """Give a home its Dagster settings and empty databases, and point this process at them.

    Without settings Dagster turns telemetry on, writes an identifier outside the home, and knows
    neither our limits nor our alerts. Several processes that start on a fresh home would create its
    SQLite databases at once and leave them broken for good, so one of them does it under a lock.
    """
    folder = home.dagster_home
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DAGSTER_HOME"] = str(folder)
    settings = folder / SETTINGS.name
    with (home.root / LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not settings.exists():
            with written_aside(settings) as aside:
                shutil.copyfile(SETTINGS, aside)
        if (folder / LAST_DATABASE).exists():
            return
        with dg.DagsterInstance.get() as instance:
            # Each of the three databases is created at its first use.
            instance.get_runs(limit=1)
            instance.get_latest_materialization_event(dg.AssetKey("none"))
            instance.all_instigator_state()


if __name__ == "__main__":
    prepare_dagster_home(PlatformHome.from_environment())

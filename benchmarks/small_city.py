"""The smallest city that a run publishes, and what the fault trials ask of its home afterwards."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import numpy as np

from crime_platform.defs.file_sensors import UNFINISHED
from crime_platform.publication.release import open_release
from crime_platform.schema.cell_tables import TABLES
from crime_platform.vocabulary.home import HOME_VARIABLE, PlatformHome

N_MONTHS = 26  # two more than the least
FIRST = np.datetime64("2019-01", "M")
SHAPE = (6, 5)
VOLATILE = (  # differ from run to run of the same content
    "run_id",
    "published_at",
    "measured_at",
    "checked_at",
    "training_seconds",
    "git_commit",
)
# With 12 origins the learned models have too little history and step aside: a run is short.
TOML = """
name = "small"
title = "Small city"
crs = "EPSG:26917"
timezone = "America/Toronto"
step = "month"
first_month = "2019-01"
last_month = "{last_month}"

[grid]
cell_size_m = 500
extent_m = [630000, 4830000, 632500, 4833000]

[[offence_type]]
name = "assault"
title = "Assault"
labels = ["Assault"]

[[source]]
name = "police"
paths = ["raw/small.csv"]
crs = "EPSG:26917"

[source.columns]
occurred_at = "date"
offence = "offence"
x = "x"
y = "y"

[backtest]
n_origins = 12
refit_every = 12
"""


def write_small_city(root: Path, *, seed: int) -> PlatformHome:
    """A home with the city's TOML and file; its hot spots move after a year, so a run publishes."""
    random = np.random.default_rng(seed)
    early, late = random.gamma(0.7, 6.0, (2, *SHAPE))
    lines = ["date,offence,x,y"]
    for step in range(N_MONTHS):
        first = (FIRST + step).astype("datetime64[D]")
        last = (FIRST + step + 1).astype("datetime64[D]") - 1
        counts = random.poisson(late if step >= N_MONTHS // 2 else early)
        counts[0, 0] += 1  # on the last day: every month is whole
        for row, col in np.argwhere(counts):
            place = f"{630250 + 500 * col},{4830250 + 500 * row}"
            days = [
                last if (row, col) == (0, 0) else first + n % 28 for n in range(counts[row, col])
            ]
            lines += [f"{day},Assault,{place}" for day in days]
    for folder in ("raw", "study_areas"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "raw" / "small.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    toml = TOML.format(last_month=FIRST + N_MONTHS - 1)
    (root / "study_areas" / "small.toml").write_text(toml, encoding="utf-8")
    return PlatformHome(root)


def run_command(home: PlatformHome) -> "subprocess.Popen[str]":
    """`crime-platform run` of the city, begun."""
    return subprocess.Popen(
        [str(Path(sys.executable).parent / "crime-platform"), "run", "--study-area", "small"],
        env={**os.environ, HOME_VARIABLE: str(home.root), "DAGSTER_DISABLE_TELEMETRY": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finished(home: PlatformHome) -> str:
    """Output of a run that must succeed.

    Raises:
        RuntimeError: if it did not.
    """
    with run_command(home) as run:
        told, _ = run.communicate()
    if run.returncode != 0:
        raise RuntimeError(f"the run ended with {run.returncode}:\n{told}")
    return told


def table_hashes(home: PlatformHome) -> dict[str, str]:
    """One hash per table of the release, of every row without what differs from run to run."""
    hashes = {}
    with open_release(home) as connection:
        for table in TABLES:
            names = [c.name for c in table.columns if c.name not in VOLATILE]
            columns = ", ".join(f'"{name}"' for name in names)
            rows = connection.execute(f"select {columns} from {table.name} order by all").fetchall()
            hashes[table.name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    return hashes


def left_over(home: PlatformHome) -> list[str]:
    """What should not be there after a finished run: slots, open runs, temporary files."""
    os.environ["DAGSTER_HOME"] = str(home.dagster_home)
    with dg.DagsterInstance.get() as instance:
        storage = instance.event_log_storage
        pools = storage.get_concurrency_keys()
        stuck = [pool for pool in pools if storage.get_concurrency_info(pool).active_slot_count]
        unfinished = instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    names = [str(path.relative_to(home.root)) for path in home.root.rglob(".tmp-*")]
    scratch = [path.name for path in home.root.glob("scratch-*")]
    return [
        *(f"a slot of pool {pool} is taken" for pool in stuck),
        *(f"run {run.run_id} is {run.status.value}" for run in unfinished),
        *names,
        *scratch,
    ]

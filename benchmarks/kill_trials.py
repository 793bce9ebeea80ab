"""`kill -9` of a run at random moments: the same tables at the end, and no reader that fails.

A home with a published release gets a revised file. Runs of it are killed until one ends by itself;
then its tables must be those of a run that nobody disturbed, and the next round begins. A reader
opens the release all the time.

Usage: python benchmarks/kill_trials.py [--kills 200] [--seed 0] [--minutes 15]
"""

import argparse
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from small_city import (
    finished,
    left_over,
    run_command,
    table_hashes,
    write_small_city,
)

from crime_platform.vocabulary.home import PlatformHome

READER = """
import sys, time
from pathlib import Path
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
home, reads = PlatformHome(Path(sys.argv[1])), 0
while not Path(sys.argv[2]).exists():
    with open_release(home) as connection:
        months, rows = connection.sql(
            "select (select count(*) from release), (select count(*) from cell_forecast)"
        ).fetchall()[0]
    if not months or not rows:
        sys.exit(f"read {months} months and {rows} rows")
    reads += 1
    time.sleep(0.02)
print(reads)
"""


def main() -> None:
    """Kill, compare, print the figures; exit code 1 if anything differed."""
    parser = argparse.ArgumentParser(
        description="kill -9 of runs at random moments; tables and readers are compared."
    )
    parser.add_argument("--kills", type=int, default=200, help="runs to kill (default 200)")
    parser.add_argument("--seed", type=int, default=0, help="of the city and of the moments")
    parser.add_argument("--minutes", type=float, default=15, help="begin no round after these")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        root, began = Path(folder), time.monotonic()
        before = write_small_city(root / "before", seed=options.seed)
        finished(before)
        undisturbed, seconds = _revised(before, root / "undisturbed", options.seed)
        expected = table_hashes(undisturbed)
        kills = rounds = reads = 0
        problems: list[str] = []
        while kills < options.kills and time.monotonic() - began < 60 * options.minutes:
            rounds += 1
            home = _copy(before, root / f"round-{rounds}", options.seed)
            killed, read, found = _round(home, seconds, options.kills - kills, random)
            kills, reads = kills + killed, reads + read
            if table_hashes(home) != expected:
                found.append("other tables than the run that nobody disturbed")
            problems += [f"round {rounds}: {each}" for each in (*found, *left_over(home))]
            shutil.rmtree(home.root)
            print(f"{kills} kills, {rounds} rounds, {len(problems)} problems", flush=True)
    print("\n".join(problems))
    print(
        f"{kills} of {options.kills} kills in {rounds} rounds; a whole run takes {seconds:.1f} s; "
        f"{reads} reads; {len(problems)} problems"
    )
    sys.exit(1 if problems else 0)


def _copy(home: PlatformHome, root: Path, seed: int) -> PlatformHome:
    """The published home with a revised file: everything after the ingest is to be made anew."""
    shutil.copytree(home.root, root, symlinks=True)
    return write_small_city(root, seed=seed + 1)


def _revised(home: PlatformHome, root: Path, seed: int) -> tuple[PlatformHome, float]:
    copy = _copy(home, root, seed)
    began = time.monotonic()
    finished(copy)
    return copy, time.monotonic() - began


def _round(
    home: PlatformHome, seconds: float, most: int, random: np.random.Generator
) -> tuple[int, int, list[str]]:
    """Kills until a run ends by itself, reads of the release, and what went wrong."""
    stop = home.root.with_suffix(".stop")
    problems, kills = [], 0
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(home.root), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        while kills < most:
            with run_command(home) as run:
                try:
                    told, _ = run.communicate(timeout=random.uniform(0, seconds))
                except subprocess.TimeoutExpired:
                    run.send_signal(signal.SIGKILL)
                    run.communicate()
                    kills += 1
                    continue
            if run.returncode:
                problems.append(f"a run that was not killed ended with {run.returncode}: {told}")
            break
        else:
            finished(home)
        stop.touch()
        told, error = reader.communicate()
    if reader.returncode:
        problems.append(f"the reader failed: {error}")
    return kills, int(told or 0), problems


if __name__ == "__main__":
    main()

"""A disk that is full at every stage of a run: after room is made, the next run goes on.

A run on a large disk is watched first: how much is used when each stage begins. Then runs begin on
disks that are full within a stage, are given room, and must end with the same tables. Needs root,
for the disks are mounted (`mount -t tmpfs`).

Usage: python benchmarks/disk_full_trials.py [--sizes 20] [--stages start ingest ...] [--minutes 15]
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from small_city import finished, left_over, run_command, table_hashes, write_small_city

from crime_platform.system.exit_codes import BAD_INPUT
from crime_platform.vocabulary.home import PlatformHome

ROOM = "1g"
STAGES = {  # a stage begins when a path like this is there
    "start": "raw/small.csv",
    "warehouse": "warehouse.lock",
    "ingest": "scratch-*",
    "tensor": "artifacts/small/tensors",
    "models": "artifacts/small/model_runs",
    "candidate": "artifacts/small/candidates",
    "release": "releases",
    "page": "exports",
}


def main() -> None:
    """Fill, make room, compare, print the figures; exit code 1 if anything differed."""
    parser = argparse.ArgumentParser(
        description="A full disk at every stage of a run, then room: the next run goes on."
    )
    parser.add_argument("--sizes", type=int, default=20, help="of disks, for each stage")
    parser.add_argument("--stages", nargs="*", choices=STAGES, default=list(STAGES))
    parser.add_argument("--seed", type=int, default=0, help="of the city")
    parser.add_argument("--minutes", type=float, default=15, help="begin no trial after these")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("disk_full_trials mounts small disks, which only root may do: run it as root")
    began, problems = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        disk = Path(folder)
        with mounted(disk, ROOM):
            home = write_small_city(disk, seed=options.seed)
            used = _used_by_stage(home)
            expected = table_hashes(home)
        ends = [*list(used.values())[1:], used["page"] + 64]
        for stage, (first, last) in zip(used, zip(used.values(), ends, strict=True), strict=True):
            if stage not in options.stages:
                continue
            tried = filled = 0
            for size in np.unique(np.linspace(first, last, options.sizes, dtype=int)):
                if time.monotonic() - began > 60 * options.minutes:
                    break
                was_full, found = _trial(disk, int(size), expected, options.seed)
                tried, filled = tried + 1, filled + was_full
                problems += [f"{stage}, {size} kB: {each}" for each in found]
            print(
                f"{stage}: {tried} disks of {first} to {last} kB, {filled} of them too small",
                flush=True,
            )
    print("\n".join(problems) or "all went on after room was made")
    sys.exit(1 if problems else 0)


def _used_by_stage(home: PlatformHome) -> dict[str, int]:
    """Kilobytes on the disk when each stage begins."""
    used: dict[str, int] = {}
    with run_command(home) as run:
        while run.poll() is None or len(used) < len(STAGES):
            for stage, sign in STAGES.items():
                if stage not in used and any(home.root.glob(sign)):
                    used[stage] = shutil.disk_usage(home.root).used // 1024
            if run.poll() is not None:
                break
            time.sleep(0.01)
        told, _ = run.communicate()
    if run.returncode or set(used) != set(STAGES):
        raise RuntimeError(f"the run ended with {run.returncode} after {list(used)}:\n{told}")
    return used


def _trial(disk: Path, size: int, expected: dict[str, str], seed: int) -> tuple[bool, list[str]]:
    """Whether the disk was too small, and what is wrong after room was made."""
    with mounted(disk, f"{size}k"):
        try:
            home = write_small_city(disk, seed=seed)
        except OSError:
            return False, []  # not even the city's own file has room
        with run_command(home) as run:
            told, _ = run.communicate()
        was_full = run.returncode != 0
        problems = []
        if was_full and (run.returncode != BAD_INPUT or "make room" not in told):
            problems.append(f"ended with {run.returncode}, no cure named: {told.strip()[-500:]}")
        subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(disk)], check=True)
        try:
            finished(home)
        except RuntimeError as still_broken:
            return was_full, [*problems, str(still_broken)]
        if table_hashes(home) != expected:
            problems.append("other tables than on a large disk")
        return was_full, [*problems, *left_over(home)]


@contextmanager
def mounted(disk: Path, size: str) -> Iterator[None]:
    """A disk of this size in memory."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(disk)], check=True)


if __name__ == "__main__":
    main()

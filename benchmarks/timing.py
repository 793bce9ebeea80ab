"""How every benchmark measures: whole processes, a few repeats, minimum and median."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


def seconds_of_process(arguments: list[str], *, repeats: int, env: dict[str, str]) -> list[float]:
    """Wall seconds of each run of a Python process, start-up included."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, env=env, cwd=REPOSITORY)
        taken.append(time.perf_counter() - started)
    return taken


def found_by_process(code: str, *arguments: str, env: dict[str, str] | None = None) -> Any:
    """What a fresh Python process prints last, as JSON; None if it prints nothing.

    Args:
        code: what the process runs.
        arguments: its `sys.argv[1:]`.
        env: changes to this process's environment.
    """
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        env={**os.environ, **(env or {})},
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    printed = done.stdout.splitlines()  # DuckDB may draw a bar before
    return json.loads(printed[-1]) if printed else None


def row(claim: str, limit: str, taken: list[float], *, digits: int = 2) -> str:
    """One line of RESULTS.md, its seconds with so many digits."""
    low, middle = min(taken), statistics.median(taken)
    return f"| {claim} | {limit} | {low:.{digits}f} | {middle:.{digits}f} | {len(taken)} |"


def options(text: str | None) -> argparse.ArgumentParser:
    """Command line of a script that explains itself by its docstring: `--help` and no more.

    Args:
        text: the script's `__doc__`.
    """
    return argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )

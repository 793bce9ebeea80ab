"""How every benchmark measures: whole processes, a few repeats, minimum and median."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def seconds_of_process(arguments: list[str], *, repeats: int, env: dict[str, str]) -> list[float]:
    """Wall seconds of each run of a Python process, start-up included."""
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, env=env, cwd=REPOSITORY)
        taken.append(time.perf_counter() - started)
    return taken


def row(claim: str, limit: str, taken: list[float]) -> str:
    """One line of RESULTS.md."""
    low, middle = min(taken), statistics.median(taken)
    return f"| {claim} | {limit} | {low:.2f} | {middle:.2f} | {len(taken)} |"

"""Runs every benchmark and writes benchmarks/RESULTS.md.

Usage: make bench
"""

import os
import platform
from datetime import UTC, datetime
from importlib import import_module

from timing import REPOSITORY, options

BENCHMARKS = (
    "start_up",
    "feature_building",
    "incident_files",
    "simulated_city",
    "ten_million_rows",
    "street_graph",
    "street_counting",
    "street_training",
    "dashboard_payload",
    "dashboard_server",
    "dashboard_page",
)
HEADER = """# Benchmarks

Whole processes, start-up included; wall seconds. Machines differ and are noisy: compare rows of one
run only. Written by `make bench` on {date}: {cores} cores, Python {python}, {system}.

| claim | limit | fastest | median | runs |
|---|---|---|---|---|
"""


def main() -> None:
    """Measure and write."""
    rows = [row for name in BENCHMARKS for row in import_module(name).measure()]
    header = HEADER.format(
        date=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        system=platform.system(),
    )
    (REPOSITORY / "benchmarks" / "RESULTS.md").write_text(header + "\n".join(rows) + "\n")


if __name__ == "__main__":
    options(__doc__).parse_args()
    main()

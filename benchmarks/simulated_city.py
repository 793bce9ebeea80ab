"""A simulated city of Auckland's size: written in the publisher's format, then taken in.

Usage: python benchmarks/simulated_city.py
"""

import os
import tempfile

from timing import options, row, seconds_of_process

SIMULATE = """
from crime_platform.simulation.simulate import SimulationRequest, simulate_area
from crime_platform.vocabulary.home import PlatformHome
done = simulate_area(SimulationRequest(), PlatformHome.from_environment())
assert 1_100_000 < done.n_rows < 1_200_000 and len(done.months) == 48
"""
INGEST = """
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
home = PlatformHome.from_environment()
report = ingest_area(load_study_area(home.study_areas / "auckland_simulated.toml"), home)
assert not report.problems and report.n_accepted > 300_000
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "CRIME_PLATFORM_HOME": folder}
        simulated = seconds_of_process(["-c", SIMULATE], repeats=3, env=env)
        taken_in = seconds_of_process(["-c", INGEST], repeats=1, env=env)
        again = seconds_of_process(["-c", INGEST], repeats=3, env=env)
    return [
        row(
            "simulate Auckland: 48 months, 1.15 million rows, 2.1 million written",
            "60 s",
            simulated,
        ),
        row("ingest those 2.1 million rows, UTF-16 and UTF-8", "-", taken_in),
        row("ingest them again, nothing changed", "2 s", again),
    ]


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

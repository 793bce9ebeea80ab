"""Loading the code location, and ingesting the bundled Toronto file, against their limits.

Usage: python benchmarks/start_up.py
"""

import os
import shutil
import tempfile
from pathlib import Path

from timing import REPOSITORY, options, row, seconds_of_process

LOAD = "import crime_platform.definitions"
INGEST = """
from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts
from crime_platform.pipeline.ingest import area_grid, ingest_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
home = PlatformHome.from_environment()
area = load_study_area(home.study_areas / "toronto.toml")
ingest_area(area, home)
rebuild_counts(area, home)
build_tensor(area, home, area_grid(area, home))
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("study_areas", "toronto"):
            shutil.copytree(REPOSITORY / "data" / name, root / name)
        env = {**os.environ, "CRIME_PLATFORM_HOME": folder}
        rows = [
            row(
                "load the code location",
                "2 s",
                seconds_of_process(["-c", LOAD], repeats=5, env=env),
            )
        ]
        first = []
        for _ in range(3):
            shutil.rmtree(root / "artifacts", ignore_errors=True)
            for left in root.glob("warehouse*"):
                left.unlink()
            first += seconds_of_process(["-c", INGEST], repeats=1, env=env)
        rows.append(row("ingest Toronto: file to incidents, counts, tensor", "5 s", first))
        again = seconds_of_process(["-c", INGEST], repeats=3, env=env)
        rows.append(row("ingest, count and build again, nothing changed", "-", again))
    return rows


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

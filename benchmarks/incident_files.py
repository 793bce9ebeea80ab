"""Files of two publishers taken in, and looked at again when nothing has changed.

The street files of Gwent Police are not part of the repository: put the archive into
data/raw/newport, as newport.toml says, or its row is left out.

Usage: python benchmarks/incident_files.py
"""

import os
import shutil
import tempfile
from pathlib import Path

from timing import REPOSITORY, options, row, seconds_of_process

TORONTO = "toronto", "toronto", "Toronto's file, 241,000 rows"
GWENT = "newport", "raw/newport", "Gwent's 36 street files, 202,000 rows"
INGEST = """
import sys
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
home = PlatformHome.from_environment()
report = ingest_area(load_study_area(home.study_areas / f"{sys.argv[1]}.toml"), home)
assert not report.problems and bool(report.n_read) == (sys.argv[2] == "new")
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    return [line for area, files, told in (TORONTO, GWENT) for line in _of_area(area, files, told)]


def _of_area(area: str, files: str, told: str) -> list[str]:
    if not (REPOSITORY / "data" / files).exists():
        return []
    first, again = [], []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("study_areas", files):
                shutil.copytree(REPOSITORY / "data" / name, Path(folder) / name)
            env = {**os.environ, "CRIME_PLATFORM_HOME": folder}
            first += seconds_of_process(["-c", INGEST, area, "new"], repeats=1, env=env)
            again += seconds_of_process(["-c", INGEST, area, "old"], repeats=1, env=env)
    return [
        row(f"ingest {told}", "5 s", first),
        row("- again, nothing changed", "2 s", again),
    ]


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

"""Features of every origin of the bundled Toronto data at 500 m, against their limit.

Usage: python benchmarks/feature_building.py
"""

import os
import shutil
import tempfile
from pathlib import Path

from start_up import INGEST
from timing import REPOSITORY, options, row, seconds_of_process

BUILD = """
from crime_platform.pipeline.cell_counts import tensor_path
from crime_platform.models.cells.tree_features import FeatureSettings, feature_blocks
from crime_platform.tensors.grid_counts import read_tensor
from crime_platform.vocabulary.home import PlatformHome
known = read_tensor(tensor_path(PlatformHome.from_environment(), "toronto"))[0].history
assert len(known.marked) == 11
blocks = feature_blocks(known, FeatureSettings(), first=12, horizon=3)
assert len(blocks) == 84
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("study_areas", "toronto"):
            shutil.copytree(REPOSITORY / "data" / name, root / name)
        env = {**os.environ, "CRIME_PLATFORM_HOME": folder, "OMP_NUM_THREADS": "1"}
        seconds_of_process(["-c", INGEST], repeats=1, env=env)
        taken = seconds_of_process(["-c", BUILD], repeats=3, env=env)
    return [row("counts read, features of 84 origins made, one core", "20 s", taken)]


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

"""Features of every origin of the bundled Toronto data at 500 m, against their limit.

Usage: python benchmarks/feature_building.py
"""

import os
import shutil
import tempfile
from pathlib import Path

from start_up import INGEST
from timing import REPOSITORY, row, seconds_of_process

PREPARE = (
    INGEST
    + """
import os
import numpy as np
from crime_platform.counting import tensor_path
from crime_platform.tensors.grid_counts import read_tensor
known = read_tensor(tensor_path(home, area.name))[0].history
np.savez(os.environ["COUNTS"], counts=known.counts, steps=known.steps.astype("int64"))
"""
)
BUILD = """
import os
import numpy as np
from crime_platform.models.tree_features import FeatureSettings, feature_blocks
from crime_platform.vocabulary.forecast import CountHistory
saved = np.load(os.environ["COUNTS"])
known = CountHistory(steps=saved["steps"].astype("datetime64[M]"), counts=saved["counts"])
blocks = feature_blocks(known, FeatureSettings(), first=12, horizon=3)
assert len(blocks) == 84
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("study_areas", "toronto"):
            shutil.copytree(REPOSITORY / "data" / name, root / name)
        counts = str(root / "counts.npz")
        env = {
            **os.environ,
            "CRIME_PLATFORM_HOME": folder,
            "COUNTS": counts,
            "OMP_NUM_THREADS": "1",
        }
        seconds_of_process(["-c", PREPARE], repeats=1, env=env)
        taken = seconds_of_process(["-c", BUILD], repeats=3, env=env)
    return [row("features of 84 origins, 3 leads, Toronto 500 m, one core", "20 s", taken)]


if __name__ == "__main__":
    for line in measure():
        print(line)

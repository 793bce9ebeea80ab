"""GLDNet: seconds of a fit on downtown Toronto, and memory by the number of segments.

The city is the bundled one, ingested into a temporary home, its street area the one in its TOML.
Memory is measured on synthetic street grids with two years of counts, one seed and one epoch: the
peak of the process less its peak after a fit on nine segments.

Usage: python benchmarks/street_training.py
"""

import shutil
import tempfile
from pathlib import Path

from timing import REPOSITORY, found_by_process, options, row

LIMIT_FIT = 180
SIZES = (23, 71, 159)  # streets each way: about 1,000, 10,000 and 50,000 segments
FIT = """
import json, sys, time
from pathlib import Path
from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.pipeline.segment_counts import count_segments, read_segment_counts
from crime_platform.pipeline.street_graph import build_graph
from crime_platform.training.gldnet_fit import GldnetForecaster
from crime_platform.vocabulary.day_split import chronological_split
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
home = PlatformHome(root=Path(sys.argv[1]))
area = load_study_area(home.study_areas / "toronto.toml")
ingest_area(area, home)
started = time.perf_counter()
build_graph(area, home)
count_segments(area, home)
counted = time.perf_counter()
counts = read_segment_counts(home, area.name)
read = time.perf_counter()
config = GldnetConfig()
forecaster = GldnetForecaster(
    diffusion=diffusion_matrix(counts.graph, alpha_m=config.kernel_m),
    node_features=counts.node_features,
    config=config,
)
split = chronological_split(counts.days[0], counts.days[-1])
fitted = forecaster.fit(counts.history, split, learn_from_validation=True)
done = time.perf_counter()
fitted.rolling(counts.history, split.test_days - 1, 7)
print(json.dumps({
    "nodes": counts.graph.n_nodes, "count": counted - started, "read": read - counted,
    "fit": done - read, "roll": time.perf_counter() - done,
    "parameters": fitted.n_parameters,
    "days": split.train_days.size + split.validation_days.size, "test": split.test_days.size,
}))
"""
MEMORY = """
import json, resource, sys
from dataclasses import replace
import numpy as np, shapely
from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.geography.street_segments import build_street_graph
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.training.gldnet_fit import GldnetForecaster
from crime_platform.vocabulary.day_split import PRODUCTION_SHARES, chronological_split
from crime_platform.vocabulary.forecast import CountHistory
def mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
def fit(n_streets):
    at = 100.0 * np.arange(n_streets)
    across = [[(0.0, y), (at[-1], y)] for y in at]
    up = [[(x, 0.0), (x, at[-1])] for x in at]
    lines = np.array([shapely.LineString(points) for points in across + up])
    graph = build_street_graph(lines, crs="EPSG:26985")
    days = np.datetime64("2020-01-01") + np.arange(730)
    counts = np.zeros((730, 1, graph.n_nodes), dtype=np.float32)
    random = np.random.default_rng(0)
    where = random.integers(0, counts.size, counts.size // 100)
    np.add.at(counts.reshape(-1), where, 1)
    history = CountHistory(steps=days, counts=counts)
    config = replace(GldnetConfig(), seeds=1, epochs=1)
    diffusion = diffusion_matrix(graph, alpha_m=config.kernel_m)
    split = chronological_split(days[0], days[-1], shares=PRODUCTION_SHARES)
    GldnetForecaster(diffusion=diffusion, config=config).fit(history, split)
    return graph.n_nodes
fit(3)
before = mebibytes()
nodes = fit(int(sys.argv[1]))
print(json.dumps({"nodes": nodes, "before": before, "mebibytes": mebibytes()}))
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    return [*_training(), *_memory()]


def _training() -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for name in ("study_areas", "toronto"):
            shutil.copytree(REPOSITORY / "data" / name, home / name)
        found = found_by_process(FIT, folder)
    places = f"{found['nodes']:,} places of downtown Toronto"
    fitted = f"GLDNet fitted on {found['days']:,} days, {found['parameters']:,} parameters"
    return [
        row(f"graph and daily counts of {places}", "-", [found["count"]]),
        row("- read as arrays", "-", [found["read"]]),
        row(f"{fitted}, {places}", f"{LIMIT_FIT} s", [found["fit"]]),
        row(f"- {found['test']} days forecast, 7 days ahead each", "-", [found["roll"]]),
    ]


def _memory() -> list[str]:
    lines = []
    for n_streets in SIZES:
        found = found_by_process(MEMORY, str(n_streets))
        added = found["mebibytes"] - found["before"]
        lines += [
            row(f"GLDNet fitted on {found['nodes']:,} grid segments, MiB added", "-", [added]),
            row("- KiB a segment", "-", [added * 1024 / found["nodes"]]),
        ]
    return lines


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

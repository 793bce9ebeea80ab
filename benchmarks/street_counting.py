"""Daily counts on streets: Toronto's bundled square, and a million incidents in a made-up city.

The city has streets 100 m apart, 101 each way, which are about 20,000 segments; every incident has
a place of its own. Steps are timed inside one process, without its start-up.

Usage: python benchmarks/street_counting.py
"""

import shutil
import tempfile
from pathlib import Path

from timing import ONE_THREAD, REPOSITORY, found_by_process, options, row

REPEATS = 3
LIMIT_READ, LIMIT_MILLION = 3, 30
N_INCIDENTS = 1_000_000
TOML = """
name = "made_up"
title = "Made up (simulated)"
simulated = true
crs = "EPSG:26917"
timezone = "America/Toronto"
first_month = "2016-01"
last_month = "2025-12"
[grid]
cell_size_m = 500
extent_m = [629500, 4832500, 641000, 4844000]
[[offence_type]]
name = "theft"
labels = ["Theft"]
[[source]]
name = "police"
paths = ["raw/incidents.parquet"]
crs = "EPSG:26917"
[source.columns]
occurred_at = "day"
offence = "offence"
x = "east"
y = "north"
[streets]
file = "raw/streets.gpkg"
"""
WRITE = f"""
import sys
from pathlib import Path
import geopandas, numpy as np, pandas as pd, shapely
root = Path(sys.argv[1])
(root / "raw").mkdir()
at = 100.0 * np.arange(101)
across = [[(630000, 4833000 + y), (640000, 4833000 + y)] for y in at]
up = [[(630000 + x, 4833000), (630000 + x, 4843000)] for x in at]
lines = [shapely.LineString(points) for points in across + up]
geopandas.GeoDataFrame(geometry=lines, crs="EPSG:26917").to_file(root / "raw/streets.gpkg")
random = np.random.default_rng(0)
days = np.arange("2016-01-01", "2026-01-01", dtype="datetime64[D]")
pd.DataFrame({{
    "day": np.r_[days[-1:], random.choice(days, {N_INCIDENTS} - 1)].astype("datetime64[s]"),
    "offence": "Theft",
    "east": 630000 + random.uniform(0, 10000, {N_INCIDENTS}),
    "north": 4833000 + random.uniform(0, 10000, {N_INCIDENTS}),
}}).to_parquet(root / "raw/incidents.parquet")
"""
STEPS = """
import json, resource, sys, time
from pathlib import Path
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.segment_counts import count_segments, read_segment_counts
from crime_platform.pipeline.street_graph import build_graph
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
home = PlatformHome(Path(sys.argv[1]))
area = load_study_area(home.study_areas / f"{sys.argv[2]}.toml")
problems = ingest_area(area, home).problems
if problems:
    sys.exit(problems[0])
at = [time.perf_counter()]
graph = build_graph(area, home).graph
at.append(time.perf_counter())
report = count_segments(area, home)
at.append(time.perf_counter())
counts = read_segment_counts(home, area.name)
at.append(time.perf_counter())
print(json.dumps({
    "build": at[1] - at[0], "count": at[2] - at[1], "read": at[3] - at[2],
    "nodes": graph.n_nodes, "incidents": report.n_forecast,
    "gibibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "study_areas").mkdir()
        (root / "toronto").symlink_to(REPOSITORY / "data" / "toronto")
        shutil.copy(REPOSITORY / "data/study_areas/toronto.toml", root / "study_areas")
        (root / "study_areas" / "made_up.toml").write_text(TOML)
        found_by_process(WRITE, folder)
        city = [found_by_process(STEPS, folder, "toronto", env=ONE_THREAD) for _ in range(REPEATS)]
        made_up = found_by_process(STEPS, folder, "made_up", env=ONE_THREAD)
    square = f"Toronto's square, {city[0]['incidents']:,} incidents, {city[0]['nodes']:,} places"
    many = f"{made_up['incidents']:,} incidents, {made_up['nodes']:,} segments"
    return [
        row(f"{square}: graph", "-", [run["build"] for run in city]),
        row("- counted by day and place", "-", [run["count"] for run in city]),
        row("- read as dense counts", f"{LIMIT_READ} s", [run["read"] for run in city]),
        row(f"{many}: snapped and counted", f"{LIMIT_MILLION} s", [made_up["count"]]),
        row("- read as dense counts", "-", [made_up["read"]]),
        row("- most memory at once, GiB", "-", [made_up["gibibytes"]]),
    ]


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

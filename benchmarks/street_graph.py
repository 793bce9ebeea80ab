"""Baltimore's street graph and a million snaps; who compares every pair instead; memory by size.

The published way to find which streets touch compares every line with every other in nested loops
over a table (subelsky/crimegraph). It is timed here on a random part of the same lines and grown
by the square of their number. So is the same search without a table, each pair once, on the lines
and on the segments that the graph cuts from them: the first finds no link between segments, the
second needs them cut beforehand, and neither weighs a link.

Usage: python benchmarks/street_graph.py
"""

from timing import ONE_THREAD, REPOSITORY, found_by_process, options, row

STREETS = REPOSITORY.parent / "shared" / "data" / "baltimore-streets" / "MDOT_Know_Your_Roads.shp"
N_PART, N_BARE = 300, 1_000
LIMIT_BUILD, LIMIT_SNAP, LIMIT_TIMES_FASTER = 10, 20, 50
SIZES = (23, 71, 159)  # streets each way: about 1,000, 10,000 and 50,000 segments
REPEATS = 3
GRAPH = f"""
import json, sys, time
from pathlib import Path
import numpy as np
from crime_platform.geography.snapping import snap_to_graph
from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.geography.street_lines import read_street_lines
from crime_platform.geography.street_segments import build_street_graph
import geopandas
started = time.perf_counter()
streets = read_street_lines(Path(sys.argv[1]), crs="EPSG:26985")
read = time.perf_counter()
graph = build_street_graph(streets.line, crs=streets.crs)
matrix = diffusion_matrix(graph, alpha_m=250.0)
built = time.perf_counter()
random = np.random.default_rng(0)
middle = graph.midpoints()[random.integers(0, graph.n_nodes, 1_000_000)]
x_m, y_m = (middle + random.normal(0, 30, middle.shape)).T
started_snap = time.perf_counter()
snapped = snap_to_graph(graph, x_m, y_m, max_distance_m=50.0)
snap = time.perf_counter() - started_snap
part = streets.line[random.choice(len(streets.line), {N_PART}, replace=False)]
table = geopandas.GeoDataFrame(geometry=part)
started_loop = time.perf_counter()
for first, one in table.iterrows():
    for second, other in table.iterrows():
        if first != second and one["geometry"].intersects(other["geometry"]):
            one["geometry"].intersection(other["geometry"])
loop = time.perf_counter() - started_loop
def each_pair_once(lines):
    chosen = lines[random.choice(len(lines), {N_BARE}, replace=False)].tolist()
    started = time.perf_counter()
    for n_before, one in enumerate(chosen):
        for other in chosen[:n_before]:
            if one.intersects(other):
                one.intersection(other)
    return (time.perf_counter() - started) * (len(lines) / {N_BARE}) ** 2
print(json.dumps({{
    "lines": len(streets.line), "nodes": graph.n_nodes, "links": len(graph.links),
    "read": read - started, "build": built - read, "snap": snap,
    "beyond": int(snapped.is_beyond.sum()),
    "loop": loop * (len(streets.line) / {N_PART}) ** 2,
    "lines_once": each_pair_once(streets.line), "segments_once": each_pair_once(graph.geometry),
}}))
"""
MEMORY = """
import json, resource, sys
import numpy as np, shapely
from crime_platform.geography.street_graph import diffusion_matrix
from crime_platform.geography.street_segments import build_street_graph
def mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
def grid(n):
    at = 100.0 * np.arange(n)
    end = at[-1]
    across = [[(0.0, y), (end, y)] for y in at]
    up = [[(x, 0.0), (x, end)] for x in at]
    return np.array([shapely.LineString(points) for points in across + up])
diffusion_matrix(build_street_graph(grid(3), crs="EPSG:26985"), alpha_m=250.0)
lines = grid(int(sys.argv[1]))
before = mebibytes()
graph = build_street_graph(lines, crs="EPSG:26985")
matrix = diffusion_matrix(graph, alpha_m=250.0)
print(json.dumps({"nodes": graph.n_nodes, "before": before, "mebibytes": mebibytes()}))
"""


def measure() -> list[str]:
    """Rows of RESULTS.md; only those of memory where Baltimore's streets are absent."""
    return [*_baltimore(), *_memory()]


def _baltimore() -> list[str]:
    if not STREETS.is_file():
        return []
    runs = [found_by_process(GRAPH, str(STREETS), env=ONE_THREAD) for _ in range(REPEATS)]
    one = runs[0]
    taken = {name: [run[name] for run in runs] for name in one}
    city = f"Baltimore's {one['lines']:,} street lines"
    size = f"{one['nodes']:,} segments, {one['links']:,} links"

    def slower(method: str) -> list[float]:
        return [run[method] / run["build"] for run in runs]

    grown = f"from {N_PART} of them by the square"
    grown_once = f"from {N_BARE:,} of them by the square"
    return [
        row(f"{city} read and reprojected", "-", taken["read"]),
        row(f"- to a graph with weights: {size}", f"{LIMIT_BUILD} s", taken["build"]),
        row(f"the lines in nested loops over a table, {grown}", "-", taken["loop"]),
        row("- times slower than the graph", f"at least {LIMIT_TIMES_FASTER}", slower("loop")),
        row(f"each pair of lines once, no table, {grown_once}", "-", taken["lines_once"]),
        row("- times slower than the graph", "-", slower("lines_once")),
        row(f"each pair of segments once, no table, {grown_once}", "-", taken["segments_once"]),
        row("- times slower than the graph", "-", slower("segments_once")),
        row("1 million points snapped to these segments", f"{LIMIT_SNAP} s", taken["snap"]),
    ]


def _memory() -> list[str]:
    lines = []
    for n_streets in SIZES:
        found = found_by_process(MEMORY, str(n_streets), env=ONE_THREAD)
        added = found["mebibytes"] - found["before"]
        lines += [
            row(f"graph and weights of {found['nodes']:,} grid segments, MiB added", "-", [added]),
            row("- KiB a segment", "-", [added * 1024 / found["nodes"]]),
        ]
    return lines


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

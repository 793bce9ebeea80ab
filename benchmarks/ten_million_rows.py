"""Ten million rows of CSV to incidents and monthly cell counts: seconds, memory, and who else.

The reference does the same with pandas and a geopandas spatial join on the first rows of the same
file; its counts must equal ours cell by cell before any time is compared.

Usage: python benchmarks/ten_million_rows.py [ROWS]
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from timing import REPOSITORY, options, row

N_ROWS = 10_000_000
N_SAMPLE = 300_000
LIMIT_SECONDS, LIMIT_GIB, LIMIT_AGAIN_SECONDS, LIMIT_TIMES_FASTER = 90, 4, 2, 10
AREA = """
name = "large_city"
title = "Large City"
crs = "EPSG:26917"
timezone = "America/Toronto"
first_month = "2014-01"
last_month = "2023-12"

[grid]
cell_size_m = 500
extent_m = [609500, 4827000, 651500, 4857500]

{types}
[[source]]
name = "police"
paths = ["raw/*.csv"]
datetime_format = "%m/%d/%Y %I:%M:%S %p"

[source.columns]
id = "Case Number"
occurred_at = "Date"
offence = "Primary Type"
premises = "Location Description"
lon = "Longitude"
lat = "Latitude"
"""
OFFENCES = ("ASSAULT", "AUTO THEFT", "BREAK AND ENTER", "ROBBERY", "THEFT OVER")
OFFENCE_TYPE = """[[offence_type]]
name = "{name}"
title = "{label}"
labels = ["{label}"]
"""
# A number from 0 to 1 for each row and each purpose, the same on every machine and thread count.
DRAW = "(hash(i, '{}') % 1000003) / 1000003.0"
WRITE = f"""
copy (
    with drawn as (
        select i, {DRAW.format("kind")} as kind, {DRAW.format("when")} as moment,
            {DRAW.format("dirt")} as dirt,
            floor(60000 * {DRAW.format("corner")} ** 3)::int as corner,
            {DRAW.format("snap")} < 0.9 as is_snapped
        from range({{n_rows}}) as rows(i)
    ),
    -- nine of ten points are one of 60,000 corners, some busier than others; the rest lie anywhere
    placed as (
        select *, case when is_snapped then corner else i end as spot,
            case when is_snapped then 'corner' else 'own' end as salt
        from drawn
    )
    select
        'HZ' || lpad(i::varchar, 8, '0') as "Case Number",
        case when dirt < 0.0001 then '13/32/2020 25:00:00 PM' else strftime(
            timestamp '2014-01-01' + to_seconds((moment * 315532000)::bigint),
            '%m/%d/%Y %I:%M:%S %p'
        ) end as "Date",
        lpad((spot % 1000)::varchar, 3, '0') || 'XX W QUEEN ST' as "Block",
        [{", ".join(f"'{label}'" for label in OFFENCES)}][1 + floor(kind * 4.999)::int]
            as "Primary Type",
        'NO DESCRIPTION GIVEN' as "Description",
        ['STREET', 'RESIDENCE', 'APARTMENT', 'SMALL RETAIL STORE'][1 + (i % 4)]
            as "Location Description",
        case when dirt between 0.0001 and 0.005 then null else round(
            -79.62 + 0.45 * (hash(spot, salt, 'x') % 1000003) / 1000003.0, 9) end as "Longitude",
        case when dirt between 0.0001 and 0.005 then null else round(
            43.60 + 0.24 * (hash(spot, salt, 'y') % 1000003) / 1000003.0, 9) end as "Latitude"
    from placed order by i
) to '{{path}}' (header, delimiter ',')
"""
GENERATE = """
import sys, duckdb
duckdb.sql(sys.argv[1])
"""
PLATFORM = """
import json, resource, time
started = time.perf_counter()
from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
home = PlatformHome.from_environment()
area = load_study_area(home.study_areas / "large_city.toml")
report = ingest_area(area, home)
ingested = time.perf_counter()
if not report.problems and report.n_read:
    rebuild_counts(area, home)
counted = time.perf_counter()
print(json.dumps({
    "problems": report.problems,
    "n_read": report.n_read,
    "n_accepted": report.n_accepted,
    "ingest": ingested - started,
    "count": counted - ingested,
    "processor": time.process_time(),
    "gib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
}))
"""
REFERENCE = """
import json, sys, time
import geopandas, numpy as np, pandas as pd, shapely
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.study_area.study_area import load_study_area
from crime_platform.warehouse.warehouse import Warehouse
home = PlatformHome.from_environment()
area = load_study_area(home.study_areas / "large_city.toml")
grid = grid_of(area)
x_edges, y_edges = grid.edges()
row, col = grid.rows_and_cols()
squares = shapely.box(x_edges[col], y_edges[row], x_edges[col + 1], y_edges[row + 1])
cells = geopandas.GeoDataFrame({"row": row, "col": col}, geometry=squares, crs=area.crs)
started = time.perf_counter()
table = pd.read_csv(next((home.root / "raw").glob("*.csv")))
when = pd.to_datetime(table["Date"], format="%m/%d/%Y %I:%M:%S %p", errors="coerce")
table["month"] = when.dt.to_period("M").dt.to_timestamp()
table["offence_type"] = table["Primary Type"].str.lower().str.replace(" ", "_")
points = geopandas.GeoDataFrame(
    table[["month", "offence_type"]],
    geometry=geopandas.points_from_xy(table["Longitude"], table["Latitude"]), crs="EPSG:4326",
).to_crs(area.crs)
joined = points[table["month"].notna() & ~points.is_empty].sjoin(cells, predicate="within")
by = ["month", "offence_type", "row", "col"]
counts = joined.groupby(by).size().reset_index(name="count")
seconds = time.perf_counter() - started
ours = Warehouse(home.warehouse).read(
    "select month, offence_type, row, col, count from cell_month_count order by all"
)
theirs = counts.sort_values(by)
for name in [*by, "count"]:
    np.testing.assert_array_equal(ours[name].to_numpy(), theirs[name].to_numpy(), err_msg=name)
print(json.dumps({"seconds": seconds, "cells": len(ours), "incidents": int(ours["count"].sum())}))
"""


def home_with_rows(root: Path, n_rows: int) -> dict[str, str]:
    """Write the study area and its one file below `root`; returns the environment that uses it."""
    types = "\n".join(
        OFFENCE_TYPE.format(name=label.lower().replace(" ", "_"), label=label) for label in OFFENCES
    )
    (root / "study_areas").mkdir(parents=True)
    (root / "study_areas" / "large_city.toml").write_text(AREA.format(types=types))
    (root / "raw").mkdir()
    query = WRITE.format(n_rows=n_rows, path=root / "raw" / "incidents.csv")
    _run(GENERATE, query, env=dict(os.environ))
    return {**os.environ, "CRIME_PLATFORM_HOME": str(root), "DAGSTER_DISABLE_TELEMETRY": "1"}


def _run(code: str, *arguments: str, env: dict[str, str]) -> str:
    # A process of its own each time: memory is that of the platform alone.
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        check=True,
        env=env,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def ingested(env: dict[str, str]) -> dict:
    """What one process of the platform took, whole.

    Raises:
        RuntimeError: if the file was refused, so that nothing was measured.
    """
    found = json.loads(_run(PLATFORM, env=env).splitlines()[-1])  # behind lines of progress
    if found["problems"]:
        raise RuntimeError(f"the platform refused its own file: {found['problems']}")
    return found


def measure(n_rows: int = N_ROWS) -> list[str]:
    """Rows of RESULTS.md.

    Raises:
        AssertionError: if the reference counts otherwise than the platform.
    """
    with tempfile.TemporaryDirectory() as folder:
        env = home_with_rows(Path(folder) / "sample", N_SAMPLE)
        ingested(env)
        reference = json.loads(_run(REFERENCE, env=env))
        env = home_with_rows(Path(folder) / "whole", n_rows)
        gib_file = (Path(folder) / "whole" / "raw" / "incidents.csv").stat().st_size / 2**30
        first = ingested(env)
        again = ingested(env)
    if again["n_read"]:
        raise RuntimeError("an unchanged file was read again")
    seconds = first["ingest"] + first["count"]
    faster = (reference["seconds"] / N_SAMPLE) / (seconds / n_rows)
    millions = f"{n_rows / 1e6:g} million rows ({gib_file:.2f} GiB of CSV)"
    return [
        row(f"{millions} to incidents and monthly cell counts", f"{LIMIT_SECONDS} s", [seconds]),
        row("- of it, file to incidents", "-", [first["ingest"]]),
        row("- of it, monthly cell counts", "-", [first["count"]]),
        row("- processor time of all cores", "-", [first["processor"]]),
        row("- most memory at once, GiB", f"{LIMIT_GIB} GiB", [first["gib"]]),
        row(f"{millions}, nothing changed", f"{LIMIT_AGAIN_SECONDS} s", [again["ingest"]]),
        row(
            f"pandas and geopandas, {N_SAMPLE:,} of these rows, same {reference['cells']:,} counts",
            "-",
            [reference["seconds"]],
        ),
        row("- times faster a row than that", f"at least {LIMIT_TIMES_FASTER}", [faster]),
    ]


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=N_ROWS)
    for line in measure(parser.parse_args().rows):
        print(line)

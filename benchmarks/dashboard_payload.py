"""The parts that the dashboard loads: seconds from DuckDB to bytes, and their size when gzipped.

Reads the release below `$CRIME_PLATFORM_HOME` (`data/` by default), every area of it; run
`crime-platform run` first. Parts are timed inside one process, without its start-up.

Usage: python benchmarks/dashboard_payload.py
"""

from timing import ONE_THREAD, found_by_process, options, row

REPEATS = 5
LIMIT_S, LIMIT_MB = 2, 1.5  # of the first part a page loads; the others load when asked
FIRST = "cells"
PARTS = """
import gzip, json, sys, time
from crime_platform.dashboard.data.areas import areas_part
from crime_platform.dashboard.data.cells import (
    backtest_part, cells_part, corners_part, model_part, shares_part)
from crime_platform.dashboard.data.binary_format import unpack
from crime_platform.dashboard.data.queries import PartError
from crime_platform.dashboard.data.streets import streets_part
from crime_platform.publication.release import ReleaseError, open_release
from crime_platform.vocabulary.home import PlatformHome

def measured(make, *names):
    taken = []
    for _ in range(int(sys.argv[1])):
        start = time.perf_counter()
        part = make(release, *names)
        taken.append(time.perf_counter() - start)
    return {"seconds": taken, "mb": len(part) / 1e6, "gzip_mb": len(gzip.compress(part, 6)) / 1e6}

def parts_of(area):
    name, found = area["name"], {}
    if area["has_cells"]:
        header, _ = unpack(cells_part(release, name))
        champion = header["release"]["champion"]
        found = {
            "cells": measured(cells_part, name),
            "model": measured(model_part, name, champion),
            "corners": measured(corners_part, name)}
        if champion in header["backtest_models"]:
            found["backtest"] = measured(backtest_part, name, champion)
        if header["share_models"]:
            found["shares"] = measured(shares_part, name, header["share_models"][0])
    if area["has_streets"]:
        found["streets"] = measured(streets_part, name)
    return found

try:
    release = open_release(PlatformHome.from_environment())
    print(json.dumps({area["name"]: parts_of(area) for area in areas_part(release)["areas"]}))
except (PartError, ReleaseError) as error:
    print(error, file=sys.stderr)
    print("null")
"""
SKIPPED = (
    "| the dashboard's parts: skipped, no release of this version; `crime-platform run` first "
    "| - | - | - | 0 |"
)


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    areas = found_by_process(PARTS, str(REPEATS), env=ONE_THREAD)
    if areas is None:
        return [SKIPPED]
    rows = []
    for area, parts in areas.items():
        for name, found in parts.items():
            limits = (f"{LIMIT_S} s", f"{LIMIT_MB} MB") if name == FIRST else ("-", "-")
            rows += [
                row(f"dashboard part `{name}` of {area}", limits[0], found["seconds"]),
                row(f"- of {found['mb']:.2f} MB, gzipped MB", limits[1], [found["gzip_mb"]]),
            ]
    return rows


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

"""The daily 16 x 16 tensor of New York's benchmark, rebuilt from the raw file by the platform.

Usage: python benchmarks/nyc_daily_tensor.py [NYC_Crime.zip] (else raw/nyc_2014/ below the home)
"""

import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from crime_platform.geography.grid import grid_of
from crime_platform.sources.table import read_source
from crime_platform.tensors.daily_counts import DailyCounts, daily_counts
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.study_area import load_study_area

TOML = Path(__file__).with_name("nyc_daily.toml")
FIRST, LAST = np.datetime64("2014-01-01"), np.datetime64("2015-12-31")
COLUMNS = ["occurred_on", "offence_type", "row", "col", "n_incidents"]


def rebuild(raw_file: Path) -> DailyCounts:
    """The tensor, day x offence type x row x col."""
    area = load_study_area(TOML)
    grid = grid_of(area)
    source = replace(area.sources[0], paths=(str(raw_file.absolute()),))
    with tempfile.TemporaryDirectory() as scratch:
        readings = read_source(source, area, Path(), Path(scratch), grid=grid)
        incidents = pd.concat(
            [pd.read_parquet(reading.incidents, columns=COLUMNS) for reading in readings]
        )
    return daily_counts(incidents, area, grid, first=FIRST, last=LAST)


def by_formula(raw_file: Path, offence_types: tuple[str, ...]) -> np.ndarray:
    """The same tensor without the platform: the papers' own rule on the raw columns."""
    raw = pd.read_csv(raw_file)
    written = pd.to_datetime(raw["Occurrence Date"], format="%m/%d/%Y %I:%M:%S %p")
    day = (written.to_numpy().astype("datetime64[D]") - FIRST).astype(int)
    kind = raw["Offense"].str.lower().str.replace(" ", "_").map(list(offence_types).index)
    row = ((raw["Latitude"] - raw["Latitude"].min()) * 111 / 3).astype(int)
    col = ((raw["Longitude"] - raw["Longitude"].min()) * 84 / 3).astype(int)
    counts = np.zeros((int((LAST - FIRST).astype(int)) + 1, len(offence_types), 16, 16), dtype=int)
    np.add.at(counts, (day, kind.to_numpy(), row.to_numpy(), col.to_numpy()), 1)
    return counts


def main() -> None:
    """Rebuild, compare and tell."""
    home = PlatformHome.from_environment().root
    raw_file = Path(sys.argv[1]) if len(sys.argv) > 1 else home / "raw/nyc_2014/NYC_Crime.zip"
    started = time.perf_counter()
    tensor = rebuild(raw_file)
    seconds = time.perf_counter() - started
    difference = np.abs(tensor.counts - by_formula(raw_file, tensor.offence_types)).sum()
    totals = dict(zip(tensor.offence_types, tensor.counts.sum(axis=(0, 2, 3)), strict=True))
    print(f"day x type x row x col: {tensor.counts.shape}, {tensor.counts.sum():,} incidents")
    print("  ".join(f"{name} {total:,}" for name, total in totals.items()))
    print(f"share of cell-days with an incident: {(tensor.counts > 0).mean():.1%}")
    print(f"difference to the papers' formula, summed over all cells: {difference}")
    print(f"raw file to tensor: {seconds:.1f} s")


if __name__ == "__main__":
    main()

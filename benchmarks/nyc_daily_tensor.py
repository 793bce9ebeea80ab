"""The daily tensor of the ST-SHN and ST-HSL papers, rebuilt from the raw file by the platform.

New York is 16 x 16 cells of 3 km in 2014 and 2015, Chicago 14 x 12 in 2016 and 2017; neither file
is part of the repository. Without the file nothing is rebuilt, and the program says so.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.sources.table import read_source
from crime_platform.study_area.study_area import StudyArea, load_study_area
from crime_platform.tensors.daily_counts import DailyCounts, daily_counts
from crime_platform.vocabulary.home import PlatformHome

FOLDER = Path(__file__).parent
CITIES = {"nyc": FOLDER / "nyc_daily.toml", "chicago": FOLDER / "chicago_daily.toml"}
WRITTEN = "%m/%d/%Y %I:%M:%S %p"
COLUMNS = ["occurred_on", "offence_type", "row", "col", "n_incidents"]
RAW_COLUMNS = ["Occurrence Date", "Offense", "Latitude", "Longitude"]


def raw_table(raw_file: Path) -> pd.DataFrame:
    """The columns that the papers use; Chicago's file has no header line."""
    start = pd.read_csv(raw_file, nrows=1, header=None, dtype=str).iloc[0]
    if RAW_COLUMNS[0] in start.tolist():
        return pd.read_csv(raw_file, usecols=RAW_COLUMNS)
    return pd.read_csv(raw_file, header=None, usecols=range(4), names=RAW_COLUMNS)


def rebuild(raw_file: Path, toml: Path = CITIES["nyc"]) -> DailyCounts:
    """The tensor, day x offence type x row x col."""
    area = _counted_from_the_corner(load_study_area(toml), raw := raw_table(raw_file))
    grid = grid_of(area)
    with tempfile.TemporaryDirectory() as scratch:
        headed = Path(scratch) / "incidents.csv"
        raw.to_csv(headed, index=False)
        source = replace(area.sources[0], paths=(str(headed),))
        readings = read_source(source, area, Path(), Path(scratch), grid=grid)
        incidents = pd.concat(
            [pd.read_parquet(reading.incidents, columns=COLUMNS) for reading in readings]
        )
    first, last = _days(area)
    return daily_counts(incidents, area, grid, first=first, last=last)


def _counted_from_the_corner(area: StudyArea, raw: pd.DataFrame) -> StudyArea:
    """The area whose projection begins at the southernmost and the westernmost incident."""
    words = [word for word in area.crs.split() if not word.startswith(("+lat_0", "+lon_0"))]
    south, west = float(raw["Latitude"].min()), float(raw["Longitude"].min())
    corner = [f"+lat_0={south!r}", f"+lon_0={west!r}"]
    return replace(area, crs=" ".join([words[0], *corner, *words[1:]]))


def _days(area: StudyArea) -> tuple[np.datetime64, np.datetime64]:
    if area.last_month is None:
        raise ValueError(f"{area.name}: state last_month; the papers' tensors have a last day")
    first, end = (
        month.astype("datetime64[D]") for month in (area.first_month, area.last_month + 1)
    )
    return first, end - np.timedelta64(1, "D")


def by_formula(raw_file: Path, tensor: DailyCounts, toml: Path = CITIES["nyc"]) -> np.ndarray:
    """The same tensor without the platform: the papers' own rule on the raw columns."""
    raw = raw_table(raw_file)
    first, _ = _days(load_study_area(toml))
    written = pd.to_datetime(raw["Occurrence Date"], format=WRITTEN)
    day = (written.to_numpy().astype("datetime64[D]") - first).astype(int)
    kind = raw["Offense"].str.lower().str.replace(" ", "_").map(list(tensor.offence_types).index)
    row = ((raw["Latitude"] - raw["Latitude"].min()) * 111 / 3).astype(int)
    col = ((raw["Longitude"] - raw["Longitude"].min()) * 84 / 3).astype(int)
    counts = np.zeros(tensor.counts.shape, dtype=int)
    np.add.at(counts, (day, kind.to_numpy(), row.to_numpy(), col.to_numpy()), 1)
    return counts


def main() -> None:
    """Rebuild, compare and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="the raw file; else the one below home")
    parser.add_argument("--city", choices=CITIES, default="nyc")
    asked = parser.parse_args()
    toml = CITIES[asked.city]
    (stated,) = load_study_area(toml).sources[0].paths
    raw_file = asked.file or PlatformHome.from_environment().root / stated
    if not raw_file.is_file():
        print(f"not rebuilt: no file {raw_file}; give its path, see --help")
        return
    started = time.perf_counter()
    tensor = rebuild(raw_file, toml)
    seconds = time.perf_counter() - started
    difference = np.abs(tensor.counts - by_formula(raw_file, tensor, toml)).sum()
    totals = dict(zip(tensor.offence_types, tensor.counts.sum(axis=(0, 2, 3)), strict=True))
    print(f"day x type x row x col: {tensor.counts.shape}, {tensor.counts.sum():,} incidents")
    print("  ".join(f"{name} {total:,}" for name, total in totals.items()))
    print(f"share of cell-days with an incident: {(tensor.counts > 0).mean():.1%}")
    print(f"difference to the papers' formula, summed over all cells: {difference}")
    print(f"raw file to tensor: {seconds:.1f} s")


if __name__ == "__main__":
    main()

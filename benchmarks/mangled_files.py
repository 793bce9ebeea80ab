"""Files of every format, mangled at random: each is read whole, or refused by name.

A hundred good rows are written in every format that is read; then bytes of the file are flipped,
cut out, doubled, moved or replaced by what breaks parsers. Whatever happens, every row of a file
must be accepted, ignored or rejected, nothing may appear beside the scratch folder, and an
exception must say what is wrong with the file. A failing file is kept in the folder `--keep`.

Usage: python benchmarks/mangled_files.py [--files 10000] [--seed 0] [--minutes 60] [--keep FOLDER]
"""

import argparse
import bz2
import gzip
import io
import json
import lzma
import resource
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from timing import REPOSITORY

from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.sources.table import examine_table_file
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError

N_ROWS = 100
MAX_SECONDS, MAX_BYTES = 10.0, 2**30
EXPLAINED = (SourceFormatError, CoordinateError)
TOKENS = (
    *(b'"', b'""', b"\n", b"\r", b"\r\n", b"\0", b",", b";", b"\t", b"\\", b"\xff", b"\xfe\xff"),
    *(b"\xef\xbb\xbf", b"\x1a", b"{", b"}", b"[", b"]", b"null", b"nan", b"1e999", b"-0.0", b"'"),
    *(
        b"9" * 400,
        b"0000-00-00",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"PAR1",
        b"\x1f\x8b",
        b"\xed\xa0\x80",
    ),
    *(b"<html>", b"%PDF", b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"x" * 70_000),
)
sys.path.insert(0, str(REPOSITORY / "crime_platform_tests"))


def good_files(folder: Path) -> dict[str, bytes]:
    """The same rows in every format, by the suffix."""
    from toys.workbooks import (  # pyright: ignore[reportMissingImports]
        DAY_STYLE,
        workbook,
    )

    rng = np.random.default_rng(0)
    days = [f"2020-{1 + at % 12:02}-{1 + at % 28:02}" for at in range(N_ROWS)]
    labels = [["Burglary", "Robbery", "Break-in", "Parking"][at % 4] for at in range(N_ROWS)]
    east, north = rng.uniform(630000, 631000, N_ROWS), rng.uniform(4833000, 4834000, N_ROWS)
    rows = list(zip(days, labels, east.tolist(), north.tolist(), strict=True))
    text = "when,what,east,north\n" + "".join(f"{d},{w},{x},{y}\n" for d, w, x, y in rows)
    quoted = '"when","what","east","north"\r\n' + "".join(
        f'"{d}","{w}","{x}","{y}"\r\n' for d, w, x, y in rows
    )
    objects = [{"when": d, "what": w, "east": x, "north": y} for d, w, x, y in rows]
    features = [{"type": "Feature", "properties": each, "geometry": None} for each in objects]
    collection = json.dumps({"type": "FeatureCollection", "features": features}).encode()
    lines = "".join(json.dumps(each) + "\n" for each in objects).encode()
    cells = [[(43831.0 + at % 300, DAY_STYLE), *row[1:]] for at, row in enumerate(rows)]
    table = pa.table({"when": days, "what": labels, "east": east, "north": north})
    packed = io.BytesIO()
    pq.write_table(table, packed)
    columns = {"when": days, "what": labels, "east": east, "north": north}
    layer = gpd.GeoDataFrame(columns, geometry=shapely.points(east, north), crs="EPSG:26917")
    for name in ("a.gpkg", "a.fgb", "a.shp"):
        layer.to_file(folder / name)
    layer.to_parquet(folder / "a.geoparquet")
    shapefile = io.BytesIO()
    with zipfile.ZipFile(shapefile, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.glob("a.[sdpc]*")):
            archive.write(part, f"folder/{part.name}")
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", text)
        archive.writestr("folder/b.csv", text)
    return {
        "csv": text.encode(),
        "quoted.csv": quoted.encode(),
        "utf16.csv": text.encode("utf-16"),
        "tsv": text.replace(",", "\t").encode(),
        "csv.gz": gzip.compress(text.encode(), mtime=0),
        "csv.bz2": bz2.compress(text.encode()),
        "csv.xz": lzma.compress(text.encode()),
        "zip": zipped.getvalue(),
        "parquet": packed.getvalue(),
        "geojson": collection,
        "geojson.gz": gzip.compress(collection, mtime=0),
        "jsonl": lines,
        "json": json.dumps(objects).encode(),
        "xlsx": workbook(Data=[["when", "what", "east", "north"], *cells]),
        "shp.zip": shapefile.getvalue(),
        **{name: (folder / f"a.{name}").read_bytes() for name in ("gpkg", "fgb", "geoparquet")},
    }


def mangled(content: bytes, rng: np.random.Generator) -> bytes:
    """The content after one to eight changes of random kinds."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        at = int(rng.integers(0, max(len(changed), 1)))
        n = int(rng.choice([1, 2, 4, 16, 200, 5000]))
        CHANGES[int(rng.integers(len(CHANGES)))](changed, at, n, rng)
    return bytes(changed)


def _flip(text: bytearray, at: int, _: int, rng: np.random.Generator) -> None:
    if text:
        text[at] ^= 1 << int(rng.integers(8))


def _scramble(text: bytearray, at: int, n: int, rng: np.random.Generator) -> None:
    text[at : at + n] = rng.bytes(min(n, len(text) - at))


def _cut_out(text: bytearray, at: int, n: int, _: np.random.Generator) -> None:
    del text[at : at + n]


def _cut_off(text: bytearray, at: int, _: int, rng: np.random.Generator) -> None:
    if rng.random() < 0.3:
        del text[at:]


def _double(text: bytearray, at: int, n: int, _: np.random.Generator) -> None:
    text[at:at] = text[at : at + n]


def _insert(text: bytearray, at: int, _: int, rng: np.random.Generator) -> None:
    text[at:at] = TOKENS[int(rng.integers(len(TOKENS)))]


def _move(text: bytearray, at: int, n: int, rng: np.random.Generator) -> None:
    piece = bytes(text[at : at + n])
    del text[at : at + n]
    to = int(rng.integers(0, len(text) + 1))
    text[to:to] = piece


def _overwrite(text: bytearray, at: int, _: int, rng: np.random.Generator) -> None:
    token = TOKENS[int(rng.integers(len(TOKENS)))]
    text[at : at + len(token)] = token


Change = Callable[[bytearray, int, int, np.random.Generator], None]
CHANGES: tuple[Change, ...] = (
    *(_flip, _flip, _scramble, _cut_out, _cut_off, _double, _insert, _insert, _move, _overwrite),
)


def n_rows_by_hand(content: bytes) -> int | None:
    """Rows of a plain text file counted by lines; None where quotes or bytes make it a guess."""
    if any(sign in content for sign in (b'"', b"\0", b"\r")) or not content.isascii():
        return None
    lines = content.split(b"\n")
    return sum(1 for line in lines[1:] if line) if lines[0] else None


def try_file(name: str, content: bytes, home: Path) -> tuple[str, str, float]:
    """Outcome (read, refused, or a fault's name), what was said, and the seconds it took."""
    area = load_study_area(REPOSITORY / "crime_platform_tests" / "fixtures" / "small_town.toml")
    (source,) = area.sources
    raw, scratch = home / "raw", home / "scratch"
    path = raw / f"a.{name}"
    path.write_bytes(content)
    source = replace(source, paths=(path.name,))
    started = time.perf_counter()
    # The future holds whatever is raised: to find what nobody expected is what this is for.
    with ThreadPoolExecutor(max_workers=1) as pool:
        reading = pool.submit(examine_table_file, path, source, area, scratch, grid=grid_of(area))
        error = reading.exception()
    if error is None:
        report = reading.result().report
        outcome, told = "read", f"{report.n_rows} rows"
        by_hand = n_rows_by_hand(content) if name == "csv" else None
        if report.n_unaccounted or by_hand not in (None, report.n_rows):
            outcome, told = "rows lost", f"{report.n_rows} rows, {by_hand} by hand: {report}"
    elif isinstance(error, EXPLAINED):
        told = str(error).splitlines()[0]
        outcome = "refused" if path.name in told else "file not named"
    else:
        outcome, told = "unexplained", f"{type(error).__name__}: {error}"
    seconds = time.perf_counter() - started
    if sorted(home.rglob("*")) != sorted([raw, scratch, path, *scratch.rglob("*")]):
        outcome = "file outside"
    if seconds > MAX_SECONDS:
        told, outcome = f"{outcome}: {told}", "slow"
    path.unlink()
    shutil.rmtree(scratch)
    scratch.mkdir()
    return outcome, told, seconds


def run(n_files: int, seed: int, minutes: float, keep: Path | None) -> int:
    """Try the files; prints what was found and returns the number of faults."""
    rng = np.random.default_rng(seed)
    outcomes: Counter[tuple[str, str]] = Counter()
    slowest, end = 0.0, time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        made, home = Path(folder) / "made", Path(folder) / "home"
        for each in (made, home / "raw", home / "scratch"):
            each.mkdir(parents=True)
        good = good_files(made)
        for name, content in good.items():
            outcome, told, _ = try_file(name, content, home)
            if (outcome, told) != ("read", f"{N_ROWS * (1 + (name == 'zip'))} rows"):
                raise RuntimeError(f"the good {name} is not read: {outcome}: {told}")
        names = list(good)
        for number in range(n_files):
            name = names[int(rng.integers(len(names)))]
            content = mangled(good[name], rng)
            outcome, told, seconds = try_file(name, content, home)
            outcomes[name, outcome] += 1
            slowest = max(slowest, seconds)
            if outcome not in ("read", "refused"):
                print(
                    f"file {number} ({name}, {seconds:.1f} s): {outcome}: {told[:300]}", flush=True
                )
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{number}.{name}").write_bytes(content)
            if time.monotonic() > end:
                print(f"stopped after {minutes:g} minutes")
                break
    return _tell(outcomes, slowest)


def _tell(outcomes: Counter[tuple[str, str]], slowest: float) -> int:
    faults = sum(n for (_, what), n in outcomes.items() if what not in ("read", "refused"))
    kinds = sorted({name for name, _ in outcomes})
    for name in kinds:
        counts = {what: n for (other, what), n in sorted(outcomes.items()) if other == name}
        print(f"{name}: {', '.join(f'{n} {what}' for what, n in counts.items())}")
    own, children = (
        resource.getrusage(who).ru_maxrss * 1024
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(
        f"{sum(outcomes.values()):,} files, {faults} faults, slowest {slowest:.1f} s, at most "
        f"{max(own, children) / 2**20:.0f} MB"
    )
    return faults + (max(own, children) > MAX_BYTES)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--keep", type=Path, help="folder for the files that fail")
    told = parser.parse_args()
    sys.exit(min(run(told.files, told.seed, told.minutes, told.keep), 1))

"""The whole pipeline with the committed defaults elsewhere.

Toronto at 1 km, Newport, and a square of Toronto on street lines and on places. Writes
benchmarks/OTHER_SCALES.md: the leaderboard of each, whether the gate lets it pass or not. What
lacks its files is left out, loudly. Parts that are not run keep what the file says of them.
"""

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from timing import REPOSITORY, options

if TYPE_CHECKING:
    from crime_platform.vocabulary.verdict import Verdict

sys.path.insert(0, str(REPOSITORY / "scripts"))
TARGET = REPOSITORY / "benchmarks" / "OTHER_SCALES.md"
SHARED = REPOSITORY.parent / "shared" / "data"
STREET_LINES = "toronto_osm_lines.geojson.gz"
HEADER = """# The same defaults at another scale and in another city

Written by `python benchmarks/other_scales.py`. Nothing was tuned on any of it: the settings are
those of Toronto at 500 m and of its places downtown.
"""


class FilesMissingError(Exception):
    """A part cannot be run on this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Folders of what is not part of the repository."""

    gwent: Path
    streets: Path


def one_kilometre(root: Path, _: Files) -> str:
    """Toronto's study area with cells of 1 km: 42 columns x 31 rows."""
    for name in ("study_areas", "toronto"):
        shutil.copytree(REPOSITORY / "data" / name, root / name)
    text = (root / "study_areas" / "toronto.toml").read_text(encoding="utf-8")
    coarse = text.replace("cell_size_m = 500", "cell_size_m = 1000")
    coarse = coarse.replace("4857500]", "4858000]")  # whole cells
    (root / "study_areas" / "toronto.toml").write_text(coarse, encoding="utf-8")
    return f"## Toronto at 1 km\n{leaderboard(root, 'toronto')}\n"


def newport(root: Path, files: Files) -> str:
    """Newport with the street files of Gwent Police."""
    if not files.gwent.is_dir():
        raise FilesMissingError(f"no street files of Gwent Police in {files.gwent}")
    (root / "study_areas").mkdir()
    shutil.copy(REPOSITORY / "data" / "study_areas" / "newport.toml", root / "study_areas")
    (root / "raw").mkdir()
    ignored = shutil.ignore_patterns("[!g]*")
    shutil.copytree(files.gwent, root / "raw" / "newport", ignore=ignored)
    return f"## Newport at 500 m\n{leaderboard(root, 'newport')}\n"


def street_lines(root: Path, files: Files) -> str:
    """A square of Toronto on street lines."""
    _toronto_lines(root, files)
    return f"## Toronto on street lines\n{street_leaderboard(root, 'toronto_lines')}\n"


def street_places(root: Path, files: Files) -> str:
    """The same square and days on the graph of its incidents' places."""
    toml = _toronto_lines(root, files)
    lines = toml.read_text(encoding="utf-8").splitlines(keepends=True)
    toml.write_text("".join(line for line in lines if not line.startswith("file = ")), "utf-8")
    return f"## The same square of Toronto on places\n{street_leaderboard(root, 'toronto_lines')}\n"


PARTS: Mapping[str, Callable[[Path, Files], str]] = {
    "toronto-1km": one_kilometre,
    "newport": newport,
    "street-lines": street_lines,
    "street-places": street_places,
}


def _toronto_lines(root: Path, files: Files) -> Path:
    lines = files.streets / STREET_LINES
    if not lines.is_file():
        raise FilesMissingError(f"no street lines of Toronto at {lines}")
    raw = root / "raw" / "toronto_lines"
    raw.mkdir(parents=True)
    shutil.copy(lines, raw)
    for bundled in (REPOSITORY / "data" / "toronto").glob("*.parquet"):
        shutil.copy(bundled, raw)
    (root / "study_areas").mkdir()
    toml = root / "study_areas" / "toronto_lines.toml"
    shutil.copy(REPOSITORY / "data" / "study_areas" / toml.name, toml)
    return toml


def leaderboard(root: Path, area: str) -> str:
    """Run one area and return its leaderboard as Markdown.

    Raises:
        RuntimeError: if the run fails, the gate refuses, or the policy loses to a baseline.
    """
    from update_readme import (  # pyright: ignore[reportMissingImports]
        QUERY,
        leaderboard_rows,
        results_table,
    )

    from crime_platform.commands.run import run_area
    from crime_platform.schema.values import POLICY
    from crime_platform.vocabulary.home import PlatformHome

    _settle(root)
    outcome = run_area(PlatformHome(root), area, None)
    if outcome.exit_code:
        raise RuntimeError(f"{area}: {'; '.join(outcome.messages)}")
    rows = leaderboard_rows(PlatformHome(root), QUERY, area)
    best = {name: float(row["deviance"]) for row in rows for name in [row["model"]]}
    if best[POLICY] > best[rows[0]["best_baseline"]]:
        raise RuntimeError(f"{area}: the policy loses to {rows[0]['best_baseline']}")
    return results_table(rows)


def street_leaderboard(root: Path, area: str) -> str:
    """Run the streets of one area and return their leaderboard and the gate's words as Markdown.

    Raises:
        RuntimeError: if the run fails for another reason than the gate.
    """
    from update_readme import street_table  # pyright: ignore[reportMissingImports]

    from crime_platform.commands.run import run_streets
    from crime_platform.evaluation.street_candidate import CANDIDATES, read_street_candidate
    from crime_platform.system.exit_codes import GATE_FAILED
    from crime_platform.vocabulary.home import PlatformHome
    from crime_platform.warehouse.warehouse import Warehouse

    _settle(root)
    home = PlatformHome(root)
    outcome = run_streets(home, area, None)
    if outcome.exit_code not in (0, GATE_FAILED):
        raise RuntimeError(f"{area}: {'; '.join(outcome.messages)}")
    (folder,) = (home.artifacts(area) / CANDIDATES).iterdir()
    candidate = read_street_candidate(folder)
    verdict = Warehouse(home.warehouse).read_street_verdict(area, candidate.candidate_id)
    if verdict is None:
        raise RuntimeError(f"{area}: no verdict on {candidate.candidate_id}")
    board = candidate.leaderboard().assign(as_of_day=str(candidate.manifest["as_of_day"]))
    board["is_champion"] = (board["model"] == candidate.champion) & verdict.passed
    manifest = candidate.manifest
    extent = f"{manifest['n_segments']:,} nodes"
    if manifest["street_km"] is not None:
        extent += f", {manifest['street_km']:.0f} km of streets"
    answer = "The gate lets it pass." if verdict.passed else "The gate refuses it: "
    return "\n".join(
        [
            f"{extent}. Chosen on the validation days: `{candidate.champion}`. {answer}"
            f"{'; '.join(verdict.reasons)}",
            "",
            f"Over the long-run frequency: deviance skill {_gap(verdict, 'deviance skill')}, hit "
            f"rate at 20 % {_gap(verdict, 'hit rate gain')}.",
            "",
            street_table(json.loads(board.to_json(orient="records"))),
        ]
    )


def _gap(verdict: "Verdict", name: str) -> str:
    figures = verdict.figures
    low, high = (figures[f"{name}, lead 1, interval {end}"] for end in ("low", "high"))
    return f"{figures[f'{name}, lead 1']:+.2%} ({low:+.2%} to {high:+.2%})"


def _settle(root: Path) -> None:
    """Make the folder a home, with the settings of the checkout."""
    from crime_platform.vocabulary.home import HOME_VARIABLE

    (root / "dagster_home").mkdir(exist_ok=True)
    shutil.copy(REPOSITORY / "data" / "dagster_home" / "dagster.yaml", root / "dagster_home")
    os.environ[HOME_VARIABLE] = str(root)


def _written() -> dict[str, str]:
    """What the file says of each part, by its heading."""
    text = TARGET.read_text(encoding="utf-8") if TARGET.is_file() else ""
    return {part.split("\n")[0]: part for part in re.split(r"^(?=## )", text, flags=re.M)[1:]}


def _asked() -> argparse.Namespace:
    parser = options(__doc__)
    parser.add_argument("--gwent", type=Path, default=SHARED / "ukpolice-gwent", metavar="FOLDER")
    parser.add_argument(
        "--streets", type=Path, default=SHARED / "toronto-streets", metavar="FOLDER"
    )
    parser.add_argument("--only", choices=PARTS, action="append", help="may be given repeatedly")
    return parser.parse_args()


def main() -> None:
    """Run the parts and write the file after each."""
    asked = _asked()
    sections = _written()
    for name in asked.only or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            try:
                section = PARTS[name](Path(folder), Files(gwent=asked.gwent, streets=asked.streets))
            except FilesMissingError as missing:
                print(f"{name} is left out: {missing}")
                continue
        sections[section.split("\n")[0]] = section
        print(section)
        whole = [HEADER, *(f"{text.rstrip()}\n" for text in sections.values())]
        TARGET.write_text("\n".join(whole), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The whole pipeline with the committed defaults elsewhere: Toronto at 1 km, and Newport.

Usage: python benchmarks/other_scales.py [FOLDER_WITH_THE_GWENT_ZIP]

Writes benchmarks/OTHER_SCALES.md: the leaderboard of each, as `make run` would print it. Newport
is left out, loudly, where its files are not at hand.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from timing import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "scripts"))
DEFAULT_GWENT = REPOSITORY.parent / "shared" / "data" / "ukpolice-gwent"
HEADER = """# The same defaults at another scale and in another city

Written by `python benchmarks/other_scales.py`. Nothing was tuned on either: the settings are those
of Toronto at 500 m.
"""


def one_kilometre(root: Path) -> str:
    """Toronto's study area with cells of 1 km: 42 columns x 31 rows."""
    for name in ("study_areas", "toronto"):
        shutil.copytree(REPOSITORY / "data" / name, root / name)
    text = (root / "study_areas" / "toronto.toml").read_text(encoding="utf-8")
    coarse = text.replace("cell_size_m = 500", "cell_size_m = 1000")
    coarse = coarse.replace("4857500]", "4858000]")  # whole cells
    (root / "study_areas" / "toronto.toml").write_text(coarse, encoding="utf-8")
    return "toronto"


def newport(root: Path, zips: Path) -> str:
    """Newport with the street files of Gwent Police."""
    (root / "study_areas").mkdir()
    shutil.copy(REPOSITORY / "data" / "study_areas" / "newport.toml", root / "study_areas")
    (root / "raw").mkdir()
    shutil.copytree(zips, root / "raw" / "newport", ignore=shutil.ignore_patterns("[!g]*"))
    return "newport"


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

    from crime_platform.pipeline_run import run_area
    from crime_platform.vocabulary.home import HOME_VARIABLE, PlatformHome
    from crime_platform.vocabulary.policy import POLICY

    shutil.copytree(
        REPOSITORY / "data" / "dagster_home",
        root / "dagster_home",
        ignore=lambda _, names: [name for name in names if name != "dagster.yaml"],
    )
    os.environ[HOME_VARIABLE] = str(root)
    outcome = run_area(PlatformHome(root), area, None)
    if outcome.exit_code:
        raise RuntimeError(f"{area}: {'; '.join(outcome.messages)}")
    rows = leaderboard_rows(PlatformHome(root), QUERY, area)
    best = {name: float(row["deviance"]) for row in rows for name in [row["model"]]}
    if best[POLICY] > best[rows[0]["best_baseline"]]:
        raise RuntimeError(f"{area}: the policy loses to {rows[0]['best_baseline']}")
    return results_table(rows)


def main(gwent: Path = DEFAULT_GWENT) -> None:
    """Run both and write the file."""
    parts = [HEADER]
    with tempfile.TemporaryDirectory() as folder:
        area = one_kilometre(Path(folder))
        parts.append(f"## Toronto at 1 km\n{leaderboard(Path(folder), area)}\n")
        print(parts[-1])
    if gwent.is_dir():
        with tempfile.TemporaryDirectory() as folder:
            area = newport(Path(folder), gwent)
            parts.append(f"## Newport at 500 m\n{leaderboard(Path(folder), area)}\n")
    else:
        print(f"Newport is left out: no street files of Gwent Police in {gwent}")
        parts.append("## Newport\nNot run: the street files of Gwent Police were not at hand.\n")
    target = REPOSITORY / "benchmarks" / "OTHER_SCALES.md"
    target.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

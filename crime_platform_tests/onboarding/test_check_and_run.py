"""Whatever stops the data part of a run, check-area says first; what it finds fine, runs."""

import pytest

from crime_platform.data_checks.blocking import missing_months_problem, short_history_problem
from crime_platform.onboarding.check import check_area
from crime_platform.onboarding.trial import REFUSALS
from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts
from crime_platform.pipeline.ingest import area_grid, ingest_area
from crime_platform.study_area.study_area import load_study_area
from toys.city import BOTH, INSIDE, MONTHS, OUTSIDE, TOY_AREA, days
from toys.mangling import zipped

BOX = "extent_m = [630000, 4830000, 632500, 4833000]"
HEADER = "date,offence,lon,lat\n"
SOUND = HEADER + "\n".join(BOTH) + "\n"
GAP = HEADER + "\n".join(days(MONTHS[:9]) + days(MONTHS[11:])) + "\n"
FILES = {
    "sound": {"all.csv": SOUND},
    "nothing": {},
    "empty": {"all.csv": ""},
    "header alone": {"all.csv": HEADER},
    "gap": {"all.csv": GAP},
    "short": {"all.csv": HEADER + "\n".join(days(MONTHS[:20])) + "\n"},
    "old": {"all.csv": HEADER + "\n".join(days(["2001-01", "2001-02"])) + "\n"},
    "twice": {"all.csv": SOUND, "copy.csv": SOUND},
    "two halves": {"a.csv": SOUND, "b.csv": HEADER + "\n".join(days(MONTHS, n=3)) + "\n"},
    "binary": {"all.csv": SOUND, "b.csv": b"\x00\x01\x02" * 999},
    "zip": {"all.zip": zipped(("a.csv", SOUND))},
    "cut zip": {"all.zip": zipped(("a.csv", SOUND))[:300]},
    "outside": {"all.csv": HEADER + "\n".join(days(MONTHS, at=OUTSIDE)) + "\n"},
    "no place": {"all.csv": HEADER + "\n".join(days(MONTHS, at=",")) + "\n"},
    "label unknown": {"all.csv": SOUND + f"2020-05-05,Arson,{INSIDE}\n"},
    "a third of the dates broken": {"all.csv": SOUND + f"x,Assault,{INSIDE}\n" * 900},
    "open quote": {"all.csv": SOUND + '"2020-05-05,Assault\n' * 30},
}
TOMLS = {
    "as it is": (),
    "vintages": ("[source.columns]", 'revisions = "replace_months"\n[source.columns]'),
    "named days": ("[source.columns]", 'published_on = "%Y.csv"\n[source.columns]'),
    "found extent": (BOX, ""),
    "no boundary": (BOX, 'boundary_file = "raw/none.gpkg"'),
    "tiny cells": (f"cell_size_m = 500\n{BOX}", "cell_size_m = 0.01"),
    "long back-test": ("n_origins = 6", "n_origins = 60"),
    "lenient": (
        "[backtest]",
        "[quality]\nmax_bad_date_share = 1\nmin_geocoded_share = 0\n[backtest]",
    ),
}


def stops(toml, home):
    """Why the data part of a run stops, or None: the steps of the ingest job, one by one."""
    area = load_study_area(toml)
    try:
        report = ingest_area(area, home)
        if report.problems:
            return report.problems[0]
        counts = rebuild_counts(area, home)
        problem = missing_months_problem(area.name, counts.missing) or short_history_problem(
            area,
            n_complete=counts.n_complete,
            first=counts.first,
            last_complete=counts.last_complete,
        )
        if problem is None:
            build_tensor(area, home, area_grid(area, home))
        return problem
    except REFUSALS as refusal:
        return str(refusal)


@pytest.mark.parametrize(
    ("files", "changed"),
    [
        *((files, "as it is") for files in FILES),
        *(("sound", changed) for changed in TOMLS if changed != "as it is"),
        ("two halves", "vintages"),
        ("a third of the dates broken", "lenient"),
        ("no place", "lenient"),
        ("gap", "lenient"),
        ("no place", "found extent"),
    ],
)
def test_check_and_run_agree(home, files, changed):
    folder = home.root / "raw" / "toy"
    folder.mkdir(parents=True)
    for name, content in FILES[files].items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    toml = home.study_areas / "toy.toml"
    text = TOY_AREA.format(last_month="2021-06").replace("*.csv", "*")
    toml.write_text(text.replace(*TOMLS[changed]) if TOMLS[changed] else text)

    check, stopped = check_area(toml, home), stops(toml, home)

    assert bool(check.to_fix) == (stopped is not None), (check.to_fix, stopped)

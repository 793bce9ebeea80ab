"""An area is counted as a run counts it before a run starts: vintages, files, types and places."""

import gzip
import shutil

import pytest

from crime_platform.onboarding.check import check_area
from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import SourceFormatError
from toys.city import BOTH, INSIDE, MONTHS, OUTSIDE, TOY_AREA, days
from toys.paths import REPOSITORY

SHARED = REPOSITORY.parent / "shared"
BERLIN = SHARED / "data" / "berlin-bicycle-theft"


@pytest.fixture
def toy(home):
    """Writes files of the toy city and checks it; a file is rows `day,label,lon,lat`."""
    toml = home.study_areas / "toy.toml"
    text = TOY_AREA.format(last_month="2021-06").replace("n_origins = 6", "n_origins = 5")

    def check(files, *changes):
        changed = text
        for old, new in changes:
            assert old in changed
            changed = changed.replace(old, new)
        toml.write_text(changed)
        for name, rows in files.items():
            path = home.root / "raw" / "toy" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(["date,offence,lon,lat", *rows]) + "\n")
        return check_area(toml, home)

    return check


VINTAGES = {
    "2020-12-31.csv": days(MONTHS[:24]) + days(MONTHS[:24], label="Robbery", n=26),
    "2021-06-30.csv": BOTH,
}
REPLACED = ("[source.columns]", 'revisions = "replace_months"\n[source.columns]')


def test_vintages_are_replaced_as_a_run_replaces_them(toy):
    check = toy(VINTAGES, REPLACED)

    assert check.is_fine
    assert check.facts.timing.per_month.tolist() == [56] * 30
    assert check.facts.sources[0].n_older == 24 * 54
    assert check.facts.per_label == [("assault", "Assault", 840), ("robbery", "Robbery", 840)]


def test_a_trial_counts_what_a_run_counts(toy, home):
    check = toy(VINTAGES, REPLACED)

    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)
    counted = rebuild_counts(area, home)
    assert check.facts.timing.per_month.tolist() == counted.totals["count"].tolist()
    assert check.facts.timing.last_complete == counted.last_complete


def test_the_same_months_in_two_files_that_are_added_are_mentioned(toy):
    check = toy(VINTAGES)

    assert check.is_fine
    shared = [remark for remark in check.to_consider if "share 1,296 equal rows" in remark]
    assert len(shared) == 1
    assert 'write revisions = "replace_months" if the publisher' in shared[0]


def test_a_name_that_says_no_day_of_publication_is_refused_as_a_run_refuses_it(toy):
    published = ("[source.columns]", 'published_on = "toy-%Y-%m-%d.csv"\n[source.columns]')

    check = toy({"all.csv": BOTH}, published)

    assert "all.csv: its name is not written 'toy-%Y-%m-%d.csv'" in check.to_fix[0]


def test_a_file_that_may_not_be_read_is_told(toy, monkeypatch):
    def refuse(path):
        raise SourceFormatError(f"{path}: cannot be read (Permission denied)")

    monkeypatch.setattr("crime_platform.onboarding.facts.file_sha256", refuse)

    check = toy({"all.csv": BOTH})

    assert "all.csv: cannot be read (Permission denied)" in check.to_fix[0]


def test_a_pattern_that_is_none_is_told(toy):
    check = toy({"all.csv": BOTH}, ('"raw/toy/*.csv"', '"raw/toy/***.csv"'))

    assert "no pattern of files" in check.to_fix[0]


def test_an_offence_type_without_a_place_is_mentioned(toy):
    check = toy(
        {"all.csv": days(MONTHS) * 12 + days(MONTHS, label="Robbery", at="0,0")},
        ("[backtest]", "[quality]\nmin_geocoded_share = 0.9\n[backtest]"),
    )

    assert check.is_fine
    (remark,) = [each for each in check.to_consider if "'robbery'" in each]
    assert "has no row with a place (0 of 840 incidents)" in remark
    assert "a forecast per cell of it is empty" in remark


def test_an_offence_type_outside_the_grid_is_mentioned(toy):
    check = toy(
        {"all.csv": days(MONTHS) + days(MONTHS, label="Robbery", at=OUTSIDE)},
        ("[backtest]", "[quality]\nmax_outside_share = 0.6\n[backtest]"),
    )

    assert check.is_fine
    (remark,) = [each for each in check.to_consider if "'robbery'" in each]
    assert "has no incident in the grid: all 840 rows of it lie outside" in remark


def test_an_offence_type_of_few_incidents_is_mentioned(toy):
    check = toy({"all.csv": [*days(MONTHS), f"2020-02-02,Robbery,{INSIDE}"]})

    (remark,) = [each for each in check.to_consider if "'robbery'" in each]
    assert "has 1 incidents with a place in 30 months: too few" in remark


def test_a_source_without_any_place_is_mentioned(toy):
    check = toy(
        {"all.csv": days(MONTHS, at=",") + days(MONTHS, label="Robbery", at=",")},
        ("[backtest]", "[quality]\nmin_geocoded_share = 0.0\n[backtest]"),
    )

    assert "source 'toy_police' has no row with a place" in check.to_consider[0]


def test_a_stop_is_told_although_much_is_rejected_where_the_area_allows_it(toy):
    rows = days(MONTHS[:12]) + days(MONTHS[13:]) + days(MONTHS, label="Unknown")

    check = toy(
        {"all.csv": rows}, ("[backtest]", "[quality]\nmax_unmapped_share = 0.9\n[backtest]")
    )

    (problem,) = check.to_fix
    assert problem.startswith("toy: no incident at all in 2020-01.")


def test_months_given_up_behind_a_gap_are_mentioned(toy):
    rows = days(["2018-09", "2018-10"]) + days(MONTHS)

    remarks = toy({"all.csv": rows}).to_consider

    (remark,) = [each for each in remarks if each.startswith("first_month:")]
    assert "hold 56 incidents of 2018-09..2018-10 that are not counted" in remark
    assert (
        "no row at all in 2018-11..2018-12: a file may be missing; add it and set first_month ="
        in remark
    )
    assert '"2018-09"' in remark


def test_months_left_out_on_purpose_are_not_mentioned(toy):
    rows = days(["2018-11", "2018-12"]) + days(MONTHS)

    remarks = toy({"all.csv": rows}).to_consider

    assert [each for each in remarks if each.startswith("first_month:")] == []


@pytest.mark.skipif(not BERLIN.exists(), reason=f"no files in {BERLIN}")
def test_berlin_is_counted_as_a_run_counts_it(home):
    folder = home.root / "raw" / "be"
    folder.mkdir(parents=True)
    shutil.copy(BERLIN / "plr.csv", folder)
    for packed in BERLIN.glob("*.csv.gz"):
        (folder / packed.name.removesuffix(".gz")).write_bytes(gzip.decompress(packed.read_bytes()))

    check = check_area(BERLIN / "berlin.toml", home)

    assert sum(n for _, _, n in check.facts.per_label) == 93_750

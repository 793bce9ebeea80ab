"""An area is looked at as a whole: everything that is wrong is told, and nothing is stored."""

import datetime as dt
import os
import re
import shutil

import numpy as np
import pytest

from crime_platform.models.cells.baselines import BASELINES
from crime_platform.onboarding.check import check_area
from crime_platform.onboarding.facts import gather_facts
from crime_platform.pipeline.ingest import area_grid
from crime_platform.schema.values import HISTORICAL_AVERAGE
from crime_platform.study_area.parts import MONTHS_BEFORE_SCORES, StudyAreaError
from crime_platform.study_area.study_area import load_study_area
from toys.city import TOY_AREA, write_toy_csv
from toys.paths import REPOSITORY

SHARED = REPOSITORY.parent / "shared" / "data"
CHARLOTTESVILLE = SHARED / "charlottesville"
LONLAT = "-79.374,43.625"  # inside the toy city
ONLY = '\n[source.only]\ncolumn = "offence"\nvalues = ["{}"]'


@pytest.fixture
def toy(home):
    """Check the toy city of 30 months after changes to its TOML and more rows in its file.

    Every month has one incident of each type in each of the 5 x 6 cells, and one more.
    """
    toml = home.study_areas / "toy.toml"
    toml.write_text(TOY_AREA.format(last_month="2021-06").replace("n_origins = 6", "n_origins = 5"))
    write_toy_csv(home.root / "raw" / "toy" / "all.csv", np.ones((30, 2, 6, 5), dtype=int))

    def check(*changes, rows=(), path=toml):
        text = path.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text)
        with (home.root / "raw" / "toy" / "all.csv").open("a") as file:
            file.writelines(f"{row}\n" for row in rows)
        return check_area(path, home)

    return check


def toml_of(home):
    return (home.study_areas / "toy.toml").read_text()


def listing(home):
    return sorted(str(path) for path in home.root.rglob("*"))


def test_a_sound_area_has_nothing_to_fix_and_nothing_is_stored(toy, home):
    before = listing(home)

    check = toy()

    assert check.is_fine
    assert check.to_consider == []
    assert listing(home) == before


def test_it_tells_what_an_ingest_would_count(toy):
    facts = toy().facts

    (found,) = facts.sources
    assert found.report.n_rows == found.report.n_accepted == 30 * (2 * 30 + 1)
    assert facts.timing.per_month.tolist() == [61] * 30
    assert facts.timing.months.astype(str).tolist()[::29] == ["2019-01", "2021-06"]
    assert facts.per_label == [("assault", "Assault", 930), ("robbery", "Robbery", 900)]
    assert facts.grid.n_cells == 30


def test_the_suggested_extent_is_that_of_the_city(toy):
    site = toy().facts.site

    assert site.crs == "EPSG:32617"
    assert site.extent.bounds_m == (630_000.0, 4_830_000.0, 632_500.0, 4_833_000.0)


def test_everything_wrong_is_told_at_once(toy, home):
    check = toy(
        ('"raw/toy/*.csv"', '"raw/toy/*.csv", "raw/other.csv"'),
        rows=[f"2020-01-01,Asault,{LONLAT}", f"31/01/2020,Robbery,{LONLAT}"] * 200
        + ["2020-01-01,Robbery,0.5,51.5"] * 600,
    )

    missing, refused = check.to_fix
    assert missing.startswith(f"{home.root}/raw/other.csv: no such file")
    assert "'Asault' (200, like 'Assault')" in refused
    assert 'datetime_format = ["iso", "%d/%m/%Y"]' in refused
    assert "outside the grid: 600 rows" in refused


def test_a_file_of_which_nothing_can_be_used_is_still_told(toy):
    check = toy(('["Assault"]', '["assaults"]'), ('["Robbery"]', '["robberies"]'))

    assert "no row can be used" in check.to_fix[0]
    assert check.facts.sources[0].report.n_rejected == {
        "unmapped label": check.facts.sources[0].report.n_rows
    }
    assert check.facts.timing is None


def test_a_file_that_cannot_be_read_does_not_hide_the_others(toy, home):
    (home.root / "raw" / "toy" / "broken.csv").write_bytes(b"\x00\x01\x02")

    check = toy()

    assert "broken.csv: a binary file of an unknown kind" in check.to_fix[0]
    assert check.facts.sources[0].n_files == 1


def test_the_same_bytes_twice_are_told(toy, home):
    shutil.copy(home.root / "raw" / "toy" / "all.csv", home.root / "raw" / "toy" / "copy.csv")

    assert "hold the same bytes, and their incidents would count" in toy().to_fix[0]


def test_two_sources_may_take_their_rows_from_one_file(toy, home):
    (source,) = re.findall(r"\[\[source\]\].*?(?=\n\[(?!source))", toml_of(home), re.S)
    north = source.replace("\n[source.columns]", ONLY.format("Assault") + "\n[source.columns]", 1)
    south = source.replace("\n[source.columns]", ONLY.format("Robbery") + "\n[source.columns]", 1)
    name = re.search(r'name = "(\w+)"', source)
    south = south.replace(name[0], 'name = "other"', 1)

    check = toy((source, f"{north}\n{south}"))

    assert {each.name: each.n for each in check.facts.per_type} == {"assault": 930, "robbery": 900}
    assert sum(found.n_older for found in check.facts.sources) == 0


def test_ids_that_two_files_share_are_told_where_an_id_is_one_incident(toy, home):
    lines = (home.root / "raw" / "toy" / "all.csv").read_text().splitlines()
    header, *rows = lines
    (home.root / "raw" / "toy" / "first.csv").write_text("")
    numbered = [f"{header},id", *(f"{row},N{at}" for at, row in enumerate(rows))]
    moved = [line.replace("43.6", "43.62", 1) for line in numbered[-60:]]
    (home.root / "raw" / "toy" / "first.csv").write_text("\n".join(numbered) + "\n")
    (home.root / "raw" / "toy" / "later.csv").write_text("\n".join([numbered[0], *moved]) + "\n")

    check = toy(
        ('"raw/toy/*.csv"', '"raw/toy/first.csv", "raw/toy/later.csv"'),
        ("[source.columns]", 'duplicates = "drop_same_id"\n[source.columns]\nid = "id"'),
    )

    assert any("first.csv and later.csv share 60 ids, as 'N" in each for each in check.to_consider)


def test_a_month_that_is_not_complete_is_told_where_no_last_month_is_written(toy, home):
    moment = dt.datetime(2021, 6, 30, 12, tzinfo=dt.UTC).timestamp()
    os.utime(home.root / "raw" / "toy" / "all.csv", (moment, moment))

    check = toy(('last_month = "2021-06"\n', ""))

    assert check.facts.timing.last_complete == np.datetime64("2021-05")
    (told,) = [each for each in check.to_consider if each.startswith("2021-06 is not complete")]
    assert "all.csv holds what was known on 2021-06-30" in told
    assert told.endswith("A run leaves it out")


def test_a_source_none_of_whose_files_has_the_right_name_is_told(toy):
    check = toy(("[source.columns]", 'members = "*-street.csv"\n[source.columns]'))

    assert "reads archives and files named *-street.csv" in check.to_fix[0]


def test_a_missing_boundary_is_told(toy, home):
    check = toy(
        ("extent_m = [630000, 4830000, 632500, 4833000]", 'boundary_file = "raw/outline.gpkg"')
    )

    assert check.to_fix[0].startswith(f"{home.root}/raw/outline.gpkg: no such file")


def test_a_grid_that_follows_from_incidents_is_found_and_not_kept(toy, home):
    check = toy(("extent_m = [630000, 4830000, 632500, 4833000]", ""))

    assert check.is_fine
    assert not home.artifacts("toy").exists()
    assert check.facts.grid == area_grid(check.facts.area, home)


def test_a_month_without_incidents_is_told(toy):
    check = toy(('first_month = "2019-01"', 'first_month = "2018-11"'))

    (problem,) = check.to_fix
    assert problem.startswith(
        "toy: no incident at all in 2018-11..2018-12. Add the files of those months, or start"
    )


def test_gaps_are_not_blamed_on_files_most_of_whose_rows_are_rejected(toy):
    check = toy(
        ("extent_m = [630000, 4830000,", "extent_m = [632000, 4832500,"),
        ('first_month = "2019-01"', 'first_month = "2018-11"'),
    )

    (refused,) = check.to_fix
    assert "outside the grid: 1,770 rows" in refused  # all but one of 30 cells, in 30 months
    assert check.to_consider == []


def test_rows_of_a_wider_area_do_not_hide_a_gap(toy):
    check = toy(
        ("extent_m = [630000, 4830000,", "extent_m = [632000, 4832500,"),
        ('first_month = "2019-01"', 'first_month = "2018-11"'),
        ("[backtest]", "[quality]\nmax_outside_share = 0.99\n[backtest]"),
    )

    (gap,) = check.to_fix
    assert gap.startswith("toy: no incident at all in 2018-11..2018-12")


def test_too_few_months_are_told(toy):
    check = toy(('first_month = "2019-01"', 'first_month = "2019-08"'))

    assert check.to_fix == [
        "toy: 23 complete months (2019-08 to 2021-06), at least 24 are needed. Add earlier files "
        "and set first_month in the TOML to the first month they cover."
    ]


def test_a_back_test_longer_than_the_history_is_refused_as_a_run_refuses_it(toy):
    check = toy(("n_origins = 5", "n_origins = 29"))

    (problem,) = check.to_fix
    assert "toy: 30 complete months (2019-01 to 2021-06), at least 31 are needed" in problem
    assert "or lower n_origins = 29 under [backtest], before which 2 months are needed" in problem


def test_the_months_before_the_scores_are_those_of_the_reference_forecast():
    assert BASELINES[HISTORICAL_AVERAGE].min_history_months == MONTHS_BEFORE_SCORES


def test_models_that_would_be_left_out_are_mentioned(toy):
    check = toy(("n_origins = 5", "n_origins = 7"))

    assert check.is_fine
    assert "n_origins = 7 leaves 23 months before the first scored origin" in check.to_consider[0]


def test_a_month_that_ends_early_is_mentioned(toy):
    check = toy(('last_month = "2021-06"', ""), rows=[f"2021-07-02,Assault,{LONLAT}"])

    assert any(
        each.startswith("last_month: 2021-07 holds 1 incidents, a month usually")
        for each in check.to_consider
    )


def test_words_that_no_row_has_are_mentioned(toy):
    check = toy(
        ('["Assault"]', '["Assault", "Asault"]'),
        ("[grid]", 'ignored_labels = ["Parking"]\n[grid]'),
        ("[[source]]", '[[offence_type]]\nname = "arson"\nlabels = ["Arson"]\n[[source]]'),
    )

    assert check.is_fine
    assert check.to_consider == [
        "offence type 'arson' has no incident at all",
        "labels of 'assault' that no row has: Asault",
        "ignored_labels that no row has: Parking",
    ]


def test_hours_that_cannot_be_read_are_mentioned(toy, home):
    file = home.root / "raw" / "toy" / "all.csv"
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([f"{header},time", *(f"{row},2305" for row in rows)]) + "\n")

    check = toy(('offence = "offence"', 'offence = "offence"\nhour = "time"'))

    assert check.to_consider == [
        "hour: only 0% of accepted rows have an hour in column 'time'; if 2305 means five past "
        'eleven, write hour_format = "hhmm"'
    ]


def test_a_crs_of_another_part_of_the_world_is_mentioned(toy):
    check = toy(("EPSG:26917", "EPSG:32612"), ("extent_m = [630000, 4830000, 632500, 4833000]", ""))

    assert check.to_consider[0].startswith("crs: EPSG:32612 (WGS 84 / UTM zone 12N) is made for")
    assert "In metres there: EPSG:32617 (UTM)" in check.to_consider[0]


def test_a_crs_that_stretches_areas_is_mentioned(toy):
    check = toy(("EPSG:26917", "EPSG:3347"), ("extent_m = [630000, 4830000, 632500, 4833000]", ""))

    assert "crs: in EPSG:3347 an area here comes out +" in check.to_consider[0]
    assert check.to_consider[0].endswith("the UTM zone of the incidents is EPSG:32617")


def test_a_grid_much_wider_than_the_incidents_is_mentioned(toy):
    check = toy(("632500, 4833000]", "642500, 4843000]"))

    assert check.to_consider == [
        "[grid] holds 650 cells; 30 would hold 100.0% of the incidents: "
        "extent_m = [630000, 4830000, 632500, 4833000]"
    ]


def test_points_outside_the_stated_extent_still_count_for_the_suggestion(toy):
    check = toy(
        (
            "extent_m = [630000, 4830000, 632500, 4833000]",
            "extent_m = [630000, 4830000, 631500, 4833000]",
        )
    )

    assert "outside the grid" in check.to_fix[0]
    assert check.facts.site.extent.bounds_m == (630_000.0, 4_830_000.0, 632_500.0, 4_833_000.0)


def test_mistakes_in_the_toml_come_before_everything(toy):
    with pytest.raises(StudyAreaError, match="3 problems") as told:
        toy(("timezone", "time_zone"), ("cell_size_m = 500", ""))

    assert "did you mean 'timezone'" in str(told.value)


@pytest.mark.usefixtures("toy")
def test_a_missing_toml_names_its_neighbours(home):
    with pytest.raises(StudyAreaError, match=r"nowhere.toml: no such file; the folder holds toy"):
        check_area(home.study_areas / "nowhere.toml", home)


@pytest.mark.skipif(not CHARLOTTESVILLE.exists(), reason=f"no files in {CHARLOTTESVILLE}")
def test_the_real_charlottesville_is_fine(home):
    (home.root / "raw").mkdir()
    (home.root / "raw" / "charlottesville").symlink_to(CHARLOTTESVILLE)
    toml = REPOSITORY / "data" / "study_areas" / "charlottesville.toml"

    check = check_area(toml, home)

    assert check.is_fine
    assert check.to_consider == []
    assert check.facts.site.crs == load_study_area(toml).crs
    assert check.facts.site.extent.inside_share > 0.995  # 0.7 % of all geocodes are wrong
    assert np.all(check.facts.timing.per_month > 100)


def test_an_api_that_was_never_fetched_is_to_be_fetched(home):
    chicago = load_study_area(REPOSITORY / "data" / "study_areas" / "chicago.toml")

    (told,) = gather_facts(chicago, home).refusals

    assert told.startswith("source 'crimes' was never fetched from https://data.cityofchicago.org")
    assert "crime-platform fetch --study-area chicago" in told


def test_a_back_test_too_short_for_the_gate_is_told(toy):
    check = toy(("n_origins = 5", "n_origins = 3"))

    assert check.is_fine
    assert "n_origins = 3 can never be published: the gate needs at least 4" in check.to_consider[0]


def test_a_city_too_small_for_the_gate_is_told(toy, home):
    counts = np.zeros((30, 2, 6, 5), dtype=int)
    counts[:, :, 2, 2] = 9
    write_toy_csv(home.root / "raw" / "toy" / "all.csv", counts)

    (remark,) = [each for each in toy().to_consider if "the gate" in each]

    assert re.match(r"the last 5 months, which are scored, hold 9\d incidents: the gate", remark)

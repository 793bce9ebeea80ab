"""A first TOML of a folder, a glob or several files, and of places by code."""

import numpy as np
import pytest

from crime_platform.onboarding.check import check_area
from crime_platform.onboarding.draft import Told, draft_area, name_and_path
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import SourceFormatError
from toys.monthly_files import write_monthly_files

HEADER = "Crime ID,Month,Falls within,Longitude,Latitude,Crime type\n"
STREET = HEADER + "".join(
    f"x{n},20{21 + n // 24}-{n // 2 % 12 + 1:02d},Force,-2.6{n % 7},51.4{n % 5},"
    f"{('Burglary', 'Robbery')[n % 2]}\n"
    for n in range(72)
)
CODED = "date,offence,area\n" + "".join(
    f"{n % 28 + 1}.{n // 28 % 12 + 1}.{2019 + n // 336},{('Theft', 'Robbery')[n % 2]},"
    f"0{n % 5 + 1}\n"
    for n in range(840)
)
AREAS = "key,name,x,y\n" + "".join(
    f"{n},Area {n},{390_000 + 900 * n},{5_819_000 + 700 * n}\n" for n in range(1, 6)
)


@pytest.fixture
def draft(home):
    """Draft an area from paths below the raw folder; the draft and the area."""

    def draft_from(*paths, **told):
        given = [home.root / "raw" / path for path in paths]
        drafted = draft_area(given, home, Told(**{"name": "town", **told}))
        (home.study_areas / "town.toml").write_text(drafted.text)
        return drafted, load_study_area(home.study_areas / "town.toml")

    return draft_from


@pytest.fixture
def written(home):
    """Write a file below the raw folder."""

    def write(path, content):
        target = home.root / "raw" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(content)

    return write


def test_sixty_monthly_files_make_a_toml_that_runs(draft, home):
    n_rows = write_monthly_files(home.root / "raw" / "ciudad")

    drafted, area = draft("ciudad")

    (source,) = area.sources
    assert source.paths == ("raw/ciudad/**/*.csv",)
    assert source.exclude == ("colonias.csv",)
    assert (source.decimal, source.datetime_formats) == (",", ("%d/%m/%Y",))
    assert (str(area.first_month), str(area.last_month)) == ("2019-01", "2023-12")
    assert area.ignored_labels == ("Posesión de narcóticos",)
    assert any("colonias.csv has other columns and is left out" in line for line in drafted.remarks)
    assert any("only its .csv files are read, not LEEME.txt" in line for line in drafted.remarks)
    check = check_area(home.study_areas / "town.toml", home)
    assert check.to_fix == []
    (found,) = check.facts.sources
    assert (found.n_files, found.report.n_rows) == (60, n_rows)
    n_ignored = sum(found.report.ignored_labels.values())
    assert found.report.n_accepted == n_rows - n_ignored


def test_a_folder_as_the_british_police_deliver_it(draft, written):
    written("pol/2021-01/2021-01-x-street.csv", STREET)
    written("pol/2021-01/2021-01-x-outcomes.csv", "Crime ID,Month,Outcome type\nx,2021-01,none\n")

    drafted, area = draft("pol")

    (source,) = area.sources
    assert (source.format, source.members) == ("police_uk", "*-street.csv")
    assert source.exclude == ()
    assert any("outcomes.csv has other columns" in line for line in drafted.remarks)


def test_a_renamed_police_file_is_read_all_the_same(draft, written, home):
    written("crime.csv", STREET)

    draft("crime.csv")

    check = check_area(home.study_areas / "town.toml", home)
    assert check.to_fix == []
    assert check.facts.sources[0].report.n_rows == 72


def test_a_glob_several_files_and_an_exclusion(draft, written):
    written("a-2021.csv", STREET)
    written("b-2021.csv", STREET.replace("x", "y"))
    written("b-old.csv", STREET)

    _, area = draft("*-*.csv", exclude=["*-old.csv"])
    assert area.sources[0].paths == ("raw/*-*.csv",)
    assert area.sources[0].exclude == ("*-old.csv",)

    _, area = draft("a-2021.csv", "b-2021.csv")
    assert area.sources[0].paths == ("raw/a-2021.csv", "raw/b-2021.csv")


@pytest.mark.parametrize(
    ("path", "told", "message"),
    [
        ("none.csv", {}, r"none\.csv: no such file or folder; check how it is spelt"),
        ("*.tsv", {}, r"\*\.tsv: no file fits this pattern"),
        ("empty", {}, "a folder without a table; expected files that end in"),
        ("a.csv", {"exclude": ["a*"]}, r"--exclude a\* leaves out every file"),
        ("full", {"exclude": ["*"]}, r"--exclude \* leaves out every file of .*full; narrow it"),
    ],
)
def test_paths_that_name_nothing_are_told(draft, written, path, told, message):
    written("a.csv", STREET)
    written("empty/readme.md", "nothing")
    written("full/a.csv", STREET)

    with pytest.raises(SourceFormatError, match=message):
        draft(path, **told)


@pytest.mark.parametrize(
    ("file", "given"),
    [
        ("data [2022-24].csv", "data [2022-24].csv"),
        ("what?.csv", "what?.csv"),
        ("all *.csv", "all *.csv"),
        ("data [old]/a.csv", "data [old]"),
        ("data [old]/a [1].csv", "data [old]/a [1].csv"),
    ],
)
def test_a_name_that_looks_like_a_pattern_is_that_file(draft, written, home, file, given):
    written(file, STREET)

    draft(given)

    check = check_area(home.study_areas / "town.toml", home)
    assert check.to_fix == []
    assert check.facts.sources[0].n_files == 1


def test_a_file_whose_name_looks_like_a_pattern_can_be_left_out(draft, written, home):
    written("pol/a.csv", STREET)
    written("pol/codes [1].csv", "code,meaning\n1,Theft\n")

    draft("pol")

    assert check_area(home.study_areas / "town.toml", home).facts.sources[0].n_files == 1


def test_an_area_is_called_after_a_file_whose_name_looks_like_a_pattern(written, home):
    written("data [2022-24].csv", STREET)

    given = home.root / "raw" / "data [2022-24].csv"

    assert name_and_path(given, home, name=None, output=None)[0] == "data_2022_24"


def test_a_column_that_some_files_lack_is_left_out_and_said(draft, written):
    written("a.csv", STREET.replace("Crime type", "offence").replace("Month", "date"))
    lacking = STREET.replace("Crime type", "offence").replace("Month", "date")
    rows = [line.split(",", 1)[1] for line in lacking.splitlines()]
    written("b.csv", "\n".join(rows) + "\n")

    drafted, area = draft("a.csv", "b.csv")

    assert area.sources[0].columns.id is None
    assert "id: column 'Crime ID' is not used, as b.csv lack it" in drafted.remarks


def test_places_by_code_are_matched_with_the_table_that_is_named(draft, written, home):
    written("codes.csv", CODED)
    written("areas.csv", AREAS)

    _, area = draft("codes.csv", places=home.root / "raw" / "areas.csv", crs="EPSG:25833")

    (source,) = area.sources
    assert source.columns.place == "area"
    assert (source.places.code, source.places.x, source.places.crs) == ("key", "x", "EPSG:25833")
    assert area.timezone == "Europe/Berlin"
    assert check_area(home.study_areas / "town.toml", home).to_fix == []


def test_without_the_table_the_rest_is_drafted_with_blanks_to_fill_in(written, home):
    written("codes.csv", CODED)

    told = Told(name="town", columns={"place": "area"})
    drafted = draft_area([home.root / "raw" / "codes.csv"], home, told)

    assert 'place = "area"' in drafted.text
    assert "# FILL IN the table with a point for each code" in drafted.text
    assert any("or draft it again with --places FILE" in line for line in drafted.remarks)


@pytest.mark.parametrize(
    ("table", "told", "error", "message"),
    [
        ("key,name\n1,a\n2,b\n", {}, SourceFormatError, "no two columns hold coordinates"),
        (AREAS.replace("\n", "\n9"), {}, SourceFormatError, "no column of it knows the codes"),
        (AREAS, {"crs": None}, StudyAreaError, "'x' and 'y' of .* are no degrees: say their CRS"),
        (AREAS, {"crs": "UTM"}, StudyAreaError, "--crs: 'UTM' is no CRS"),
    ],
)
def test_a_table_of_places_that_does_not_fit_is_refused(
    draft, written, home, table, told, error, message
):
    written("codes.csv", CODED)
    written("areas.csv", table)

    with pytest.raises(error, match=message):
        draft("codes.csv", **{"places": home.root / "raw/areas.csv", "crs": "EPSG:25833", **told})


def test_a_table_of_places_beside_coordinates_is_refused(draft, written, home):
    written("a.csv", STREET.replace("Crime type", "offence").replace("Month", "date"))
    written("areas.csv", "code,x,y\nForce,1.5,2.5\nOther,1.6,2.6\n")

    with pytest.raises(StudyAreaError, match="--places is for files without coordinates"):
        draft("a.csv", places=home.root / "raw" / "areas.csv")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"place": "area", "lon": "date", "lat": "date"}, "name one way to the place"),
        ({"district": "area"}, "stands in where place is not known"),
    ],
)
def test_ways_to_a_place_that_contradict_each_other_are_told(draft, written, columns, message):
    written("codes.csv", CODED)

    with pytest.raises(StudyAreaError, match=message):
        draft("codes.csv", columns=columns)


def test_every_row_may_be_one_offence(draft, written):
    written("a.csv", CODED.replace("offence", "shop").replace("area\n", "lon\n"))
    text = "date,lon,lat\n" + "".join(
        f"20{19 + n // 240}-{n // 20 % 12 + 1:02d}-{n % 20 + 9:02d},13.4{n % 7},52.5{n % 5}\n"
        for n in range(720)
    )
    written("b.csv", text)

    _, area = draft("b.csv", offence_label="Bicycle theft")

    assert area.sources[0].offence_label == "Bicycle theft"
    assert area.offence_names == ("bicycle_theft",)


def test_a_label_and_a_column_of_offences_contradict_each_other(draft, written):
    written("codes.csv", CODED)

    with pytest.raises(StudyAreaError, match="--offence-label and --column offence=NAME exclude"):
        draft("codes.csv", offence_label="Theft", columns={"offence": "offence"})


def test_a_gap_stays_inside_so_that_the_check_names_it(draft, written, home):
    days = np.arange("2020-01-01", "2023-01-01", dtype="datetime64[D]")
    kept = [day for day in days if str(day)[:7] not in ("2021-03", "2021-04")]
    lines = [f"{day},{'ab'[n % 2]},13.4{n % 7},52.5{n % 5}" for n, day in enumerate(kept)]
    written("gap.csv", "\n".join(["date,offence,lon,lat", *lines]) + "\n")

    _, area = draft("gap.csv")

    assert str(area.first_month) == "2020-01"
    problems = check_area(home.study_areas / "town.toml", home).to_fix
    assert any("2021-03" in problem and "2021-04" in problem for problem in problems)


def test_a_default_date_far_away_is_left_out_and_said(draft, written):
    days = np.arange("2020-01-01", "2023-01-01", dtype="datetime64[D]")
    lines = [f"{day},{'ab'[n % 2]},13.4{n % 7},52.5{n % 5}" for n, day in enumerate(days)]
    lines += ["1900-01-01,a,13.41,52.51"] * 40
    written("default.csv", "\n".join(["date,offence,lon,lat", *lines]) + "\n")

    drafted, area = draft("default.csv")

    assert str(area.first_month) == "2020-01"
    assert "# the first whole month of the file; rows before it: 40\n" in drafted.text
    assert any(line.startswith("40 rows of 1900-01 lie far from") for line in drafted.remarks)


def test_an_area_of_a_folder_is_called_after_it(home):
    name, path = name_and_path(home.root / "raw" / "my city", home, name=None, output=None)
    glob, _ = name_and_path(home.root / "raw" / "town" / "*.csv", home, name=None, output=None)

    assert (name, path.name, glob) == ("my_city", "my_city.toml", "town")

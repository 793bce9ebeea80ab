"""A study area's TOML file: what it means, and how every mistake in it is told."""

import subprocess
import sys

import numpy as np
import pytest

from crime_platform.study_area.parts import HolidayCalendar
from crime_platform.study_area.source import is_never_loaded
from crime_platform.study_area.study_area import (
    StudyArea,
    StudyAreaError,
    load_study_area,
    study_area_files,
)
from toys.paths import FIXTURES

SMALL_TOWN = FIXTURES / "small_town.toml"


@pytest.fixture
def load_changed(tmp_path):
    """Load the small town's file with passages replaced: old, new, old, new and so on."""

    def load(*passages: str) -> StudyArea:
        text = SMALL_TOWN.read_text(encoding="utf-8")
        for old, new in zip(passages[::2], passages[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        changed = tmp_path / "small_town.toml"
        changed.write_text(text, encoding="utf-8")
        return load_study_area(changed)

    return load


def test_a_file_is_read_word_for_word():
    area = load_study_area(SMALL_TOWN)

    assert (area.name, area.title, area.toml_file) == (
        "small_town",
        "Small Town",
        "small_town.toml",
    )
    assert (area.first_month, area.last_month) == (
        np.datetime64("2020-01"),
        np.datetime64("2020-12"),
    )
    assert area.grid.extent_m == (630000.0, 4833000.0, 631000.0, 4834000.0)
    assert area.offence_names == ("burglary", "robbery")
    assert area.sources[0].columns.coordinates == ("east", "north")
    assert area.sources[0].licence == "CC0"
    assert (area.backtest.n_origins, area.backtest.refit_every) == (6, 6)
    assert area.quality.max_outside_share == 0.05


PREMISES = """
[[premises_type]]
name = "house"
labels = ["House", "Garage"]

[[source]]"""


def test_kinds_of_place_are_read(load_changed):
    column, text = 'offence = "what"', 'offence = "what"\npremises = "where"'
    assert load_changed(column, text).premises_types == ()
    whole = SMALL_TOWN.read_text(encoding="utf-8")

    area = load_changed(whole, whole.replace("[[source]]", PREMISES).replace(column, text))

    assert area.premises_of_label == {"house": "house", "garage": "house"}
    assert area.sources[0].columns.premises == "where"


def test_kinds_of_place_without_a_column_are_refused(load_changed):
    with pytest.raises(StudyAreaError, match="premises_type: no source maps the column; add"):
        load_changed("[[source]]", PREMISES)


def test_a_kind_of_place_without_labels_is_refused(load_changed):
    with pytest.raises(StudyAreaError, match=r"\[premises_type 1\] labels: premises type 'house'"):
        load_changed("[[source]]", PREMISES.replace('"House", "Garage"', ""))


def test_a_label_of_two_kinds_of_place_is_refused(load_changed):
    twice = PREMISES.replace("[[source]]", PREMISES.replace("house", "shed"))
    with pytest.raises(StudyAreaError, match="'house' belongs to 'house' and to 'shed'"):
        load_changed("[[source]]", twice)


def test_two_kinds_of_place_of_one_name_are_refused(load_changed):
    twice = PREMISES.replace("[[source]]", PREMISES.replace("House", "Shed"))
    with pytest.raises(StudyAreaError, match="premises_type: two share a name"):
        load_changed("[[source]]", twice)


def test_labels_are_compared_without_capitals_and_outer_blanks():
    area = load_study_area(SMALL_TOWN)

    assert area.type_of_label == {
        "burglary": "burglary",
        "break-in": "burglary",
        "robbery": "robbery",
    }


def test_holidays_are_those_of_the_country_named(load_changed):
    area = load_changed("[grid]", '[calendar]\ncountry = "CA"\nsubdivision = "ON"\n\n[grid]')
    assert area.calendar == HolidayCalendar(country="CA", subdivision="ON")


def test_an_area_can_be_hashed():
    assert hash(load_study_area(SMALL_TOWN)) == hash(load_study_area(SMALL_TOWN))


def test_files_come_by_name(tmp_path):
    (tmp_path / "b.toml").touch()
    (tmp_path / "a.toml").touch()
    (tmp_path / "notes.txt").touch()

    assert [path.name for path in study_area_files(tmp_path)] == ["a.toml", "b.toml"]


def test_a_file_bears_the_name_of_its_area(tmp_path):
    (tmp_path / "one.toml").write_text(SMALL_TOWN.read_text(encoding="utf-8"), encoding="utf-8")

    with pytest.raises(StudyAreaError, match="'small_town' is not the file's name 'one'"):
        load_study_area(tmp_path / "one.toml")


def test_a_missing_file_names_its_neighbours(tmp_path):
    (tmp_path / "toronto.toml").touch()

    with pytest.raises(StudyAreaError, match=r"oslo.toml: no such file; .*toronto.toml"):
        load_study_area(tmp_path / "oslo.toml")


def test_a_file_that_is_no_toml_names_the_line(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("name = \n", encoding="utf-8")

    with pytest.raises(StudyAreaError, match=r"broken.toml: not a TOML file: .*line 1"):
        load_study_area(broken)


MISTAKES = [
    # unknown, missing and ill-typed keys
    ("cell_size_m", "cel_size_m", r"\[grid\] cel_size_m: unknown key; did you mean 'cell_size_m'"),
    ("cell_size_m = 500", "", r"\[grid\] cell_size_m: the key is missing"),
    ('occurred_at = "when"', "", r"\[source 1.columns\] occurred_at: the key is missing"),
    ('timezone = "America/Toronto"', "", "timezone: the key is missing"),
    ("timezone", "time_zone", "time_zone: unknown key; did you mean 'timezone'"),
    ("licence", "license", r"\[source 1\] license: unknown key; did you mean 'licence'"),
    ("= 500", '= "500"', r"\[grid\] cell_size_m: expected a number, found '500'"),
    ("= 500", "= true", r"\[grid\] cell_size_m: expected a number, found True"),
    ("n_origins = 6", "n_origins = 6.5", r"\[backtest\] n_origins: expected a whole number"),
    ('["Robbery"]', '"Robbery"', r"\[offence_type 2\] labels: expected a list of texts"),
    ("last_month", "includes_police_discovered", "expected true or false, found '2020-12'"),
    ('"Small Town"', '""', "title: expected a text in quotes, found ''"),
    ("[grid]", "[[grid]]", r"grid: expected a table headed \[grid\]"),
    ("4834000]", '"4834000"]', r"\[grid\] extent_m: expected a list of numbers"),
    # place
    ('"EPSG:26917"\ntime', '"EPSG:4326"\ntime', r"EPSG:4326 \(WGS 84\) is geographic, in degrees"),
    ('"EPSG:26917"\ntime', '"EPSG:3857"\ntime', "EPSG:3857 .* stretches every distance"),
    ('"EPSG:26917"\ntime', '"EPSG:2263"\ntime', "EPSG:2263 .* measures in .*foot"),
    ('"EPSG:26917"\ntime', '"UTM 17"\ntime', "'UTM 17' is not a known CRS; use .* EPSG:26917"),
    ("= 500", "= 0", "cell_size_m: expected metres above 0, found 0"),
    ("631000,", "631200,", r"2.4 x 2 cells of 500 m.*try \[630000, 4833000, 631500, 4834000\]"),
    ("631000,", "630400,", "holds no cell of 500 m"),
    (", 4834000]", "]", r"expected \[xmin, ymin, xmax, ymax\], found 3 numbers"),
    ("= 500", '= 500\nboundary_file = "x.gpkg"', "boundary_file is given too; keep one"),
    (
        "= 500",
        "= 500\ntrim_share = 0.5",
        "trim_share: expected a share from 0 up to 0.1, found 0.5",
    ),
    # time
    ("America/Toronto", "Toronto", "'Toronto' is not an IANA time zone"),
    ('"2020-01"', '"January 2020"', "first_month: expected a month written YYYY-MM"),
    ('"2020-12"', '"2019-12"', "last_month: 2019-12 lies before first_month 2020-01"),
    ('title = "Small Town"', 'step = "day"', "step: expected one of month; found 'day'"),
    # words
    ('"small_town"', '"Small Town"', "name: expected small letters, digits and underscores"),
    ('["Robbery"]', '["break-IN "]', "'break-in' belongs to 'burglary' and to 'robbery'"),
    ('["Robbery"]', '["parking"]', "'parking' belongs to 'ignored_labels' and to 'robbery'"),
    ('["Robbery"]', "[]", "offence type 'robbery' has none; list the publisher's words"),
    ('name = "robbery"', 'name = "burglary"', "offence_type: two share a name"),
    ('["Robbery"]', '["Robbery"]\npolice_discovered = true', r"\['robbery'\] count where police"),
    # source
    (
        '"keep"',
        '"drop"',
        "duplicates: expected one of keep, drop_exact, drop_same_id; found 'drop'",
    ),
    ('"keep"', '"drop_same_id"', "'drop_same_id' needs the id column; map id"),
    ('"local"', '"UTC"', "timestamps_are: expected one of local, utc; found 'UTC'"),
    ('"local"', '"local"\ndatetime_format = "%Y-%m-%d %z"', '%z. reads instants; .*"utc"'),
    ('"local"', '"local"\ndatetime_format = "%d.%m.%Y %H:%M GMT"', "GMT. reads instants"),
    ('"CC0"', '"CC0"\nrevisions = "merge"', "revisions: expected one of add, replace_months"),
    ('"local"', '"local"\nhour_format = "hh"', "hour_format: expected one of hour, hhmm"),
    ('["raw/*.csv"]', "[]", r"\[source 1\] paths: expected at least one file or glob"),
    (
        '"CC0"',
        '"CC0"\nformat = "excel"',
        "format: expected one of table, police_uk.*; found 'excel'",
    ),
    ('x = "east"\n', "", "lon: name lon and lat, or x and y"),
    ('x = "east"', 'x = "east"\nlon = "lon"\nlat = "lat"', "only one of the four"),
    ('"CC0"\ncrs = "EPSG:26917"', '"CC0"', "crs: x and y need the CRS they are written in"),
    ('"CC0"\ncrs = "EPSG:26917"', '"CC0"\ncrs = "EPSG:99999"', "crs: 'EPSG:99999' is no CRS that"),
    ('"what"', '"Suspect Race"', "column 'Suspect Race' describes a person, an arrest or a patrol"),
    # numbers
    ("= 0.05", "= 5.0", "max_outside_share: expected a share from 0 to 1, found 5; write 5% as"),
    ("n_origins = 6", "n_origins = 0", "n_origins: expected 1 or more, found 0"),
    ("= 0.05", "= 0.05\nmax_age_days = 0", "max_age_days: expected 1 day or more, found 0; a"),
    ("= 0.05", "= 0.05\nmax_age_days = 7.5", "max_age_days: expected a whole number"),
    # calendar
    ("[grid]", '[calendar]\ncountry = "XX"\n[grid]', "country: 'XX' has no holiday calendar"),
    (
        "[grid]",
        '[calendar]\ncountry = "GB"\nsubdivision = "ON"\n[grid]',
        "subdivision: GB has no 'ON'; it has ENG, NIR, SCT, WLS",
    ),
    (
        "[grid]",
        '[calendar]\nsubdivision = "ON"\n[grid]',
        r"\[calendar\] country: the key is missing",
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_cure(load_changed, old, new, message):
    with pytest.raises(StudyAreaError, match=message):
        load_changed(old, new)


def test_an_area_needs_an_offence_type(load_changed):
    text = SMALL_TOWN.read_text(encoding="utf-8")
    offences = text[text.index("[[offence_type]]") : text.index("[[source]]")]

    with pytest.raises(StudyAreaError, match="offence_type: the key is missing"):
        load_changed(offences, "")


def test_an_empty_list_of_offence_types_is_refused(tmp_path):
    text = SMALL_TOWN.read_text(encoding="utf-8")
    offences = text[text.index("[[offence_type]]") : text.index("[[source]]")]
    bare = text.replace(offences, "").replace("ignored_labels", "offence_type = []\nignored_labels")
    (tmp_path / "small_town.toml").write_text(bare, encoding="utf-8")

    with pytest.raises(StudyAreaError, match="offence_type, source: expected at least one of each"):
        load_study_area(tmp_path / "small_town.toml")


def test_all_mistakes_are_told_at_once(load_changed):
    with pytest.raises(StudyAreaError) as told:
        load_changed(
            'crs = "EPSG:26917"\ntimezone = "America/Toronto"',
            'crs = "EPSG:4326"\ntimezone = "Mars"\ncolour = "red"',
        )

    message = str(told.value)
    assert "3 problems" in message
    assert "colour: unknown key. Known keys: " in message
    assert "EPSG:4326 (WGS 84) is geographic" in message
    assert "'Mars' is not an IANA time zone" in message


def test_police_discovered_offences_can_be_asked_for_openly(load_changed):
    area = load_changed(
        "ignored_labels",
        "includes_police_discovered = true\nignored_labels",
    )

    assert area.includes_police_discovered


@pytest.mark.parametrize(
    "column", ["age", "VIC_AGE_GROUP", "SuspectRace", "Sex", "ethnicity", "ArrestDate", "patrol"]
)
def test_columns_about_people_and_police_are_never_loaded(column):
    assert is_never_loaded(column)


@pytest.mark.parametrize("column", ["Language", "coverage", "Racecourse", "Essex", "page", "MCI"])
def test_other_columns_are_not_mistaken_for_them(column):
    assert not is_never_loaded(column)


def test_reading_an_area_imports_no_slow_library():
    program = (
        "import sys; from pathlib import Path; "
        "from crime_platform.study_area.study_area import load_study_area; "
        f"load_study_area(Path({str(SMALL_TOWN)!r})); "
        "slow = {'pandas', 'duckdb', 'geopandas', 'shapely', 'torch'} & set(sys.modules); "
        "sys.exit(f'imported {slow}' if slow else 0)"
    )

    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("number", ["nan", "inf", "-inf", "1" + "0" * 400])
@pytest.mark.parametrize(
    ("old", "key"),
    [
        ("cell_size_m = 500", "cell_size_m"),
        ("max_outside_share = 0.05", "max_outside_share"),
    ],
)
def test_a_number_that_cannot_be_computed_with_is_refused(load_changed, old, key, number):
    with pytest.raises(StudyAreaError, match=f"{key}: expected a number, found -?(nan|inf|10000)"):
        load_changed(old, f"{key} = {number}")


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_list_holds_numbers_that_can_be_computed_with(load_changed, number):
    with pytest.raises(StudyAreaError, match=r"extent_m: expected a list of numbers .* found \["):
        load_changed("extent_m = [630000,", f"extent_m = [{number},")


@pytest.mark.parametrize("size", ["1e-300", "0.0001"])
def test_cells_beyond_all_numbers_are_refused(load_changed, size):
    with pytest.raises(StudyAreaError, match=r"extent_m: .* more than the 2,147,483,647"):
        load_changed("cell_size_m = 500", f"cell_size_m = {size}")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = 1" + "0" * 5000])
def test_a_toml_without_end_is_no_toml_file(tmp_path, text):
    (tmp_path / "a.toml").write_text(text)

    with pytest.raises(StudyAreaError, match=r"a\.toml: not a TOML file"):
        load_study_area(tmp_path / "a.toml")


def test_a_folder_called_toml_is_told(tmp_path):
    (tmp_path / "a.toml").mkdir()

    with pytest.raises(StudyAreaError, match=r"a\.toml: cannot be read \(Is a directory\)"):
        load_study_area(tmp_path / "a.toml")


PATTERNS = 'labels = ["Robbery"]\nlabel_patterns = ["ROB*", "Mugging ?"]'


def test_labels_can_be_patterns(load_changed):
    area = load_changed('labels = ["Robbery"]', PATTERNS)

    assert area.pattern_owners == (("rob*", "robbery"), ("mugging ?", "robbery"))


def test_an_offence_type_can_have_patterns_alone(load_changed):
    area = load_changed('labels = ["Robbery"]', 'label_patterns = ["ROB*"]')

    assert area.offence_types[1].labels == ()


def test_a_pattern_has_one_owner(load_changed):
    top = 'ignored_label_patterns = ["rob* "]\nignored_labels'

    with pytest.raises(StudyAreaError, match=r"'rob\*' belongs to 'robbery' and to 'ignored_label"):
        load_changed('labels = ["Robbery"]', PATTERNS, "ignored_labels", top)


ONE_OFFENCE = ('offence = "what"\n', "", 'duplicates = "keep"', 'offence_label = "ROBBERY"')


def test_every_row_of_a_source_can_be_one_offence(load_changed):
    source = load_changed(*ONE_OFFENCE).sources[0]

    assert (source.offence_label, source.columns.offence) == ("ROBBERY", None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (ONE_OFFENCE[:2], r"offence: the key is missing"),
        (ONE_OFFENCE[2:], r"offence: say what happened in one way"),
        (
            (*ONE_OFFENCE[:3], 'offence_label = "Arson"'),
            r"offence_label: 'Arson' belongs to no offence type",
        ),
        (('"keep"', '"keep"\ndecimal = ";"'), r"decimal: expected one of \., ,; found ';'"),
        (('"keep"', '"keep"\ndecimal = ""'), r"decimal: expected one character in quotes"),
        (('"keep"', '"keep"\nthousands = "_"'), r"thousands: expected one of"),
        (('"keep"', '"keep"\nthousands = "."'), r"thousands: '\.' is the decimal mark too"),
        (('"keep"', '"keep"\npoint_format = "wkb"'), r"point_format: expected one of wkt, lat_lon"),
        (('"keep"', '"keep"\ndatetime_format = "unix"'), r"datetime_format: 'unix' holds no strpt"),
        (
            ('"keep"', '"keep"\ndatetime_format = "%d/%m/%Q"'),
            r"datetime_format: '%d/%m/%Q' holds '%Q', which is no strptime code; write e\.g\.",
        ),
        (
            ('"keep"', '"keep"\ndatetime_format = ["iso", "%d/%m/%Y %"]'),
            r"datetime_format: '%d/%m/%Y %' holds '%', which is no strptime code",
        ),
        (('"keep"', '"keep"\nexclude = "*.old"'), r"exclude: expected a list of texts"),
        (('"when"', '"{YEAR-{MONTH}"'), r"occurred_at: '\{YEAR-\{MONTH\}' is no whole template"),
        (('x = "east"', 'point = "p"\nx = "east"'), r"lon: name lon and lat, or x and y, or point"),
        (
            (
                'timestamps_are = "local"',
                'datetime_format = ["epoch", "%d/%m/%Y %H:%M"]',
            ),
            r"timestamps_are: epoch count in UTC, and what the other formats",
        ),
    ],
)
def test_a_mistake_in_the_keys_of_a_source_is_told(load_changed, changes, message):
    with pytest.raises(StudyAreaError, match=message):
        load_changed(*changes)


def test_what_is_counted_from_1970_is_utc(load_changed):
    area = load_changed('timestamps_are = "local"', 'datetime_format = "epoch_ms"')

    assert area.sources[0].timestamps_are == "utc"


def test_a_hard_blank_between_thousands_is_a_blank(load_changed):
    area = load_changed('"keep"', '"keep"\nthousands = "\u202f"')

    assert area.sources[0].thousands == " "

"""A drafted TOML loads, reads its file, and says of every guess why."""

import datetime as dt
import os
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.onboarding.check import check_area
from crime_platform.onboarding.draft import Told, draft_area
from crime_platform.onboarding.draft_toml import slug
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.toml_text import on_one_line, quoted
from crime_platform.vocabulary.incident import SourceFormatError
from toys.paths import REPOSITORY
from toys.small_town import METRES, invented

NYC = REPOSITORY.parent / "shared" / "data" / "nyc-incidents-2014-2015" / "NYC_Crime.zip"
GWENT = REPOSITORY.parent / "shared" / "data" / "ukpolice-gwent" / "gwent-street.zip"


def test_the_small_town_is_understood(draft):
    _, area = draft(invented().encode("cp1252"))

    (source,) = area.sources
    assert source.paths == ("raw/file.csv",)
    assert source.encoding == "cp1252"
    assert source.datetime_formats == ("%d/%m/%Y %H:%M",)
    assert source.columns.mapped() == {
        "occurred_at": "Date Occurred",
        "offence": "Offence",
        "lon": "Lon",
        "lat": "Lat",
        "id": "Case No",
        "premises": "Location Type",
    }
    assert (area.crs, area.timezone) == ("EPSG:32632", "Europe/Berlin")
    assert area.calendar is not None
    assert area.calendar.country == "DE"
    assert (str(area.first_month), str(area.last_month)) == ("2019-01", "2021-12")
    assert area.offence_names == ("einbruch", "diebstahl_im_cafe", "raub")
    assert area.ignored_labels == ("Drug possession",)
    assert {kind.name for kind in area.premises_types} == {"house", "street"}


def test_its_draft_passes_the_check(draft, home):
    draft(invented())

    check = check_area(home.study_areas / "town.toml", home)

    assert check.to_fix == []
    (found,) = check.facts.sources
    assert found.report.n_rejected == {"before first month": 1}
    assert found.report.n_accepted == 36 * 3 * 7
    assert check.facts.per_label[-1][::2] == ("raub", 36 * 3 * 2)


def test_guesses_are_told_beside_their_lines(draft):
    text, _ = draft(invented())

    assert 'occurred_at = "Date Occurred" # other dates: Date Reported' in text
    assert "# recorded because police looked, not because somebody reported harm\n" in text
    assert '    "Drug possession", # 108 rows\n' in text
    assert 'timezone = "Europe/Berlin"\n' in text
    assert 'country = "DE" # Germany\n# subdivision = "BB": for holidays of one part' in text
    assert "# never loaded: Suspect Age\n" in text


def test_day_and_month_that_nobody_can_tell_apart_are_asked_for(draft):
    short = invented().replace(";15/", ";05/").replace(";28/", ";09/").replace(";31/", ";12/")

    with pytest.raises(StudyAreaError) as told:
        draft(short)

    assert "day and month cannot be told apart in column 'Date Occurred'" in str(told.value)
    assert "is 2019-01-02 by %m/%d/%Y %H:%M or 2019-02-01 by %d/%m/%Y %H:%M" in str(told.value)
    assert "In Germany the day usually comes first." in str(told.value)
    assert "Say which it is: --date-format '%m/%d/%Y %H:%M' or --date-format" in str(told.value)


def test_a_date_format_that_is_given_settles_it(draft):
    short = invented().replace(";15/", ";05/").replace(";28/", ";09/").replace(";31/", ";12/")

    _, area = draft(short, date_formats=["%d/%m/%Y %H:%M"])

    assert area.sources[0].datetime_formats == ("%d/%m/%Y %H:%M",)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ("%Y-%m-%d", r"--date-format '%Y-%m-%d' fits only 0% .* 'Date Occurred', e\.g\. not '01/"),
        (
            "%d/%m/%Q",
            r"--date-format: datetime_format: '%d/%m/%Q' holds '%Q', which is no strptime",
        ),
        ("%d/%m/%Y %", r"--date-format: datetime_format: '%d/%m/%Y %' holds '%', which is no"),
        ("day", r"--date-format: datetime_format: 'day' holds no strptime code"),
    ],
)
def test_a_date_format_that_does_not_fit_is_refused(draft, form, message):
    with pytest.raises(SourceFormatError, match=message):
        draft(invented(), date_formats=[form])


def test_both_orders_in_one_column_are_told(draft):
    mixed = (
        invented()
        .replace("/2021 23", "x")
        .replace("15/01x", "01/15/2021 23")
        .replace("x", "/2021 23")
    )
    lines = [line for line in mixed.splitlines() if ";31/12/1999" not in line]
    swapped = [*lines, *["a;01/02/2024;01/15/2021 23:15;RAUB;House;7.10;50.70;30"] * 300]

    with pytest.raises(StudyAreaError, match="written in two ways that cannot be told apart"):
        draft("\n".join(swapped) + "\n")


@pytest.mark.parametrize(
    ("turned", "left"),
    [
        ("2021-{month:02d}-02", "{day}/02/2021"),
        ("2021-{month:02d}-02 10:00:00", "02.{day}.2021 10:00"),
        ("{month:02d}-Feb-2021", "02/{day}/21"),
    ],
)
def test_dates_that_a_spreadsheet_turned_around_are_not_drafted(draft, turned, left):
    rows = [
        f"{written.format(day=12 + at, month=at)},{('Theft', 'Assault')[at % 2]},7.1{at},50.7{at}"
        for at in range(1, 13)
        for written in (turned, left)
    ]

    with pytest.raises(StudyAreaError, match="a spreadsheet has swapped day and month in column"):
        draft("\n".join(["date,offence,lon,lat", *rows]) + "\n")


def test_days_on_both_sides_of_the_twelfth_are_two_ways_to_write_a_date(draft):
    rows = [
        f"{written.format(day=at)},{('Theft', 'Assault')[at % 2]},7.1{at},50.7{at}"
        for at in range(1, 29)
        for written in ("2021-02-{day:02d}", "{day:02d}/03/2021")
    ]

    _, area = draft("\n".join(["date,offence,lon,lat", *rows]) + "\n")

    assert set(area.sources[0].datetime_formats) == {"iso", "%d/%m/%Y"}


def test_instants_rows_without_a_place_and_repeated_ids_are_said(draft):
    rows = [
        f"{n // 2},20{19 + n // 240}-{n // 20 % 12 + 1:02d}-{n % 20 + 9:02d} 04:30:00Z,"
        f"{('Theft', 'Assault')[n % 2]},{',' if n % 4 == 0 else f'-79.3{n % 7},43.6{n % 7}'}"
        for n in range(480)
    ]

    text, area = draft("\n".join(["incident_id,date,offense,lon,lat", *rows]) + "\n")

    assert area.sources[0].timestamps_are == "utc"
    assert "# 240 rows repeat an id" in text
    assert "# Only 75.0% of the rows have a place" in text
    assert area.quality.min_geocoded_share == 0.73


def test_a_year_beyond_the_calendar_stops_no_draft(draft):
    rows = [f"{1546300800 + n * 1400000},Theft,7.1{n % 9},50.7{n % 7}" for n in range(72)]

    _, area = draft("\n".join(["date,offence,lon,lat", *rows, "999999999999,Theft,7.1,50.71"]))

    assert str(area.first_month) == "2019-01"


def test_a_file_that_begins_and_ends_within_a_month_is_cut_to_whole_ones(draft):
    lines = invented().splitlines()
    kept = [
        line for line in lines if not line.split(";")[2].startswith(("01/01/2019", "28/12/2021"))
    ]

    _, area = draft("\n".join(kept) + "\n")

    assert (str(area.first_month), str(area.last_month)) == ("2019-02", "2021-11")


@pytest.mark.parametrize(
    ("written", "last_month", "reason"),
    [
        ("2021-12-30T12:00", "2021-11", "the file was written on 2021-12-30"),
        ("2022-01-01T12:00", "2021-12", "the last one"),
        ("1980-01-01T12:00", "2021-12", "the last one"),  # a time that an archive invented
    ],
)
def test_a_month_that_ran_when_the_file_was_written_is_no_last_month(
    home, written, last_month, reason
):
    (home.root / "raw").mkdir()
    file = home.root / "raw" / "file.csv"
    file.write_text(invented())
    seconds = dt.datetime.fromisoformat(f"{written}+00:00").timestamp()
    os.utime(file, (seconds, seconds))

    text = draft_area([file], home, Told(name="town", columns={})).text

    assert f'last_month = "{last_month}" # {reason}' in text


def test_everything_that_is_missing_is_told_at_once(draft):
    with pytest.raises(StudyAreaError) as told:
        draft("a,b\n1,2\n3,4\n")

    assert "no column holds dates: name one with --column occurred_at=NAME" in str(told.value)
    assert "no column looks like offences: name it with --column offence=NAME" in str(told.value)
    assert "no two columns hold coordinates" in str(told.value)
    assert "Columns found: 'a', 'b'" in str(told.value)


def test_dates_written_in_no_common_way_are_told(draft):
    text = "when,offence,lon,lat\nMonday,a,7.1,50.1\nTuesday,b,7.2,50.2\n"

    with pytest.raises(
        StudyAreaError, match=r"'when', e\.g\. 'Monday', are written in no common way"
    ):
        draft(text, columns={"occurred_at": "when"})


def test_a_file_that_is_no_table_is_refused(draft):
    with pytest.raises(SourceFormatError, match="a binary file of an unknown kind"):
        draft(b"\x00\x01\x02")


STREET = (
    "Crime ID,Month,Reported by,Falls within,Longitude,Latitude,Location,LSOA code,LSOA name,"
    "Crime type,Last outcome category,Context\n"
)


def test_police_uk_is_known_by_its_header(draft):
    rows = "".join(
        f"x{n},20{22 + n // 24}-{n // 2 % 12 + 1:02d},Gwent Police,Gwent Police,"
        f"-2.99{n % 3},51.58{n % 4},"
        f"On or near High Street,W01,Newport,{('Burglary', 'Drugs')[n % 2]},,\n"
        for n in range(72)
    )

    text, area = draft(STREET + rows)

    (source,) = area.sources
    assert source.format == "police_uk"
    assert "[source.columns]" not in text
    assert (area.crs, area.timezone) == ("EPSG:27700", "Europe/London")
    assert (str(area.first_month), str(area.last_month)) == ("2022-01", "2024-12")
    assert area.ignored_labels == ("Drugs",)


def test_new_zealand_police_is_known_in_its_own_encoding(draft):
    header = "Year Month\tAnzsoc Division\tMeshblock\tVictimisations\tTerritorial Authority\n"
    rows = "".join(
        f"20{15 + n // 24}{n // 2 % 12 + 1:02d}\t{('Theft', 'Robbery')[n % 2]}\t"
        "579200\t1\tAuckland.\n"
        for n in range(72)
    )

    text, area = draft((header + rows).encode("utf-16"))

    (source,) = area.sources
    assert source.format == "nz_police"
    assert source.places.code == "MB2013"
    assert (area.crs, area.timezone) == ("EPSG:2193", "Pacific/Auckland")
    assert (str(area.first_month), str(area.last_month)) == ("2015-01", "2017-12")
    assert area.grid.extent_m is None
    assert "[source.only] keeps one city" in text


def test_a_column_that_a_person_names_reaches_the_toml_whatever_its_key(draft):
    text = METRES.replace("when;", "Offences;ward;when;").replace("\n20", "\n2;north;20")

    _, area = draft(text, crs="EPSG:26917", columns={"count": "Offences", "part": "ward"})

    assert area.sources[0].columns.count == "Offences"
    assert area.sources[0].columns.part == "ward"


def test_a_column_named_for_a_known_layout_replaces_its_own(draft):
    rows = "".join(
        f"x{n},20{22 + n // 24}-{n // 2 % 12 + 1:02d},Gwent Police,Gwent Police,"
        f"-2.99{n % 3},51.58{n % 4},High Street,W01,Newport,{('Burglary', 'Drugs')[n % 2]},,\n"
        for n in range(72)
    )

    _, area = draft(STREET + rows, columns={"part": "LSOA name"})

    assert area.sources[0].format == "police_uk"
    assert area.sources[0].columns.part == "LSOA name"


def test_a_file_elsewhere_is_named_in_full(home, tmp_path):
    (tmp_path / "file.csv").write_text(invented())

    text = draft_area([tmp_path / "file.csv"], home, Told(name="town", columns={})).text

    assert f'paths = ["{tmp_path}/file.csv"]' in text


@pytest.mark.parametrize(
    ("text", "taken", "name"),
    [
        ("Theft / from car", [], "theft_from_car"),
        ("11 Robbery", [], "n_11_robbery"),
        ("???", [], "n"),
        ("Robo a transeúnte", [], "robo_a_transeunte"),
        ("Daño", [], "dano"),
        ("Straßenraub, Körperverletzung", [], "strassenraub_korperverletzung"),
        ("\u0130nsan, h\u0131rs\u0131zl\u0131k", [], "insan_hirsizlik"),  # dots of Turkish
        ("\u041a\u0440\u0430\u0436\u0430", [], "krazha"),  # Russian: theft
        ("盗窃", [], "daoqie"),
        ("Theft!", ["theft", "theft_2"], "theft_3"),
    ],
)
def test_names_are_made_of_letters_digits_and_underscores(text, taken, name):
    assert slug(text, taken) == name


def test_a_header_that_would_break_a_line_is_escaped(draft):
    ugly = invented().replace("Date Reported", '"Date\nReported # ""x"""')

    text, area = draft(ugly)

    assert area.sources[0].columns.occurred_at == "Date Occurred"
    assert r"# other dates: Date\nReported" in text


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_any_text_can_stand_in_a_toml(comment, value):
    written = f"# {on_one_line(comment)}\ntext = {quoted(value)}"

    assert tomllib.loads(written) == {"text": value}


@pytest.mark.skipif(not NYC.exists(), reason=f"New York's incidents are not at {NYC}")
def test_new_york_is_drafted_and_passes_the_check(home):
    toml = home.study_areas / "new_york.toml"
    toml.write_text(draft_area([NYC], home, Told(name="new_york", columns={})).text)

    check = check_area(toml, home)

    assert check.to_fix == []
    area = check.facts.area
    assert (area.crs, area.timezone) == ("EPSG:32618", "America/New_York")
    assert area.sources[0].datetime_formats == ("%m/%d/%Y %I:%M:%S %p",)
    assert check.facts.sources[0].report.n_rows == 191_580
    assert check.facts.sources[0].report.n_accepted > 0.997 * 191_580


@pytest.mark.skipif(not GWENT.exists(), reason=f"the files of Gwent Police are not at {GWENT}")
def test_gwent_is_drafted_and_passes_the_check(home):
    toml = home.study_areas / "gwent.toml"
    toml.write_text(draft_area([GWENT], home, Told(name="gwent", columns={})).text)

    check = check_area(toml, home)

    assert check.to_fix == []
    assert check.facts.sources[0].report.n_rows == 202_374
    assert {"Drugs", "Public order", "Anti-social behaviour"} <= set(
        check.facts.area.ignored_labels
    )


@pytest.mark.parametrize("told", [{}, {"occurred_at": "Date {local}"}])
def test_braces_in_the_name_of_the_date_are_told(draft, told):
    text = invented().replace("Date Occurred", "Date {local}")

    with pytest.raises(StudyAreaError, match=r"rename it in the file, e\.g\. 'Date \(local\)'"):
        draft(text, columns=told)


def test_braces_in_other_names_are_letters_like_others(draft):
    _, area = draft(invented().replace(";Lon;", ";Lon {WGS84};"))

    assert area.sources[0].columns.lon == "Lon {WGS84}"


def test_two_columns_of_one_name_are_told(draft):
    text = invented().replace("Date Reported", "Date Occurred")

    with pytest.raises(StudyAreaError, match="2 columns are called 'Date Occurred', so it is not"):
        draft(text)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("sheet", r"file\.csv: no workbook, so it has no sheet 'S1'; leave --sheet out"),
        ("layer", r"file\.csv: no file of layers, so it has no layer 'S1'; leave --layer out"),
    ],
)
def test_a_sheet_or_a_layer_of_a_plain_file_is_refused(draft, option, message):
    with pytest.raises(SourceFormatError, match=message):
        draft(invented(), **{option: "S1"})

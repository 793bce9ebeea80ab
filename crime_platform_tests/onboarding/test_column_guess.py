"""Columns are known by what they are called and by what stands in them."""

import zipfile

import duckdb
import pytest

from crime_platform.onboarding.guesses.column_guess import guess_columns
from crime_platform.onboarding.guesses.column_names import words_of
from crime_platform.onboarding.guesses.raw_files import read_raw
from crime_platform.vocabulary.incident import SourceFormatError

HEADER = "Date,Offense,Longitude,Latitude"
ROWS = "2020-01-31,Theft,-79.1,43.1\n2020-02-28,Robbery,-79.2,43.2\n"


def named(guess):
    return {key: column.name for key, column in guess.columns.items()}


def test_plain_names_are_understood(guess):
    found = guess(f"{HEADER}\n{ROWS}")

    assert named(found) == {
        "occurred_at": "Date",
        "offence": "Offense",
        "lon": "Longitude",
        "lat": "Latitude",
    }
    assert found.dates.forms == ()
    assert found.dates.rival is None


def test_when_it_happened_goes_before_when_it_was_reported_or_changed(guess):
    found = guess(
        "Updated Date,Report Date,Occur_Date,OFNS_DESC,lon,lat\n"
        "2020-03-01,2020-02-01,2020-01-01,Theft,1.0,2.0\n"
        "2020-03-02,2020-02-02,2020-01-02,Robbery,1.1,2.1\n"
    )

    assert named(found)["occurred_at"] == "Occur_Date"
    assert found.remarks == {"occurred_at": "other dates: Report Date, Updated Date"}


def test_an_identifier_that_looks_like_a_date_is_none(guess):
    found = guess(
        "case_number,Date,Offense,lon,lat\n"
        "20200101,2020-01-01,Theft,1.0,2.0\n20200102,2020-01-02,Robbery,1.1,2.1\n"
    )

    assert named(found)["occurred_at"] == "Date"
    assert named(found)["id"] == "case_number"


@pytest.mark.parametrize(
    ("name", "values", "hour_format"),
    [
        ("Occurrence Hour", ("7", "99"), None),
        ("HourReported", ("2305", "5"), "hhmm"),
        ("CMPLNT_FR_TM", ("23:05:00", "00:10:00"), None),
    ],
)
def test_hours_are_found_in_all_their_ways(guess, name, values, hour_format):
    first, second = values
    found = guess(
        f"Date,{name},Offense,lon,lat\n"
        f"2020-01-31,{first},Theft,1.0,2.0\n2020-01-30,{second},Robbery,1.1,2.1\n"
    )

    assert named(found)["hour"] == name
    assert found.hour_format == hour_format


def test_metres_are_x_and_y(guess):
    found = guess(
        "Date,Offense,X_COORD,Y_COORD\n"
        "2020-01-31,Theft,630250,4833250\n2020-01-30,Robbery,630750,4833750\n"
    )

    assert named(found)["x"] == "X_COORD"
    assert named(found)["y"] == "Y_COORD"


def test_degrees_called_x_and_y_are_degrees(guess):
    found = guess("X,Y,Date,Offense\n-79.1,43.1,2020-01-31,Theft\n-79.2,43.2,2020-01-30,Robbery\n")

    assert (named(found)["lon"], named(found)["lat"]) == ("X", "Y")


def test_the_kind_of_place_is_found(guess):
    found = guess(
        "Date,Offense,lon,lat,PREM_TYP_DESC\n"
        "2020-01-31,Theft,1.0,2.0,STREET\n2020-01-30,Robbery,1.1,2.1,HOUSE\n"
    )

    assert named(found)["premises"] == "PREM_TYP_DESC"


def test_people_are_never_looked_at(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(f"{HEADER},VIC_RACE,Suspect Sex\n{ROWS.replace(chr(10), ',a,b' + chr(10))}")

    with duckdb.connect() as connection:
        raw = read_raw(connection, [path], tmp_path).raw
        loaded = raw.rows("select count(*) from duckdb_columns() where table_name = 'raw'")

    assert raw.left_out == ["VIC_RACE", "Suspect Sex"]
    assert loaded == [(5,)]  # and which file a row comes from


def test_what_is_given_is_taken(guess):
    found = guess(
        f"{HEADER},Kind\n{ROWS}".replace(".1\n", ".1,a\n").replace(".2\n", ".2,b\n"),
        given={"offence": "kind"},
    )

    assert named(found)["offence"] == "Kind"


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("Offens", r"no column 'Offens'; did you mean 'Offense'\? Columns found: 'Date', 'Off"),
        ("Suspect Race", "describes a person, an arrest or a patrol"),
    ],
)
def test_a_given_column_must_be_there_and_may_be_read(guess, column, message):
    text = f"{HEADER},Suspect Race\n{ROWS.replace(chr(10), ',a' + chr(10))}"

    with pytest.raises(SourceFormatError, match=message):
        guess(text, given={"offence": column})


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_any_common_delimiter_will_do(guess, mark):
    assert len(named(guess(f"{HEADER}\n{ROWS}".replace(",", mark)))) == 4


def test_a_file_of_an_older_program_is_read(guess):
    found = guess(f"{HEADER}\n{ROWS}".replace("Theft", "Détournement").encode("cp1252"))

    assert len(named(found)) == 4


def test_geojson_offers_its_points(guess):
    feature = (
        '{{"type": "Feature", "geometry": {{"type": "Point", "coordinates": [{0}, 43.{1}]}}, '
        '"properties": {{"Date": "2020-01-3{1}", "Offense": "kind {1}"}}}}'
    )
    features = ",".join([feature.format(-79.1, 0), feature.format(-79.2, 1)])

    found = guess(f'{{"type": "FeatureCollection", "features": [{features}]}}', name="x.geojson")

    assert named(found) == {
        "occurred_at": "Date",
        "offence": "Offense",
        "lon": "geometry.x",
        "lat": "geometry.y",
    }


def test_parquet_is_read_by_its_own_names(tmp_path):
    path = tmp_path / "file.parquet"
    with duckdb.connect() as connection:
        connection.sql(
            "select date '2020-01-01' + n::int as \"Occurred on\", "
            "['a', 'b'][n % 2 + 1] as offence, n / 10 as lon, 50 + n / 10 as lat "
            "from range(4) as r(n)"
        ).write_parquet(str(path))
        found = guess_columns(read_raw(connection, [path], tmp_path).raw, {})

    assert named(found)["occurred_at"] == "Occurred on"
    assert found.dates.forms == ()


def test_of_an_archive_the_tables_of_the_known_layout_count(tmp_path):
    path = tmp_path / "files.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a-outcomes.csv", "Outcome\nnone\n")
        archive.writestr("b-street.csv", "Month,Crime type\n2020-01,Theft\n")
        archive.writestr("c-street.csv", "Month,Crime type\n2020-02,Theft\n")

    with duckdb.connect() as connection:
        raw = read_raw(connection, [path], tmp_path, layouts=[frozenset({"month"})]).raw

        assert list(raw.names.values()) == ["Month", "Crime type"]
        assert raw.n_rows == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [("Date,Offense\n", "a header and no rows"), ("Age,Sex\n1,2\n", "no column that may be read")],
)
def test_a_file_that_offers_nothing_is_refused(guess, content, message):
    with pytest.raises(SourceFormatError, match=message):
        guess(content)


@pytest.mark.parametrize("name", ["OccurDate", "OCCUR_DATE", " occur-date "])
def test_names_are_compared_as_words(name):
    assert words_of(name) == "occur date"


def told_by(guess, extra, *values, date="2020-01-{0:02d}"):
    """The guess of a file with one more column, of these values."""
    rows = [
        f'{date.format(n + 1)},{("Theft", "Robbery")[n % 2]},-79.{n + 1},43.{n + 1},"{value}"'
        for n, value in enumerate(values)
    ]
    return guess("\n".join([f'{HEADER},"{extra}"', *rows]) + "\n")


@pytest.mark.parametrize(
    "values", [("27", "55", "130"), ("1.5", "2.5", "3.5"), ("90", "175", "61")]
)
def test_numbers_that_are_no_time_of_day_are_no_hours(guess, values):
    assert "hour" not in named(told_by(guess, "arrival time", *values))


def test_no_hour_is_taken_where_the_date_has_a_clock(guess):
    found = told_by(guess, "hour of call", "3", "4", date="2020-01-{0:02d} 23:15")

    assert "hour" not in named(found)


def test_the_hour_belongs_to_the_date_that_is_taken(guess):
    found = guess(
        "Report Date,Report Time,Occur Date,Occur Time,Offense,lon,lat\n"
        "2020-02-01,10:00,2020-01-31,23:15,Theft,1.0,2.0\n"
        "2020-02-02,11:00,2020-01-30,22:15,Robbery,1.1,2.1\n"
    )

    assert named(found)["hour"] == "Occur Time"


CLOCK_ROWS = [
    (f"2020-01-{n % 28 + 1:02d}", n % 12 + 1, ("AM", "PM")[n // 12 % 2]) for n in range(240)
]


def on_half_days(guess, header, written, **given):
    rows = [
        written.format(day=day, hour=hour, half=half)
        + f",{('Theft', 'Raub')[hour % 2]},7.{hour},50.{hour}"
        for day, hour, half in CLOCK_ROWS
    ]
    return guess("\n".join([f"{header},Offense,lon,lat", *rows]), given=given)


@pytest.mark.parametrize(
    ("header", "written", "template"),
    [
        ("Date,Time,AMPM", "{day},{hour}:30,{half}", "{Date} {Time} {AMPM}"),
        ("Date,Hour,Half", "{day},{hour},{half}", "{Date} {Hour} {Half}"),
        ("When,AM/PM", "{day} {hour:02d}:30:00,{half}", "{When} {AM/PM}"),
    ],
)
def test_am_and_pm_in_a_column_of_their_own_belong_to_the_clock(guess, header, written, template):
    found = on_half_days(guess, header, written)

    assert named(found)["occurred_at"] == template
    assert "hour" not in named(found)
    assert found.dates.has_clock


@pytest.mark.parametrize(
    ("header", "written", "why"),
    [
        ("Date,Time", "{day},{hour}:30", "and nothing says which are after noon"),
        ("Date,Time,Half", "{day},{hour}30,{half}", "and AM or PM stands in column 'Half'"),
    ],
)
def test_hours_of_which_nobody_knows_the_half_of_the_day_are_left_out(guess, header, written, why):
    found = on_half_days(guess, header, written)

    assert "hour" not in named(found)
    assert any(
        f"hour: column 'Time' is not used: its hours run to 12 only, {why}" in told
        for told in found.worth_a_look
    )


def test_an_hour_that_a_person_names_is_kept_and_doubted(guess):
    found = on_half_days(guess, "Date,Time,AMPM", "{day},{hour}:30,{half}", hour="Time")

    assert named(found)["hour"] == "Time"
    assert any("all are read as hours before noon" in told for told in found.worth_a_look)


def test_a_column_of_counts_is_named_and_not_taken(guess):
    found = told_by(guess, "Number of offences", "1", "3")

    assert "count" not in named(found)
    assert any("write --column 'count=Number of offences'" in told for told in found.worth_a_look)


def test_counts_of_many_values_are_named_too(guess):
    rows = [f"2020-01-{n % 28 + 1:02d},Theft,1.{n},2.{n},{n}" for n in range(1, 300)]

    found = guess(
        "\n".join(["Datum,Delikt,lon,lat,Anzahl", *rows, "2020-02-01,Raub,1.5,2.5,12000"])
    )

    assert any(
        "'Anzahl' holds whole numbers up to 12000: if" in told for told in found.worth_a_look
    )


def test_rows_that_count_nothing_are_to_be_removed_first(guess):
    found = told_by(guess, "Number of offences", "0", "3")

    assert any(
        "remove the rows with 0, which hold no incident, and write --column" in told
        for told in found.worth_a_look
    )


def test_counts_with_a_mark_between_thousands_are_named(guess):
    found = told_by(guess, "Fälle", "1.204", "2.001")

    assert any("write --column 'count=Fälle'" in told for told in found.worth_a_look)


def test_numbers_with_fractions_are_no_counts(guess):
    found = told_by(guess, "Freq", "1.25", "2.5")

    assert not any("count=" in told for told in found.worth_a_look)


def test_a_few_coordinates_in_other_marks_are_named(guess):
    rows = [f"2020-01-{n % 28 + 1:02d},Theft,7.{n},50.{n}" for n in range(1, 100)]

    found = guess("\n".join(["date,offence,lon,lat", *rows, '2020-02-01,Raub,"7,5",50.5']))

    assert found.worth_a_look == [
        "lon: 1.00% of the values in column 'lon', e.g. '7,5', are no coordinates like the others; "
        "these rows count without a place"
    ]


def test_only_a_report_date_is_said(guess):
    found = guess("Report Date,Offense,lon,lat\n2020-01-31,a,1.0,2.0\n2020-01-30,b,1.1,2.1\n")

    assert named(found)["occurred_at"] == "Report Date"
    assert "no column says when an incident happened" in found.worth_a_look[0]


def test_codes_are_taken_where_there_are_no_words_and_said(guess):
    found = guess("Date,UCR Code,lon,lat\n2020-01-31,210,1.0,2.0\n2020-01-30,220,1.1,2.1\n")

    assert named(found)["offence"] == "UCR Code"
    assert "holds codes, not words" in found.worth_a_look[0]


@pytest.mark.parametrize(
    ("header", "first", "second", "template", "forms"),
    [
        ("YEAR,MONTH,DAY", "2020,1,31", "2020,2,3", "{YEAR}-{MONTH}-{DAY}", ()),
        ("Jahr,Monat", "2020,1", "2020,12", "{Jahr}-{Monat}", ("%Y-%m",)),
        ("Year,Month", "2020,January", "2020,March", "{Year}-{Month}", ("%Y-%B",)),
    ],
)
def test_a_date_in_several_columns_is_put_together(guess, header, first, second, template, forms):
    found = guess(f"{header},Offense,lon,lat\n{first},a,1.0,2.0\n{second},b,1.1,2.1\n")

    assert named(found)["occurred_at"] == template
    assert found.dates.forms == forms


def test_months_in_words_that_are_not_read_are_said(guess):
    found = guess("anio,mes,delito,lon,lat\n2020,Enero,a,1.0,2.0\n2021,Mayo,b,1.1,2.1\n")

    assert found.dates is None
    assert found.unread_parts == "'{anio}-{mes}', e.g. '2020-Enero',"


@pytest.mark.parametrize(
    ("east", "north", "marks"),
    [
        (("4,78980", "4,84337"), ("45,73266", "45,73405"), (",", None)),
        (("490,000.00", "490,020.00"), ("5,457,000.00", "5,457,015.00"), (".", ",")),
        (("490.000,5", "490.020,5"), ("5.457.000,5", "5.457.015,5"), (",", ".")),
        (("652 100,5", "652 130,5"), ("6 862 200,5", "6 862 230,5"), (",", " ")),
        (("652'100", "652'130"), ("6'862'200", "6'862'230"), (".", "'")),
        (("490,000", "490,020"), ("5,457,000", "5,457,015"), (".", ",")),
    ],
)
def test_numbers_are_read_in_their_marks(guess, east, north, marks):
    rows = [
        f"2020-01-3{n};{'ab'[n]};{x};{y}" for n, (x, y) in enumerate(zip(east, north, strict=True))
    ]
    names = "lon;lat" if marks == (",", None) else "X;Y"

    found = guess("\n".join([f"date;offence;{names}", *rows]) + "\n")

    assert (found.place.decimal, found.place.thousands) == marks


@pytest.mark.parametrize(
    ("name", "first", "second", "form", "rival"),
    [
        ("the_geom", "POINT (-95.4 29.7)", "POINT (-95.3 29.8)", "wkt", None),
        ("location", "(29.7, -95.4)", "(29.8, -95.3)", "lat_lon", None),
        ("location", "1 MAIN ST (29.7, -95.4)", "2 MAIN ST (29.8, -95.3)", "lat_lon", None),
        ("geo_point_2d", "48.85, 2.35", "48.86, 2.36", "lat_lon", "lon_lat"),
        ("lonlat", "2.35 48.85", "2.36 48.86", "lon_lat", "lat_lon"),
        ("coordinates", "[-95.4, 29.7]", "[-95.3, 29.8]", "lon_lat", None),
    ],
)
def test_points_in_one_text_are_found(guess, name, first, second, form, rival):
    found = guess(f'date,offence,{name}\n2020-01-30,a,"{first}"\n2020-01-31,b,"{second}"\n')

    assert named(found)["point"] == name
    assert (found.place.point_format, found.place.rival_format) == (form, rival)


def test_a_wrong_coordinate_or_two_do_not_hide_the_others(guess):
    rows = [f"2020-01-{n % 28 + 1:02d},{'ab'[n % 2]},1.{n},2.{n}" for n in range(60)]

    found = guess("\n".join(["date,offence,lon,lat", *rows, "2020-01-01,a,999,-999"]) + "\n")

    assert {"lon", "lat"} <= named(found).keys()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("01/01/2021,a,29.7,-95.4\n01/02/2021,b,29.8,-95.3\n", "the first line looks like data"),
        (
            "City crime export\n\ndate,offence,lon,lat\n2020-01-01,a,1.0,2.0\n",
            "line 3 is the first with the 4 fields of the rows below it; remove the lines above",
        ),
    ],
)
def test_a_first_line_that_is_no_header_is_told(guess, content, message):
    with pytest.raises(SourceFormatError, match=message):
        guess(content)

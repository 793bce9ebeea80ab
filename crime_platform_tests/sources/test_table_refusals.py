"""A file that cannot be used as it is: it is refused with the cause and the cure."""

import pytest

from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from toys.table_reading import HEADER, reader_into


@pytest.fixture
def read(tmp_path):
    return reader_into(tmp_path)


def test_a_missing_column_is_told_with_what_was_found(read):
    with pytest.raises(SourceFormatError) as told:
        read("when,wath,east,nord\n2020-01-31,Robbery,1,2\n")

    message = str(told.value)
    assert "file.csv: 2 mapped columns are missing" in message
    assert "offence = 'what'; did you mean 'wath'?" in message
    assert "y = 'north'; did you mean 'nord'?" in message
    assert "Columns found: 'when', 'wath', 'east', 'nord'" in message
    assert "correct the names under [source.columns]" in message


def test_two_columns_of_one_name_are_refused(read):
    with pytest.raises(SourceFormatError, match="2 columns are called 'what', so it is not known"):
        read("when,What,WHAT,east,north\n2020-01-31,a,b,1,2\n")


def test_a_header_without_rows_is_refused(read):
    with pytest.raises(SourceFormatError, match=r"file\.csv: a header and no rows; fetch it again"):
        read(HEADER)


def test_a_damaged_parquet_file_is_refused(read):
    with pytest.raises(
        SourceFormatError, match=r"file\.csv: cannot be read .* fetch the file again"
    ):
        read(b"PAR1 and nothing else")


@pytest.mark.parametrize(
    ("text", "changes", "error", "message"),
    [
        (
            HEADER + "31/01/2020,Robbery,630250,4833250\n",
            {},
            SourceFormatError,
            r"'31/01/2020' in column 'when' is not ISO 8601; try datetime_format = \"%d/%m/%Y\"",
        ),
        (
            HEADER + "soon,Robbery,630250,4833250\n",
            {"datetime_formats": ("%Y",)},
            SourceFormatError,
            "'soon' in column 'when' is not %Y; correct datetime_format",
        ),
        (
            HEADER + "2020-01-31,Robbry,630250,4833250\n",
            {},
            SourceFormatError,
            r"'Robbry' \(1, like 'Robbery'\); add each in small_town\.toml to the labels",
        ),
        (
            HEADER + "2020-01-31,,630250,4833250\n",
            {},
            SourceFormatError,
            "missing offence: 1 rows .*: column 'what' is blank",
        ),
        (
            HEADER + "a\n",
            {},
            SourceFormatError,
            "broken row: 1 rows .*more or fewer fields.* more than 2 MB in one row",
        ),
        (
            HEADER + "2020-01-31,Robbery,4833250,630250\n",
            {},
            CoordinateError,
            "east and north look swapped: exchange them",
        ),
        (
            HEADER + "2020-01-31,Robbery,630250,4833250\n",
            {"crs": "EPSG:4326"},
            CoordinateError,
            r'these are no degrees: map the columns as x and y .* crs = "EPSG:26917"',
        ),
        (
            HEADER + "2020-01-31,Robbery,1,1\n",
            {},
            CoordinateError,
            r"east 1\.\.1, north 1\.\.1 \(EPSG:26917\); check crs of the source and extent_m",
        ),
    ],
)
def test_a_file_without_a_usable_row_says_why(read, text, changes, error, message):
    columns = {"x": None, "y": None, "lon": "east", "lat": "north"} if "crs" in changes else {}

    with pytest.raises(error, match=message):
        read(text, columns=columns, **changes)


def test_a_file_from_before_the_first_month_is_no_mistake(read):
    reading = read(HEADER + "2019-01-31,Robbery,630250,4833250\n")

    assert reading.report.n_accepted == 0

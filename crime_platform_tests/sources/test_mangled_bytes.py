"""Any bytes at all through the reader: incidents, rejected rows or a message, never a trace."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crime_platform.vocabulary.incident import CoordinateError, SourceFormatError
from toys.mangling import FORMS, N_ROWS, WHOLE
from toys.table_reading import GOOD_ROW, HEADER, reader_into, rejected

EXAMPLES = settings(max_examples=40)


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """The report on some bytes, or None where a message that names the file refused them."""
    folder = tmp_path_factory.mktemp("mangled")
    reader = reader_into(folder)

    def read_bytes(content):
        try:
            reading = reader(content, name="mangled.csv")
        except (SourceFormatError, CoordinateError) as error:
            refusal = str(error)
        else:
            refusal = ""
        if refusal:
            assert "mangled.csv" in refusal
            return None
        assert reading.report.n_unaccounted == 0
        assert sum(reading.report.n_rejected.values()) == len(rejected(reading))
        return reading.report

    return read_bytes


@EXAMPLES
@given(form=st.sampled_from(sorted(FORMS)), share=st.floats(0, 1))
def test_a_file_cut_anywhere_holds_no_more_than_it_did(read, form, share):
    whole = FORMS[form]

    report = read(whole[: int(share * len(whole))])

    assert report is None or report.n_accepted <= report.n_rows <= N_ROWS


@EXAMPLES
@given(at=st.integers(len(HEADER) + 1, len(WHOLE)))
def test_a_cut_csv_file_holds_the_rows_that_it_shows(read, at):
    report = read(WHOLE[:at].encode())

    n_lines = len(WHOLE[:at].splitlines())
    assert report is None or report.n_rows == n_lines - 1


bytes_anywhere = st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=4))


@EXAMPLES
@given(form=st.sampled_from(sorted(FORMS)), edits=st.lists(bytes_anywhere, min_size=1, max_size=4))
def test_damaged_bytes_are_rejected_or_refused(read, form, edits):
    content = bytearray(FORMS[form])
    for share, damage in edits:
        at = int(share * len(content))
        content[at : at + len(damage)] = damage

    read(bytes(content))


BLANKS = ["", " ", "\u2028", "\x85", "\ufeff", "\0", "NULL", "\\N"]
NUMBERS = ["0", "-0.0", "nan", "1e308", "630250", "4833250"]
WORDS = ["=1+1", "@x", "'", "\\", "\U0001f680", "Burglary", "Parking"]
DAYS = ["2020-01-31", "0000-00-00", "9999-12-31"]
QUOTED = ["a,b", 'say "so"', "two\nlines", "two\r\nlines", "\t;|"]
hostile = st.sampled_from([*BLANKS, *NUMBERS, *WORDS, *DAYS, *QUOTED])
tables = st.lists(st.lists(hostile, min_size=4, max_size=4), min_size=1, max_size=12)


@EXAMPLES
@given(
    table=tables,
    delimiter=st.sampled_from(",\t;|"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"]),
)
def test_every_row_of_a_hostile_table_is_counted(read, table, delimiter, line_end, encoding):
    written = io.StringIO(newline="")
    writer = csv.writer(written, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(HEADER.strip().split(","))
    # One good row, so that the file is not refused for having none.
    writer.writerows([*table, GOOD_ROW.strip().split(",")])

    report = read(written.getvalue().encode(encoding))

    assert report is None or report.n_rows == len(table) + 1


soup = st.text(st.sampled_from('a1,"\n\r;\0\\ \ufeffü'), max_size=40)


@EXAMPLES
@given(soup)
@example('1","')  # a quote inside a field, then an open one
def test_good_rows_on_both_sides_of_a_soup_are_found(read, text):
    report = read((WHOLE + text + "\n" + GOOD_ROW * N_ROWS).encode())

    # The soup can swallow the row before it or after it, never more.
    assert report is None or report.n_accepted >= 2 * N_ROWS - 2


def test_a_reader_of_any_bytes_still_reads_good_ones(read):
    assert read(WHOLE.encode()).n_accepted == N_ROWS


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_broken_row_of_one_letter_has_its_own_number(tmp_path, line_end):
    text = (WHOLE + "a\n" + GOOD_ROW).replace("\n", line_end)

    reading = reader_into(tmp_path)(text)

    assert rejected(reading) == [(N_ROWS + 2, "broken row", None)]

"""Row numbers of a CSV file, as a spreadsheet shows them."""

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.sources.scan import csv_lines
from crime_platform.sources.scan.csv_lines import may_hold_blank_rows, number_rows

NOWHERE = np.empty(0, dtype=np.int64)


@pytest.fixture
def write(tmp_path):
    """Write bytes to a file and say where it is."""

    def write_bytes(content):
        (tmp_path / "file.csv").write_bytes(content)
        return tmp_path / "file.csv"

    return write_bytes


@pytest.mark.parametrize(
    ("content", "n_rows", "blank"),
    [
        (b"a\n", 1, []),
        (b"a\nb", 2, []),
        (b"a\n\nb\n", 3, [2]),
        (b"a\r\n\r\n\r\nb\r\n", 4, [2, 3]),
        (b"\na\n", 2, [1]),
        (b"\r\na\n\n", 3, [1, 3]),
        (b'a\n"b\n\nc"\n\nd', 4, [3]),  # the blank line in quotes belongs to row 2
        (b'"say ""\n\n"" twice"\nb\n', 2, []),
    ],
)
def test_rows_and_blank_rows_are_counted(write, content, n_rows, blank):
    numbers = number_rows(write(content), NOWHERE)

    assert numbers.n_rows == n_rows
    assert numbers.blank.tolist() == blank


@pytest.mark.parametrize("position", [9, 10, 11, 12])
def test_a_position_may_point_at_the_breaks_before_its_row(write, position):
    #  bytes: a 0, CR 1, LF 2, "b 3-4, LF 5, c" 6-7, CR 8, LF 9, CR 10, LF 11, d 12
    path = write(b'a\r\n"b\nc"\r\n\r\nd\r\n')

    assert number_rows(path, np.array([position])).at_positions.tolist() == [4]


def test_the_first_byte_is_row_one(write):
    assert number_rows(write(b"a\nb\n"), np.array([0, 2])).at_positions.tolist() == [1, 2]


@pytest.mark.parametrize("content", [b"a\n\nb", b"a\r\n\r\nb", b"\na", b"ab\n\ncd\n"])
def test_two_breaks_in_a_row_are_seen_across_pieces(write, monkeypatch, content):
    monkeypatch.setattr(csv_lines, "CHUNK_BYTES", 3)

    assert may_hold_blank_rows(write(content))


def test_a_file_without_blank_rows_is_known_at_once(write):
    assert not may_hold_blank_rows(write(b"a\r\nb\r\n"))


fields = st.text(st.sampled_from('ab,"\n'), max_size=4)
tables = st.lists(st.lists(fields, min_size=2, max_size=3), min_size=1, max_size=6)


@given(tables, st.integers(1, 7), st.sampled_from(["\n", "\r\n"]))
def test_rows_are_those_of_a_csv_reader(tmp_path_factory, table, chunk_bytes, line_end):
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator=line_end).writerows(table)
    path = tmp_path_factory.mktemp("any") / "any.csv"
    path.write_bytes(written.getvalue().encode())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_lines, "CHUNK_BYTES", chunk_bytes)
        numbers = number_rows(path, NOWHERE)

    assert numbers.n_rows == len(table)
    assert numbers.blank.tolist() == []

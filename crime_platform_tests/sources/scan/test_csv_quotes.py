"""A row with an open quote is overwritten where it stands; every other byte stays."""

import pytest

from crime_platform.sources.scan.csv_quotes import overwrite_lines, overwrite_open_quotes


@pytest.fixture
def overwrite(tmp_path):
    """Write text, and give back how many rows were overwritten and the text after."""

    def write_and_read(text):
        (tmp_path / "a.csv").write_bytes(text.encode())
        n_overwritten = overwrite_open_quotes(
            tmp_path / "a.csv", tmp_path / "b.csv", delimiter=",", n_columns=2
        )
        return n_overwritten, (tmp_path / "b.csv").read_bytes().decode()

    return write_and_read


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,2\n",
        'a,b\n1,"two\nlines"\n3,4\n',
        'a,b\n1,"say ""so"""\n',
        'a,b\n1,5" pipe\n3,6" pipe\n',
        'a,b\r\n"x\r\n\r\ny",2',
    ],
)
def test_what_is_right_stays(overwrite, text):
    assert overwrite(text) == (0, text)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('a,b\n1,"2\n3,4\n', "a,b\nxxxx\n3,4\n"),
        ('a,b\r\n1,"2\r\n3,"4"\r\n', 'a,b\r\nxxxx\r\n3,"4"\r\n'),
        ('a,b\n1,"2\n3,"two\nlines"\n', 'a,b\nxxxx\n3,"two\nlines"\n'),
        ('a,b\n1,2\n3,"4', "a,b\n1,2\nxxxx"),
    ],
)
def test_an_open_quote_is_overwritten_byte_for_byte(overwrite, text, after):
    assert overwrite(text) == (1, after)


def test_every_open_quote_is_overwritten(overwrite):
    assert overwrite('a,b\n1,"2\n3,4\n5,"6\n7,8\n9,"0\n') == (
        3,
        "a,b\nxxxx\n3,4\nxxxx\n7,8\nxxxx\n",
    )


def test_a_line_is_overwritten_where_a_position_points_at_it_or_before(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\r\n12\r\n3,4\r\n")

    assert overwrite_lines(tmp_path / "a.csv", [4]) == 1
    assert overwrite_lines(tmp_path / "a.csv", [5]) == 0  # it is covered by now
    assert (tmp_path / "a.csv").read_bytes() == b"a,b\r\nxx\r\n3,4\r\n"

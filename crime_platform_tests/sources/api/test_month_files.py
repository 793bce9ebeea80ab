"""Rows of an API as files by month: the same rows give the same bytes, however they come."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_platform.sources.api.month_files import MonthFiles
from crime_platform.study_area.source import ColumnMapping, Source
from crime_platform.study_area.source_api import SourceApi

SOURCE = Source(
    name="police",
    paths=("months/*.csv",),
    columns=ColumnMapping(id="id", occurred_at="date", offence="type", lon="lon", lat="lat"),
    format="socrata",
    duplicates="drop_same_id",
    api=SourceApi(urls=("https://data.example.org/resource/abcd-1234",), updated_at="changed"),
)
# row identifier, time of change, then the columns: date, type, lon, lat, id
ROWS = [
    (f"row-{n}", f"2024-06-0{n + 1}", f"2024-0{n % 3 + 1}-07", "Theft", None, "43.6", str(n))
    for n in range(7)
]
FIRST, LAST = np.datetime64("2024-01", "M"), np.datetime64("2024-12", "M")


def files_of(*fetches):
    """Bytes by file name after fetches with these pages, the first one full."""
    with tempfile.TemporaryDirectory() as root:
        folder, scratch = Path(root) / "police", Path(root) / "scratch"
        scratch.mkdir()
        for number, fetched in enumerate(fetches):
            write(folder, scratch, fetched, is_full=not number)
        return {path.name: path.read_bytes() for path in folder.glob("months/*.csv")}


def write(folder, scratch, pages, *, is_full):
    with MonthFiles(folder, SOURCE, scratch) as months:
        for page in pages:
            months.add(page, 0)
        return months.write(FIRST, LAST, is_full=is_full)


EXPECTED = files_of([ROWS])


@settings(max_examples=12)  # each writes to the disk
@given(st.permutations(ROWS), st.lists(st.sampled_from(ROWS)), st.integers(1, 6))
def test_order_repetition_and_pages_never_matter(rows, repeated, size):
    sent = [*rows, *repeated]
    pages = [sent[start : start + size] for start in range(0, len(sent), size)]

    assert files_of(pages) == EXPECTED


@settings(max_examples=12)
@given(st.permutations(ROWS), st.integers(1, 6))
def test_it_does_not_matter_in_which_of_two_fetches_a_row_came(rows, cut):
    assert files_of([rows[: cut + 1]], [rows[cut:]]) == EXPECTED


@given(st.permutations(["2024-06-01", "2024-06-02", "2024-06-03"]))
def test_the_newest_state_of_a_row_stays_in_whatever_order_they_come(changes):
    states = [(f"row-{at}", at, at.replace("06", "02"), "Theft", "1", "2", "9") for at in changes]

    files = files_of([[state] for state in states])

    assert files == {"2024-02.csv": b"date,type,lon,lat,id\n2024-02-03,Theft,1,2,9\n"}


def test_a_page_without_rows_adds_nothing():
    assert files_of([[], ROWS, []]) == EXPECTED

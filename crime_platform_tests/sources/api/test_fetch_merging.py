"""Fetched rows merged into files by month: which state of a row counts, what stays as it is."""

from dataclasses import replace

import pytest

from crime_platform.sources.api.fetching import fetch_source
from crime_platform.vocabulary.incident import SourceFormatError
from toys.api_server import SOCRATA_PATH, toy_api
from toys.api_town import HASTY, fetch, ids_of, month_bytes, month_stats, socrata_town, theft


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


def test_rows_become_one_sorted_file_a_month(home, api):
    report = fetch(socrata_town(home, api), home)

    assert (report.n_rows, report.is_full) == (10, True)
    assert report.changed == ["2024-01", "2024-02", "2024-03"]
    # ten rows, months in turn: rows 0, 3, 6 and 9 fall in January
    assert month_bytes(home)["2024-01.csv"].decode() == (
        "date,primary_type,longitude,latitude,id\n"
        "2024-01-05T10:30:00.000,Theft,-79.370,43.620,500\n"
        "2024-01-05T10:30:00.000,Theft,-79.370,43.620,503\n"
        "2024-01-05T10:30:00.000,Theft,-79.370,43.620,506\n"
        "2024-01-05T10:30:00.000,Theft,-79.370,43.620,509\n"
    )


def test_the_order_and_repetition_of_rows_change_no_byte(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    before = month_bytes(home)
    api.arrange = lambda rows: [*reversed(rows), *rows[:1]]

    report = fetch(area, home, is_full=True)

    assert (report.n_rows, report.changed) == (10, [])
    assert month_bytes(home) == before


def test_new_row_identifiers_for_the_same_rows_change_no_byte(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    before = month_stats(home)
    api.tables[SOCRATA_PATH] = [
        theft(9 - number, **{":id": f"row-{number:04d}"}) for number in range(10)
    ]

    fetch(area, home, is_full=True)

    assert month_stats(home) == before


def test_an_unchanged_dataset_touches_no_file(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    before = month_stats(home)

    report = fetch(area, home)

    assert (report.is_full, report.changed) == (False, [])
    assert month_stats(home) == before


def test_a_changed_row_replaces_the_earlier_one_and_moves_its_month(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    moved = theft(0, date="2024-03-09T08:00:00.000", updated_on="2024-06-20T00:00:00.000")
    api.tables[SOCRATA_PATH][0] = moved

    report = fetch(area, home)

    assert report.changed == ["2024-01", "2024-03"]
    assert ids_of(home, "2024-01") == ["503", "506", "509"]
    assert "500" in ids_of(home, "2024-03")


def test_a_month_that_lost_its_rows_loses_its_file(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH] = [theft(0), theft(1)]
    fetch(area, home)
    changes = {"date": "2024-02-01T00:00:00.000", "updated_on": "2024-06-20T00:00:00.000"}
    api.tables[SOCRATA_PATH][0] = theft(0, **changes)

    report = fetch(area, home)

    assert report.changed == ["2024-02", "2024-01"]
    assert list(month_bytes(home)) == ["2024-02.csv"]


def test_an_older_state_of_a_row_never_replaces_a_newer_one(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH][9] = theft(9, date="2024-02-20T00:00:00.000")
    fetch(area, home)
    # a server that lags behind shows the row as it was before its last change
    api.tables[SOCRATA_PATH][9] = theft(9, updated_on="2024-06-09T00:00:00.000")

    fetch(area, home)

    assert "509" in ids_of(home, "2024-02")


def test_of_a_row_on_two_datasets_the_newer_state_counts(home, api):
    area = socrata_town(home, api, n_urls=2)
    api.tables["/resource/efgh-5678"] = [
        theft(0, date="2024-02-02T00:00:00.000", updated_on="2024-06-30T00:00:00.000"),
        theft(1, date="2024-03-03T00:00:00.000", updated_on="2024-05-01T00:00:00.000"),
    ]

    report = fetch(area, home)

    assert report.n_rows == 12
    # row 0 is newer on the second dataset and moves; row 1 is older there and stays
    assert "500" in ids_of(home, "2024-02")
    assert "501" in ids_of(home, "2024-02")
    assert ids_of(home, "2024-01") == ["503", "506", "509"]


def test_a_dataset_that_is_still_empty_makes_nothing_else_come_again(home, api):
    area = socrata_town(home, api, n_urls=2)
    api.tables["/resource/efgh-5678"] = [theft(20)]
    api.select_nothing_of = "/resource/efgh-5678"
    fetch(area, home)
    api.select_nothing_of = ""

    report = fetch(area, home)

    # of the first dataset three rows of the overlap, of the second all there is now
    assert (report.is_full, report.n_rows) == (False, 4)


def test_rows_taken_back_stay_until_everything_is_fetched(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    del api.tables[SOCRATA_PATH][0]

    fetch(area, home)
    kept = ids_of(home, "2024-01")
    fetch(area, home, is_full=True)

    assert kept == ["500", "503", "506", "509"]
    assert ids_of(home, "2024-01") == ["503", "506", "509"]


def test_rows_that_get_lost_on_the_way_are_an_error_and_change_nothing(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    before = month_stats(home)
    api.lost = 1  # of every page

    with pytest.raises(SourceFormatError, match="6 different rows came, but the server counts 10"):
        fetch(area, home, is_full=True)

    assert month_stats(home) == before


def test_a_miscounted_fetch_is_not_gone_on_with(home, api):
    area = socrata_town(home, api)
    api.lost = 1
    with pytest.raises(SourceFormatError, match="its pages lost some"):
        fetch(area, home)
    api.lost = 0

    report = fetch(area, home)

    assert report.n_rows == 10


def test_rows_with_impossible_dates_lie_with_the_first_month(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH] += [
        theft(10, date=None),
        theft(11, date="0203-05-01T00:00:00.000"),
        theft(12, date="2999-01-01T00:00:00.000"),
    ]

    fetch(area, home)

    assert ids_of(home, "2024-01") == ["500", "503", "506", "509", "510", "511", "512"]


def test_texts_with_commas_quotes_and_line_ends_survive(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH] = [theft(0, primary_type='a, "b"\nc\0')]

    fetch(area, home)

    assert b'"a, ""b""\nc"' in month_bytes(home)["2024-01.csv"]


def test_dates_in_the_publishers_own_form_find_their_month(home, api):
    area = socrata_town(home, api)
    source = replace(area.sources[0], datetime_formats=("%m/%d/%Y",))
    api.tables[SOCRATA_PATH] = [theft(0, date="02/03/2024")]

    fetch_source(source, area, home, retries=HASTY)

    assert list(month_bytes(home)) == ["2024-02.csv"]


def test_rows_without_an_identifier_are_never_merged_with_each_other(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH] = [theft(0, id=None), theft(3, id=None), theft(6, id=" ")]

    fetch(area, home)

    assert len(ids_of(home, "2024-01")) == 3

"""A source's API and the files below raw/: what is asked for, kept, merged and left alone."""

import gzip
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from conftest import REPOSITORY
from crime_platform.fetching import fetch_source
from crime_platform.sources.http_pages import Patience
from crime_platform.vocabulary.incident import SourceFormatError
from toy_api_server import (
    BUSY,
    CUT,
    GARBLED,
    PAUSED,
    SILENT,
    SOCRATA_PATH,
    THROTTLED,
    WELL,
    toy_api,
)
from toy_api_town import (
    HASTY,
    fetch,
    folder,
    ids_of,
    month_bytes,
    month_stats,
    socrata_town,
    theft,
)


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


def after(question):
    """Row identifier after which a question starts; blank for the first page."""
    return question.get("$where", "").rpartition(":id > ")[2].strip("'")


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


def test_every_page_starts_behind_the_row_before_it(home, api):
    fetch(socrata_town(home, api), home)

    # a short page is no end, so the last question is the one that finds nothing
    assert [after(each) for each in api.asked] == [
        "",
        "row-0002",
        "row-0005",
        "row-0008",
        "row-0009",
    ]


def test_raw_pages_are_kept_as_received(home, api):
    fetch(socrata_town(home, api), home)

    pages = sorted(folder(home).glob("pages/*/dataset-1-page-*.json.gz"))
    first = json.loads(gzip.decompress(pages[0].read_bytes()))
    assert len(pages) == 4
    assert [row[":id"] for row in first] == ["row-0000", "row-0001", "row-0002"]


def test_a_cut_fetch_goes_on_behind_its_last_whole_page(home, api):
    area = socrata_town(home, api)
    api.faults = [WELL, WELL, SILENT, SILENT, SILENT]
    with pytest.raises(SourceFormatError, match="the connection was cut every time"):
        fetch(area, home)
    api.asked.clear()

    report = fetch(area, home)

    assert [after(each) for each in api.asked] == ["row-0005", "row-0008", "row-0009"]
    assert report.n_rows == 10
    assert ids_of(home, "2024-01") == ["500", "503", "506", "509"]


def test_a_cut_fetch_leaves_the_months_as_they_were(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    before = month_stats(home)
    api.tables[SOCRATA_PATH].append(theft(10))
    api.faults = [SILENT] * 3

    with pytest.raises(SourceFormatError, match="what was ingested before; run again"):
        fetch(area, home)

    assert month_stats(home) == before


def test_a_fetch_that_was_cut_days_ago_begins_anew(home, api):
    area = socrata_town(home, api)
    api.faults = [WELL, SILENT, SILENT, SILENT]
    with pytest.raises(SourceFormatError):
        fetch(area, home)
    (plan,) = folder(home).glob("pages/*/fetch.json")
    told = json.loads(plan.read_text()) | {"started_at": "2024-01-01T00:00:00+00:00"}
    plan.write_text(json.dumps(told))
    api.asked.clear()

    fetch(area, home)

    assert after(api.asked[0]) == ""


@pytest.mark.parametrize("fault", [CUT, GARBLED, BUSY, THROTTLED, SILENT])
def test_a_page_that_fails_once_is_asked_for_again(home, api, fault):
    area = socrata_town(home, api)
    api.faults = [WELL, fault]

    report = fetch(area, home)

    assert report.n_rows == 10
    assert [after(each) for each in api.asked][:3] == ["", "row-0002", "row-0002"]


def test_the_time_that_the_server_names_is_waited_for(home, api):
    area = socrata_town(home, api)
    api.faults = [THROTTLED]  # Retry-After: 1
    start = time.monotonic()

    fetch(area, home, patience=replace(HASTY, longest_wait_s=60))

    assert time.monotonic() - start >= 1


def test_requests_keep_their_distance(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    slow = replace(source, api=replace(source.api, requests_per_second=50.0))
    start = time.monotonic()

    fetch_source(slow, area, home, patience=HASTY)

    # a count and five pages: five gaps of 20 ms
    assert time.monotonic() - start >= 5 * 0.02


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


def test_only_what_changed_is_asked_for_with_an_overlap(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    api.asked.clear()

    report = fetch(area, home)

    # the newest change is of 10 June, and two days before it are asked for again
    assert api.asked[0]["$where"] == "updated_on >= '2024-06-08T00:00:00.000'"
    assert report.n_rows == 3


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


def test_everything_is_fetched_again_after_the_days_stated(home, api):
    area = socrata_town(home, api, "full_every_days = 30")
    fetch(area, home)
    path = folder(home) / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps(state | {"last_full_at": "2024-01-01T00:00:00+00:00"}))

    reports = [fetch(area, home), fetch(area, home)]

    assert [report.is_full for report in reports] == [True, False]


def test_another_question_fetches_everything(home, api):
    fetch(socrata_town(home, api), home)
    area = socrata_town(home, api, """where = "primary_type = 'Theft'" """)

    report = fetch(area, home)

    assert report.is_full
    assert api.asked[-1]["$where"].startswith("(primary_type = 'Theft') AND :id >")


def test_a_fresh_fetch_is_not_repeated_unless_asked_for(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    lasting = replace(source, api=replace(source.api, fresh_hours=6.0))
    fetch_source(lasting, area, home, patience=HASTY)
    api.headers.clear()

    again = fetch_source(lasting, area, home, patience=HASTY)
    n_asked = len(api.headers)
    forced = fetch_source(lasting, area, home, is_asked_for=True, patience=HASTY)

    assert (again.was_fresh, n_asked) == (True, 0)
    assert not forced.was_fresh


def test_a_fresh_fetch_whose_files_were_deleted_is_repeated(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    lasting = replace(source, api=replace(source.api, fresh_hours=6.0))
    fetch_source(lasting, area, home, patience=HASTY)
    for path in folder(home).glob("months/*.csv"):
        path.unlink()

    fetch_source(lasting, area, home, patience=HASTY)

    assert len(month_bytes(home)) == 3


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


def test_a_server_that_ignores_the_order_is_an_error(home, api):
    area = socrata_town(home, api)
    fixed = [theft(number) for number in range(3)]
    api.arrange = lambda rows: fixed if rows else rows

    with pytest.raises(SourceFormatError, match="the server does not keep to the order"):
        fetch(area, home)


def test_a_question_that_nothing_answers_is_an_error(home, api):
    area = socrata_town(home, api, """where = "primary_type = 'Arson'" """)

    with pytest.raises(SourceFormatError, match="holds no row of what is asked for"):
        fetch(area, home)


def test_a_change_dated_in_the_far_future_hides_no_later_one(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH][0] = theft(0, updated_on="2099-01-01T00:00:00.000")
    fetch(area, home)
    api.asked.clear()

    fetch(area, home)

    assert "2099" not in api.asked[0]["$where"]


def test_an_update_time_that_is_no_time_is_an_error(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH][0] = theft(0, updated_on="yesterday")

    with pytest.raises(SourceFormatError, match="its newest value is 'yesterday'"):
        fetch(area, home)


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

    fetch_source(source, area, home, patience=HASTY)

    assert list(month_bytes(home)) == ["2024-02.csv"]


def test_rows_without_an_identifier_are_never_merged_with_each_other(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH] = [theft(0, id=None), theft(3, id=None), theft(6, id=" ")]

    fetch(area, home)

    assert len(ids_of(home, "2024-01")) == 3


def test_of_two_fetches_at_a_time_one_waits_and_finds_nothing_to_do(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    lasting = replace(source, api=replace(source.api, fresh_hours=6.0))

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(fetch_source, lasting, area, home, patience=HASTY) for _ in "ab"]
        reports = [each.result() for each in running]

    assert sorted(report.was_fresh for report in reports) == [False, True]
    assert len(api.counted) == 1


@pytest.mark.slow
def test_a_killed_fetch_goes_on_and_leaves_nothing_behind(home, api):
    area = socrata_town(home, api)
    api.faults = [WELL, WELL, PAUSED]
    script = (
        "import sys; from pathlib import Path; from crime_platform.vocabulary.home import "
        "PlatformHome; from crime_platform.fetching import fetch_area; from "
        "crime_platform.vocabulary.study_area import load_study_area; home = "
        "PlatformHome(Path(sys.argv[1])); "
        "fetch_area(load_study_area(home.study_areas / 'town.toml'), home)"
    )
    fetching = subprocess.Popen([sys.executable, "-c", script, str(home.root)], cwd=REPOSITORY)
    api.paused.wait(60)
    fetching.kill()
    fetching.wait()
    api.released.set()
    (folder(home) / ".tmp-left").mkdir()
    api.asked.clear()

    report = fetch(area, home)

    assert after(api.asked[0]) == "row-0005"
    assert report.n_rows == 10
    assert list(folder(home).rglob(".tmp-*")) == []


def test_a_source_of_files_has_nothing_to_fetch(home, api):
    area = socrata_town(home, api)
    plain = replace(area.sources[0], api=None, format="table")

    with pytest.raises(ValueError, match="reads files and has no API to fetch from"):
        fetch_source(plain, area, home)


def test_patience_grows_by_default():
    assert Patience().attempts > HASTY.attempts
    assert Patience().backoff_s > 0

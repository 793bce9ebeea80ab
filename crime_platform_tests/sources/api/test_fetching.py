"""A source's API and the files below raw/: what is asked for, kept, merged and left alone."""

import datetime as dt
import gzip
import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from crime_platform.sources.api.fetching import fetch_source
from crime_platform.sources.api.http_client import RetryPolicy
from crime_platform.vocabulary.incident import SourceFormatError
from toys.api_server import (
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
from toys.api_town import (
    HASTY,
    fetch,
    folder,
    ids_of,
    month_bytes,
    month_stats,
    socrata_town,
    theft,
)
from toys.paths import REPOSITORY


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


def after(question):
    """Row identifier after which a question starts; blank for the first page."""
    return question.get("$where", "").rpartition(":id > ")[2].strip("'")


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

    fetch(area, home, retries=replace(HASTY, longest_wait_s=60))

    assert time.monotonic() - start >= 1


def test_requests_keep_their_distance(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    slow = replace(source, api=replace(source.api, requests_per_second=50.0))
    start = time.monotonic()

    fetch_source(slow, area, home, retries=HASTY)

    # a count and five pages: five gaps of 20 ms
    assert time.monotonic() - start >= 5 * 0.02


def test_only_what_changed_is_asked_for_with_an_overlap(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    api.asked.clear()

    report = fetch(area, home)

    # the newest change is of 10 June, and two days before it are asked for again
    assert api.asked[0]["$where"] == "updated_on >= '2024-06-08T00:00:00.000'"
    assert report.n_rows == 3


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
    fetch_source(lasting, area, home, retries=HASTY)
    api.headers.clear()

    again = fetch_source(lasting, area, home, retries=HASTY)
    n_asked = len(api.headers)
    forced = fetch_source(lasting, area, home, is_asked_for=True, retries=HASTY)

    assert (again.was_fresh, n_asked) == (True, 0)
    assert not forced.was_fresh


def test_a_fresh_fetch_whose_files_were_deleted_is_repeated(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    lasting = replace(source, api=replace(source.api, fresh_hours=6.0))
    fetch_source(lasting, area, home, retries=HASTY)
    for path in folder(home).glob("months/*.csv"):
        path.unlink()

    fetch_source(lasting, area, home, retries=HASTY)

    assert len(month_bytes(home)) == 3


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
    today = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT00:00:00.000")
    api.tables[SOCRATA_PATH][1] = theft(1, date="2024-03-01T00:00:00.000", updated_on=today)

    report = fetch(area, home)

    assert report.changed == ["2024-02", "2024-03"]


def test_an_update_time_that_is_no_time_is_an_error(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH][0] = theft(0, updated_on="yesterday")

    with pytest.raises(SourceFormatError, match="its newest value is 'yesterday'"):
        fetch(area, home)


def test_of_two_fetches_at_a_time_one_waits_and_finds_nothing_to_do(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    lasting = replace(source, api=replace(source.api, fresh_hours=6.0))

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(fetch_source, lasting, area, home, retries=HASTY) for _ in "ab"]
        reports = [each.result() for each in running]

    assert sorted(report.was_fresh for report in reports) == [False, True]
    assert len(api.counted) == 1


@pytest.mark.slow
def test_a_killed_fetch_goes_on_and_leaves_nothing_behind(home, api):
    area = socrata_town(home, api)
    api.faults = [WELL, WELL, PAUSED]
    script = (
        "import sys; from pathlib import Path; from crime_platform.vocabulary.home import "
        "PlatformHome; from crime_platform.sources.api.fetching import fetch_area; from "
        "crime_platform.study_area.study_area import load_study_area; home = "
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
    assert RetryPolicy().attempts > HASTY.attempts
    assert RetryPolicy().backoff_s > 0

"""What was known when: `incident_known_at` on three files of one invented publisher."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from crime_platform.sources.files.opening import published_on
from crime_platform.study_area.source import ADD, REPLACE_MONTHS
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.warehouse.warehouse import Warehouse
from toys.table_reading import POLICE


def day(month: int, of_month: int = 5) -> dt.datetime:
    return dt.datetime(2022, month, of_month, 6, tzinfo=dt.UTC)


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "warehouse.duckdb")


@pytest.fixture
def store(warehouse, tmp_path):
    """Stores one file: how many incidents it holds of which month."""

    def write(sha, n_by_month, *, at, path=None, revisions=ADD, published_on=None, part=None):
        months = [month for month, n in n_by_month.items() for _ in range(n)]
        incidents = pd.DataFrame(
            {
                "source_file": sha,
                "source_row": range(2, len(months) + 2),
                "occurred_on": [dt.date(2022, month, 9) for month in months],
                "month": [dt.date(2022, month, 1) for month in months],
                "offence_type": "assault",
                "n_incidents": 1,
                "part": part,
            }
        )
        incidents.to_parquet(tmp_path / "incidents.parquet")
        rejected = pd.DataFrame(
            {"source_file": ["x"], "source_row": [0], "reason": ["r"], "value": ["v"]}
        )
        rejected.to_parquet(tmp_path / "rejected.parquet")
        file = {
            "study_area": "toy",
            "source": "police",
            "file_path": path or f"raw/{sha}.csv",
            "sha256": sha,
            "reading_key": "k",
            "last_day": dt.date(2022, max(n_by_month), 9),
            "published_on": published_on,
            "revisions": revisions,
            "ingested_at": at,
        }
        warehouse.replace_file(
            file,
            incidents=tmp_path / "incidents.parquet",
            rejected=tmp_path / "rejected.parquet",
        )
        return file["file_path"], sha, "k"

    return write


def known(warehouse, moment):
    rows = warehouse.read(
        "select month(month) as month, count(*) as n from incident_known_at(?::timestamptz) "
        "group by all order by all",
        moment,
    )
    return dict(zip(rows["month"], rows["n"], strict=True))


def test_nothing_was_known_before_the_first_file(warehouse, store):
    store("a", {1: 2}, at=day(2))

    assert known(warehouse, day(1)) == {}


def test_a_file_is_known_from_its_ingest(warehouse, store):
    store("a", {1: 2}, at=day(2))

    assert known(warehouse, day(2)) == {1: 2}


def test_replaced_bytes_are_known_until_the_moment_of_the_new_ones(warehouse, store):
    store("a", {1: 2}, at=day(2), path="raw/all.csv")
    newer = store("b", {1: 3, 2: 1}, at=day(3), path="raw/all.csv")
    warehouse.retire_other_files("toy", [newer], moment=day(3))

    assert known(warehouse, day(2, 20)) == {1: 2}
    assert known(warehouse, day(3)) == {1: 3, 2: 1}


def test_an_ingest_killed_before_it_retired_the_old_bytes_doubles_nothing(warehouse, store):
    store("a", {1: 2}, at=day(2), path="raw/all.csv")
    newer = store("b", {1: 3}, at=day(3), path="raw/all.csv")
    warehouse.retire_other_files("toy", [newer], moment=day(4))

    assert known(warehouse, day(3, 20)) == {1: 3}


def test_bytes_that_come_back_double_nothing_while_others_stood_in(warehouse, store):
    first = store("a", {1: 2}, at=day(2), path="raw/all.csv")
    second = store("b", {1: 3}, at=day(3), path="raw/all.csv")
    warehouse.retire_other_files("toy", [second], moment=day(3))
    warehouse.retire_other_files("toy", [first], moment=day(4))

    assert known(warehouse, day(2, 20)) == {1: 2}
    assert known(warehouse, day(3, 20)) == {1: 3}
    assert known(warehouse, day(4)) == {1: 2}


def test_a_deleted_file_stays_known_until_it_was_missed(warehouse, store):
    store("a", {1: 2}, at=day(2))
    warehouse.retire_other_files("toy", [], moment=day(4))

    assert known(warehouse, day(3)) == {1: 2}
    assert known(warehouse, day(4)) == {}


def test_the_day_in_a_files_name_counts_rather_than_its_ingest(warehouse, store):
    store("a", {1: 2}, at=day(6), revisions=REPLACE_MONTHS, published_on=dt.date(2022, 2, 1))
    store("b", {1: 3, 2: 4}, at=day(6), revisions=REPLACE_MONTHS, published_on=dt.date(2022, 3, 1))

    assert known(warehouse, day(2)) == {1: 2}
    assert known(warehouse, day(3)) == {1: 3, 2: 4}


def test_bytes_under_a_used_name_are_not_known_before_their_ingest(warehouse, store):
    published_on = dt.date(2022, 2, 1)
    store("a", {1: 2}, at=day(2), path="raw/x.csv", published_on=published_on)
    again = store("b", {1: 9}, at=day(5), path="raw/x.csv", published_on=published_on)
    warehouse.retire_other_files("toy", [again], moment=day(5))

    assert known(warehouse, day(3)) == {1: 2}


def test_of_a_month_published_anew_the_newest_known_file_counts(warehouse, store):
    store("a", {1: 2, 2: 5}, at=day(3), revisions=REPLACE_MONTHS)
    store("b", {2: 6, 3: 1}, at=day(4), revisions=REPLACE_MONTHS)

    assert known(warehouse, day(3, 20)) == {1: 2, 2: 5}
    assert known(warehouse, day(4)) == {1: 2, 2: 6, 3: 1}


def test_months_are_replaced_part_by_part(warehouse, store):
    store("a", {1: 2}, at=day(3), revisions=REPLACE_MONTHS, part="Gwent")
    store("b", {1: 4}, at=day(4), revisions=REPLACE_MONTHS, part="Kent")

    assert known(warehouse, day(4)) == {1: 6}


def test_the_same_bytes_read_anew_were_known_all_along(warehouse, store):
    store("a", {1: 2}, at=day(2))
    warehouse.replace_file(
        {
            "study_area": "toy",
            "source": "police",
            "file_path": "raw/a.csv",
            "sha256": "a",
            "reading_key": "k2",
            "last_day": dt.date(2022, 1, 9),
            "published_on": None,
            "revisions": ADD,
            "ingested_at": day(6),
        },
        incidents=_first_row_of(warehouse),
        rejected=warehouse.path.parent / "rejected.parquet",
    )
    warehouse.retire_other_files("toy", [("raw/a.csv", "a", "k2")], moment=day(6))

    assert known(warehouse, day(2)) == {1: 1}  # the new mapping keeps one of the two


def _first_row_of(warehouse):
    path = warehouse.path.parent / "incidents.parquet"
    pd.read_parquet(path).head(1).to_parquet(path)
    return path


def test_the_current_view_is_what_is_known_at_last(warehouse, store):
    store("a", {1: 2}, at=day(2), path="raw/all.csv")
    newer = store("b", {1: 3}, at=day(3), path="raw/all.csv")
    warehouse.retire_other_files("toy", [newer], moment=day(3))

    assert len(warehouse.read("select * from incident")) == 3


DATED = replace(POLICE, published_on="archive-%Y-%m-%d.csv")


def test_a_files_name_tells_the_day_it_was_published():
    assert published_on(DATED, Path("raw/archive-2022-03-01.csv")) == dt.date(2022, 3, 1)


def test_a_name_without_the_day_is_refused():
    with pytest.raises(SourceFormatError, match=r"raw/new\.csv: its name is not written 'archive"):
        published_on(DATED, Path("raw/new.csv"))


def test_without_a_pattern_no_name_is_looked_at():
    assert published_on(POLICE, Path("raw/archive-2022-03-01.csv")) is None

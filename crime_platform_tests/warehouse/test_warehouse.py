import datetime as dt
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import duckdb
import numpy as np
import pandas as pd
import pytest

from crime_platform.vocabulary.incident import HOUR_BANDS
from crime_platform.vocabulary.verdict import Verdict
from crime_platform.warehouse import file as warehouse_file
from crime_platform.warehouse.warehouse import Warehouse

DECEMBER = np.datetime64("2021-12", "M")


@pytest.fixture
def warehouse(tmp_path):
    return Warehouse(tmp_path / "warehouse.duckdb")


MORNING = dt.datetime(2022, 1, 5, 6, tzinfo=dt.UTC)


def entry(sha="a1", path="raw/2021.csv", n=3):
    return {
        "ingested_at": MORNING,
        "study_area": "toy",
        "source": "police",
        "file_path": path,
        "sha256": sha,
        "reading_key": "k1",
        "n_rows": n + 1,
        "n_accepted": n,
        "n_rejected": 1,
        "n_ungeocoded": 1,
        "n_duplicates": 0,
        "first_day": dt.date(2021, 1, 5),
        "last_day": dt.date(2021, 2, 5),
    }


def parquet(tmp_path, n=3):
    """n incidents, the last one without a place, and one rejected row."""
    incidents = pd.DataFrame(
        {
            "source_file": "2021.csv",
            "source_row": range(2, n + 2),
            "source_id": None,
            "occurred_on": [dt.date(2021, 1 + i % 2, 5) for i in range(n)],
            "occurred_hour": pd.array([23, 5, *[None] * n][:n], dtype="Int8"),
            "month": [dt.date(2021, 1 + i % 2, 1) for i in range(n)],
            "offence_type": "assault",
            "source_offence": "Assault",
            "source_premises": ["House", "Yacht", *[None] * n][:n],
            "lon": -79.4,
            "lat": 43.7,
            "x_m": 630100.0,
            "y_m": 4830100.0,
            "row": pd.array([*[0] * (n - 1), None], dtype="Int16"),
            "col": pd.array([*[1] * (n - 1), None], dtype="Int16"),
            "n_incidents": 1,
            "part": None,
        }
    )
    rejected = pd.DataFrame(
        {
            "source_file": ["2021.csv"],
            "source_row": [9],
            "reason": ["unparseable date"],
            "value": ["32/13/2021"],
        }
    )
    incidents.to_parquet(tmp_path / "incidents.parquet")
    rejected.to_parquet(tmp_path / "rejected.parquet")
    return {"incidents": tmp_path / "incidents.parquet", "rejected": tmp_path / "rejected.parquet"}


def rebuild(warehouse):
    months = pd.DataFrame(
        {
            "month": pd.to_datetime(["2021-01-01", "2021-02-01", "2021-03-01"]),
            "is_complete": [True, True, False],
            "completeness_share": [None, 0.9, None],
            "treatment": "as recorded",
            "note": None,
        }
    )
    triangle = ["month", "offence_type", "known_on", "age_days", "count"]
    warehouse.rebuild_counts(
        "toy",
        months=months,
        revisions=pd.DataFrame(columns=triangle),
        offence_types=["assault", "robbery"],
        premises_of_label={"house": "home", "garage": "home"},
    )


def test_storing_a_file_twice_stores_it_once(warehouse, tmp_path):
    for _ in range(2):
        warehouse.replace_file(entry(), **parquet(tmp_path))

    assert len(warehouse.read("select * from incident")) == 3
    assert len(warehouse.read("select * from rejected_row")) == 1
    assert warehouse.known_files("toy") == {("raw/2021.csv", "a1", "k1"): True}


def test_a_revised_file_replaces_the_view_and_keeps_the_vintage(warehouse, tmp_path):
    warehouse.replace_file(entry(sha="a1"), **parquet(tmp_path, n=3))
    warehouse.replace_file(entry(sha="b2", n=5), **parquet(tmp_path, n=5))

    retired = warehouse.retire_other_files("toy", [("raw/2021.csv", "b2", "k1")], moment=MORNING)

    assert retired == 1
    assert len(warehouse.read("select * from incident")) == 5
    assert len(warehouse.read("select * from incident_vintage")) == 8


def test_a_file_that_comes_back_is_current_again(warehouse, tmp_path):
    warehouse.replace_file(entry(), **parquet(tmp_path))
    warehouse.retire_other_files("toy", [], moment=MORNING)
    assert warehouse.read("select * from incident").empty

    warehouse.retire_other_files("toy", [("raw/2021.csv", "a1", "k1")], moment=MORNING)

    assert len(warehouse.read("select * from incident")) == 3


def test_a_failed_write_leaves_nothing(warehouse, tmp_path):
    files = parquet(tmp_path)
    files["rejected"] = tmp_path / "missing.parquet"

    with pytest.raises(Exception, match="missing"):
        warehouse.replace_file(entry(), **files)

    assert warehouse.read("select * from incident_vintage").empty
    assert warehouse.read("select * from source_file").empty


def test_counts_are_sparse_per_cell_and_complete_per_month(warehouse, tmp_path):
    warehouse.replace_file(entry(), **parquet(tmp_path))
    rebuild(warehouse)

    cells = warehouse.read("select month::varchar m, count from cell_month_count order by m")
    assert cells.to_numpy().tolist() == [["2021-01-01", 1], ["2021-02-01", 1]]  # one has no place
    months = warehouse.read(
        "select count, n_ungeocoded from month_count where offence_type = 'assault' order by month"
    )
    assert months.to_numpy().tolist() == [[2, 1], [1, 0], [0, 0]]
    robbery = warehouse.read("select count from month_count where offence_type = 'robbery'")
    assert robbery["count"].tolist() == [0, 0, 0]


def test_incidents_are_counted_by_known_kind_of_place_and_part_of_the_day(warehouse, tmp_path):
    warehouse.replace_file(entry(), **parquet(tmp_path))
    for _ in range(2):
        rebuild(warehouse)

    marks = warehouse.read("select mark, month::varchar m, count from cell_month_mark order by all")
    assert marks.to_numpy().tolist() == [
        ["hours_evening", "2021-01-01", 1],
        ["hours_morning", "2021-02-01", 1],
        ["premises_home", "2021-01-01", 1],
    ]


def test_every_hour_belongs_to_one_part_of_the_day():
    hours = [hour for first, end in HOUR_BANDS.values() for hour in range(first, end)]
    assert sorted(hours) == list(range(24))


def test_a_warehouse_from_before_kinds_of_place_gains_the_column(warehouse, tmp_path):
    warehouse.replace_file(entry(), **parquet(tmp_path))
    with duckdb.connect(str(warehouse.path)) as connection:
        connection.execute("alter table incident_vintage drop column source_premises")

    warehouse.replace_file(entry(sha="b2", path="raw/2022.csv"), **parquet(tmp_path))

    known = warehouse.read("select sha256, count(source_premises) n from incident group by all")
    assert dict(known.to_numpy().tolist()) == {"a1": 0, "b2": 2}


def test_the_last_complete_month_ignores_the_unfinished_one(warehouse, tmp_path):
    assert warehouse.last_complete_month("toy") is None
    warehouse.replace_file(entry(), **parquet(tmp_path))
    rebuild(warehouse)
    assert warehouse.last_complete_month("toy") == np.datetime64("2021-02", "M")


def test_a_verdict_is_read_back_for_exactly_its_candidate(warehouse):
    verdict = Verdict("2021-12-abc", "ewma", False, ["too biased"], {"bias": 0.2})
    warehouse.record_verdict("toy", DECEMBER, verdict)
    assert warehouse.read_verdict("toy", "2021-12-abc") == verdict
    assert warehouse.read_verdict("toy", "2021-12-other") is None
    assert warehouse.read_verdict("other", "2021-12-abc") is None


def test_publishing_a_month_again_replaces_its_entry(warehouse):
    for candidate in ("first", "second"):
        warehouse.record_publication(
            "toy", DECEMBER, candidate_id=candidate, model="ewma", run_id="r"
        )
    assert warehouse.publications()["candidate_id"].tolist() == ["second"]


def test_quality_replaces_only_what_was_known_of_the_same_file(warehouse):
    def finding(path, n):
        return pd.DataFrame(
            {
                "study_area": ["toy"],
                "source": ["police"],
                "file_path": [path],
                "finding": ["accepted"],
                "n_rows": [n],
                "share": [1.0],
                "example": [None],
                "measured_at": [pd.Timestamp("2022-01-01", tz="UTC")],
            }
        )

    for path, n in (("a", 1), ("b", 2), ("a", 3)):
        warehouse.replace_quality("toy", finding(path, n))

    kept = warehouse.read("select file_path, n_rows from data_quality order by file_path")
    assert kept.to_numpy().tolist() == [["a", 3], ["b", 2]]


KILLED_WRITER = """
import sys
from pathlib import Path
from crime_platform.warehouse.warehouse import Warehouse
warehouse = Warehouse(Path(sys.argv[1]))
print("ready", flush=True)
while True:
    with warehouse.writer() as connection:
        connection.execute("delete from cell_month_count where study_area = 'toy'")
        connection.execute(
            "insert into cell_month_count select 'toy', date '2021-01-01', 'assault', "
            "range // 100, range % 100, 1 from range(20000)"
        )
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.05, 0.12, 0.21, 0.33])
def test_kill_9_leaves_a_whole_month_or_none(warehouse, delay):
    writer = subprocess.Popen(
        [sys.executable, "-c", KILLED_WRITER, str(warehouse.path)], stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)

    rows = warehouse.read("select count(*) n from cell_month_count")["n"].item()

    assert rows in (0, 20000)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def files_no_larger_than(n_bytes):
    """As on a full disk, a write beyond this fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("kb", [0, 4, 8, 16, 32, 64, 128, 200, 256])
def test_a_warehouse_that_has_no_room_leaves_nothing_and_the_next_start_goes_on(warehouse, kb):
    with files_no_larger_than(kb * 1024), pytest.raises((duckdb.Error, OSError)):
        warehouse.publications()
    left = files(warehouse.path.parent)

    assert len(warehouse.publications()) == 0

    assert left == ["warehouse.lock"]
    assert files(warehouse.path.parent) == ["warehouse.duckdb", "warehouse.lock"]


@pytest.mark.parametrize("left", [b"", b"garbage" * 3000, b"\0" * 8192])
def test_what_an_interrupted_start_left_is_removed(warehouse, left):
    warehouse.path.with_suffix(".new").write_bytes(left)
    warehouse.path.with_name("warehouse.new.wal").write_bytes(left)

    assert len(warehouse.publications()) == 0

    assert files(warehouse.path.parent) == ["warehouse.duckdb", "warehouse.lock"]


@pytest.mark.parametrize("log", ["warehouse.duckdb.wal", "none"])
def test_a_file_without_tables_gets_them(warehouse, log):
    duckdb.connect(str(warehouse.path)).close()
    warehouse.path.with_name(log).touch()

    assert len(warehouse.publications()) == 0


def test_an_empty_file_is_no_warehouse(warehouse):
    warehouse.path.write_bytes(b"")
    assert len(warehouse.publications()) == 0


def test_the_log_of_a_warehouse_that_is_gone_is_kept_aside(warehouse):
    warehouse.path.with_name("warehouse.duckdb.wal").write_bytes(b"changes")

    assert len(warehouse.publications()) == 0

    kept = warehouse.path.with_name("warehouse.duckdb.wal.damaged-1")
    assert kept.read_bytes() == b"changes"


def test_a_warehouse_whose_tables_did_not_reach_the_file_gets_no_name(warehouse, monkeypatch):
    counted = iter([26, 3])
    monkeypatch.setattr(warehouse_file, "_n_tables", lambda _: next(counted))

    with pytest.raises(OSError, match="a new warehouse lacks tables"):
        warehouse.add_missing_tables()

    assert files(warehouse.path.parent) == ["warehouse.lock"]


def break_off(warehouse):
    with warehouse.writer() as connection:
        connection.rollback()
        raise RuntimeError("the cause")


def test_an_error_of_the_rollback_does_not_hide_what_went_wrong(warehouse):
    with pytest.raises(RuntimeError, match="the cause"):
        break_off(warehouse)

import os
import signal
import subprocess
import sys
import time

import duckdb
import pandas as pd
import pytest

from crime_platform.publication.release import (
    RELEASES_KEPT,
    Publication,
    ReleaseError,
    open_release,
    publish_release,
)
from crime_platform.schema.cell_tables import TABLES
from crime_platform.vocabulary.artifact import TEMPORARY
from crime_platform.vocabulary.seal import SEAL
from toys.damage import cut_off, flip_a_bit
from toys.numbered_release import QUALITY, candidate, publish, publish_again
from toys.paths import TESTS


def numbers(home):
    with open_release(home) as connection:
        return connection.sql(
            "select distinct expected_count, count(*) over () from cell_forecast"
        ).fetchall()


def test_the_policy_of_an_earlier_version_gets_its_name(home):
    folder = candidate(home, 1)
    scores = {"study_area": "toy", "model": ["ewma", "champion"], "lead": 1, "n": [1, 2]}
    pd.DataFrame(scores).to_parquet(folder / "backtest_score.parquet")
    publication = Publication(
        study_area="toy", as_of_month="2021-12", folder=folder, run_id="run", is_latest=True
    )

    publish_release(home, [publication], None, quality=QUALITY)

    with open_release(home) as connection:
        found = connection.sql("select model, n from backtest_score order by n").fetchall()
    assert found == [("ewma", 1), ("policy", 2)]


def test_nothing_published_says_what_to_do(home):
    with pytest.raises(ReleaseError, match="nothing has passed the gate yet"):
        open_release(home)


def test_the_newest_release_is_what_readers_open(home):
    publish(home, 1)
    publish(home, 2)
    assert numbers(home) == [(2.0, 1000)]
    assert home.forecasts.readlink().parts[0] == "releases"


def test_a_reader_with_an_old_connection_keeps_its_answer_and_a_new_one_sees_the_new(home):
    publish(home, 1)
    with open_release(home) as old:
        publish(home, 2)
        assert old.sql("select max(expected_count) from cell_forecast").fetchall() == [(1.0,)]
        assert numbers(home)[0][0] == 2.0


def test_readers_see_what_the_data_checks_found(home):
    publish(home, 1)

    with open_release(home) as connection:
        found = connection.sql("select check_name, passed, problem from data_check").fetchall()

    assert found == [("data_are_fresh", False, "the newest incident is of 2021-06-30")]


def test_the_same_publications_are_not_built_again(home):
    first = publish(home, 1)
    written = first.stat().st_mtime_ns
    folder = home.artifacts("toy") / "candidates" / "2021-12-0001"
    again = Publication(
        study_area="toy", as_of_month="2021-12", folder=folder, run_id="other", is_latest=True
    )
    (home.root / f"{TEMPORARY}0123abcd-forecasts.duckdb").mkdir()  # killed after the swap
    (home.releases / f"{TEMPORARY}0123abcd-{first.name}").mkdir()

    assert publish_release(home, [again], pd.DataFrame(), quality=QUALITY) == first

    assert list(home.root.rglob(f"{TEMPORARY}*")) == []
    assert first.stat().st_mtime_ns == written


def test_a_release_can_be_read_by_older_versions_of_duckdb(home):
    publish(home, 1)
    with duckdb.connect() as connection:
        connection.execute(f"attach '{home.forecasts.resolve()}' as r (read_only)")
        tags = connection.sql(
            "select tags from duckdb_databases() where database_name = 'r'"
        ).fetchall()
    assert "v1.4.0" in str(tags)


def test_every_table_and_view_column_has_a_comment(home):
    publish(home, 1)
    with open_release(home) as connection:
        silent = connection.sql(
            "select table_name, column_name from duckdb_columns() "
            "where not internal and (comment is null or comment = '')"
        ).fetchall()
        tables = connection.sql("select table_name from duckdb_tables()").fetchall()
    assert silent == []
    assert {name for (name,) in tables} == {table.name for table in TABLES}


def test_a_release_cannot_be_written_through_the_platform(home):
    publish(home, 1)
    with open_release(home) as connection, pytest.raises(duckdb.Error, match="read-only"):
        connection.execute("delete from cell_forecast")


def test_only_the_last_releases_are_kept_and_orphans_go(home):
    for number in range(RELEASES_KEPT + 2):
        publish(home, number)
    (home.releases / f"{TEMPORARY}dead-forecasts-1.duckdb").write_text("half")
    publish(home, 99)
    names = [path.name for path in home.releases.iterdir() if path.name != ".lock"]
    assert len([name for name in names if name.endswith(".duckdb")]) == RELEASES_KEPT
    assert len([name for name in names if name.endswith(SEAL)]) == RELEASES_KEPT
    assert not any(name.startswith(TEMPORARY) for name in names)


def test_a_log_left_by_a_user_who_wrote_into_a_release_does_not_break_the_next(home):
    release = publish(home, 1)
    script = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        'c.execute("delete from cell_forecast"); os.kill(os.getpid(), 9)'
    )
    subprocess.run([sys.executable, "-c", script, str(release)], check=False)
    publish(home, 2)
    assert numbers(home) == [(2.0, 1000)]


READER = """
import sys, time
from pathlib import Path
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
home = PlatformHome(Path(sys.argv[1]))
print("ready", flush=True)
reads = last = 0
while not Path(sys.argv[2]).exists():
    with open_release(home) as connection:
        rows = connection.sql(
            "select min(expected_count), max(expected_count), count(*) from cell_forecast"
        ).fetchall()
    low, high, n = rows[0]
    if low != high or n != 1000 or low < last:
        sys.exit(f"saw {rows[0]} after {last}")
    last, reads = low, reads + 1
print(reads, flush=True)
"""


@pytest.mark.slow
def test_a_reader_sees_only_whole_releases_during_20_swaps(home, tmp_path):
    publish(home, 0)
    stop = tmp_path / "stop"
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, str(home.root), str(stop)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with reader:
        assert reader.stdout is not None
        assert reader.stderr is not None
        reader.stdout.readline()
        for number in range(1, 21):
            publish(home, number)
        stop.touch()
        out, err = reader.communicate(timeout=60)
    assert (reader.returncode, err) == (0, "")
    assert int(out) > 5


BUILDER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from toys.numbered_release import publish
from crime_platform.vocabulary.home import PlatformHome
home = PlatformHome(Path(sys.argv[1]))
print("ready", flush=True)
publish(home, 2, n_rows=200000)
print("done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("delay", [0.0, 0.03, 0.08, 0.15])
def test_kill_9_during_a_release_leaves_the_old_one_or_the_new_one(home, delay):
    publish(home, 1)
    builder = subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(home.root), str(TESTS)],
        stdout=subprocess.PIPE,
    )
    with builder:
        assert builder.stdout is not None
        builder.stdout.readline()
        time.sleep(delay)
        os.kill(builder.pid, signal.SIGKILL)

    assert numbers(home) in ([(1.0, 1000)], [(2.0, 200000)])
    publish(home, 3)
    assert numbers(home) == [(3.0, 1000)]
    left = [path.name for path in home.releases.iterdir() if path.name.startswith(TEMPORARY)]
    assert left == []


@pytest.mark.parametrize("damage", [cut_off, flip_a_bit])
def test_a_damaged_release_is_built_anew_and_said(home, caplog, damage):
    release = publish(home, 1)
    damage(release)

    again = publish_again(home, 1)

    assert again == release
    assert numbers(home) == [(1.0, 1000)]
    assert f"It is kept as {release.name}.damaged-1 and made anew" in caplog.text
    assert release.with_name(f"{release.name}.damaged-1").exists()


def test_a_release_that_was_cut_off_is_refused_by_name(home):
    release = publish(home, 1)
    cut_off(release)

    with pytest.raises(ReleaseError, match=rf"{release.name} is damaged: it has .* bytes, and"):
        open_release(home)


def test_changes_that_a_user_made_do_not_stay(home):
    release = publish(home, 1)
    with duckdb.connect(str(release)) as connection:
        connection.execute("delete from cell_forecast")

    publish_again(home, 1)

    assert numbers(home) == [(1.0, 1000)]


def test_a_release_of_a_version_without_seals_is_read_and_built_anew_once(home, caplog):
    release = publish(home, 1)
    release.with_name(f"{release.name}.{SEAL}").unlink()
    assert numbers(home) == [(1.0, 1000)]

    publish_again(home, 1)

    assert release.with_name(f"{release.name}.{SEAL}").exists()
    assert caplog.text == ""


def test_only_the_last_damaged_releases_are_kept(home):
    release = publish(home, 1)
    for number in range(RELEASES_KEPT + 2):
        release.with_name(f"{release.name}.damaged-{number + 1}").write_text("bad")
    publish(home, 2)

    kept = [path.name for path in home.releases.iterdir() if ".damaged-" in path.name]
    assert len(kept) == RELEASES_KEPT

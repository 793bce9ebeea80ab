"""Two releases are the same only when every value of every row is, to the last digit."""

import importlib.util
import sys

import duckdb
import pytest

from toys.paths import REPOSITORY

SCRIPT = REPOSITORY / "scripts" / "compare_releases.py"
RELEASE = (
    "create table score (model varchar, sum_deviance double, n integer, run_id varchar)",
    "comment on column score.n is 'cases'",
    "insert into score values ('ewma', 0.1, 2, 'a'), ('ewma', 0.1, 2, 'a'), ('zero', 0.0, 2, 'a')",
    "create view leaderboard as select model, sum(sum_deviance) as deviance from score group by 1",
)


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("compare_releases", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture
def compared(tmp_path, script):
    def differences(*changes):
        for name, statements in (("old", RELEASE), ("new", (*RELEASE, *changes))):
            with duckdb.connect(str(tmp_path / f"{name}.duckdb")) as connection:
                connection.execute(";".join(statements))
        return script.differences(tmp_path / "old.duckdb", tmp_path / "new.duckdb")

    return differences


def test_a_copy_is_the_same(compared):
    assert compared() == []


def test_names_of_runs_are_not_compared(compared):
    assert compared("update score set run_id = 'b'") == []


def test_a_change_in_the_last_digit_of_one_score_is_found_in_table_and_view(compared):
    found = compared("update score set sum_deviance = nextafter(0.1, 1.0) where model = 'ewma'")

    assert [line.split(":")[0] for line in found] == ["leaderboard"] * 2 + ["score"] * 4
    assert "0.10000000000000002" in found[-1]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            # An update leaves a value that SQL calls equal.
            "delete from score where n = 2; insert into score values ('zero', '-0.0', 2, 'a')",
            "score: only in the new release: ('zero', -0.0, 2, True)",
        ),
        ("insert into score values ('zero', 0.0, 2, 'a')", "score: only in the new"),
        ("create table other (a integer)", "other: only in the new release"),
        ("drop view leaderboard", "leaderboard: only in the old release"),
        ("comment on column score.n is 'rows'", "score: columns"),
        ("comment on table score is 'sums'", "score: table None became table 'sums'"),
        ("alter table score alter n type bigint", "score: columns"),
        (
            "create or replace table score as select n, * exclude n from score",
            "score: columns",
        ),
    ],
)
def test_every_other_change_is_found(compared, change, found):
    assert any(line.startswith(found) for line in compared(change))


def test_no_more_than_ten_rows_of_a_side_are_shown(compared):
    found = compared("insert into score select 'new', i, 1, 'a' from range(30) as rows(i)")

    shown = [line for line in found if line.startswith("score")]
    assert len(shown) == 11
    assert shown[-1] == "score: and more in the new release"


def test_the_exit_code_says_whether_they_are_the_same(compared, script, tmp_path, capsys):
    compared("update score set n = 3 where model = 'zero'")
    files = [str(tmp_path / f"{name}.duckdb") for name in ("old", "new")]

    assert script.main([files[0], files[0]]) == 0
    assert script.main(files) == 1
    told = capsys.readouterr().out
    assert told.startswith("the same numbers\nnot compared: candidate_id")
    assert "('zero', 0.0, 3, False)" in told

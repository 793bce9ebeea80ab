import os

import pytest
from typer.testing import CliRunner

from crime_platform.cli import app

RUNNER = CliRunner()


def call(*arguments):
    return RUNNER.invoke(app, list(arguments), env={"COLUMNS": "200"})


@pytest.fixture
def release(home):
    """A release of one table: what is asked of it is nothing but SQL."""
    import duckdb

    home.releases.mkdir()
    with duckdb.connect(str(home.releases / "forecasts-a.duckdb")) as connection:
        connection.execute("create table release as select 'toy' as study_area")
    home.forecasts.symlink_to("releases/forecasts-a.duckdb")
    return home


@pytest.mark.parametrize(
    "query",
    [
        "copy (select 42 as a) to 'FILE'",
        "select 1; copy (select 42 as a) to 'FILE'",
        "explain analyze copy (select 42 as a) to 'FILE'",
        "export database 'FILE'",
        "attach 'FILE' as other",
        "attach 'FILE' as other; create table other.t as select 1",
        "pragma enable_profiling='json'; pragma profiling_output='FILE'; select 1",
    ],
)
def test_no_query_writes_a_file(release, tmp_path, query):
    before = sorted(tmp_path.rglob("*"))

    answer = call("sql", query.replace("FILE", str(tmp_path / "written")))

    assert answer.exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before
    assert release.forecasts.exists()


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('FILE')",
        "select * from read_text('FILE')",
        "select * from read_blob('FILE')",
        "select * from glob('/*')",
        "from 'FILE'",
        "select * from read_parquet('http://127.0.0.1:9/a.parquet')",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
    ],
)
def test_no_query_reaches_anything_else(tmp_path, query):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\nsecret value\n")

    answer = call("sql", query.replace("FILE", str(secret)))

    assert answer.exit_code == 2
    assert "secret value" not in answer.output


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("name", ["connection", "OUT", "READ_ONLY_SETTINGS"])
def test_no_query_sees_a_name_of_python(name):
    assert call("sql", f"select * from {name}").exit_code == 2


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "query",
    [
        "select 1 as a;",
        "from release",
        "describe release",
        "show tables",
        "summarize release",
        "explain select 1",
        "pragma table_info('release')",
        "pivot (select 1 as a, 2 as b) on a using sum(b)",
    ],
)
def test_a_query_that_only_asks_is_answered(query):
    assert call("sql", query).exit_code == 0


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("query", ["", "select 1; select 2"])
def test_exactly_one_query_is_expected(query):
    answer = call("sql", query)

    assert answer.exit_code == 2
    assert "expected one query" in answer.stderr


@pytest.mark.usefixtures("release")
def test_a_statement_that_changes_something_is_named():
    answer = call("sql", "drop table release")

    assert answer.exit_code == 2
    assert "DROP is refused: the release is read-only" in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("format", ["json", "parquet"])
def test_no_column_is_lost_behind_another_of_its_name(tmp_path, format):
    output = tmp_path / "rows"

    answer = call("sql", "select 1 as a, 2 as a", "--format", format, "--output", str(output))

    assert answer.exit_code == 2
    assert 'select a as "a_2"' in " ".join(answer.stderr.split())
    assert not output.exists()


@pytest.mark.usefixtures("release")
def test_json_holds_null_where_there_is_no_number():
    answer = call("sql", "select 'nan'::double as a, ['inf'::double, 1] as b", "--format", "json")

    assert answer.stdout == '[{"a": null, "b": [null, 1.0]}]\n'


@pytest.mark.usefixtures("release")
def test_json_writes_the_keys_of_a_map_as_text():
    answer = call("sql", "select map {date '2021-09-01': 1} as a", "--format", "json")

    assert answer.stdout == '[{"a": {"2021-09-01": 1}}]\n'


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("format", ["csv", "json", "parquet"])
def test_a_file_in_a_folder_that_does_not_exist_is_refused(tmp_path, format):
    output = tmp_path / "mistyped" / "rows"

    answer = call("sql", "select 1 as a", "--format", format, "--output", str(output))

    assert answer.exit_code == 2
    assert "there is no folder" in " ".join(answer.stderr.split())
    assert not output.parent.exists()


@pytest.mark.usefixtures("release")
def test_a_folder_is_no_file_to_write(tmp_path):
    answer = call("sql", "select 1 as a", "--format", "csv", "--output", str(tmp_path))

    assert answer.exit_code == 2
    assert "is a folder" in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("format", ["table", "csv", "json", "parquet"])
def test_a_place_where_nothing_can_be_written_is_told_with_the_option(format):
    answer = call("sql", "select 1 as a", "--format", format, "--output", "/proc/rows")

    told = " ".join(answer.stderr.split())
    assert answer.exit_code == 2
    assert "--output /proc/rows: cannot be written" in told
    assert ".tmp-" not in told


@pytest.mark.usefixtures("release")
def test_a_file_is_no_folder_to_write_in(tmp_path):
    (tmp_path / "notes").write_text("mine")

    answer = call("sql", "select 1 as a", "--format", "csv", "--output", f"{tmp_path}/notes/rows")

    assert answer.exit_code == 2
    assert "notes is a file, no folder" in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("release")
def test_a_pipe_is_never_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")

    answer = call("sql", "select 1 as a", "--format", "csv", "--output", str(tmp_path / "pipe"))

    assert answer.exit_code == 2
    assert "is no ordinary file" in " ".join(answer.stderr.split())
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize(
    "kept",
    [
        "forecasts.duckdb",
        "releases/new.csv",
        "warehouse.duckdb",
        "artifacts/toy/rows.csv",
        "dagster_home/rows.csv",
        "raw/toy/incidents.csv",
        "toronto/incidents.csv",
        "study_areas/toy.toml",
    ],
)
def test_what_the_platform_keeps_is_never_written_over(release, kept):
    path = release.root / kept
    path.parent.mkdir(parents=True, exist_ok=True)
    if not (path.parent.name == "releases" or path.exists()):
        path.write_bytes(b"mine")
    before = {each: each.read_bytes() for each in release.root.rglob("*") if each.is_file()}

    answer = call("sql", "select 1 as a", "--format", "csv", "--output", str(path))

    assert answer.exit_code == 2
    assert "the platform keeps its own files there" in " ".join(answer.stderr.split())
    assert {each: each.read_bytes() for each in before} == before


def test_another_file_of_the_home_may_be_written(release):
    for folder in ("raw", "exports"):
        (release.root / folder).mkdir()
    for path in ("rows.csv", "exports/rows.csv"):
        (release.root / path).write_text("of an earlier call")

    for path in ("rows.csv", "raw/new.csv", "exports/rows.csv"):
        call("sql", "select 1 as a", "--format", "csv", "--output", str(release.root / path))
        assert (release.root / path).read_text() == "a\n1\n"


@pytest.mark.usefixtures("release")
def test_a_link_is_written_through(tmp_path):
    (tmp_path / "link").symlink_to("rows.csv")

    call("sql", "select 1 as a", "--format", "csv", "--output", str(tmp_path / "link"))

    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "rows.csv").read_text() == "a\n1\n"


def test_a_home_that_cannot_be_written_can_be_asked(release):
    for folder in (release.releases, release.root):
        folder.chmod(0o555)

    answer = call("sql", "select study_area from release", "--format", "csv")

    assert answer.stdout == "study_area\ntoy\n"
    assert [path.name for path in release.releases.iterdir()] == ["forecasts-a.duckdb"]

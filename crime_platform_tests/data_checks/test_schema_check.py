"""Which changes of a file's columns are told, on made-up headers."""

import datetime as dt
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from crime_platform.data_checks.schema import HeaderReading, judge_schema, schema_change
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import FileHeader
from toys.paths import FIXTURES

TOWN = load_study_area(FIXTURES / "small_town.toml")
POLICE = TOWN.sources[0]  # maps when, what, east, north
COLUMNS = ("when", "what", "east", "north")


def header(*columns, member="2020.csv", types=()):
    return FileHeader(member=member, columns=columns, types=types)


def reading(*columns, member="2020.csv", sha="a", month=1, read=1, **options):
    return HeaderReading(
        header=header(*columns, member=member),
        sha256=sha,
        last_day=dt.date(2020, month, 28),
        read_at=dt.datetime(2021, 1, read, tzinfo=dt.UTC),
        **options,
    )


def test_order_and_capitals_of_columns_do_not_count():
    assert not schema_change(header("when", "what"), header("What ", "When"))


def test_a_column_with_a_like_name_is_renamed_and_the_others_come_and_go():
    change = schema_change(header("when", "offence", "ward"), header("when", "Offense", "a", "b"))

    assert change.renamed == (("offence", "Offense"),)
    assert change.added == ("a", "b")
    assert change.removed == ("ward",)


def test_a_column_that_stands_where_another_stood_is_that_one_renamed():
    change = schema_change(header("when", "hood", "x"), header("when", "DIVISION", "x"))

    assert change.renamed == (("hood", "DIVISION"),)


def test_a_new_type_is_a_change():
    old = header("when", "what", types=("VARCHAR", "VARCHAR"))
    new = header("when", "what", types=("TIMESTAMP", "VARCHAR"))

    assert schema_change(old, new).retyped == (("when", "VARCHAR", "TIMESTAMP"),)


@given(st.lists(st.text("abc", min_size=1, max_size=3), unique=True, min_size=1))
def test_a_header_does_not_differ_from_itself(columns):
    assert not schema_change(header(*columns), header(*reversed(columns)))


def test_a_new_column_in_the_newest_file_is_told_and_one_about_persons_is_never_loaded():
    outcome = judge_schema(
        POLICE,
        [
            reading(*COLUMNS, member="2020-01.csv", sha="a", month=1),
            reading(*COLUMNS, "ward", "Suspect Race", member="2020-02.csv", sha="b", month=2),
        ],
    )

    (problem,) = outcome.problems
    assert "2020-02.csv: columns differ from those of 2020-01.csv" in problem
    assert "'ward' new, not loaded" in problem
    assert "'Suspect Race' new, about persons and never loaded" in problem
    assert problem.endswith("look whether the others still mean the same")


def test_a_mapped_column_that_is_gone_names_its_key():
    premises = replace(POLICE, columns=replace(POLICE.columns, premises="kind of place"))

    outcome = judge_schema(
        premises,
        [reading(*COLUMNS, "kind of place", read=1), reading(*COLUMNS, sha="b", read=2)],
    )

    assert "premises = 'kind of place' is not read any more" in outcome.problems[0]


def test_a_change_between_older_files_is_listed_only():
    outcome = judge_schema(
        POLICE,
        [
            reading(*COLUMNS, "old", member="2020-01.csv", sha="a", month=1),
            reading(*COLUMNS, member="2020-02.csv", sha="b", month=2),
            reading(*COLUMNS, member="2020-03.csv", sha="c", month=3),
        ],
    )

    assert outcome.passed
    assert [(row["table"], row["removed"]) for row in outcome.rows] == [("2020-02.csv", "old")]


def test_a_change_is_told_until_the_next_file():
    files = [
        reading(*COLUMNS, member="2020-01.csv", sha="a", month=1, read=1),
        reading(*COLUMNS, "ward", member="2020-02.csv", sha="b", month=2, read=2),
    ]
    third = reading(*COLUMNS, "ward", member="2020-03.csv", sha="c", month=3, read=3)

    assert not judge_schema(POLICE, files).passed
    assert judge_schema(POLICE, [*files, third]).passed


def test_a_table_in_the_next_months_archive_is_compared_with_itself():
    outcome = judge_schema(
        POLICE,
        [
            reading(*COLUMNS, member="jan.zip/a.csv", sha="1", read=1, is_current=False),
            reading(*COLUMNS, member="feb.zip/a.csv", sha="2", read=2, month=2),
            reading(*COLUMNS, "ward", member="feb.zip/b.csv", sha="2", read=2, month=2),
        ],
    )

    assert [row["compared with"] for row in outcome.rows] == ["feb.zip/a.csv"]
    assert not outcome.passed


def test_an_archive_taken_away_leaves_nothing_to_compare():
    assert judge_schema(POLICE, [reading(*COLUMNS, is_current=False)]).passed

"""The rules of the data checks, each on a handful of made-up rows."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.data_checks.files import SharedIds, SharedMonth, judge_files
from crime_platform.data_checks.labels import LabelCount, judge_labels
from crime_platform.data_checks.levels import judge_levels
from crime_platform.data_checks.months import PartMonth, judge_freshness, judge_parts
from crime_platform.data_checks.outcome import Outcome, listed, together
from crime_platform.data_checks.places import PlacedCount, judge_places
from crime_platform.study_area.parts import PremisesType
from crime_platform.study_area.study_area import load_study_area
from toys.paths import FIXTURES

TOWN = load_study_area(FIXTURES / "small_town.toml")
POLICE = TOWN.sources[0]  # maps when, what, east, north
JANUARY = np.datetime64("2020-01", "M")


# --- places --------------------------------------------------------------------------------


def placed(shares, *, n=1000, kind="assault"):
    return [
        PlacedCount(month=JANUARY + at, offence_type=kind, n=n, n_placed=round(n * share))
        for at, share in enumerate(shares)
    ]


def test_a_month_with_far_fewer_places_is_told_with_the_usual_share():
    outcome = judge_places("police", placed([0.98] * 11 + [0.90]))

    assert len(outcome.problems) == 2  # of all types, and of the one there is
    assert "only 90.0% in 2020-12 have a place, usually 98.0%" in outcome.problems[0]


def test_one_offence_type_alone_can_lose_its_places():
    counts = [
        *placed([0.98] * 12, n=9000, kind="theft"),
        *placed([0.98] * 11 + [0.80], n=300, kind="robbery"),
    ]

    (problem,) = judge_places("police", counts).problems

    assert problem.startswith("police, robbery: only 80.0% in 2020-12")


@pytest.mark.parametrize(
    "shares",
    [
        [0.98] * 11 + [0.97],  # 10 rows of 1,000, with a standard error of 4.4
        [0.90, 0.98] * 6,  # months that always differed as much
        [0.98] * 3 + [0.5],  # no history to speak of
        [0.90] * 11 + [1.0],  # better than usual
    ],
    ids=["chance", "usual spread", "short history", "better"],
)
def test_what_is_no_loss_of_places_is_not_told(shares):
    assert judge_places("police", placed(shares)).passed


def test_half_a_point_is_not_worth_a_message_however_certain():
    assert judge_places("police", placed([0.98] * 11 + [0.975], n=1_000_000)).passed


def test_a_rare_type_is_given_its_chance():
    # 3 of 4 instead of all: one incident without a place is chance
    assert judge_places("police", placed([1.0] * 11 + [0.75], n=4)).passed


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40), st.integers(50, 60))
def test_a_share_that_never_falls_is_never_told(n_placed, n):
    counts = [
        PlacedCount(month=JANUARY + at, offence_type="assault", n=n, n_placed=k)
        for at, k in enumerate(sorted(n_placed))
    ]

    assert judge_places("police", counts).passed


# --- labels --------------------------------------------------------------------------------


def used(label, months, n=30, kind="burglary"):
    return [LabelCount(label=label, offence_type=kind, month=JANUARY + m, n=n) for m in months]


def judged(area=TOWN, *, unmapped=None, used=(), premises=None):
    return judge_labels(area, unmapped=unmapped or {}, used=used, premises=premises or {})


def test_a_word_that_is_not_mapped_is_told_with_its_count_and_the_like_one():
    outcome = judged(unmapped={"Burglery": 1200, "Zeppelin": 1})

    (problem,) = outcome.problems
    assert "'Burglery' (1,200 rows, like 'Burglary'), 'Zeppelin' (1 rows)" in problem
    assert "ignored_labels" in problem
    assert outcome.figures == {"labels not mapped": 2, "rows not mapped": 1201}


def test_a_word_that_is_spelt_in_another_way_is_told_with_the_one_that_is_meant():
    (problem,) = judged(unmapped={"BURGLARÝ": 3}).problems

    assert "'BURGLARÝ' (3 rows, like 'Burglary')" in problem


def test_a_word_that_stops_is_told():
    counts = [*used("Burglary", range(12)), *used("Robbery", range(15), kind="robbery")]

    (problem,) = judged(used=counts).problems

    assert "'Burglary' (burglary) stood in 360 rows of the year before 2021-01" in problem


def test_a_word_that_takes_over_from_another_of_its_type_is_listed_as_renamed():
    counts = [*used("Burglary", range(12)), *used("Break-in", range(12, 15))]

    outcome = judged(used=counts)

    assert outcome.passed
    found = [(row["what"], row["label"], row["note"]) for row in outcome.rows]
    assert ("renamed", "Burglary", "now 'Break-in'") in found
    assert ("appeared", "Break-in", "") in found


def test_a_rare_word_may_be_absent_for_a_while():
    counts = [*used("Burglary", range(15)), *used("Arson", range(12), n=1)]

    assert judged(used=counts).passed


def test_a_word_that_no_row_uses_is_listed():
    outcome = judged(used=used("BURGLARY ", range(3)))

    words = {row["label"] for row in outcome.rows if row["what"] == "never used"}
    assert "Burglary" not in words
    assert words == {
        label for kind in TOWN.offence_types for label in kind.labels if label.lower() != "burglary"
    }


def test_kinds_of_place_that_are_named_nowhere_are_told_where_others_are_named():
    named = replace(
        TOWN,
        premises_types=(PremisesType(name="house", labels=("House",)),),
        sources=(replace(POLICE, columns=replace(POLICE.columns, premises="place")),),
    )

    outcome = judged(named, premises={"HOUSE": 90, "Yacht": 10})

    assert (
        "10.0% of the rows with a kind of place are in no [[premises_type]]" in outcome.problems[0]
    )
    assert "'Yacht' (10 rows)" in outcome.problems[0]
    assert judged(named, premises={"House": 990, "Yacht": 10}).passed
    assert judged(TOWN, premises={"Yacht": 10}).passed


# --- levels --------------------------------------------------------------------------------


def test_a_recent_break_is_told_in_plain_words_and_an_old_one_is_listed():
    flat = np.full(48, 300)
    recent, old = flat.copy(), flat.copy()
    recent[40:] = 177
    old[12:] = 900

    outcome = judge_levels({"robbery": recent, "theft": old}, first=JANUARY, toml_file="a.toml")

    (problem,) = outcome.problems
    assert problem.startswith("robbery: recorded 41% less per month since 2023-05 (was 300, now 17")
    assert problem.endswith("start later with first_month in a.toml")
    found = [(row["offence type"], row["since"], row["recent"]) for row in outcome.rows]
    assert found == [("robbery", "2023-05", True), ("theft", "2021-01", False)]
    assert [series.breaks for series in outcome.series] == [(JANUARY + 40,), (JANUARY + 12,)]


def test_a_level_many_times_as_high_is_said_so():
    counts = np.repeat([20, 200], [30, 12])

    (problem,) = judge_levels({"damage": counts}, first=JANUARY).problems

    assert "recorded 10.0 times as often since 2022-07" in problem


# --- files ---------------------------------------------------------------------------------


def shared(month, n_shared, n_rows=(100, 80), files=("a.csv", "b.csv")):
    return SharedMonth(month=JANUARY + month, files=files, n_rows=n_rows, n_shared=n_shared)


def test_two_files_that_mostly_agree_are_told_once():
    outcome = judge_files("police", [shared(0, 70), shared(1, 80), shared(2, 10)])

    (problem,) = outcome.problems
    assert "a.csv and b.csv share 150 equal rows of 2020-01..2020-02" in problem
    assert 'revisions = "replace_months"' in problem
    assert [row["share"] for row in outcome.rows] == [70 / 80, 1.0, 10 / 80]


@pytest.mark.parametrize("month", [shared(0, 40), shared(0, 8, n_rows=(8, 9))])
def test_files_that_agree_in_half_or_in_few_rows_are_distinct(month):
    assert judge_files("police", [month]).passed


def test_months_of_a_small_city_are_told_by_all_of_them_together():
    small = [shared(month, 7, n_rows=(8, 9)) for month in range(3)]

    (problem,) = judge_files("police", small).problems

    assert "a.csv and b.csv share 21 equal rows of 2020-01..2020-03" in problem


def test_ids_of_two_files_are_told_with_one_of_them():
    ids = SharedIds(files=("a.csv", "b.csv"), n=200, example="N17")

    (problem,) = judge_files("police", [], [ids]).problems

    assert "a.csv and b.csv share 200 ids, as 'N17', and each counts twice" in problem


# --- months --------------------------------------------------------------------------------


def part(name, months, n=50):
    return [PartMonth(source="uk", part=name, month=JANUARY + m, n=n) for m in months]


def test_months_that_one_force_lacks_are_told():
    counts = [*part("Avon", range(8)), *part("Gwent", [1, 2, 5, 6])]

    (problem,) = judge_parts(counts).problems

    # a later start is no gap; two in the middle and one at the end are
    assert problem.startswith("uk, Gwent: no incident in 2020-04..2020-05, 2020-08, while")
    assert "usually has 50 rows a month" in problem


def test_a_part_with_few_rows_may_miss_a_month():
    assert judge_parts([*part("Avon", range(8)), *part("Gwent", [1, 5, 7], n=2)]).passed


def test_gaps_of_the_only_part_are_told_elsewhere():
    assert judge_parts(part("Avon", [0, 5])).passed


def test_without_incidents_there_is_no_part():
    assert judge_parts([]).passed


@pytest.mark.parametrize(
    ("today", "is_closed", "passed"),
    [
        (dt.date(2020, 9, 13), False, True),  # 75 days
        (dt.date(2020, 9, 14), False, False),
        (dt.date(2026, 1, 1), True, True),
    ],
)
def test_data_grow_stale_unless_they_are_closed(today, is_closed, passed):
    outcome = judge_freshness(
        dt.date(2020, 6, 30), today=today, max_age_days=75, is_closed=is_closed
    )

    assert outcome.passed is passed


def test_stale_data_name_their_age_and_the_cure():
    outcome = judge_freshness(
        dt.date(2020, 6, 30), today=dt.date(2020, 12, 31), max_age_days=75, is_closed=False
    )

    assert "of 2020-06-30, 184 days ago, at most 75 are usual" in outcome.problems[0]
    assert "max_age_days" in outcome.problems[0]


def test_a_file_that_was_read_in_the_future_tells_of_a_wrong_clock():
    outcome = judge_freshness(
        dt.date(2020, 6, 30),
        today=dt.date(2020, 7, 1),
        max_age_days=75,
        is_closed=False,
        read_on=dt.date(2030, 7, 2),
    )

    (problem,) = outcome.problems
    assert problem.startswith(
        "a file was read on 2030-07-02 by this machine's clock, which now shows 2020-07-01"
    )


def test_without_an_incident_nothing_is_stale():
    outcome = judge_freshness(None, today=dt.date(2020, 1, 1), max_age_days=75, is_closed=False)

    assert outcome.passed


# --- outcomes ------------------------------------------------------------------------------


def test_answers_of_several_sources_become_one():
    one = Outcome(problems=("a",), figures={"n": 1}, rows=[{"x": 1}])
    other = Outcome(figures={"m": 2}, rows=[{"x": 2}])

    whole = together([one, other])

    assert not whole.passed
    assert (whole.figures, whole.rows) == ({"n": 1, "m": 2}, [{"x": 1}, {"x": 2}])


def test_a_long_list_is_cut():
    assert listed(["a", "b", "c"], most=2) == "'a', 'b' and 1 more"

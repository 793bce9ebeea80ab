"""Incidents that a revised file takes away: the rule, its false alarms, and real files."""

import numpy as np
import pytest

from crime_platform.data_checks.taken_back import CountThenAndNow, judge_taken_back
from crime_platform.pipeline.data_checks import INCIDENT_CHECKS, run_checks
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from toys.city import toy_counts, write_toy_csv

JUNE = np.datetime64("2021-06", "M")
FILE = "raw/toy/all.csv"


def counts(before, now):
    """One offence type a row, one month a column, newest last; in this file."""
    before, now = np.atleast_2d(before), np.atleast_2d(now)
    return [
        CountThenAndNow(
            source="police",
            month=JUNE - (before.shape[1] - 1 - month),
            offence_type=f"type_{kind}",
            before=int(before[kind, month]),
            now=int(now[kind, month]),
            files=FILE,
        )
        for kind, month in np.ndindex(before.shape)
    ]


USUAL = np.full((2, 24), 113)


def with_newest(n):
    changed = USUAL.copy()
    changed[0, -1] = n
    return changed


def test_a_type_that_is_gone_is_told_with_file_month_type_and_both_counts():
    (problem,) = judge_taken_back(counts(USUAL, with_newest(0))).problems

    assert problem.startswith(
        "raw/toy/all.csv: 2021-06, type_0: no incident is left (113 before, 0 now). Look whether"
    )


def test_a_type_that_lost_a_third_is_told():
    (problem,) = judge_taken_back(counts(USUAL, with_newest(75))).problems

    assert "34% of the incidents are gone (113 before, 75 now)" in problem


@pytest.mark.parametrize("now", [113, 112, 105, 140])
def test_usual_corrections_are_no_news(now):
    assert judge_taken_back(counts(USUAL, with_newest(now))).passed


def test_a_few_incidents_fewer_are_no_news_whatever_their_share():
    before = np.full((2, 24), 4)
    now = before.copy()
    now[0, -1] = 0

    assert judge_taken_back(counts(before, now)).passed


def test_a_month_of_small_types_is_told_as_a_whole():
    before = np.full((12, 12), 4)
    now = before.copy()
    now[:, -1] = 0

    (problem,) = judge_taken_back(counts(before, now)).problems

    assert "2021-06, all types: no incident is left (48 before, 0 now)" in problem


def test_a_file_cut_in_the_middle_is_told_for_every_month_it_lost():
    now = USUAL.copy()
    now[:, 12:] = 0

    assert len(judge_taken_back(counts(USUAL, now)).problems) == 24


def test_without_an_earlier_state_there_is_nothing_to_compare():
    assert judge_taken_back([]).passed


@pytest.mark.parametrize(
    ("usual", "varies"), [(0.0, False), (0.005, False), (0.02, True), (0.05, False), (0.05, True)]
)
@pytest.mark.parametrize("n_months", [3, 24])
def test_usual_revisions_raise_a_false_alarm_in_less_than_one_of_a_hundred(usual, varies, n_months):
    """500 ingests of four types, 6 to 150 incidents a month; shares vary from count to count."""
    random = np.random.default_rng(3)
    shape = (500, 4, n_months)
    before = random.poisson(np.array([6, 20, 60, 150])[None, :, None], shape)
    share = random.beta(1, 1 / usual - 1, shape) if varies else np.full(shape, usual)
    now = before - random.binomial(before, share)

    alarms = [not judge_taken_back(counts(*each)).passed for each in zip(before, now, strict=True)]

    assert np.mean(alarms) < 0.01


@pytest.fixture
def revised(toy_city):
    """The toy city, judged after its file was changed."""

    def change(old, edit):
        home = toy_city(n_months=26)
        toml = home.study_areas / "toy.toml"
        toml.write_text(toml.read_text().replace(*old))
        area = load_study_area(toml)
        ingest_area(area, home)
        file = home.root / FILE
        header, *rows = file.read_text().splitlines()
        edit(file, header, rows)
        ingest_area(area, home)
        return run_checks(INCIDENT_CHECKS, area, home)["nothing_was_taken_back"]

    return change


REPLACED = (
    'paths = ["raw/toy/*.csv"]',
    'paths = ["raw/toy/*.csv"]\nrevisions = "replace_months"',
)
ADDED = ("", "")


def without(words):
    def edit(file, header, rows):
        kept = [row for row in rows if not all(word in row for word in words)]
        file.write_text("\n".join([header, *kept]) + "\n")

    return edit


@pytest.mark.parametrize("rule", [REPLACED, ADDED])
def test_a_revised_file_without_a_robbery_in_its_newest_month_is_told(revised, rule):
    outcome = revised(rule, without(["2021-02", "Robbery"]))

    n = toy_counts(26, moving=True)[-1, 1].sum()
    (problem,) = outcome.problems
    assert problem.startswith(
        f"raw/toy/all.csv: 2021-02, robbery: no incident is left ({n} before, 0 now)"
    )


def test_a_further_file_that_replaces_its_newest_month_is_told(revised):
    def edit(file, header, rows):
        newest = [row for row in rows if row.startswith("2021-02") and "Robbery" not in row]
        file.with_name("february.csv").write_text("\n".join([header, *newest]) + "\n")

    (problem,) = revised(REPLACED, edit).problems

    assert problem.startswith("raw/toy/february.csv: 2021-02, robbery: no incident is left")


def test_a_month_that_no_file_holds_any_more_is_told(revised):
    problems = revised(ADDED, without(["2021-02"])).problems

    assert [problem.split(":")[1].strip() for problem in problems] == [
        "2021-02, assault",
        "2021-02, robbery",
    ]


def test_a_file_that_grew_is_no_news(revised):
    def edit(file, _header, _rows):
        write_toy_csv(file, toy_counts(26, moving=True) + 1)

    assert revised(ADDED, edit).passed


def test_another_mapping_takes_nothing_away(toy_city):
    home = toy_city(n_months=3)
    toml = home.study_areas / "toy.toml"
    ingest_area(load_study_area(toml), home)
    text = toml.read_text().replace('labels = ["Robbery"]', 'labels = ["Theft"]')
    toml.write_text('ignored_labels = ["Robbery"]\n' + text)
    area = load_study_area(toml)
    (home.root / FILE).write_text((home.root / FILE).read_text() + "\n")

    ingest_area(area, home)

    assert run_checks(INCIDENT_CHECKS, area, home)["nothing_was_taken_back"].passed

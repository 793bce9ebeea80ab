import numpy as np

from crime_platform.data_checks.revisions import judge_revisions

MONTHS = np.datetime64("2022-01", "M") + np.arange(6)
VINTAGES = MONTHS + 1
# Every month is first known with 900 incidents and gains 10 % a month later.
AGES = (VINTAGES[None, :] - MONTHS[:, None]).astype(int)
COUNTS = np.select([AGES < 1, AGES == 1], [np.nan, 900.0], 990.0)


def judge(counts):
    return judge_revisions(counts, months=MONTHS, vintages=VINTAGES)


def test_growth_as_usual_is_no_news():
    outcome = judge(COUNTS)

    assert outcome.passed
    assert [row["month"] for row in outcome.rows] == ["2022-05"]


def test_a_month_that_grew_far_more_than_others_is_told():
    counts = COUNTS.copy()
    counts[4, -1] = 1350.0

    outcome = judge(counts)

    assert len(outcome.problems) == 1
    assert outcome.problems[0].startswith(
        "2022-05: 50.0% more incidents than before (900, now 1,350); at that age a month changes "
        "by 10.0% as a rule"
    )


def test_an_old_month_that_loses_incidents_is_told():
    counts = COUNTS.copy()
    counts[0, -1] = 890.0

    outcome = judge(counts)

    assert [problem[:31] for problem in outcome.problems] == ["2022-01: 10.1% fewer incidents "]


def test_a_change_of_few_incidents_is_no_news():
    counts = COUNTS / 100
    counts[4, -1] = 13.5

    assert judge(counts).passed


def test_a_single_vintage_says_nothing():
    outcome = judge_revisions(COUNTS[:, :1], months=MONTHS, vintages=VINTAGES[:1])

    assert outcome.passed
    assert outcome.figures == {"vintages": 1}


def test_without_three_months_to_compare_nothing_is_told():
    counts = np.array([[np.nan, np.nan], [900.0, 5000.0]])

    assert judge_revisions(counts, months=MONTHS[:2], vintages=VINTAGES[:2]).passed

"""A month that holds far too little is told; season, small numbers and a late start are not."""

import numpy as np
import pytest

from crime_platform.data_checks.thin_months import MonthRows, judge_thin_months
from crime_platform.metrics.thin_months import thin_spans

YEARS = 100 + 40 * np.cos(2 * np.pi * np.arange(48) / 12)  # two and a half times as many in winter


def monthly(**changed):
    """Four years of about 100 a month, with some months exchanged: m20=6."""
    counts = np.full(48, 100)
    for month, n in changed.items():
        counts[int(month[1:])] = n
    return counts


def rows(counts, *, source="police", part="", offence_type="theft"):
    first = np.datetime64("2020-01", "M")
    return [
        MonthRows(source=source, part=part, offence_type=offence_type, month=first + at, n=int(n))
        for at, n in enumerate(counts)
        if n
    ]


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (monthly(), []),
        (monthly(m20=6), [(20, 21)]),
        (monthly(m20=30), [(20, 21)]),
        (monthly(m20=70), []),
        (monthly(m20=0, m21=0), [(20, 22)]),
        (monthly(m10=6, m30=6), [(10, 11), (30, 31)]),
        (monthly(m0=6, m47=6), []),  # where a series begins and ends is another question
        (monthly() // 50, []),
        (monthly(m20=0) // 50, []),  # 2 a month: none is chance
        (YEARS.astype(int), []),
        (np.where(np.arange(48) == 24, 30, YEARS).astype(int), [(24, 25)]),
        (np.zeros(48, dtype=int), []),
        (np.array([100, 3, 100, 100]), []),  # too short for anything to be usual
    ],
)
def test_spans_of_too_few_incidents(counts, found):
    assert [(span.start, span.stop) for span in thin_spans(counts)] == found


def test_expected_is_the_mean_beside_it_times_the_season():
    (span,) = thin_spans(monthly(m20=6))

    assert (span.n, span.expected, span.share) == (6, 100.0, 0.06)


def test_a_month_that_is_low_every_year_is_season():
    counts = monthly(m8=40, m20=40, m32=40, m44=40)

    assert thin_spans(counts) == []


def test_small_noisy_cities_seldom_raise_an_alarm():
    random = np.random.default_rng(5)
    season = np.exp(0.3 * np.cos(2 * np.pi * np.arange(60) / 12))
    cities = random.poisson(12 * season * random.gamma(50, 1 / 50, (400, 60)))

    alarms = sum(bool(thin_spans(city)) for city in cities)

    assert alarms <= 4  # 1 %


def test_a_month_without_its_file_is_grave():
    outcome = judge_thin_months(rows(monthly(m20=6)))

    assert outcome.grave == outcome.problems
    assert outcome.problems[0].startswith("2021-09: 6 incidents where about 100 are usual (6%).")


def test_a_third_of_a_month_is_told_and_is_not_grave():
    outcome = judge_thin_months(rows(monthly(m20=30)))

    assert outcome.grave == ()
    assert outcome.problems[0].startswith("2021-09: 30 incidents where about 100 are usual (30%)")


def test_one_source_of_several_is_told():
    outcome = judge_thin_months(rows(monthly(m20=6)) + rows(4 * monthly(), source="sheriff"))

    (problem,) = outcome.problems
    assert problem.startswith("source police, 2021-09: 6 incidents where about 100 are usual")
    assert outcome.grave == ()


def test_one_force_of_several_is_told():
    outcome = judge_thin_months(
        rows(monthly(m20=6), part="kent") + rows(4 * monthly(), part="sussex")
    )

    assert outcome.problems[0].startswith("source police, kent, 2021-09:")


def test_an_offence_type_that_vanishes_for_months_is_told():
    outcome = judge_thin_months(
        rows(monthly(m20=0, m21=0, m22=0)) + rows(4 * monthly(), offence_type="assault")
    )

    (problem,) = outcome.problems
    assert problem.startswith("offence type theft, 2021-09..2021-11: 0 incidents where about 300")


def test_what_is_low_as_a_whole_is_told_once():
    both = rows(monthly(m20=6)) + rows(monthly(m20=6), offence_type="assault")

    assert len(judge_thin_months(both).problems) == 1


def test_a_source_that_begins_later_has_no_gap():
    later = np.where(np.arange(48) < 12, 0, 100)

    assert judge_thin_months(rows(later) + rows(monthly(), source="sheriff")).problems == ()


def test_no_rows_are_no_problem():
    assert judge_thin_months([]).problems == ()

import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.street_runs import read_days, run_street_model
from crime_platform.evaluation.street_scores import score_street_run
from crime_platform.metrics.calibration import calibration_cases
from crime_platform.metrics.errors import error_sums
from crime_platform.metrics.hotspots import hit_rate, hotspot_sums
from toys.street_evidence import FIRST, PLAN, toy_counts, toy_forecasters

COUNTS = toy_counts()
EWMA = toy_forecasters(COUNTS, "ewma")["ewma"]
SPLIT = PLAN.split(FIRST)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return run_street_model(EWMA, COUNTS, PLAN, tmp_path_factory.mktemp("area"))


@pytest.fixture(scope="module")
def scores(run):
    return score_street_run(run, COUNTS, PLAN)


def observed(targets):
    first = COUNTS.history.index_of(targets[0])
    return COUNTS.history.counts[first : first + targets.size].astype(float)


def test_each_part_lead_group_and_day_has_one_row(scores):
    labels = ["part", "lead", "offence_group"]
    n_test = len(SPLIT.test_days)
    expected = {
        ("validation", 1, "property"): len(SPLIT.validation_days),
        ("validation", 1, "violent"): len(SPLIT.validation_days),
        ("test", 1, "property"): n_test,
        ("test", 1, "violent"): n_test,
        ("test", 3, "property"): n_test - 2,
        ("test", 3, "violent"): n_test - 2,
    }

    assert scores.rows.groupby(labels).size().to_dict() == expected
    assert not scores.rows.duplicated([*labels, "target_day"]).any()


def test_sums_of_one_day_are_those_of_the_error_metrics(run, scores):
    stated = read_days(run, "test", 3)
    day, kind = 5, 1
    twin = error_sums(
        observed(stated.targets)[day, kind], stated.expected_count[day, kind].astype(float)
    )

    rows = scores.rows.query("part == 'test' and lead == 3 and offence_group == 'property'")
    row = rows.iloc[day]

    assert row["target_day"] == stated.targets[day]
    assert row["n"] == 8
    assert row["sum_observed"] == twin.sum_observed
    assert row["sum_deviance"] == pytest.approx(twin.sum_deviance)
    assert row["sum_squared_error"] == pytest.approx(twin.sum_squared_error)
    assert row["sum_absolute_error"] == pytest.approx(twin.sum_absolute_error)


def test_intervals_hold_what_the_calibration_metric_counts(run, scores):
    stated = read_days(run, "test", 1)
    twin = calibration_cases(
        observed(stated.targets),
        stated.expected_count.astype(float),
        stated.dispersion.astype(float),
    )

    total = scores.rows.query("part == 'test' and lead == 1").sum(numeric_only=True)

    assert total["n_inside_80"] == twin.inside_80.sum()
    assert total["n_inside_95"] == twin.inside_95.sum()
    assert total["sum_stated_80"] == pytest.approx(twin.stated_80.sum())
    assert total["sum_stated_95"] == pytest.approx(twin.stated_95.sum())


def test_groups_together_are_ranked_by_their_total(run, scores):
    stated = read_days(run, "test", 1)
    extent = COUNTS.graph.extent
    risk = stated.expected_count.astype(float).sum(axis=1)[7] / extent
    twin = hotspot_sums(risk, observed(stated.targets).sum(axis=1)[7], extent, coverage=0.2)

    rows = scores.hotspot_rows().query("part == 'test' and lead == 1 and offence_group == 'any'")
    row = rows[rows["coverage_share"] == 0.2].iloc[7]

    assert row["target_day"] == stated.targets[7]
    assert row["sum_hits"] == pytest.approx(twin.hits)
    assert row["sum_best_hits"] == pytest.approx(twin.best_hits)
    assert row["sum_hits"] / row["sum_incidents"] == pytest.approx(hit_rate(twin))


def test_every_hotspot_row_is_there_once(scores):
    rows = scores.hotspot_rows()
    n_days = len(SPLIT.validation_days) + 2 * len(SPLIT.test_days) - 2

    assert len(rows) == 3 * 4 * n_days  # two groups and any, four coverages
    np.testing.assert_array_less(rows["sum_hits"], rows["sum_best_hits"] + 1e-9)


def test_scores_do_not_depend_on_how_many_days_are_judged_at_once(run, scores, monkeypatch):
    monkeypatch.setattr("crime_platform.evaluation.street_scores.CHUNK_VALUES", 16 * 7)  # a week
    order = ["part", "lead", "offence_group", "target_day"]

    weekly = score_street_run(run, COUNTS, PLAN)

    pd.testing.assert_frame_equal(
        weekly.rows.sort_values(order, ignore_index=True),
        scores.rows.sort_values(order, ignore_index=True),
    )

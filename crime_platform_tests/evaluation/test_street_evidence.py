import numpy as np
import pytest

from crime_platform.evaluation.street_runs import run_street_model
from crime_platform.evaluation.street_scores import score_street_run
from crime_platform.evaluation.street_skill import rows_of, street_evidence
from crime_platform.metrics.daily_hotspots import hit_rate_curve, pooled
from crime_platform.metrics.hotspots import hit_rate, pai, pei
from crime_platform.metrics.significance import BLOCK_DAYS, bootstrap_gain, bootstrap_skill
from toys.street_evidence import PLAN, toy_counts, toy_forecasters

COUNTS = toy_counts()
NAMES = ("constant", "long_run_frequency", "ewma", "gamma_poisson")
BASELINES = NAMES[:3]
CASE = ("test", 1, "any")


@pytest.fixture(scope="module")
def scores(tmp_path_factory):
    root = tmp_path_factory.mktemp("area")
    return {
        name: score_street_run(run_street_model(each, COUNTS, PLAN, root), COUNTS, PLAN)
        for name, each in toy_forecasters(COUNTS, *NAMES).items()
    }


@pytest.fixture(scope="module")
def tables(scores):
    return street_evidence(scores, BASELINES)


def of_case(table, model):
    kept = (table["part"] == "test") & (table["lead"] == 1) & (table["offence_group"] == "any")
    return table[kept & (table["model"] == model)]


def daily(scores, model):
    return rows_of(scores[model].rows, CASE).groupby("target_day")["sum_deviance"].sum().to_numpy()


def test_skill_and_its_interval_are_those_of_the_significance_metric(scores, tables):
    ours, theirs = daily(scores, "gamma_poisson"), daily(scores, "long_run_frequency")
    low, high = bootstrap_skill(ours, theirs, block_origins=BLOCK_DAYS)

    row = of_case(tables[0], "gamma_poisson").iloc[0]

    assert row["deviance_skill"] == pytest.approx(1 - ours.sum() / theirs.sum())
    assert (row["deviance_skill_low"], row["deviance_skill_high"]) == pytest.approx((low, high))


def test_gain_over_the_best_baseline_is_per_day(scores, tables):
    ours, theirs = daily(scores, "gamma_poisson"), daily(scores, "ewma")
    low, high = bootstrap_gain(ours, theirs, block_origins=BLOCK_DAYS)

    row = of_case(tables[0], "gamma_poisson").iloc[0]

    assert row["best_baseline"] == "ewma"
    assert row["gain_over_best_baseline"] == pytest.approx((theirs - ours).mean())
    ends = row["gain_over_best_baseline_low"], row["gain_over_best_baseline_high"]
    assert ends == pytest.approx((low, high))


def test_the_best_baseline_gains_nothing_over_itself(tables):
    row = of_case(tables[0], "ewma").iloc[0]

    assert np.isnan(row["gain_over_best_baseline"])
    assert np.isnan(row["hit_rate_20_gain_over_ewma"])


def test_the_curve_and_its_band_are_those_of_the_hit_rate_metric(scores, tables):
    twin = hit_rate_curve(scores["ewma"].hits[CASE])

    curve = of_case(tables[1], "ewma")

    np.testing.assert_allclose(curve["hit_rate"], twin.hit_rate)
    np.testing.assert_allclose(curve["hit_rate_low"], twin.low)
    np.testing.assert_allclose(curve["hit_rate_high"], twin.high)


def test_headline_rates_are_pooled_over_days(scores, tables):
    sums = pooled(scores["ewma"].hits[CASE])[19]  # coverage 20 %

    row = of_case(tables[0], "ewma").iloc[0]

    assert row["hit_rate_20"] == pytest.approx(hit_rate(sums))
    assert row["pai_20"] == pytest.approx(pai(sums))
    assert row["pei_20"] == pytest.approx(pei(sums))


def test_the_gain_in_hit_rate_is_the_difference_of_the_rates(tables):
    curves = {name: of_case(tables[1], name).reset_index() for name in NAMES}
    row = of_case(tables[0], "ewma").iloc[0]

    gain = curves["ewma"]["hit_rate"] - curves["long_run_frequency"]["hit_rate"]

    np.testing.assert_allclose(curves["ewma"]["gain_over_long_run"], gain)
    assert row["hit_rate_20_gain_over_long_run"] == pytest.approx(gain[19])
    assert row["hit_rate_20_gain_over_long_run_low"] < gain[19]
    assert row["hit_rate_20_gain_over_long_run_high"] > gain[19]


def test_flagging_everything_catches_everything(tables):
    everything = tables[1][tables[1]["coverage_share"] == 1.0]

    np.testing.assert_allclose(everything["hit_rate"], 1.0)
    np.testing.assert_allclose(everything["pei"], 1.0)


def test_flagging_more_never_catches_less(tables):
    curve = of_case(tables[1], "gamma_poisson")

    assert curve["hit_rate"].is_monotonic_increasing


def test_every_case_of_every_model_has_a_row(tables):
    skills, curves = tables

    assert len(skills) == len(NAMES) * 3 * 3  # parts and leads, groups and any
    assert len(curves) == 100 * len(skills)
    assert not skills.drop(columns=["model"]).filter(like="coverage").isna().any().any()


def test_without_the_opponent_there_is_no_skill(scores):
    with pytest.raises(ValueError, match="against long_run_frequency, which has no scores"):
        street_evidence({"ewma": scores["ewma"]}, BASELINES)

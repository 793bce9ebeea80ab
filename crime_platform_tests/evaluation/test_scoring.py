import numpy as np
import pytest
from sklearn.metrics import mean_poisson_deviance

from crime_platform.evaluation.scores import ModelScores, Truth, score_sums
from crime_platform.metrics.calibration import calibration_sums
from crime_platform.models.dispersion import RATE_GROUPS
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import month_range

MONTHS = month_range(np.datetime64("2020-01", "M"), np.datetime64("2021-12", "M"))
RANDOM = np.random.default_rng(3)
COUNTS = RANDOM.poisson(RANDOM.gamma(0.5, 2.0, (1, 2, 4, 3)), (24, 2, 4, 3)).astype(np.float32)
COUNTS[:, :, 0, 0] = 0  # a cell where nothing ever happens
TRUTH = Truth(
    history=CountHistory(steps=MONTHS, counts=COUNTS),
    offence_types=("assault", "robbery"),
    ever_active=COUNTS.any(axis=(0, 1)),
    area_km2=np.full((4, 3), 0.25),
)
ORIGINS = MONTHS[-6:]


def forecasts(rate=None):
    shape = (6, 3, 2, 4, 3)
    expected = np.broadcast_to(COUNTS.mean(axis=0) + 0.01, shape) if rate is None else rate
    return RollingForecasts(
        origins=ORIGINS, expected_count=expected.astype(float).copy(), dispersion=np.zeros(shape)
    )


def scored(rate=None, first_test_origin=ORIGINS[0]) -> ModelScores:
    return score_sums("mean", forecasts(rate), TRUTH, first_test_origin=first_test_origin)


def test_only_months_that_happened_are_scored():
    errors = scored().backtest_score
    leads = errors.groupby("origin_month")["lead"].unique().map(sorted).tolist()
    assert leads == [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2], [1]]


def test_sums_agree_with_the_library_on_the_pooled_cases():
    errors = scored().backtest_score
    active = errors[(errors["lead"] == 1) & (errors["cell_set"] == "ever_active")]

    observed = COUNTS[-5:][:, :, TRUTH.ever_active].ravel()
    expected = np.broadcast_to(COUNTS.mean(axis=0) + 0.01, (5, 2, 4, 3))
    expected = expected[:, :, TRUTH.ever_active].ravel()

    assert active["n"].sum() == observed.size
    pooled = active["sum_deviance"].sum() / active["n"].sum()
    assert pooled == pytest.approx(mean_poisson_deviance(observed, expected), rel=1e-6)
    assert active["sum_observed"].sum() == observed.sum()


def test_all_cells_hold_the_active_ones_and_the_quiet_one():
    errors = scored().backtest_score
    n = errors.groupby("cell_set")["n"].sum()
    assert n["all"] / n["ever_active"] == pytest.approx(12 / 11)


def test_hits_are_ranked_per_type_and_over_all_types():
    hotspots = scored().backtest_hotspot
    incidents = hotspots.groupby("offence_type")["sum_incidents"].sum()
    assert set(incidents.index) == {"any", "assault", "robbery"}
    assert incidents["any"] == incidents["assault"] + incidents["robbery"]
    assert (hotspots["sum_hits"] <= hotspots["sum_best_hits"] + 1e-9).all()


def test_origins_before_the_first_test_origin_are_marked_and_have_errors_only():
    scores = scored(first_test_origin=ORIGINS[2])
    errors, hotspots = scores.backtest_score, scores.backtest_hotspot

    first_day = ORIGINS[2].astype("datetime64[D]").item()
    assert (errors["is_selection"] == (errors["origin_month"] < first_day)).all()
    assert errors["sum_deviance"].notna().all()
    spread = ["sum_crps", "n_inside_80", "n_inside_95", "sum_stated_80", "sum_stated_95"]
    assert errors.loc[errors["is_selection"], spread].isna().all(axis=None)
    assert errors.loc[~errors["is_selection"], spread].notna().all(axis=None)
    assert hotspots["origin_month"].min() == first_day


def test_selection_does_not_change_what_the_test_origins_score():
    all_test, half = scored().backtest_score, scored(first_test_origin=ORIGINS[2]).backtest_score

    kept = half[~half["is_selection"]].reset_index(drop=True)
    same = all_test[all_test["origin_month"] >= kept["origin_month"].min()].reset_index(drop=True)
    np.testing.assert_array_equal(
        kept.select_dtypes("number").to_numpy(float), same.select_dtypes("number").to_numpy(float)
    )


def test_spread_sums_are_those_of_the_metric():
    row = scored().backtest_score.query("cell_set == 'ever_active' and lead == 2").iloc[1]

    active = TRUTH.ever_active  # origin 0 is month 18, lead 2 month 20; row 1 is the second type
    observed = COUNTS[20, 1][active].astype(float)
    expected = COUNTS.mean(axis=0)[1][active].astype(float) + 0.01
    sums = calibration_sums(observed, expected, np.zeros(11))
    assert row["sum_crps"] == pytest.approx(sums.sum_crps, rel=1e-6)
    assert row["n_inside_80"] == sums.inside_80
    assert row["sum_stated_95"] == pytest.approx(sums.stated_95, rel=1e-6)


def test_calibration_groups_pool_to_all_the_active_cells():
    table = scored().calibration.query("lead == 1").set_index("rate_group")

    names = list(RATE_GROUPS)
    assert list(table.index) == ["all", *names]
    assert table.loc["all", "n"] == 5 * 2 * 11  # origins x types x cells
    values = table.drop(columns=["model", "lead"])
    np.testing.assert_allclose(values.loc[names].sum(), values.loc["all"])


def test_the_pit_histogram_holds_every_case_once():
    scores = scored()

    pit = scores.pit_histogram.query("lead == 3").groupby("rate_group")["n"].sum()

    cases = scores.calibration.query("lead == 3").set_index("rate_group")["n"]
    np.testing.assert_allclose(pit.loc[cases.index], cases)
    middle = scores.pit_histogram.query("lead == 3 and rate_group == 'all' and 2 <= bin < 18")
    inside = scores.calibration.query("lead == 3 and rate_group == 'all'")["n_pit_inside_80"]
    assert middle["n"].sum() == pytest.approx(inside.item())


def test_reliability_bins_hold_every_case_and_incident_once():
    scores = scored()

    bins = scores.reliability.query("lead == 1")

    pooled = scores.calibration.query("lead == 1 and rate_group == 'all'").iloc[0]
    assert bins["bin"].tolist() == list(range(10))
    assert bins["n"].sum() == pooled["n"]
    assert bins["sum_observed"].sum() == pooled["sum_observed"]
    assert bins["sum_expected"].sum() == pytest.approx(pooled["sum_expected"])


def test_calibration_leaves_selection_origins_out():
    table = scored(first_test_origin=ORIGINS[3]).calibration.query("rate_group == 'all'")
    assert table["n"].tolist() == [2 * 2 * 11, 1 * 2 * 11]  # two origins have lead 1, one lead 2

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_poisson_deviance

from crime_platform.scoring import Truth, model_skills, score_sums
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


def test_only_months_that_happened_are_scored():
    errors, _ = score_sums("mean", forecasts(), TRUTH)
    scored = errors.groupby("origin_month")["lead"].unique().map(sorted).tolist()
    assert scored == [[1, 2, 3], [1, 2, 3], [1, 2, 3], [1, 2], [1]]


def test_sums_agree_with_the_library_on_the_pooled_cases():
    errors, _ = score_sums("mean", forecasts(), TRUTH)
    active = errors[(errors["lead"] == 1) & (errors["cell_set"] == "ever_active")]

    observed = COUNTS[-5:][:, :, TRUTH.ever_active].ravel()
    expected = np.broadcast_to(COUNTS.mean(axis=0) + 0.01, (5, 2, 4, 3))
    expected = expected[:, :, TRUTH.ever_active].ravel()

    assert active["n"].sum() == observed.size
    pooled = active["sum_deviance"].sum() / active["n"].sum()
    assert pooled == pytest.approx(mean_poisson_deviance(observed, expected), rel=1e-6)
    assert active["sum_observed"].sum() == observed.sum()


def test_all_cells_hold_the_active_ones_and_the_quiet_one():
    errors, _ = score_sums("mean", forecasts(), TRUTH)
    n = errors.groupby("cell_set")["n"].sum()
    assert n["all"] / n["ever_active"] == pytest.approx(12 / 11)


def test_hits_are_ranked_per_type_and_over_all_types():
    _, hotspots = score_sums("mean", forecasts(), TRUTH)
    incidents = hotspots.groupby("offence_type")["sum_incidents"].sum()
    assert set(incidents.index) == {"any", "assault", "robbery"}
    assert incidents["any"] == incidents["assault"] + incidents["robbery"]
    assert (hotspots["sum_hits"] <= hotspots["sum_best_hits"] + 1e-9).all()


def test_a_model_that_knows_better_has_skill_and_the_opponent_has_none():
    good, _ = score_sums("oracle", forecasts(), TRUTH)
    poor, _ = score_sums("historical_average", forecasts(np.full((6, 3, 2, 4, 3), 1.0)), TRUTH)
    skills = model_skills(pd.concat([good, poor])).set_index(["model", "lead", "cell_set"])

    ours = skills.loc[("oracle", 1, "ever_active")]
    assert 0 < ours["deviance_skill_low"] < ours["deviance_skill"] < ours["deviance_skill_high"]
    assert ours["diebold_mariano_p"] < 0.05
    assert skills.loc[("historical_average", 1, "ever_active"), "deviance_skill"] == 0


def test_skill_needs_its_opponent():
    errors, _ = score_sums("mean", forecasts(), TRUTH)
    with pytest.raises(ValueError, match="skill is measured against historical_average"):
        model_skills(errors)

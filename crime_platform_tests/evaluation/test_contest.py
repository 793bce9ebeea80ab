import numpy as np
import pytest

from crime_platform.evaluation.contest import hold_contest
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import month_range

FIRST, AS_OF = np.datetime64("2019-01", "M"), np.datetime64("2021-12", "M")
STEPS = month_range(FIRST, AS_OF)
TYPES = ("assault", "robbery")
RATE = np.random.default_rng(3).gamma(1.0, 2.0, (2, 4, 3)) + 0.2


def history(tampered_after=None):
    counts = np.random.default_rng(5).poisson(RATE, (len(STEPS), 2, 4, 3)).astype(np.float32)
    if tampered_after is not None:
        counts[tampered_after < STEPS] = 999.0
    return CountHistory(steps=STEPS, counts=counts)


def rows_of(rate, *, first="2020-06", factor=1.0):
    origins = month_range(np.datetime64(first, "M"), AS_OF)
    expected = np.broadcast_to(factor * rate, (len(origins), 2, *rate.shape)).copy()
    return RollingForecasts(
        origins=origins, expected_count=expected, dispersion=np.zeros_like(expected)
    )


def models():
    flat = np.full_like(RATE, RATE.mean())
    return {
        "historical_average": rows_of(flat),
        "empirical_bayes": rows_of(0.5 * (RATE + flat)),
        "lightgbm": rows_of(RATE),
        "st_resnet_log1p_mse": rows_of(RATE, first="2021-06"),
    }


def test_the_truth_wins_and_every_row_is_there():
    contest = hold_contest(models(), history(), TYPES, incumbent=None)

    assert set(contest.forecasts) == {*models(), "ensemble", "policy"}
    assert contest.decision.champion == "lightgbm"
    np.testing.assert_array_equal(
        contest.forecasts["policy"].expected_count[-1],
        contest.forecasts["lightgbm"].expected_count[-1],
    )


def test_the_old_recipe_can_not_become_champion():
    contest = hold_contest(models(), history(), TYPES, incumbent="st_resnet_log1p_mse")
    assert contest.decision.champion == "lightgbm"


def test_with_one_learned_model_there_is_no_ensemble():
    few = {name: models()[name] for name in ("historical_average", "lightgbm")}

    contest = hold_contest(few, history(), TYPES, incumbent=None)

    assert set(contest.forecasts) == {*few, "policy"}
    assert contest.weights is None


@pytest.mark.parametrize("row", ["ensemble", "policy"])
def test_nothing_made_at_an_origin_knows_what_came_after(row):
    until = np.datetime64("2021-06", "M")
    honest = hold_contest(models(), history(), TYPES, incumbent=None).forecasts[row]
    cheated = hold_contest(models(), history(until), TYPES, incumbent=None).forecasts[row]

    before = honest.origins <= until
    np.testing.assert_array_equal(honest.expected_count[before], cheated.expected_count[before])
    np.testing.assert_array_equal(honest.dispersion[before], cheated.dispersion[before])

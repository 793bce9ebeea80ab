import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.recalibration import SpreadChoice
from crime_platform.evaluation.skill import (
    best_baseline,
    distribution_choices,
    model_skills,
    turn_tables,
)
from crime_platform.metrics.significance import bootstrap_skill, diebold_mariano_p
from crime_platform.vocabulary.forecast import CountHistory
from crime_platform.vocabulary.timesteps import month_range

MONTHS = month_range(np.datetime64("2020-01", "M"), np.datetime64("2020-09", "M"))
BASELINES = ["historical_average", "ewma"]
AVERAGE = [10.0, 12, 9, 11, 10, 13]
EWMA = [9.0, 10, 9, 10, 8, 11]
NETWORK = [8.0, 10, 8, 9, 8, 10]


def rows(model: str, deviances: list[float], first: int = 2, **columns) -> pd.DataFrame:
    """Scores of lead 1, one offence type, both cell sets; the first origin is `MONTHS[first]`."""
    n = len(deviances)
    targets = MONTHS[first + 1 : first + 1 + n].astype("datetime64[D]").tolist()
    half = pd.DataFrame(
        {
            "model": model,
            "origin_month": MONTHS[first : first + n].astype("datetime64[D]").tolist(),
            "target_month": targets,
            "lead": 1,
            "is_selection": False,
            "sum_deviance": deviances,
            "sum_expected": 0.0,
        }
        | columns
    )
    return pd.concat([half.assign(cell_set=name) for name in ("all", "ever_active")])


def three_models() -> pd.DataFrame:
    named = (("historical_average", AVERAGE), ("ewma", EWMA), ("st_resnet", NETWORK))
    return pd.concat([rows(name, values) for name, values in named])


def skill_of(table: pd.DataFrame, model: str) -> pd.Series:
    return table.set_index(["model", "cell_set"]).loc[(model, "ever_active")]


def test_skill_over_both_opponents_by_hand():
    skill = skill_of(model_skills(three_models(), BASELINES), "st_resnet")

    assert skill["deviance_skill"] == pytest.approx(1 - 53 / 65)
    assert skill["best_baseline"] == "ewma"  # 57 against 65
    assert skill["skill_over_best_baseline"] == pytest.approx(1 - 53 / 57)


def test_noise_is_that_of_the_paired_origins():
    skill = skill_of(model_skills(three_models(), BASELINES), "st_resnet")

    ours, average, ewma = (np.array(values) for values in (NETWORK, AVERAGE, EWMA))
    assert (skill["deviance_skill_low"], skill["deviance_skill_high"]) == bootstrap_skill(
        ours, average
    )
    assert skill["diebold_mariano_p"] == diebold_mariano_p(ours, average, lead=1)
    assert skill["skill_over_best_baseline_low"] == bootstrap_skill(ours, ewma)[0]
    assert skill["diebold_mariano_p_best_baseline"] == diebold_mariano_p(ours, ewma, lead=1)


def test_a_model_against_itself_has_no_skill_and_no_p_value():
    table = model_skills(three_models(), BASELINES)

    average, ewma = skill_of(table, "historical_average"), skill_of(table, "ewma")
    assert average["deviance_skill"] == 0
    assert np.isnan(average["diebold_mariano_p"])
    assert ewma["skill_over_best_baseline"] == 0
    assert np.isnan(ewma["diebold_mariano_p_best_baseline"])


def test_origins_that_served_selection_are_no_part_of_skill():
    before = [rows(name, [1e6], first=1, is_selection=True) for name in (*BASELINES, "st_resnet")]
    with_selection = pd.concat([*before, three_models()])

    pd.testing.assert_frame_equal(
        model_skills(with_selection, BASELINES), model_skills(three_models(), BASELINES)
    )


def test_a_better_network_is_no_best_baseline():
    assert best_baseline(three_models(), BASELINES) == "ewma"
    assert best_baseline(three_models(), ["historical_average"]) == "historical_average"


def test_a_baseline_that_misses_an_origin_is_not_the_best():
    short = rows("rolling_mean_12", [0.1] * 5, first=3)

    best = best_baseline(pd.concat([three_models(), short]), [*BASELINES, "rolling_mean_12"])

    assert best == "ewma"


def test_too_few_origins_have_skill_without_noise():
    few = pd.concat([rows(name, [4.0, 2.0]) for name in ("historical_average", "st_resnet")])

    skill = skill_of(model_skills(few, BASELINES), "st_resnet")

    assert skill["deviance_skill"] == 0
    assert np.isnan(skill["deviance_skill_low"])
    assert np.isnan(skill["diebold_mariano_p"])


def test_skill_needs_its_opponent():
    with pytest.raises(ValueError, match="skill is measured against historical_average"):
        model_skills(rows("ewma", EWMA), BASELINES)


def test_the_best_baseline_needs_a_baseline():
    with pytest.raises(ValueError, match="none has scores at every origin"):
        best_baseline(three_models(), ["last_month"])


def hill() -> CountHistory:
    """The hill of test_turns, in one cell of two: a peak of 230 in step 4, May."""
    totals = np.array([100.0, 110, 120, 200, 230, 210, 120, 110, 100])
    counts = np.stack([totals - 1, np.ones(9)], axis=1).reshape(9, 1, 1, 2)
    return CountHistory(steps=MONTHS, counts=counts)


def test_turns_by_hand():
    # targets are steps 3..7; at the peak and after it 4 + 12 of the average, 3 + 5 of the network
    average = rows("historical_average", [9.0, 4, 12, 9, 9], sum_expected=150.0)
    forecast = [200.0, 220, 240, 120, 150]
    network = rows("st_resnet", [9.0, 3, 5, 9, 9], sum_expected=forecast)

    months, models = turn_tables(pd.concat([average, network]), hill())

    assert months.to_dict("records") == [
        {
            "target_month": np.datetime64("2020-05-01").item(),
            "direction": "peak",
            "count": 230.0,
        }
    ]
    ours = models.set_index("model").loc["st_resnet"]
    assert ours["n_turns"] == 1
    assert ours["deviance_skill"] == 1 - (3 + 5) / (4 + 12)
    assert ours["share_right_direction"] == 1 / 2  # worked out in test_turns
    assert ours["lag_months"] == 0


def test_turns_before_the_first_forecast_are_left_out():
    late = rows("historical_average", [1.0, 1.0], first=5, sum_expected=100.0)

    months, models = turn_tables(late, hill())

    assert months.empty
    assert models["n_turns"].tolist() == [0]
    assert models["lag_months"].isna().all()


def test_a_models_missing_months_do_not_count_as_its_turns():
    average = rows("historical_average", [1.0] * 5, sum_expected=150.0)
    late = rows("st_resnet", [1.0, 1.0], first=5, sum_expected=100.0)

    _, models = turn_tables(pd.concat([average, late]), hill())

    assert models.set_index("model")["n_turns"].to_dict() == {
        "historical_average": 1,
        "st_resnet": 0,
    }


def choice(month: str, lead: int) -> SpreadChoice:
    return SpreadChoice(
        origin=np.datetime64(month, "M"),
        lead=lead,
        distribution="poisson",
        crps={"poisson": 0.1, "negative_binomial_type": 0.2},
        pit_shortfall={"poisson": 0.5, "negative_binomial_type": 0.0},
    )


def test_the_choice_of_the_last_origin_is_told():
    table = distribution_choices("ewma", [choice("2020-04", 1), choice("2020-05", 1)])

    assert table["model"].tolist() == ["ewma", "ewma"]
    assert table["distribution"].tolist() == ["poisson", "negative_binomial_type"]
    assert table["crps"].tolist() == [0.1, 0.2]
    assert table["pit_shortfall"].tolist() == [0.5, 0.0]
    assert table["is_chosen"].tolist() == [True, False]


def test_a_model_that_kept_its_own_spread_has_no_row():
    own = SpreadChoice(
        origin=np.datetime64("2020-05", "M"),
        lead=1,
        distribution="model_own",
        crps={},
        pit_shortfall={},
    )

    table = distribution_choices("ewma", [own])

    assert table.empty
    assert "is_chosen" in table.columns

import numpy as np
import pandas as pd
import pytest

from crime_platform.champion import choose_champion, judge

SIMPLEST_FIRST = ["historical_average", "ewma", "st_resnet"]


def scores(deviance, *, squared=None, expected=100.0, leads=(1,)):
    """Rows of `backtest_score` from {model: deviance sum per origin}; 100 cases, 100 incidents."""
    squared = {} if squared is None else squared
    return pd.DataFrame(
        [
            {
                "model": model,
                "origin_month": origin,
                "lead": lead,
                "cell_set": "ever_active",
                "n": 100,
                "sum_deviance": value,
                "sum_squared_error": squared.get(model, value),
                "sum_expected": expected,
                "sum_observed": 100.0,
            }
            for model, values in deviance.items()
            for origin, value in enumerate(values)
            for lead in leads
        ]
    )


def verdict(table, *, totals=(100.0, 100.0, 100.0), model="ewma"):
    return judge(
        "2021-12-abc",
        model,
        table,
        forecast_totals=np.array(totals),
        recent_totals=np.array([90.0, 100.0, 110.0]),
    )


def test_the_lowest_deviance_wins():
    table = scores(
        {
            "historical_average": [50, 51, 52, 50],
            "ewma": [45, 47, 46, 45],
            "st_resnet": [40, 41, 41, 40],
        }
    )
    choice = choose_champion(table, SIMPLEST_FIRST)
    assert (choice.champion, choice.lowest_deviance) == ("st_resnet", "st_resnet")


def test_a_tie_within_noise_goes_to_the_simpler_model():
    # ewma - st_resnet: +6, -6, +6, -4; mean 0.5, standard error sqrt(41) / 2 = 3.2
    table = scores(
        {
            "historical_average": [60, 60, 60, 60],
            "ewma": [46, 40, 46, 41],
            "st_resnet": [40, 46, 40, 45],
        }
    )
    choice = choose_champion(table, SIMPLEST_FIRST)
    assert (choice.champion, choice.lowest_deviance) == ("ewma", "st_resnet")
    assert choice.reason.endswith("ewma is simpler and within one standard error of it")


def test_a_model_that_misses_an_origin_does_not_compete():
    table = scores({"historical_average": [50, 50, 50], "ewma": [45, 45, 45], "st_resnet": [1]})
    assert choose_champion(table, SIMPLEST_FIRST).champion == "ewma"


def test_a_model_with_a_nan_never_wins():
    table = scores({"historical_average": [50, 50], "ewma": [45, 45], "st_resnet": [1, np.nan]})
    assert choose_champion(table, SIMPLEST_FIRST).champion == "ewma"


def test_a_model_without_a_place_in_the_order_is_named():
    with pytest.raises(ValueError, match=r"models \['kriging'\] have no place"):
        choose_champion(scores({"kriging": [1.0]}), SIMPLEST_FIRST)


GOOD = {"historical_average": [50.0] * 4, "ewma": [45.0] * 4}


def test_a_better_and_unbiased_candidate_passes():
    answer = verdict(scores(GOOD))
    assert answer.passed
    assert answer.reasons == []
    assert answer.figures["deviance skill, lead 1"] == pytest.approx(1 - 45 / 50)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (scores({**GOOD, "ewma": [51.0] * 4}), "deviance of ewma, lead 1, is 0.5100"),
        (scores(GOOD, squared={"ewma": 60.0}), "rmse of ewma, lead 1"),
        (scores(GOOD, expected=111.0), r"bias one month ahead is \+11.0%"),
        (scores(GOOD, expected=89.0), "bias one month ahead is -11.0%"),
        (scores({**GOOD, "ewma": [np.nan] * 4}), "deviance of ewma, lead 1, is"),
    ],
    ids=["deviance", "rmse", "too many", "too few", "nan"],
)
def test_a_worse_candidate_is_refused_with_its_reason(table, reason):
    answer = verdict(table)
    assert not answer.passed
    assert any(pd.Series(answer.reasons).str.contains(reason))


@pytest.mark.parametrize("total", [44.0, 221.0, np.nan])
def test_an_implausible_total_is_refused(total):
    answer = verdict(scores(GOOD), totals=(100.0, total, 100.0))
    assert "the forecast total of lead 2" in answer.reasons[0]
    assert "must lie between 45 and 220" in answer.reasons[0]


def test_the_opponent_cannot_beat_itself():
    answer = verdict(scores(GOOD), model="historical_average")
    assert not answer.passed


def test_a_loss_at_the_longer_leads_is_a_loss():
    late = scores({"historical_average": [50.0] * 4, "ewma": [90.0] * 4}, leads=(2, 3))
    answer = verdict(pd.concat([scores(GOOD), late]))
    assert [reason for reason in answer.reasons if "all leads" in reason] == answer.reasons
    assert len(answer.reasons) == 2

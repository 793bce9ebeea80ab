import math

import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.selection import choose_champion, judge

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


def deviances(**models):
    return {name: np.array(values, dtype=float) for name, values in models.items()}


def test_the_lowest_deviance_wins():
    judged = deviances(
        historical_average=[50, 51, 52, 50], ewma=[45, 47, 46, 45], st_resnet=[40, 41, 41, 40]
    )

    choice = choose_champion(judged, SIMPLEST_FIRST)

    assert (choice.champion, choice.lowest_deviance) == ("st_resnet", "st_resnet")
    assert (choice.mean_gap, choice.standard_error) == (0, 0)
    assert choice.reason == (
        "st_resnet is the champion: it has the lowest mean deviance over 4 origins, 40.5000."
    )


# ewma - st_resnet: +6, -6, +6, -4; mean 0.5. Squared distances from it: 30.25, 42.25, 30.25,
# 20.25, together 123, so the standard error is sqrt(123 / 3) / sqrt(4) = 3.2016
TIE = deviances(
    historical_average=[60, 60, 60, 60], ewma=[46, 40, 46, 41], st_resnet=[40, 46, 40, 45]
)


def test_a_tie_within_noise_goes_to_the_simpler_model():
    choice = choose_champion(TIE, SIMPLEST_FIRST)

    assert (choice.champion, choice.lowest_deviance) == ("ewma", "st_resnet")
    assert choice.mean_gap == pytest.approx(0.5)
    assert choice.standard_error == pytest.approx(math.sqrt(123 / 3) / 2)
    assert choice.reason == (
        "ewma is the champion: st_resnet has the lowest mean deviance over 4 origins, 42.7500, "
        "and ewma lies 0.5000 above it, within one standard error (3.2016) and is the simplest "
        "model there."
    )


@pytest.mark.parametrize("incumbent", ["ewma", "st_resnet"])
def test_a_tie_never_costs_the_incumbent_its_seat(incumbent):
    choice = choose_champion(TIE, SIMPLEST_FIRST, incumbent=incumbent)
    assert choice.champion == incumbent
    assert choice.reason.startswith(f"{incumbent} stays the champion: ")


def test_an_incumbent_beyond_noise_is_replaced_and_told_why():
    # 60 - st_resnet: 20, 14, 20, 15; mean 17.25, squared distances 7.5625, 10.5625, 7.5625,
    # 5.0625, together 30.75: standard error sqrt(30.75 / 3) / 2 = 1.6008
    choice = choose_champion(TIE, SIMPLEST_FIRST, incumbent="historical_average")

    assert choice.champion == "ewma"
    assert choice.reason.startswith("ewma replaces historical_average as the champion: ")
    assert choice.reason.endswith(
        "historical_average lies 17.2500 above it, more than one standard error (1.6008)."
    )


def test_an_incumbent_that_was_not_judged_is_replaced():
    choice = choose_champion(TIE, SIMPLEST_FIRST, incumbent="kriging")
    assert choice.champion == "ewma"
    assert choice.reason.endswith("kriging has no score at each of these origins.")


def test_too_few_origins_leave_the_historical_average():
    choice = choose_champion(deviances(historical_average=[9, 9], ewma=[1, 1]), SIMPLEST_FIRST)

    assert (choice.champion, choice.lowest_deviance) == ("historical_average", None)
    assert math.isnan(choice.mean_gap)
    assert math.isnan(choice.standard_error)
    assert choice.reason.endswith("until 3 earlier origins can be judged; here there are 2.")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_model_with_a_deviance_that_is_no_number_never_wins(wrong):
    judged = TIE | deviances(st_resnet=[1, 1, wrong, 1])
    choice = choose_champion(judged, SIMPLEST_FIRST, incumbent="st_resnet")
    assert (choice.champion, choice.lowest_deviance) == ("ewma", "ewma")


def test_without_a_finite_deviance_nobody_is_chosen():
    with pytest.raises(ValueError, match=r"none of \['ewma'\] has a finite deviance"):
        choose_champion(deviances(ewma=[np.nan] * 3), SIMPLEST_FIRST)


def test_a_model_without_a_place_in_the_order_is_named():
    with pytest.raises(ValueError, match=r"models \['kriging'\] have no place"):
        choose_champion(deviances(kriging=[1.0]), SIMPLEST_FIRST)


GOOD = {"historical_average": [50.0] * 4, "ewma": [44.0] * 4, "policy": [45.0] * 4}


def test_a_better_and_unbiased_candidate_passes():
    answer = verdict(scores(GOOD))
    assert answer.passed
    assert answer.reasons == []
    assert answer.figures["deviance skill, lead 1"] == pytest.approx(1 - 45 / 50)
    assert answer.figures["deviance skill of the chosen model, lead 1"] == pytest.approx(
        1 - 44 / 50
    )


def test_the_chosen_models_own_skill_does_not_decide():
    lucky = scores({**GOOD, "policy": [51.0] * 4})
    assert not verdict(lucky).passed
    unlucky = scores({**GOOD, "ewma": [51.0] * 4})
    assert verdict(unlucky).passed


def test_origins_that_served_selection_are_not_judged():
    served = scores({**GOOD, "policy": [99.0] * 4}).assign(is_selection=True)
    table = pd.concat([served, scores(GOOD).assign(is_selection=False)])

    assert verdict(table).figures == verdict(scores(GOOD)).figures
    assert verdict(table).passed


@pytest.mark.parametrize("missing", ["policy", "ewma", "historical_average"])
def test_a_row_that_was_not_scored_is_named(missing):
    table = scores(GOOD)
    with pytest.raises(ValueError, match=rf"2021-12-abc found no scores of \['{missing}'\]"):
        verdict(table[table["model"] != missing])


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        (
            scores({**GOOD, "policy": [51.0] * 4}),
            "the policy is not clearly better than historical_average, lead 1: its deviance skill "
            r"is -2.00% .95% interval -2.00% to -2.00%. and the whole interval must lie above 0",
        ),
        (
            # 10, 10, 10 and -10 saved of 50: better on average, and no more than chance
            scores({**GOOD, "policy": [40.0, 40.0, 40.0, 60.0]}),
            r"deviance skill is \+10.00% .95% interval -",
        ),
        (
            scores(GOOD, squared={"policy": 60.0}),
            r"worse than historical_average in RMSE, lead 1: its RMSE skill is -9.54% ",
        ),
        (
            scores(GOOD, expected=111.0),
            r"total one month ahead is biased by \+11.00% .95% interval \+11.00% to \+11.00%.: it "
            "must be within 10% of what was recorded, or the interval must hold 0",
        ),
        (scores(GOOD, expected=89.0), "total one month ahead is biased by -11.00%"),
        (
            scores({**GOOD, "policy": [45.0, np.nan, 45.0, 45.0]}),
            r"lead 1: its deviance skill is \+nan% ",
        ),
    ],
    ids=["deviance", "chance", "rmse", "too many", "too few", "nan"],
)
def test_a_worse_candidate_is_refused_with_its_reason(table, reason):
    answer = verdict(table)
    assert not answer.passed
    assert any(pd.Series(answer.reasons).str.contains(reason))


def test_a_loss_in_rmse_that_may_be_chance_is_forgiven():
    # Squared errors 50 beside 45: worse in all, yet not in every month
    squared = pd.Series([45.0, 45.0, 52.0, 45.0])
    table = scores(GOOD, squared={"historical_average": 45.0})
    ours = table["model"] == "policy"
    table.loc[ours, "sum_squared_error"] = squared.to_numpy()

    answer = verdict(table)

    assert answer.figures["rmse skill, lead 1"] < 0
    assert answer.passed


def test_three_origins_are_too_few():
    answer = verdict(scores({name: values[:3] for name, values in GOOD.items()}))
    assert "3 months are scored, and at least 4 are needed" in "".join(answer.reasons)


def test_figures_carry_their_intervals():
    figures = verdict(scores({**GOOD, "policy": [40.0, 45.0, 42.0, 44.0]})).figures
    names = [f"deviance skill, lead 1{end}" for end in (", interval low", "", ", interval high")]
    low, middle, high = (figures[name] for name in names)
    assert low < middle < high
    assert (figures["origins scored"], figures["incidents scored"]) == (4, 400)


def test_rows_of_other_origins_are_refused():
    table = scores(GOOD)
    first = (table["model"] == "policy") & (table["origin_month"] == 0)
    with pytest.raises(ValueError, match="scored at 3 steps, 1 to 3, cannot be compared with"):
        verdict(table[~first])


@pytest.mark.parametrize("total", [44.0, 221.0, np.nan])
def test_an_implausible_total_is_refused(total):
    answer = verdict(scores(GOOD), totals=(100.0, total, 100.0))
    assert "the forecast total of lead 2" in answer.reasons[0]
    assert "must lie between 45 and 220" in answer.reasons[0]


def test_the_opponent_cannot_beat_itself():
    table = scores({**GOOD, "policy": GOOD["historical_average"]})
    answer = verdict(table, model="historical_average")
    assert not answer.passed


def test_a_loss_at_the_longer_leads_is_a_loss():
    late = scores({**GOOD, "policy": [90.0] * 4}, leads=(2, 3))
    answer = verdict(pd.concat([scores(GOOD), late]))
    assert [reason for reason in answer.reasons if "all leads" in reason] == answer.reasons
    assert len(answer.reasons) == 2

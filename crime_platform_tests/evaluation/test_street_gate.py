import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.street_gate import choose_street_champion, judge_streets

DAYS = np.datetime64("2021-01-01") + np.arange(30)
RECENT = np.full(56, 4.0)
FORECAST = np.full(7, 4.0)
OPPONENT = {"sum_deviance": 10.0, "sum_squared_error": 5.0, "sum_expected": 4.0, "hits": 2.0}


def scores(model, part, lead, **columns):
    """Thirty days on which four incidents were recorded, all the same."""
    sums = {"n": 8, "sum_observed": 4.0, **OPPONENT, **columns}
    del sums["hits"]
    labels = {"model": model, "part": part, "lead": lead, "offence_group": "violent"}
    return pd.DataFrame({**labels, "target_day": DAYS, **sums})


def hotspots(model, lead, hits):
    labels = {"model": model, "part": "test", "lead": lead, "offence_group": "any"}
    sums = {"coverage_share": 0.2, "sum_hits": hits, "sum_incidents": 4.0}
    return pd.DataFrame({**labels, "target_day": DAYS, **sums})


def judged(model="ewma", *, forecast=FORECAST, recent=RECENT, at_lead_7=None, **better):
    """The verdict on a model that is `better` at leads 1 and 7, or as said at lead 7."""
    ours = {"sum_deviance": 9.0, "sum_squared_error": 4.0, "hits": 2.1, **better}
    of_lead = {1: ours, 7: ours | (at_lead_7 or {})}
    rows = [
        *(scores("long_run_frequency", "test", lead) for lead in (1, 7)),
        *(scores("ewma", "test", lead, **of_lead[lead]) for lead in (1, 7)),
    ]
    flagged = [
        *(hotspots("long_run_frequency", lead, OPPONENT["hits"]) for lead in (1, 7)),
        *(hotspots("ewma", lead, of_lead[lead]["hits"]) for lead in (1, 7)),
    ]
    return judge_streets(
        "2021-01-31-key",
        model,
        pd.concat(rows),
        pd.concat(flagged),
        forecast_totals=forecast,
        recent_totals=recent,
    )


def test_a_better_model_passes_with_its_figures():
    verdict = judged()

    assert verdict.passed
    assert verdict.reasons == []
    assert verdict.figures["deviance skill, lead 1"] == pytest.approx(0.1)  # 1 - 9 / 10
    assert verdict.figures["rmse skill, lead 7"] == pytest.approx(1 - np.sqrt(4 / 5))
    assert verdict.figures["hit rate at 20 %, lead 1"] == pytest.approx(2.1 / 4)
    assert verdict.figures["bias, lead 1"] == 0
    assert verdict.figures["forecast total, lead 7"] == 4


def test_long_run_frequency_itself_is_refused_in_one_sentence():
    verdict = judged("long_run_frequency")

    assert not verdict.passed
    assert len(verdict.reasons) == 1
    assert "long_run_frequency is the champion itself" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("worse", "sentence"),
    [
        (
            {"sum_deviance": 10.0},
            "ewma is not clearly better than long_run_frequency, lead 1: its deviance skill is "
            "+0.00%",
        ),
        ({"sum_squared_error": 6.0}, "in RMSE, lead 1: its RMSE skill is -9.54%"),
        ({"hits": 1.9}, "riskiest 20 %, lead 1: its hit rate differs by -2.50 points"),
        ({"sum_expected": 4.5}, "total one day ahead is biased by +12.50%"),
        ({"sum_deviance": np.nan}, "lead 1: its deviance skill is +nan%"),
        ({"hits": np.nan}, "lead 1: its hit rate differs by +nan points"),
        ({"at_lead_7": {"sum_deviance": 10.0}}, "lead 7: its deviance skill is +0.00%"),
        ({"at_lead_7": {"hits": 1.0}}, "lead 7: its hit rate differs by -25.00 points"),
    ],
)
def test_a_worse_figure_is_named(worse, sentence):
    verdict = judged(**worse)

    assert not verdict.passed
    assert any(sentence in reason for reason in verdict.reasons)


@pytest.mark.parametrize("total", [np.nan, np.inf, -1.0, 8.1])
def test_an_implausible_day_is_refused(total):
    forecast = FORECAST.copy()
    forecast[2] = total

    verdict = judged(forecast=forecast)

    assert any("total of lead 3" in reason for reason in verdict.reasons)


@pytest.mark.parametrize("mean", [1.9, 8.1])
def test_an_implausible_week_is_refused(mean):
    recent = RECENT.copy()
    recent[0] = 60.0  # the largest day allows it; 5 incidents is the mean day

    verdict = judged(forecast=np.full(7, mean * recent.mean() / 4), recent=recent)

    assert any("incidents are forecast a day" in reason for reason in verdict.reasons)


def test_a_loss_of_hits_that_may_be_chance_is_forgiven():
    # Three days with a hit more and one with six fewer: worse in all, and no more than chance.
    hits = 2.0 + np.tile([0.2, 0.2, 0.2, -0.8], 8)[:30]
    verdict = judged(hits=hits)

    assert verdict.figures["hit rate gain, lead 1"] < 0
    assert verdict.passed


def test_a_bias_that_may_be_chance_is_forgiven():
    expected = np.full(30, 4.0)
    expected[0] = 24.0  # 20 of 120 incidents too many, all on one day

    verdict = judged(sum_expected=expected)

    assert verdict.figures["bias, lead 1"] == pytest.approx(20 / 120)
    assert verdict.passed


def test_too_few_incidents_are_refused():
    verdict = judged(sum_observed=3.0)

    assert verdict.reasons[-1].startswith("90 incidents were recorded in the 30 scored days, and")


def test_an_equal_hit_rate_is_enough():
    assert judged(hits=2.0).passed


def test_a_model_without_test_scores_is_refused():
    with pytest.raises(ValueError, match=r"no test scores of \['gldnet'\]"):
        judged("gldnet")


def validation(model, deviance):
    return scores(model, "validation", 1, sum_deviance=deviance)


def test_the_champion_is_chosen_on_weeks_of_validation_days_only():
    noise = np.random.default_rng(0).normal(0, 0.1, 30)
    rows = {
        "constant": pd.concat([validation("constant", 12 + noise), scores("constant", "test", 1)]),
        "ewma": validation("ewma", 10.0),
        "gldnet": pd.concat([validation("gldnet", 9 + noise), scores("gldnet", "test", 1)]),
    }

    choice = choose_street_champion(rows, ["constant", "ewma", "gldnet"])

    assert choice.champion == "gldnet"
    assert "over 4 weeks of validation days" in choice.reason  # 30 days: the first two left out


def test_a_tie_goes_to_the_simplest_and_then_to_the_incumbent():
    noise = np.random.default_rng(0).normal(0, 1, 30)
    rows = {"ewma": validation("ewma", 10 + noise), "gldnet": validation("gldnet", 10.0)}

    fresh = choose_street_champion(rows, ["ewma", "gldnet"])
    seated = choose_street_champion(rows, ["ewma", "gldnet"], incumbent="gldnet")

    assert (fresh.champion, seated.champion) == ("ewma", "gldnet")

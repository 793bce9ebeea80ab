import shutil
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.candidate import read_candidate
from crime_platform.reporting import sentences, tables
from crime_platform.reporting.facts import LocalFacts
from crime_platform.reporting.figures.calibration import calibration_by_group, in_rate_order
from crime_platform.reporting.figures.maps import Atlas, branch_shares, error_figure
from crime_platform.reporting.parts import Cell, Row, Table
from crime_platform.reporting.sections import RECOMPUTE
from crime_platform.study_area.study_area import load_study_area
from toys.candidate import write_toy_candidate
from toys.city import TOY_AREA


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    path = tmp_path_factory.mktemp("area") / "toy.toml"
    path.write_text(TOY_AREA.format(last_month="2021-12"))
    return load_study_area(path)


@pytest.fixture(scope="module")
def toy_folder(tmp_path_factory):
    return write_toy_candidate(tmp_path_factory.mktemp("toy") / "2021-12-toy")


@pytest.fixture(scope="module")
def facts(toy_folder, area):
    return LocalFacts(candidate=read_candidate(toy_folder), area=area)


@pytest.fixture
def changed(toy_folder, area, tmp_path):
    """Facts of a copy whose tables went through functions, or were taken away."""

    def change(**changes):
        folder = tmp_path / toy_folder.name
        shutil.copytree(toy_folder, folder)
        for name, edit in changes.items():
            path = folder / f"{name}.parquet"
            edit(pd.read_parquet(path)).to_parquet(path)
        return LocalFacts(candidate=read_candidate(folder), area=area)

    return change


def score_row(model, **values):
    """One test origin of one offence type: 10 cells, 20 recorded, unless stated otherwise."""
    labels = {"model": model, "origin_month": date(2021, 11, 1), "target_month": date(2021, 12, 1)}
    labels |= {"lead": 1, "offence_type": "assault", "cell_set": "ever_active"}
    sums = {"n": 10, "sum_observed": 20.0, "sum_expected": 20.0, "sum_deviance": 10.0}
    sums |= {"sum_squared_error": 40.0, "sum_absolute_error": 15.0, "sum_noise_deviance": 6.0}
    return {**labels, "is_selection": False, **sums, "sum_crps": 9.0, **values}


def test_the_leaderboard_by_hand(changed):
    better = {"sum_deviance": 8.0, "sum_squared_error": 22.5, "sum_expected": 19.0}
    rows = [
        score_row("historical_average", sum_noise_deviance=9.0),  # the floor is the best model's
        score_row("ewma", **better),
        score_row("ewma", lead=2, sum_deviance=999.0),
        score_row("ewma", is_selection=True, sum_deviance=999.0),
        score_row("ewma", cell_set="all", sum_deviance=999.0),
        score_row("policy", sum_deviance=7.0, sum_noise_deviance=1.0),
    ]

    board = changed(backtest_score=lambda _: pd.DataFrame(rows)).board

    ours = board.loc["ewma"]
    assert list(board.index) == ["ewma", "historical_average", "policy"]  # outside the ranking
    assert ours["deviance"] == pytest.approx(8 / 10)
    assert ours["deviance_skill"] == pytest.approx(1 - 8 / 10)
    assert ours["rmse_skill"] == pytest.approx(1 - 1.5 / 2)  # sqrt(2.25) over sqrt(4)
    assert ours["bias_share"] == pytest.approx(19 / 20 - 1)
    assert ours["gap_closed"] == pytest.approx((1.0 - 0.8) / (1.0 - 0.6))
    assert ours["n_origins"] == 1


def test_the_query_in_the_report_gives_the_leaderboard(facts):
    with duckdb.connect() as connection:
        path = facts.candidate.folder / "backtest_score.parquet"
        connection.execute(f"create view backtest_score as select * from '{path}'")
        found = connection.sql(RECOMPUTE.format(area="toy", as_of="2021-12")).to_arrow_table()

    expected = facts.board.loc[found["model"].to_pylist()]
    np.testing.assert_allclose(found["deviance_skill"], expected["deviance_skill"])
    np.testing.assert_allclose(found["bias_share"], expected["bias_share"])


def test_skill_per_type_compares_each_type_with_its_own_average(changed):
    rows = [
        score_row("historical_average"),
        score_row("historical_average", offence_type="robbery", sum_deviance=4.0),
        score_row("policy", sum_deviance=9.0),
        score_row("policy", offence_type="robbery", sum_deviance=5.0),
    ]

    skill = changed(backtest_score=lambda _: pd.DataFrame(rows)).skill_by("offence_type")

    assert skill.loc["assault", "policy"] == pytest.approx(1 - 9 / 10)
    assert skill.loc["robbery", "policy"] == pytest.approx(1 - 5 / 4)


def test_hit_rates_pool_incidents_over_the_test_origins(facts):
    # The toy's champion catches 1 - 0.15 / 2 of the best possible 65 of 100 at every origin.
    assert facts.hit_rate("policy", 0.2) == pytest.approx(0.65 * 0.925)
    assert facts.best_hit_rates()[0.2] == pytest.approx(0.65)


def test_the_forecast_expires_the_day_after_the_last_month_it_describes(facts):
    assert facts.horizon == 3
    assert str(facts.expiry.day) == "2022-04-01"  # forecasts January to March


def test_only_turning_months_that_were_tested_are_marked(changed):
    early = {"target_month": [date(2020, 5, 1), date(2021, 9, 1)], "direction": ["peak", "trough"]}

    facts = changed(turning_month=lambda _: pd.DataFrame(early))

    assert facts.turning_months() == {np.datetime64("2021-09", "M"): "trough"}


def test_pictures_compare_the_champion_with_the_best_of_each_family_and_the_baselines(facts):
    assert facts.shown == [
        "ensemble",
        "policy",
        "lightgbm",
        "st_resnet",
        "convlstm",
        "ewma",
        "historical_average",
    ]


def with_skill(low, high):
    return lambda table: table.assign(deviance_skill_low=low, deviance_skill_high=high)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.2, "beats the historical average by"),
        (-0.1, 0.2, "cannot be told from the historical average"),
        (-0.3, -0.1, "does worse than the historical average"),
        (np.nan, np.nan, "too few months for an interval"),
    ],
)
def test_the_verdict_says_what_the_interval_allows(changed, low, high, words):
    facts = changed(model_skill=with_skill(low, high))

    sentence = sentences.verdict(facts)

    assert words in sentence
    assert "had not seen when it chose" in sentence


def test_without_a_policy_row_the_verdict_admits_that_the_choice_flatters(changed):
    facts = changed(backtest_score=lambda table: table[table["model"] != "policy"])

    assert facts.judged == "ensemble"
    assert "which flatters it" in sentences.verdict(facts)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((0.05, 0.03, 0.07), "5.0\u00a0% below it"),
        ((0.01, -0.02, 0.04), "a gap that chance alone can make"),
        ((-0.05, -0.07, -0.03), "5.0\u00a0% above it"),
        ((0.0, np.nan, np.nan), "is no lower"),
        ((np.nan, np.nan, np.nan), "was not measured"),
    ],
)
def test_the_gap_to_the_best_baseline_in_words(changed, values, words):
    name = "skill_over_best_baseline"
    columns = dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))

    facts = changed(model_skill=lambda table: table.assign(**columns))

    assert words in sentences.baseline_gap(facts)


def test_lags_are_sorted_into_early_and_late(facts):
    found = " ".join(sentences.turns(facts))

    assert "These do: historical_average, ewma, lightgbm, st_resnet, ensemble and policy" in found
    assert "These follow, by as many months: convlstm (by 1)" in found
    assert "a lag of 0 for st_resnet and of 1 for convlstm" in found


def test_a_distribution_that_is_too_narrow_is_marked_and_the_choice_named(facts):
    first = tables.distribution_table(facts).rows[0]

    # The toy's shortfalls are 1.5, 0.5 and -0.5 of what is allowed; the second is chosen.
    assert [cell.text for cell in first.cells[1:]] == [
        "0.30000 too narrow",
        "0.30100",
        "0.30200",
        "negative binomial type",
    ]


def test_weights_and_level_of_the_newest_ensemble(facts):
    table = tables.weight_table(facts)

    assert table.headings == ("Offence type", "lightgbm", "st_resnet", "convlstm", "Level")
    assert [cell.text for cell in table.rows[0].cells] == [
        "Assault",
        "0.50",
        "0.30",
        "0.20",
        "1.012",
    ]


def test_the_walk_of_the_champion_ends_with_this_forecast(facts):
    rows = tables.history_table(facts).rows

    assert [cell.text for cell in rows[0].cells[2:4]] == ["–", "selection only"]  # noqa: RUF001
    assert [cell.text for cell in rows[3].cells[2:4]] == ["ensemble", "tested"]
    assert rows[-1].cells[3].text == "this forecast"
    assert "changed its model once over 6 tested origins" in sentences.switches(facts)


def test_calibration_that_is_off_is_marked_and_named(facts):
    table = calibration_by_group(facts)

    # 0.75 of PIT values inside the central 80 % is 5 points off, 0.81 is 1 point off.
    assert table["pit_80_is_off"].to_dict() == {
        "all": False,
        "below 0.5": False,
        "0.5 to 2": False,
        "2 or more": True,
    }
    assert "80 % is more than 2 points off nominal for rates 2 or more" in sentences.calibration(
        facts
    )
    texts = [cell.text for row in tables.calibration_table(facts).rows for cell in row.cells]
    assert [text for text in texts if text.endswith("off")] == ["75.0\u00a0% off"]


def test_plain_coverage_below_nominal_is_named(changed):
    facts = changed(calibration=lambda table: table.assign(n_inside_95=0.9 * table["n"]))

    assert "plain coverage is below 95 % for all rates together" in sentences.calibration(facts)


def test_calibration_that_holds_is_said_to_hold(changed):
    facts = changed(calibration=lambda table: table.assign(n_pit_inside_80=0.8 * table["n"]))

    assert sentences.calibration(facts).startswith("In every rate group")


def test_rate_groups_are_ordered_by_rate():
    groups = ["2 or more", "0.05 to 0.2", "below 0.05", "all", "0.2 to 2"]

    assert in_rate_order(groups) == ["all", "below 0.05", "0.05 to 0.2", "0.2 to 2", "2 or more"]


def test_months_in_and_out_of_the_pandemic(facts):
    assert any("pandemic months" in text for text in sentences.failures(facts))


def test_incidents_without_coordinates_are_counted(facts):
    months = facts.candidate.table("month_count")
    lost = f"{len(months)} of {months['count'].sum():,} recorded incidents"

    assert any(text.startswith(lost) for text in sentences.limits(facts))


def test_that_every_incident_has_coordinates_is_said_too(changed):
    facts = changed(month_count=lambda table: table.assign(n_ungeocoded=0))

    assert any(text.endswith("came with usable coordinates.") for text in sentences.limits(facts))


def test_the_report_says_how_complete_the_newest_month_is(toy_folder, area):
    candidate = read_candidate(toy_folder)
    told = {"last_month_note": "2021-12 is left out: 81.8% is known", "n_vintage_origins": 3}
    facts = LocalFacts(candidate=replace(candidate, manifest=candidate.manifest | told), area=area)

    (text,) = [text for text in sentences.limits(facts) if "revised" in text]

    n_origins = len(facts.test_targets)
    assert f"2021-12 is left out: 81.8% is known. Of the {n_origins} test origins, 3" in text


def test_values_lie_on_the_map_where_their_cells_lie(facts):
    atlas = Atlas(facts=facts)

    field = atlas.lay_out(pd.Series({"r000c004": 4.0, "r005c000": 5.0}))

    assert field.shape == (6, 5)
    assert field[0, 4] == 4.0  # row 0 is the southernmost
    assert field[5, 0] == 5.0
    assert np.isnan(field[0, :3]).all()  # never active


def test_the_error_map_adds_up_the_test_months_of_one_cell_by_brute_force(facts):
    forecasts = facts.candidate.table("backtest_forecast")
    forecasts = forecasts[(forecasts["model"] == "ensemble") & (forecasts["cell_id"] == "r002c002")]
    forecasts = forecasts[pd.to_datetime(forecasts["target_month"]) >= "2021-07"]
    counts = facts.candidate.table("cell_month")
    counts = counts[(counts["cell_id"] == "r002c002") & (counts["month"] >= "2021-07")]

    found = Atlas(facts=facts).backtest.loc["r002c002"]

    assert len(forecasts) == 6 * 2  # test months, offence types
    assert found["expected"] == pytest.approx(forecasts["expected_count"].sum())
    assert found["recorded"] == counts["count"].sum()


def test_deviances_on_the_map_add_up_to_the_leaderboards(facts):
    ours = facts.scores[facts.scores["model"] == "ensemble"]["sum_deviance"].sum()
    theirs = facts.scores[facts.scores["model"] == "historical_average"]["sum_deviance"].sum()

    atlas = Atlas(facts=facts)
    active = atlas.backtest.loc[atlas.cells.index[atlas.cells["is_ever_active"]]]

    assert active["deviance"].sum() == pytest.approx(ours, rel=1e-5)  # counts are stored as floats
    assert active["baseline_deviance"].sum() == pytest.approx(theirs, rel=1e-5)


def test_the_map_of_errors_has_the_sign_of_bias(facts):
    atlas = Atlas(facts=facts)
    sums = atlas.backtest.loc[atlas.cells.index[atlas.cells["is_ever_active"]]]

    drawn = error_figure(atlas).axes[0].images[0].get_array()

    assert drawn.sum() == pytest.approx((sums["expected"] - sums["recorded"]).sum())


def test_the_weakest_type_is_the_champions(facts):
    name, skill = facts.weakest("offence_type")

    assert skill == facts.skill_by("offence_type")["ensemble"].min()
    assert f"weakest offence type is {name}" in sentences.weakest_type(facts)
    assert sentences.weakest_type(facts) in sentences.failures(facts)


def test_branch_shares_are_percent_per_cell(facts):
    shares = branch_shares(Atlas(facts=facts), "st_resnet")

    np.testing.assert_allclose(shares["closeness"][5], 40.0, rtol=1e-6)


def test_a_row_that_does_not_fit_its_headings_is_refused():
    with pytest.raises(ValueError, match="a row has 2 cells under 1 headings"):
        Table("numbers", ("Model",), (Row((Cell("a"), Cell("1"))),))

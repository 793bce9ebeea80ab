import json
import math
from datetime import date
from decimal import Decimal

import duckdb
import pytest

from crime_platform.dashboard.data.declared import offence_titles
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.rows import gathered, plain
from crime_platform.dashboard.pages.accuracy import accuracy_part
from crime_platform.schema.model_titles import model_title


@pytest.fixture(scope="module")
def cells(toy):
    return accuracy_part(toy, "toy")["cells"]


@pytest.fixture(scope="module")
def streets(town):
    return accuracy_part(town, "town")["streets"]


def values(connection, query):
    return connection.execute(query).fetchall()


def test_the_leaderboard_is_the_view(toy, cells):
    names = (
        "rank, model, is_champion, deviance_skill, deviance_skill_low, deviance_skill_high, "
        "skill_over_best_baseline, skill_over_best_baseline_low, skill_over_best_baseline_high, "
        "rmse_skill, bias_share, hit_rate_20, pei_20, deviance, rmse, mae, crps, coverage_80, "
        "coverage_95, stated_coverage_80, stated_coverage_95, reducible_gap_closed, parameters, "
        "training_seconds, n_origins, n_cases"
    )

    shown = [tuple(row[name] for name in names.split(", ")) for row in cells["leaderboard"]]

    assert shown == values(toy, f"select {names} from leaderboard order by rank")


def test_the_cases_are_those_of_the_leaderboard(toy, cells):
    told = values(toy, "select distinct n_cases, n_origins from leaderboard")
    baseline = [row for row in cells["by_type"] if row["model"] == cells["baseline"]]
    months = next(row for row in cells["by_month"] if row["model"] == cells["baseline"])
    all_rates = [
        row["n"]
        for row in cells["calibration"]
        if row["model"] == cells["champion"] and row["rate_group"] == "all"
    ]

    assert told == [(cells["n_cases"], cells["n_origins"])]
    assert cells["n_cases"] == sum(row["n"] for row in baseline)
    assert cells["n_origins"] == len(months["target_month"])
    assert all_rates == [cells["n_cases"]]
    assert [sum(curve["n"]) for curve in cells["reliability"]] == [cells["n_cases"]] * 3
    assert (cells["first_target"], cells["last_target"]) == ("2021-01", "2021-06")


def test_what_the_leaderboard_leaves_out_changes_nothing(published, cells):
    with duckdb.connect(str(published.forecasts.resolve())) as connection:
        for_all = "cell_set = 'all' or is_selection"
        connection.execute(f"update backtest_score set sum_deviance = 999 where {for_all}")
        connection.execute(
            "insert into backtest_score by name select * replace (date '2020-01-01' as as_of_month)"
            " from backtest_score"
        )

        again = accuracy_part(connection, "toy")["cells"]

    assert again == cells


def test_pooled_deviance_of_the_months_is_that_of_the_leaderboard(toy, cells):
    # 1 - sum(model) / sum(baseline), the sums taken over the months of the part
    sums = values(
        toy,
        "select strftime(target_month, '%Y-%m'), sum(sum_deviance) from backtest_score "
        "where lead = 1 and cell_set = 'ever_active' and not is_selection "
        "and model = 'historical_average' "
        "group by all order by 1",
    )
    months = next(row for row in cells["by_month"] if row["model"] == "lightgbm")
    total = sum(deviance for _, deviance in sums)
    kept = sum(
        deviance * (1 - skill)
        for (_, deviance), skill in zip(sums, months["deviance_skill"], strict=True)
    )

    pooled = next(row for row in cells["leaderboard"] if row["model"] == "lightgbm")

    assert [month for month, _ in sums] == months["target_month"]
    assert 1 - kept / total == pytest.approx(pooled["deviance_skill"])


def test_the_baseline_stands_beside_the_champion_everywhere(cells):
    kinds = ("hotspots", "calibration", "reliability", "pit", "by_month", "by_type", "by_lead")
    models = {kind: {row["model"] for row in cells[kind]} for kind in kinds}

    assert [{"historical_average", cells["champion"]} <= found for found in models.values()] == (
        [True] * len(kinds)
    )
    assert {row["title"] for row in cells["leaderboard"] if row["is_baseline"]} == {
        "Historical average"
    }
    zero = next(row for row in cells["by_month"] if row["model"] == "historical_average")
    assert set(zero["deviance_skill"]) == {0.0}


def test_the_few_models_compared_are_named(cells):
    assert cells["champion"] == "rolling_mean_6"
    assert cells["policy"] == "policy"
    assert cells["best_baseline"] == "ewma"
    assert set(cells["compared"]) == {
        "rolling_mean_6",
        "policy",
        "lightgbm",
        "st_resnet",
        "convlstm",
        "ewma",
        "last_month",
        "historical_average",
    }
    assert [row["model"] for row in cells["by_month"]] == cells["compared"]


def test_hot_spots_agree_with_the_leaderboard_and_invent_no_point(toy, cells):
    ranked = [row["model"] for row in cells["leaderboard"]]

    at_20 = [(curve["model"], curve["hit_rate"][3], curve["pei"][3]) for curve in cells["hotspots"]]

    assert at_20 == values(toy, "select model, hit_rate_20, pei_20 from leaderboard order by rank")
    assert [curve["model"] for curve in cells["hotspots"]] == ranked
    assert cells["hotspots"][0]["coverage_share"] == [0.01, 0.05, 0.1, 0.2]
    first = cells["hotspots"][0]
    assert first["pai"][3] == pytest.approx(first["hit_rate"][3] / 0.2)
    assert first["pei"][3] == pytest.approx(first["hit_rate"][3] / first["best_hit_rate"][3])


def test_calibration_is_the_ratio_of_its_sums(toy, cells):
    mine = [row for row in cells["calibration"] if row["model"] == "historical_average"]

    told = values(
        toy,
        "select rate_group, n, n_inside_80 / n, sum_stated_95 / n, n_pit_inside_80 / n "
        "from calibration where model = 'historical_average' and lead = 1 and n > 0",
    )

    names = ("rate_group", "n", "coverage_80", "stated_95", "pit_80")
    assert {tuple(row[name] for name in names) for row in mine} == set(told)
    assert mine[0]["rate_group"] == "all"
    assert mine[-1]["rate_group"] == "5 and more"


def test_shares_of_the_pit_sum_to_one(cells):
    assert [len(row["share"]) for row in cells["pit"]] == [20, 20, 20]
    assert [sum(row["share"]) for row in cells["pit"]] == pytest.approx([1, 1, 1])


def test_reliability_is_per_case(toy, cells):
    mine = next(row for row in cells["reliability"] if row["model"] == "historical_average")

    told = values(
        toy,
        "select sum_expected / n, sum_observed / n, n from reliability "
        "where model = 'historical_average' and lead = 1 and n > 0 order by bin",
    )

    assert list(zip(mine["expected"], mine["observed"], mine["n"], strict=True)) == told


def test_scores_by_offence_type_are_those_of_the_view(toy, cells):
    mine = {
        row["offence_type"]: (row["deviance_skill"], row["rmse_skill"], row["bias_share"])
        for row in cells["by_type"]
        if row["model"] == "ewma"
    }

    told = values(
        toy,
        "select m.offence_type, 1 - m.deviance / b.deviance, 1 - m.rmse / b.rmse, m.bias_share "
        "from leaderboard_by_offence_type m join leaderboard_by_offence_type b "
        "using (study_area, offence_type) "
        "where m.model = 'ewma' and b.model = 'historical_average'",
    )

    assert mine == {name: tuple(numbers) for name, *numbers in told}
    assert [row["title"] for row in cells["by_type"][:: len(cells["compared"])]] == [
        "Assault",
        "Robbery",
    ]


def test_scores_by_lead_are_those_of_the_view(toy, cells):
    mine = [
        (row["lead"], row["deviance_skill"], row["hit_rate_20"], row["n"])
        for row in cells["by_lead"]
        if row["model"] == "policy"
    ]

    assert mine == values(
        toy,
        "select lead, deviance_skill, hit_rate_20, n_cases from leaderboard_by_lead "
        "where model = 'policy' order by lead",
    )
    assert len(mine) == 3


def test_champion_history_ends_at_the_as_of_month(toy, cells):
    history = cells["champion_history"]

    assert history[-1]["origin_month"] == cells["as_of_month"] == "2021-06"
    assert history[-1]["champion"] == cells["champion"]
    assert history[-1]["title"] == model_title("rolling_mean_6")
    assert len(history) == values(toy, "select count(*) from champion_history")[0][0]
    assert history[0]["is_selection"] is True


def test_an_area_of_months_has_no_streets_and_the_other_way_round(toy, town):
    assert accuracy_part(toy, "toy")["streets"] is None
    assert accuracy_part(town, "town")["cells"] is None


def test_the_street_leaderboard_is_the_view(town, streets):
    names = (
        "rank, model, is_champion, deviance_skill, gain_over_best_baseline, hit_rate_1, "
        "hit_rate_20, pei_20, hit_rate_20_gain_over_long_run_low, bias_share, rmse, parameters, "
        "n_days, n_incidents"
    )

    shown = [tuple(row[name] for name in names.split(", ")) for row in streets["leaderboard"]]

    assert shown == values(town, f"select {names} from street_leaderboard order by rank")
    assert [row["title"] for row in streets["leaderboard"] if row["is_baseline"]] == [
        "Long-run frequency"
    ]


def test_street_curves_are_those_of_the_test_days(town, streets):
    mine = next(row for row in streets["curves"] if row["model"] == "gldnet")

    told = values(
        town,
        "select coverage_share, hit_rate, hit_rate_low, hit_rate_high, pai, pei from street_curve "
        "where model = 'gldnet' and part = 'test' and lead = 1 and offence_group = 'any' "
        "order by coverage_share",
    )

    names = ("coverage_share", "hit_rate", "hit_rate_low", "hit_rate_high", "pai", "pei")
    assert list(zip(*(mine[name] for name in names), strict=True)) == told
    assert [row["model"] for row in streets["curves"]] == [
        row["model"] for row in streets["leaderboard"]
    ]


def test_street_days_are_the_test_days(town, streets):
    released = values(town, "select n_test_days, champion, graph_kind from street_release")[0]

    told = (streets["n_days"], streets["champion"], streets["kind"])

    assert told == released
    assert streets["baseline"] == "long_run_frequency"
    last, first = date.fromisoformat(streets["last_day"]), date.fromisoformat(streets["first_day"])
    assert (last - first).days + 1 == streets["n_days"]
    assert streets["as_of_day"] == streets["last_day"]


def test_the_part_is_json_without_nan(toy, town):
    written = json.dumps([accuracy_part(toy, "toy"), accuracy_part(town, "town")], allow_nan=False)

    assert json.loads(written)[0]["area"] == "toy"


def test_an_unknown_area_names_those_there_are(toy):
    with pytest.raises(PartError, match=r"no study area 'toronto'; it holds \['toy'\]"):
        accuracy_part(toy, "toronto")


def test_what_json_has_no_word_for_is_null():
    assert plain(math.nan) is None
    assert plain(-math.inf) is None
    assert plain(Decimal("0.5")) == 0.5
    assert plain(date(2021, 2, 28)) == "2021-02-28"
    assert plain("text") == "text"


def test_rows_are_gathered_in_order_of_first_appearance():
    rows = [{"m": "b", "x": 1}, {"m": "a", "x": 2}, {"m": "b", "x": 3}]

    assert gathered(rows, by="m") == [{"m": "b", "x": [1, 3]}, {"m": "a", "x": [2]}]


def test_offence_types_without_a_title_are_written_as_words():
    with duckdb.connect() as connection:
        connection.execute("create table month_count (study_area varchar, offence_type varchar)")
        connection.execute("insert into month_count values ('toy', 'theft_over')")

        assert offence_titles(connection, "toy") == {"theft_over": "Theft over"}


def test_titles_follow_the_order_of_the_toml():
    with duckdb.connect() as connection:
        connection.execute("create table month_count (study_area varchar, offence_type varchar)")
        connection.execute("insert into month_count values ('toy', 'a'), ('toy', 'b')")
        connection.execute(
            "create table offence_type as select 'toy' as study_area, unnest(['b', 'a']) as "
            "offence_type, unnest([0, 1]) as position, unnest(['Bee', 'Ay']) as title"
        )

        assert list(offence_titles(connection, "toy").items()) == [("b", "Bee"), ("a", "Ay")]

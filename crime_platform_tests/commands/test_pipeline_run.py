"""The whole pipeline on the toy city, through Dagster, as the command line runs it.

Thirty months are the least that boosted trees and networks need; the old recipe needs more, says so
and steps aside. What is tested is the way from files to release, with real DuckDB and Dagster.
"""

import dagster as dg
import numpy as np
import pytest

from crime_platform.commands.run import BAD_INPUT, GATE_FAILED, TRIGGER, run_area
from crime_platform.definitions import build_definitions
from crime_platform.defs.file_sensors import UNFINISHED
from crime_platform.pipeline.forecast import gather_evidence
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.timesteps import IncompleteDataError
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import write_toy_city


def rows(home, query):
    with open_release(home) as connection:
        return connection.sql(query).fetchall()


def edit(home, old, new):
    path = home.study_areas / "toy.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def edit_file(home, change):
    path = home.root / "raw/toy/all.csv"
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([header, *change(lines)]) + "\n")


@pytest.mark.slow
def test_files_become_a_published_release(published):
    (champion, opponent) = rows(
        published,
        "select min(deviance) filter (is_champion), "
        "min(deviance) filter (model = 'historical_average') from leaderboard",
    )[0]
    assert champion < opponent
    assert rows(published, "select as_of_month::varchar from release") == [("2021-06-01",)]
    # 2 types x 30 cells x 3 leads
    assert rows(published, "select count(*) from forecast_latest where is_champion") == [(180,)]
    # every incident of the file is in the published counts
    n_lines = len((published.root / "raw/toy/all.csv").read_text().splitlines()) - 1
    assert rows(published, "select sum(count) from cell_month") == [(n_lines,)]
    assert rows(published, "select sum(count) from month_count") == [(n_lines,)]


@pytest.mark.slow
def test_the_champion_is_what_the_walk_chose_last(published):
    history = rows(
        published, "select champion, is_selection from champion_history order by origin_month"
    )

    assert rows(published, "select champion from release") == [(history[-1][0],)]
    assert [is_selection for _, is_selection in history] == [True] * 12 + [False] * 7
    assert history[0][0] == "historical_average"  # nothing can be judged yet


@pytest.mark.slow
def test_the_policy_is_scored_beside_the_models_and_on_no_selection_month(published):
    models = {model for (model,) in rows(published, "select model from leaderboard")}
    assert {"policy", "ensemble", "lightgbm", "empirical_bayes"} <= models
    assert rows(published, "select distinct n_origins from leaderboard") == [(6,)]
    first = rows(published, "select min(origin_month)::varchar from backtest_forecast")
    assert first == [("2020-12-01",)]


@pytest.mark.slow
def test_the_release_tells_the_champions_own_skill_and_the_policys_apart(published):
    own, policy, rank = rows(
        published,
        "select max(deviance_skill) filter (is_champion), max(deviance_skill) filter (is_policy), "
        "max(rank) filter (is_policy) from leaderboard",
    )[0]
    told = rows(published, "select deviance_skill, policy_deviance_skill from release")[0]

    assert told == pytest.approx((own, policy))
    assert rank is None  # the policy is no model, and outside the ranking
    ranks = rows(published, "select count(rank), max(rank) from leaderboard")[0]
    assert ranks[0] == ranks[1]  # every model has one, from 1 on, without a gap


@pytest.mark.slow
def test_an_error_is_what_was_expected_minus_what_was_recorded(published):
    (total, expected, recorded), (bias,) = (
        rows(
            published,
            "select sum(error), sum(expected_count), sum(count) from forecast_vs_actual "
            "where is_backtest and model = 'historical_average'",
        )[0],
        rows(
            published,
            "select sum(sum_expected) / sum(sum_observed) - 1 from backtest_score "
            "where model = 'historical_average' and lead = 1 and cell_set = 'all' "
            "and not is_selection",
        )[0],
    )

    assert total == pytest.approx(expected - recorded, rel=1e-4)
    assert total / recorded == pytest.approx(bias, rel=1e-4)  # the same sign


@pytest.mark.slow
def test_the_spread_of_the_policy_is_judged_by_rate(published):
    groups = rows(
        published,
        "select rate_group, n, n_pit_inside_80 from calibration "
        "where model = 'policy' and lead = 1",
    )
    whole = {name: n for name, n, _ in groups}
    assert whole.pop("all") == sum(whole.values()) == 6 * 2 * 30
    assert all(0 <= inside <= n for _, n, inside in groups)


@pytest.mark.slow
def test_a_run_leaves_a_report_and_a_model_card(published):
    folder = published.artifacts("toy") / "2021-06"
    assert "Toy city" in (folder / "report.html").read_text(encoding="utf-8")
    assert "Refused" in (folder / "model_card.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_networks_without_enough_history_say_so(published):
    skipped = dict(rows(published, "select model, skipped from model_version"))
    assert "needs" in skipped["st_resnet_log1p_mse"]
    assert skipped["ewma"] is None


@pytest.mark.slow
def test_a_second_run_changes_nothing(published):
    before = published.forecasts.resolve(), published.forecasts.stat().st_mtime_ns

    outcome = run_area(published, "toy", "2021-06")

    assert outcome.exit_code == 0
    assert (published.forecasts.resolve(), published.forecasts.stat().st_mtime_ns) == before
    assert len(Warehouse(published.warehouse).read("select * from source_file")) == 1


@pytest.mark.slow
def test_an_earlier_month_is_added_beside_the_newest(published):
    assert run_area(published, "toy", "2021-04").exit_code == 0

    months = rows(published, "select as_of_month::varchar, is_latest from release order by 1")
    assert months == [("2021-04-01", False), ("2021-06-01", True)]
    # the past month's forecast meets what was recorded since
    judged = rows(
        published,
        "select distinct target_month::varchar from forecast_vs_actual where not is_backtest "
        "and as_of_month = '2021-04-01' order by 1",
    )
    assert judged == [("2021-05-01",), ("2021-06-01",)]
    # and its champion sits in the incumbent's seat when June is chosen for again
    champions = dict(rows(published, "select as_of_month::varchar, champion from release"))
    june = np.datetime64("2021-06", "M")
    assert gather_evidence(published, "toy", june).incumbent == champions["2021-04-01"]
    assert gather_evidence(published, "toy", june - 2).incumbent is None


@pytest.mark.slow
def test_a_failing_gate_leaves_the_release_and_exits_1(published):
    before = published.forecasts.resolve()
    report = published.artifacts("toy") / "2021-06" / "report.html"
    reported = report.stat().st_mtime_ns
    write_toy_city(
        published, moving=False
    )  # where nothing changes, nothing beats the historical average

    outcome = run_area(published, "toy", "2021-06")

    assert outcome.exit_code == GATE_FAILED
    assert "beats_historical_average" in outcome.messages[0]
    assert published.forecasts.resolve() == before
    assert report.stat().st_mtime_ns > reported  # a refused candidate is reported on too


@pytest.mark.slow
def test_publishing_alone_is_refused_after_a_failed_gate(published):
    before = published.forecasts.resolve()
    write_toy_city(published, moving=False)
    run_area(published, "toy", "2021-06")

    job = build_definitions(published).resolve_implicit_job_def_def_for_assets(
        [dg.AssetKey(["toy", "published"])]
    )
    assert job is not None
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(
            instance=instance,
            partition_key="2021-06",
            asset_selection=[dg.AssetKey(["toy", "published"])],
            raise_on_error=False,
        )

    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "was refused" in str(failure.step_failure_data.error)
    assert published.forecasts.resolve() == before


def _no_offence(lines):
    return [line.replace("Assault", "Arson") for line in lines]


def _bad_dates(lines):
    return [f"31/31/{line[:4]}{line[10:]}" for line in lines]


def _elsewhere(lines):
    return [line.rsplit(",", 1)[0] + ",51.5" for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_no_offence, ["all.csv", "arson", "labels"]),
        (_bad_dates, ["all.csv", "31/31/2019", "datetime_format"]),
        (_elsewhere, ["all.csv", "51.5"]),
        (
            lambda lines: [line for line in lines if line[:7] != "2020-03"],
            ["2020-03", "first_month"],
        ),
    ],
    ids=["unmapped label", "unparseable dates", "outside the area", "empty month"],
)
def test_bad_rows_exit_2_name_the_cure_and_leave_the_release(published, change, told):
    before = published.forecasts.resolve()
    edit_file(published, change)

    outcome = run_area(published, "toy", "2021-06")

    assert outcome.exit_code == BAD_INPUT
    message = "\n".join(outcome.messages)
    assert [word for word in told if word.lower() not in message.lower()] == []
    assert len(message.splitlines()) < 40
    assert published.forecasts.resolve() == before


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("raw/toy/*.csv", "raw/toy/*.tsv", ["raw/toy/*.tsv", "no such file"]),
        ('lon = "lon"', 'lon = "longitude"', ["all.csv", "longitude", "lon"]),
    ],
    ids=["missing file", "missing column"],
)
def test_a_toml_that_does_not_fit_the_files_exits_2(published, old, new, told):
    before = published.forecasts.resolve()
    edit(published, old, new)

    outcome = run_area(published, "toy", "2021-06")

    assert outcome.exit_code == BAD_INPUT
    assert [word for word in told if word not in outcome.messages[0]] == []
    assert published.forecasts.resolve() == before


@pytest.mark.slow
def test_less_than_24_months_is_refused(toy_city):
    home = toy_city(n_months=20, last_month="2021-06")
    outcome = run_area(home, "toy", "2021-06")
    assert outcome.exit_code == BAD_INPUT
    assert "20 complete months" in outcome.messages[0]
    assert "at least 24 are needed" in outcome.messages[0]
    assert not home.forecasts.exists()


@pytest.mark.slow
def test_an_open_area_is_forecast_from_its_newest_complete_month(toy_city):
    home = toy_city()
    edit(home, 'last_month = "2021-06"\n', "")
    edit_file(home, lambda lines: [line for line in lines if line[:10] < "2021-06-15"])

    outcome = run_area(home, "toy", None)

    assert outcome.exit_code == 0, outcome.messages
    assert rows(home, "select as_of_month::varchar from release") == [("2021-05-01",)]
    # an open area whose data end years ago is told so, and forecast all the same
    old, expired = outcome.warnings
    assert old.startswith("data_are_fresh: the newest incident is of 2021-06-14")
    assert expired.startswith("data_are_fresh: the data end too early for a forecast of today.")
    assert rows(home, "select check_name from data_check where not passed") == [("data_are_fresh",)]


@pytest.mark.parametrize("month", ["2018-01", "2022-01"])
def test_a_month_that_cannot_be_forecast_from_is_named(toy_city, month):
    home = toy_city()
    with pytest.raises(IncompleteDataError, match=f"as of {month}; months with .* 2020-12 to 2021"):
        run_area(home, "toy", month)


@pytest.mark.parametrize(
    "status", [each for each in UNFINISHED if each != dg.DagsterRunStatus.QUEUED]
)
def test_a_run_whose_process_was_killed_is_closed_at_the_next_start(toy_city, status):
    home = toy_city()
    job = build_definitions(home).resolve_job_def("toy_monthly")
    with dg.DagsterInstance.get() as instance:
        killed = instance.create_run_for_job(job, tags=TRIGGER, status=status)
        of_the_daemon = instance.create_run_for_job(job, status=status)

    with pytest.raises(IncompleteDataError):
        run_area(home, "toy", "2018-01")

    with dg.DagsterInstance.get() as instance:
        assert instance.get_run_by_id(killed.run_id).status == dg.DagsterRunStatus.FAILURE
        assert instance.get_run_by_id(of_the_daemon.run_id).status == status


def test_what_is_no_month_is_refused_before_anything_runs(toy_city):
    with pytest.raises(ValueError, match="--as-of: expected a month written YYYY-MM"):
        run_area(toy_city(), "toy", "June")


@pytest.mark.slow
def test_every_score_can_be_recomputed_from_the_release(published):
    theirs = dict(rows(published, "select model, deviance from leaderboard"))
    table = rows(
        published,
        "select model, expected_count, count from forecast_vs_actual "
        "join cell using (study_area, cell_id) where is_backtest and is_ever_active",
    )
    sums: dict[str, list[float]] = {}
    for model, mu, y in table:
        part = (y * np.log(y / mu) if y else 0.0) - (y - mu)
        sums.setdefault(model, []).append(2 * part)
    ours = {model: np.mean(values) for model, values in sums.items()}
    assert ours == pytest.approx(theirs, rel=1e-5)

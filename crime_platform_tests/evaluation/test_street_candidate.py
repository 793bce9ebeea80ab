from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.street_candidate import (
    build_street_candidate,
    judge_street_candidate,
    read_street_candidate,
    street_release_row,
)
from crime_platform.evaluation.street_candidate_tables import StreetEvidence, risk_ranks
from crime_platform.evaluation.street_runs import read_latest, run_street_model
from crime_platform.publication.release import StreetPublication, open_release, publish_release
from crime_platform.schema.cell_tables import BY_NAME
from crime_platform.schema.street_tables import STREET_TABLES
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.seal import DamagedArtifactError
from toys.damage import flip_a_bit
from toys.street_evidence import DAYS, LENGTH_M, PLAN, overwritten, toy_counts, toy_forecasters

COUNTS = toy_counts()
NAMES = ("last_day", "long_run_frequency", "ewma", "day_of_week")
NO_ROWS = pd.DataFrame()
QUALITY = pd.DataFrame({"study_area": ["toy"], "n_rows": [1]})


def built(root, *, counts=COUNTS, plan=PLAN, names=NAMES):
    """The candidate of these models, its evidence and its runs."""
    evidence = StreetEvidence(study_area="toy", title="Toy city", counts=counts, plan=plan)
    models = toy_forecasters(counts, *names).values()
    runs = [run_street_model(model, counts, plan, root) for model in models]
    return build_street_candidate(evidence, runs, root), evidence, runs


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("area")


@pytest.fixture(scope="module")
def made(root):
    return built(root)


@pytest.fixture(scope="module")
def candidate(made):
    return made[0]


def test_every_table_has_the_columns_it_is_published_with(candidate):
    written = {path.stem: set(candidate.table(path.stem).columns) for path in tables(candidate)}
    published = {
        name: {column.name for column in BY_NAME[name].columns} - {"run_id"} for name in written
    }

    assert written == published
    assert set(written) == {table.name for table in STREET_TABLES} - {
        "street_release",
        "street_training_curve",  # of networks only
    }


def tables(candidate):
    return sorted(candidate.folder.glob("*.parquet"))


def test_the_recent_days_win_where_danger_moved(candidate, made):
    verdict = judge_street_candidate(candidate, made[1])

    assert candidate.champion in {"ewma", "day_of_week"}
    assert "weeks of validation days" in str(candidate.manifest["reason"])
    assert verdict.reasons == []
    assert verdict.passed


def test_nothing_is_published_where_nothing_beats_the_frequency(tmp_path):
    still = toy_counts(moving=False)
    candidate, evidence, _ = built(tmp_path, counts=still, names=("last_day", "long_run_frequency"))

    verdict = judge_street_candidate(candidate, evidence)

    assert candidate.champion == "long_run_frequency"
    assert not verdict.passed
    assert "champion itself" in verdict.reasons[0]


def test_the_champion_and_its_opponent_are_published(candidate):
    forecast = candidate.table("segment_forecast")

    assert set(forecast["model"]) == {candidate.champion, "long_run_frequency"}
    assert set(forecast.loc[forecast["is_champion"], "model"]) == {candidate.champion}
    assert len(forecast) == 2 * 3 * 2 * 8  # models, leads, groups, nodes
    assert forecast["target_day"].min() == (DAYS[-1] + 1).item()


def test_a_forecast_row_says_what_the_run_said(candidate, made):
    run = next(run for run in made[2] if run.model == candidate.champion)
    latest = read_latest(run)
    forecast = candidate.table("segment_forecast").query("is_champion")

    row = forecast.query("lead == 2 and offence_group == 'property' and segment_id == 's3'").iloc[0]

    expected = latest.expected_count[1, 1, 3]
    assert row["expected_count"] == pytest.approx(expected)
    assert row["expected_per_km"] == pytest.approx(expected / (LENGTH_M[3] / 1000))
    assert row["probability_any"] <= 1
    assert row["p025"] <= row["p05"] <= row["p95"] <= row["p975"]
    assert row["model_version"] == run.fits[-1]["key"]


def test_the_riskiest_street_per_km_ranks_first():
    per_extent = np.array([[[0.2, 0.5, 0.5, 0.1]]])

    assert risk_ranks(per_extent).tolist() == [[[3, 1, 1, 4]]]


def test_segments_and_their_days_add_up_to_the_counts(candidate):
    segment, day = candidate.table("segment"), candidate.table("segment_day")

    assert segment["segment_id"].tolist() == [f"s{n}" for n in range(8)]
    assert segment["lat"].between(43, 44).all()
    assert day["count"].sum() == COUNTS.history.counts.sum()


def test_the_leaderboard_is_ordered_by_deviance(candidate):
    board = candidate.leaderboard()

    assert board["deviance"].is_monotonic_increasing
    assert set(board["model"]) == set(NAMES)


def test_a_candidate_is_built_once(candidate, root):
    again, _, _ = built(root)

    assert again.folder == candidate.folder
    assert read_street_candidate(candidate.folder) == candidate


def test_days_after_as_of_change_nothing(root):
    plan = replace(PLAN, as_of=DAYS[-9])

    honest, _, _ = built(root, plan=plan)
    fooled, _, _ = built(root, plan=plan, counts=overwritten(COUNTS, DAYS[-9]))

    assert fooled.folder == honest.folder


def test_days_after_the_anchor_change_no_score(candidate, tmp_path):
    fooled, _, _ = built(tmp_path, counts=overwritten(COUNTS, PLAN.anchor))

    for name in ("street_score", "street_hotspot", "street_skill", "street_curve"):
        pd.testing.assert_frame_equal(fooled.table(name), candidate.table(name))
    assert fooled.champion == candidate.champion


def test_an_absent_candidate_says_what_to_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="materialise street_candidate"):
        read_street_candidate(tmp_path)


def publication(candidate, newest):
    as_of = np.datetime64(str(candidate.manifest["as_of_day"]), "D")
    return StreetPublication(
        study_area="toy", as_of_day=as_of, newest_day=newest, folder=candidate.folder, run_id="r1"
    )


@pytest.fixture(scope="module")
def released(tmp_path_factory, root, made):
    """A release of two days: nine days ago and the newest."""
    home = PlatformHome(tmp_path_factory.mktemp("home"))
    plan = replace(PLAN, as_of=DAYS[-9])
    items = [built(root, plan=plan)[:2], made[:2]]
    rows = [
        street_release_row(each, judge_street_candidate(each, evidence))
        | {"run_id": "r1", "published_at": pd.Timestamp("2021-03-01", tz="UTC")}
        for each, evidence in items
    ]
    publish_release(
        home,
        [publication(each, DAYS[-1]) for each, _ in items],
        NO_ROWS.assign(study_area=[]),
        quality=QUALITY,
        street_releases=pd.DataFrame(rows).assign(is_latest=[False, True]),
    )
    with open_release(home) as connection:
        yield connection


def test_the_leaderboard_of_the_release_is_that_of_the_candidate(released, candidate):
    board = released.sql("select * from street_leaderboard").df()

    assert board["model"].tolist() == candidate.leaderboard()["model"].tolist()
    assert board["rank"].tolist() == [1, 2, 3, 4]
    assert board.loc[board["is_champion"], "model"].tolist() == [candidate.champion]


def test_the_latest_forecast_has_the_frequency_and_the_map_beside_it(released):
    latest = released.sql("select * from street_forecast_latest").df()

    assert len(latest) == 3 * 2 * 8
    assert latest["long_run_count"].notna().all()
    assert latest["lon"].between(-80, -79).all()


def test_earlier_forecasts_can_be_compared_with_what_came(released):
    compared = released.sql("select * from street_forecast_vs_actual").df()
    by_day = compared.groupby("target_day")["count"].sum()
    recorded = COUNTS.history.counts.sum(axis=(1, 2))[-8:-5]  # the three days after the ninth last

    assert len(compared) == 3 * 2 * 8
    assert by_day.tolist() == recorded.tolist()


def test_only_the_champion_of_earlier_days_stays(released):
    kept = released.sql("select as_of_day, count(*) as n from segment_forecast group by all").df()
    scores = released.sql("select count(distinct as_of_day) as n from street_score").df()

    assert sorted(kept["n"]) == [3 * 2 * 8, 2 * 3 * 2 * 8]
    assert scores["n"].item() == 1


def test_forecasts_older_than_sixty_days_are_let_go(candidate):
    old = publication(candidate, DAYS[-1] + 61)

    assert old.rows_of("segment_forecast") is None
    assert publication(candidate, DAYS[-1] + 60).rows_of("segment_forecast") == "is_champion"


def test_a_day_of_streets_leaves_a_month_s_lead_in_months(released):
    comments = released.sql(
        "select table_name, comment from duckdb_columns() where column_name = 'lead' "
        "and table_name in ('leaderboard_by_lead', 'street_forecast_latest')"
    ).fetchall()

    assert dict(comments) == {
        "leaderboard_by_lead": "Months from origin to target, 1 is the next month",
        "street_forecast_latest": "Days from origin to target, 1 is the next day",
    }


def test_a_damaged_candidate_is_built_anew_and_said(tmp_path, caplog):
    candidate, _, _ = built(tmp_path)
    expected = candidate.table("street_score")
    flip_a_bit(candidate.folder / "street_score.parquet")

    with pytest.raises(DamagedArtifactError, match=r"street_score\.parquet has other bytes"):
        read_street_candidate(candidate.folder)
    again, _, _ = built(tmp_path)

    assert again.folder == candidate.folder
    pd.testing.assert_frame_equal(again.table("street_score"), expected)
    assert "damaged-1 and made anew" in caplog.text

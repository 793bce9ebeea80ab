"""The data checks on real files: read, counted, judged, stored and shown by Dagster."""

import datetime as dt
import shutil

import dagster as dg
import duckdb
import pytest

from crime_platform.definitions import build_definitions
from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.data_checks import COUNT_CHECKS, INCIDENT_CHECKS, run_checks
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.warehouse.warehouse import Warehouse
from toys.paths import REPOSITORY

GWENT = REPOSITORY.parent / "shared" / "data" / "ukpolice-gwent" / "gwent-street.zip"
TODAY = dt.date(2019, 5, 1)


@pytest.fixture
def town(toy_city):
    """The toy city with four months of incidents, open-ended, judged when asked."""

    class Town:
        home = toy_city(n_months=4)
        raw = home.root / "raw/toy"
        toml = home.study_areas / "toy.toml"

        def edit(self, old, new):
            text = self.toml.read_text()
            self.toml.write_text(text.replace(old, new))

        def judge(self, today=TODAY):
            area = load_study_area(self.toml)
            ingest_area(area, self.home)
            return run_checks(INCIDENT_CHECKS, area, self.home, today=today)

    made = Town()
    made.edit('last_month = "2019-04"\n', "")
    return made


def lines(town):
    return (town.raw / "all.csv").read_text().splitlines()


def test_good_files_pass_every_check(town):
    outcomes = town.judge()

    assert [name for name, outcome in outcomes.items() if not outcome.passed] == []
    assert set(outcomes) == {check.name for check in INCIDENT_CHECKS}


def test_a_further_file_with_other_columns_is_told(town):
    town.judge()
    header = "date,offence,lon,latitude_wgs84,lat,victim_age"
    (town.raw / "may.csv").write_text(f"{header}\n2019-05-31,Assault,-79.385,0,43.615,30\n")

    outcome = town.judge()["schema_is_unchanged"]

    (problem,) = outcome.problems
    assert problem.startswith("may.csv: columns differ from those of all.csv")
    assert "'victim_age' new, about persons and never loaded" in problem
    assert "'latitude_wgs84' new, not loaded" in problem


def test_a_revised_file_with_another_header_is_compared_with_its_earlier_version(town):
    town.judge()
    header, *rows = lines(town)
    (town.raw / "all.csv").write_text("\n".join([f"{header},ward", *(f"{r},9" for r in rows)]))

    (row,) = town.judge()["schema_is_unchanged"].rows

    assert (row["table"], row["compared with"], row["added"]) == ("all.csv", "all.csv", "ward")


def test_a_file_that_repeats_a_month_of_another_is_told(town):
    header, *rows = lines(town)
    april = [row for row in rows if row.startswith("2019-04")]
    (town.raw / "april.csv").write_text("\n".join([header, *april[:-3]]) + "\n")

    (problem,) = town.judge()["files_are_distinct"].problems

    n_shared = len(april) - 3
    assert f"all.csv and april.csv share {n_shared:,} equal rows of 2019-04" in problem


def test_a_source_whose_newest_file_counts_may_repeat_months(town):
    town.edit(
        'paths = ["raw/toy/*.csv"]', 'paths = ["raw/toy/*.csv"]\nrevisions = "replace_months"'
    )
    (town.raw / "again.csv").write_text("\n".join(lines(town)[:-1]) + "\n")

    assert town.judge()["files_are_distinct"].passed


def test_labels_within_the_limit_are_told_all_the_same(town):
    town.edit("[backtest]", "[quality]\nmax_unmapped_share = 0.1\n\n[backtest]")
    with (town.raw / "all.csv").open("a") as file:
        file.write("2019-04-30,Assaults,-79.385,43.615\n")

    (problem,) = town.judge()["labels_are_mapped"].problems

    assert "'Assaults' (1 rows, like 'Assault')" in problem


def test_old_data_are_stale_and_a_closed_data_set_is_not(town):
    assert not town.judge(dt.date(2019, 9, 1))["data_are_fresh"].passed

    town.edit('first_month = "2019-01"', 'first_month = "2019-01"\nlast_month = "2019-04"')

    assert town.judge(dt.date(2019, 7, 31))["data_are_fresh"].passed


def test_files_that_a_wrong_clock_read_in_the_future_are_told(town):
    town.judge()
    with Warehouse(town.home.warehouse).writer() as connection:
        connection.execute("update source_file set ingested_at = timestamptz '2999-01-02 12:00Z'")

    (problem,) = town.judge(dt.date(2019, 6, 1))["data_are_fresh"].problems

    assert problem.startswith("a file was read on 2999-01-02 by this machine's clock")


def test_a_closed_data_set_whose_last_forecast_expired_says_so(town):
    town.edit('first_month = "2019-01"', 'first_month = "2019-01"\nlast_month = "2019-04"')

    (problem,) = town.judge(dt.date(2019, 8, 1))["data_are_fresh"].problems

    # April is the newest month, and three months are forecast.
    assert "The monthly forecast expired on 1 August 2019: July 2019" in problem


def test_the_usual_lag_is_set_in_the_toml(town):
    town.edit("[backtest]", "[quality]\nmax_age_days = 200\n\n[backtest]")

    assert town.judge(dt.date(2019, 7, 31))["data_are_fresh"].passed


def test_an_empty_warehouse_has_nothing_to_tell(town):
    outcomes = run_checks(INCIDENT_CHECKS + COUNT_CHECKS, load_study_area(town.toml), town.home)

    assert [name for name, outcome in outcomes.items() if not outcome.passed] == []


def test_answers_are_kept_until_the_next_time(town):
    town.judge(dt.date(2019, 9, 1))
    town.judge(dt.date(2019, 9, 2))

    kept = Warehouse(town.home.warehouse).read("select * from data_check where not passed")

    (row,) = kept.to_dict("records")
    assert (row["check_name"], row["severity"]) == ("data_are_fresh", "warn")
    assert "125 days ago" in row["problem"]  # from 30 April to 2 September


def test_a_warehouse_of_an_earlier_version_is_brought_up_to_date(town):
    town.judge()
    with duckdb.connect(str(town.home.warehouse)) as connection:
        connection.execute(
            "drop table source_header; drop table data_check; comment on table source_file is null"
        )

    outcomes = run_checks(INCIDENT_CHECKS, load_study_area(town.toml), town.home, today=TODAY)

    assert outcomes["schema_is_unchanged"].passed


@pytest.fixture
def broken_level(toy_city):
    """Three years of the toy city; from the third on, seven of eight assaults are not recorded."""
    home = toy_city(n_months=36, moving=False)
    file = home.root / "raw/toy/all.csv"
    header, *rows = file.read_text().splitlines()
    kept = [
        row
        for number, row in enumerate(rows)
        if row < "2021" or "Robbery" in row or number % 8 == 0 or row[8:10] in ("28", "30", "31")
    ]
    file.write_text("\n".join([header, *kept]) + "\n")
    return home


def test_dagster_shows_the_checks_on_their_assets_and_goes_on(broken_level):
    definitions = build_definitions(broken_level)
    with dg.instance_for_test() as instance:
        result = definitions.resolve_job_def("toy_ingest").execute_in_process(instance=instance)
        found = {
            evaluation.check_name: evaluation for evaluation in result.get_asset_check_evaluations()
        }

    assert result.success
    assert {check.name for check in INCIDENT_CHECKS + COUNT_CHECKS} <= set(found)
    levels = found["levels_are_steady"]
    assert not levels.passed
    assert levels.severity == dg.AssetCheckSeverity.WARN
    assert levels.asset_key == dg.AssetKey(["toy", "cell_month_count"])
    assert "assault: recorded" in (levels.description or "")
    assert "since 2021-01" in (levels.description or "")
    assert type(levels.metadata["findings"]).__name__ == "TableMetadataValue"
    assert "data:image/png" in str(levels.metadata["plot"].value)
    assert found["data_are_fresh"].asset_key == dg.AssetKey(["toy", "incidents"])


@pytest.mark.skipif(
    not GWENT.exists(), reason=f"the street files of Gwent Police are not at {GWENT}"
)
def test_newports_criminal_damage_is_told_with_its_month(home):
    shutil.copy(REPOSITORY / "data" / "study_areas" / "newport.toml", home.study_areas)
    (home.root / "raw" / "newport").mkdir(parents=True)
    (home.root / "raw" / "newport" / GWENT.name).symlink_to(GWENT)
    area = load_study_area(home.study_areas / "newport.toml")
    ingest_area(area, home)
    rebuild_counts(area, home)

    # August 2025 is the last month that the newest data allow a forecast of.
    day = dt.date(2025, 8, 31)
    outcomes = run_checks(INCIDENT_CHECKS + COUNT_CHECKS, area, home, today=day)

    failed = [name for name, outcome in outcomes.items() if not outcome.passed]
    assert failed == ["months_are_full", "levels_are_steady"]
    (dip,) = outcomes["months_are_full"].problems  # the month before the new level
    assert dip.startswith("offence type criminal_damage, 2023-09: 15 incidents")
    breaks = {row["offence type"]: row["since"] for row in outcomes["levels_are_steady"].rows}
    assert breaks == {"criminal_damage": "2023-10", "burglary": "2023-11"}

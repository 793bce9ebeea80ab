"""The street assets in Dagster: they run, they block, and the monthly run leaves them alone."""

import datetime as dt
from dataclasses import replace

import dagster as dg
import numpy as np
import pytest

from crime_platform.definitions import build_definitions
from crime_platform.defs.asset_factory import area_asset
from crime_platform.defs.assets_dashboard import dashboard_assets
from crime_platform.defs.assets_grid import grid_assets
from crime_platform.defs.assets_street import as_of_days, street_data_assets, street_group
from crime_platform.defs.resources import Platform
from crime_platform.defs.street_schedules import daily_schedule, street_job
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.source_api import SourceApi
from crime_platform.study_area.study_area import load_study_area
from toys.street_town import EAST, INCIDENTS, NORTH, STREET_TABLE, write_incidents, write_town

STREET_ASSETS = {"street_graph", "segment_day_count"}


@pytest.fixture
def town(home):
    return write_town(home)


def materialized(area, home):
    incidents = grid_assets(area)[0]
    return dg.materialize(
        [incidents, *street_data_assets(area)],
        resources={"platform": Platform(root=str(home.root))},
        raise_on_error=False,
    )


def metadata_of(result, asset):
    (event,) = result.asset_materializations_for_node(f"town__{asset}")
    return {key: value.value for key, value in event.metadata.items()}


def street_check(result):
    found = {each.check_name: each for each in result.get_asset_check_evaluations()}
    return found["incidents_reach_a_street"]


def test_graph_and_counts_are_made_and_described(home, town):
    result = materialized(town, home)

    assert result.success
    graph, counts = (metadata_of(result, name) for name in ("street_graph", "segment_day_count"))
    assert (graph["nodes"], graph["links"], graph["pieces"], graph["isolated nodes"]) == (
        4,
        6,
        1,
        0,
    )
    assert graph["lines: n_stubs"] == 0
    assert graph["map"].startswith("![plot](data:image/png;base64,")
    assert (counts["incidents"], counts["of them forecast"]) == (7, 4)
    assert (counts["beyond every street"], counts["nodes never active"]) == (1, 1)
    assert counts["last complete day"] == "2020-02-29"
    assert counts["snap distance"].startswith("![plot](data:image/png;base64,")
    check = street_check(result)
    assert check.passed
    assert check.metadata["beyond_share"].value == pytest.approx(0.2)  # 1 of 5


def test_places_are_drawn_as_well(home):
    places = STREET_TABLE.replace('file = "raw/streets.gpkg"\n', "")
    result = materialized(write_town(home, streets=places), home)

    assert metadata_of(result, "street_graph")["kind"] == "place"


SOUTH = f"extent_m = [{EAST}, {NORTH}, {EAST + 1000}, {NORTH + 400}]\nnearby_types"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (
            ("max_beyond_share = 0.25", "max_beyond_share = 0.1"),
            "1 of 5 incidents in the street area (20.0%) are beyond reach of every street",
        ),
        (
            ("nearby_types", SOUTH),
            "no incident of the offence groups is near a street of the area",
        ),
    ],
)
def test_incidents_near_no_street_stop_what_follows(home, change, problem):
    area = write_town(home, changes=(change,))

    check = street_check(materialized(area, home))

    assert (check.passed, check.blocking) == (False, True)
    assert problem in check.description
    assert "Check file, max_snap_m and the area chosen under [streets]" in check.description


def test_street_assets_have_a_description_an_owner_a_kind_and_a_group_of_their_own(home, town):
    definitions = build_definitions(home)
    specs = [s for s in definitions.resolve_all_asset_specs() if s.key.path[-1] in STREET_ASSETS]

    assert {spec.key.path[-1] for spec in specs} == STREET_ASSETS
    assert {spec.group_name for spec in specs} == {street_group(town)} == {"town_streets"}
    assert [spec.key for spec in specs if not (spec.description and spec.owners)] == []


def test_the_monthly_run_and_the_ingest_leave_streets_alone(home, town):
    definitions = build_definitions(home)

    for_months = {
        name: {
            key.path[-1]
            for key in definitions.resolve_job_def(name).asset_layer.executable_asset_keys
        }
        for name in ("town_monthly", "town_ingest")
    }

    assert for_months["town_ingest"] == {"incidents", "cell_month_count", "grid_tensor"}
    assert for_months["town_monthly"] & STREET_ASSETS == set()
    assert len(for_months["town_monthly"]) == len(grid_assets(town)) + len(dashboard_assets(town))


def test_an_area_without_streets_has_no_street_assets(home):
    assert street_data_assets(write_town(home, streets="")) == []


def test_days_start_with_two_years_of_history_and_end_with_the_data(town):
    closed = replace(town, last_month=np.datetime64("2022-02", "M"))
    keys = as_of_days(closed).get_partition_keys()

    assert (keys[0], keys[-1]) == ("2022-01-01", "2022-02-28")


def scheduled(area, home):
    """Definitions of the daily job with a model that is partitioned by day."""

    @area_asset(area, "python", group=street_group(area), partitions_def=as_of_days(area))
    def gldnet() -> dg.MaterializeResult:
        """Stands in for a model."""
        return dg.MaterializeResult()

    job = street_job(area)
    return dg.Definitions(
        assets=[
            *grid_assets(area),
            *street_data_assets(area),
            gldnet,
            *dashboard_assets(replace(area, streets=None)),
        ],
        jobs=[job],
        schedules=[daily_schedule(area, job, home)],
        resources={"platform": Platform(root=str(home.root))},
    )


def tick(definitions, moment, instance=None):
    schedule = definitions.resolve_schedule_def("town_daily_schedule")
    with dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=dt.datetime.fromisoformat(moment),
        repository_def=definitions.get_repository_def(),
    ) as context:
        return schedule.evaluate_tick(context)


@pytest.fixture
def open_town(home):
    """A town whose record is open and reaches 28 February 2022."""
    area = write_town(home, changes=(('last_month = "2020-02"\n', ""),))
    write_incidents(home, (*INCIDENTS, ("2022-02-28", 1, "Robbery", "Street", 500, 900)))
    ingest_area(area, home)
    return area


MORNING = "2022-03-02T06:30:00-05:00"


def test_a_tick_forecasts_from_the_last_complete_day(home, open_town):
    with dg.instance_for_test() as instance:
        requests = tick(scheduled(open_town, home), MORNING, instance).run_requests

    assert [(r.partition_key, r.run_key) for r in requests] == [("2022-02-25", "town:2022-02-25")]


def test_a_day_is_asked_for_once(home, open_town):
    definitions = scheduled(open_town, home)
    with dg.instance_for_test() as instance:
        instance.create_run_for_job(
            definitions.resolve_job_def("town_daily"), tags={"dagster/run_key": "town:2022-02-25"}
        )
        data = tick(definitions, MORNING, instance)

    assert data.run_requests == []
    assert "the files of town reach no further than before: 2022-02-25" in data.skip_message


def test_an_api_is_asked_every_morning(home, open_town):
    source = replace(
        open_town.sources[0],
        format="socrata",
        api=SourceApi(urls=("https://a.org/resource/abcd-1234",)),
    )
    fetched = replace(open_town, sources=(source,))
    with dg.instance_for_test() as instance:
        (request,) = tick(scheduled(fetched, home), MORNING, instance).run_requests

    assert request.run_key == "town:2022-02-25:2022-03-02"


def test_an_area_that_was_never_ingested_is_left_alone(home, town):
    data = tick(scheduled(town, home), MORNING)

    assert data.run_requests == []
    assert "town was never ingested: start it once by hand" in data.skip_message


def test_a_record_with_too_little_history_is_left_alone(home, town):
    ingest_area(town, home)
    data = tick(scheduled(load_study_area(home.study_areas / "town.toml"), home), MORNING)

    assert "2020-02-29 has too little history of town, or lies ahead" in data.skip_message


def test_the_daily_job_takes_incidents_in_and_runs_by_itself(home, open_town):
    definitions = scheduled(open_town, home)
    job = definitions.resolve_job_def("town_daily")
    schedule = definitions.resolve_schedule_def("town_daily_schedule")

    keys = {key.path[-1] for key in job.asset_layer.executable_asset_keys}
    assert keys == {"incidents", "gldnet", "dashboard_export", *STREET_ASSETS}
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert (schedule.cron_schedule, schedule.execution_timezone) == (
        "30 6 * * *",
        "America/Toronto",
    )

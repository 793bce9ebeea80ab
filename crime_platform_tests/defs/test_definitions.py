import datetime as dt
import json
import subprocess
import sys

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from crime_platform.definitions import build_definitions, load_areas
from crime_platform.defs.assets_grid import as_of_months
from crime_platform.defs.metadata import clean_metadata, table_of
from crime_platform.defs.sensors import append_alert, post_alert
from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import TOY_AREA
from toys.paths import REPOSITORY
from toys.schedule_tick import tick

ASSETS = [
    "incidents",
    "cell_month_count",
    "grid_tensor",
    "baselines",
    "boosted_trees",
    "st_resnet",
    "convlstm",
    "candidate",
    "published",
    "report",
    "dashboard_export",
]


@pytest.fixture
def definitions(toy_city):
    return build_definitions(toy_city())


def test_loading_the_code_location_imports_nothing_heavy():
    script = (
        "import sys, crime_platform.definitions;"
        "heavy = 'torch sklearn lightgbm optuna geopandas pandas matplotlib scipy'.split();"
        "print([name for name in heavy if name in sys.modules])"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "[]"


def test_the_definitions_load_and_hold_every_asset(definitions):
    dg.Definitions.validate_loadable(definitions)
    keys = {key.path[-1] for key in definitions.resolve_all_asset_keys()}
    assert keys == set(ASSETS)


def test_every_asset_has_a_description_an_owner_a_kind_and_a_group(definitions):
    specs = definitions.resolve_all_asset_specs()
    bare = [s.key for s in specs if not (s.description and s.owners and s.kinds)]
    assert bare == []
    assert {spec.group_name for spec in specs} == {"toy"}


def test_only_the_gate_and_the_data_checks_block(definitions):
    checks = {
        spec.name: spec.blocking
        for asset in definitions.resolve_asset_graph().assets_defs
        for spec in asset.check_specs
    }
    assert checks == {
        "source_files_are_sound": True,
        "no_missing_months": True,
        "enough_history": True,
        "schema_is_unchanged": False,
        "geocode_rate_is_usual": False,
        "labels_are_mapped": False,
        "files_are_distinct": False,
        "every_part_has_every_month": False,
        "months_are_full": False,
        "nothing_was_taken_back": False,
        "data_are_fresh": False,
        "levels_are_steady": False,
        "revisions_are_usual": False,
        "skill_over_historical_average": False,
        "beats_historical_average": True,
        "forecast_is_current": False,
    }


def test_months_start_with_enough_history_and_end_with_the_data(toy_city):
    area = load_study_area(toy_city().study_areas / "toy.toml")
    keys = as_of_months(area).get_partition_keys()
    assert (keys[0], keys[-1]) == ("2020-12", "2021-06")


@pytest.mark.parametrize(
    ("moment", "month"),
    [
        ("2021-03-05T06:00:00-05:00", "2021-02"),
        ("2021-04-05T06:00:00-04:00", "2021-03"),  # summer time has begun
        ("2021-01-05T06:00:00-05:00", "2020-12"),
        ("2026-11-05T06:00:00-05:00", "2021-06"),  # the data set is closed
    ],
)
def test_a_tick_forecasts_from_the_month_that_has_just_ended(definitions, moment, month):
    requests = tick(definitions, dt.datetime.fromisoformat(moment)).run_requests
    assert [(r.partition_key, r.run_key) for r in requests] == [(month, f"toy:{month}")]


LATER = dt.datetime.fromisoformat("2026-12-05T06:00:00-05:00")


def test_a_closed_data_set_is_forecast_once(definitions):
    data = tick(definitions, LATER, before=dg.DagsterRunStatus.SUCCESS)

    assert data.run_requests == []
    assert data.skip_message == "toy was forecast from 2021-06 already"


def test_a_month_whose_run_failed_is_tried_again(definitions):
    data = tick(definitions, LATER, before=dg.DagsterRunStatus.FAILURE)

    assert [request.partition_key for request in data.run_requests] == ["2021-06"]


def test_a_tick_before_there_is_enough_history_is_skipped(definitions):
    data = tick(definitions, dt.datetime.fromisoformat("2020-06-05T06:00:00-04:00"))
    assert data.run_requests == []
    assert "no month with enough history" in data.skip_message


def test_a_tick_without_files_names_what_is_missing(toy_city):
    home = toy_city()
    (home.root / "raw/toy/all.csv").unlink()
    data = tick(build_definitions(home), dt.datetime.fromisoformat("2021-03-05T06:00:00-05:00"))
    assert data.run_requests == []
    assert data.skip_message == "toy has no file yet at raw/toy/*.csv"


def count_months_through(home, last):
    """Read the toy city up to a month, with an open end."""
    toml = home.study_areas / "toy.toml"
    toml.write_text(toml.read_text().replace('last_month = "2021-06"\n', ""))
    file = home.root / "raw/toy/all.csv"
    header, *lines = file.read_text().splitlines()
    file.write_text("\n".join([header, *(line for line in lines if line[:7] <= last)]))
    area = load_study_area(toml)
    ingest_area(area, home)
    rebuild_counts(area, home)


def test_a_month_whose_file_is_late_is_not_asked_for_in_vain(toy_city):
    home = toy_city()
    count_months_through(home, "2021-02")

    data = tick(build_definitions(home), dt.datetime.fromisoformat("2021-06-05T06:00:00-04:00"))

    assert data.run_requests == []
    assert "the files of toy reach 2021-02, and 2021-05 is due" in data.skip_message


def test_a_month_is_asked_for_at_the_age_at_which_it_can_be_used(toy_city):
    home = toy_city()
    count_months_through(home, "2021-05")
    with Warehouse(home.warehouse).writer() as connection:
        connection.execute(
            "update month_count set is_complete = false, treatment = 'left out' "
            "where month = date '2021-05-01'"
        )

    data = tick(build_definitions(home), dt.datetime.fromisoformat("2021-06-05T06:00:00-04:00"))

    assert [request.partition_key for request in data.run_requests] == ["2021-04"]


def test_schedules_and_sensors_run_without_a_click(definitions):
    schedule = definitions.resolve_schedule_def("toy_monthly_schedule")
    sensor = definitions.resolve_sensor_def("alert_on_failure")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert schedule.execution_timezone == "America/Toronto"


def test_one_broken_area_leaves_the_others_in_place(toy_city, caplog):
    home = toy_city()
    broken = TOY_AREA.format(last_month="2021-06").replace("cell_size_m", "cel_size_m")
    (home.study_areas / "broken.toml").write_text(broken)

    names = [area.name for area in load_areas(home)]

    assert names == ["toy"]
    assert "cel_size_m" in caplog.text


def test_metadata_of_any_library_can_be_stored():
    cleaned = clean_metadata(
        {
            "float32": np.float32(0.5),
            "float64": np.float64(0.5),
            "int64": np.int64(3),
            "bool": np.bool_(True),
            "array": np.arange(2),
            "timestamp": pd.Timestamp("2021-09-01"),
            "month": np.datetime64("2021-09", "M"),
            "path": REPOSITORY,
            "table": pd.DataFrame({"n": [np.int64(1), np.int64(2)]}),
            "png": b"\x89PNG",
            "nested": {"a": [np.float64(1.0), None]},
            "nothing": None,
        }
    )
    assert "nothing" not in cleaned
    plain = {key: type(value).__name__ for key, value in cleaned.items()}
    assert plain["float64"] == "FloatMetadataValue"
    assert plain["int64"] == "IntMetadataValue"
    assert plain["bool"] == "BoolMetadataValue"
    assert plain["path"] == "PathMetadataValue"
    assert plain["table"] == "TableMetadataValue"
    assert plain["png"] == "MarkdownMetadataValue"
    assert cleaned["month"].value == "2021-09"
    assert dg.serialize_value(dg.AssetMaterialization("a", metadata=cleaned))


def test_a_table_cell_that_is_no_number_is_shown_empty():
    table = table_of([{"skill": float("nan"), "model": "ewma"}])
    assert table.value.records[0].data == {"skill": None, "model": "ewma"}


def test_alerts_are_appended_as_lines(tmp_path):
    for run in ("a", "b"):
        append_alert(tmp_path / "alerts.jsonl", {"run_id": run})
    lines = (tmp_path / "alerts.jsonl").read_text().splitlines()
    assert [json.loads(line)["run_id"] for line in lines] == ["a", "b"]


def test_a_webhook_must_be_a_web_address():
    with pytest.raises(ValueError, match="must be an http or https URL"):
        post_alert("file:///etc/passwd", {"run_id": "a"})

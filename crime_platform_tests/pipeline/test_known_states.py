"""A month that was still running when its file was written is never complete, whatever it holds."""

import datetime as dt
import json
import os

import dagster as dg
import numpy as np
import pytest

from crime_platform.commands import run as pipeline_run
from crime_platform.commands.run import BAD_INPUT, run_area
from crime_platform.definitions import build_definitions
from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.known_states import day_record
from crime_platform.sources.files.times import content_moment
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.timesteps import (
    IncompleteDataError,
    is_whole,
    last_whole_month,
    quiet_days_allowed,
)
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import toy_counts, write_toy_csv

JUNE = np.datetime64("2021-06", "M")
FILE = "raw/toy/all.csv"
OPEN = ('last_month = "2021-06"\n', "")


def day(text):
    return np.datetime64(text, "D")


@pytest.mark.parametrize(
    ("known_on", "whole"), [("2021-06-28", False), ("2021-06-30", False), ("2021-07-01", True)]
)
@pytest.mark.parametrize("months_only", [True, False])
def test_a_month_is_whole_only_when_it_was_known_after_its_end(known_on, whole, months_only):
    found = is_whole(JUNE, day("2021-06-30"), known_on=day(known_on), months_only=months_only)

    assert found is whole


@pytest.mark.parametrize(
    ("last_day", "known_on", "month"),
    [
        ("2021-06-30", "2021-06-30", "2021-05"),
        ("2021-06-30", "2021-07-01", "2021-06"),
        ("2021-07-01", "2021-07-01", "2021-06"),
        ("2021-06-10", "2021-09-01", "2021-05"),  # a copy of the autumn that ends in June
        ("2021-06-30", "2021-05-02", "2021-04"),
    ],
)
def test_the_last_whole_month_asks_rows_and_time(last_day, known_on, month):
    assert last_whole_month(day(last_day), known_on=day(known_on)) == np.datetime64(month, "M")


def test_where_every_day_has_an_incident_the_last_day_must_have_one():
    days = day("2020-05-01") + np.arange(426)  # through 30 June 2021

    assert quiet_days_allowed(days) == 0
    assert not is_whole(JUNE, day("2021-06-29"), quiet_days=quiet_days_allowed(days))


def test_one_quiet_day_in_a_year_allows_quiet_days_at_the_end():
    days = np.delete(day("2020-05-01") + np.arange(426), 300)

    assert quiet_days_allowed(days) == 3


def test_a_short_record_does_not_say_that_no_day_is_quiet():
    assert quiet_days_allowed(day("2021-06-01") + np.arange(30)) == 3


READ_AT = dt.datetime(2021, 7, 5, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("changed", "moment"),
    [
        ("2021-07-01T03:00", "2021-07-01T03:00"),
        ("2021-06-30T23:00", "2021-06-30T23:00"),
        ("2021-06-28T23:00", "2021-06-28T23:00"),  # two days before an incident entered ahead
        ("1980-01-01T00:00", "2021-07-05T12:00"),  # as archives write: years before its incidents
        ("2021-08-01T00:00", "2021-07-05T12:00"),  # a clock that is ahead
    ],
)
def test_a_files_own_time_counts_unless_it_cannot_be_right(changed, moment):
    changed_ns = int(utc(changed).timestamp()) * 10**9

    found = content_moment(
        changed_ns, dt.date(2021, 6, 30), timezone="America/Toronto", read_at=READ_AT
    )

    assert found == utc(moment)


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


@pytest.fixture
def written_at(toy_city):
    """Counts the open toy city, whose file of 30 months through June 2021 is of a moment in UTC."""

    def write(moment, *changes):
        home = toy_city()
        toml = home.study_areas / "toy.toml"
        text = toml.read_text()
        for old, new in (OPEN, *changes):
            text = text.replace(old, new)
        toml.write_text(text)
        set_time(home.root / FILE, moment)
        return count(home), home

    return write


def set_time(path, moment):
    os.utime(path, (utc(moment).timestamp(),) * 2)


def count(home):
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)
    return rebuild_counts(area, home)


def test_a_file_of_the_last_day_leaves_its_month_out_and_says_so(written_at):
    report, home = written_at("2021-06-30T20:00")

    assert report.last_complete == JUNE - 1
    (reason,) = Warehouse(home.warehouse).why_not_newer("toy")
    assert reason == (
        "2021-06 is not complete: raw/toy/all.csv holds what was known on 2021-06-30, before the "
        "month had ended"
    )


@pytest.mark.parametrize(
    ("zone", "moment", "last"),
    [
        ("America/Toronto", "2021-07-01T03:59", JUNE - 1),  # 23:59 on 30 June there
        ("America/Toronto", "2021-07-01T04:01", JUNE),
        ("Pacific/Auckland", "2021-06-30T11:59", JUNE - 1),
        ("Pacific/Auckland", "2021-06-30T12:01", JUNE),  # 00:01 on 1 July there
    ],
)
def test_a_month_ends_at_midnight_in_the_area(written_at, zone, moment, last):
    report, _ = written_at(moment, ("America/Toronto", zone))

    assert report.last_complete == last


def test_a_closed_data_set_needs_a_file_of_after_its_last_month_too(toy_city):
    home = toy_city()
    set_time(home.root / FILE, "2021-06-29T20:00")

    assert count(home).last_complete == JUNE - 1


@pytest.mark.parametrize("after", ["Assault", "Parking"])
def test_rows_that_are_not_counted_show_that_the_months_before_them_have_ended(toy_city, after):
    home = toy_city(n_months=30)  # through June 2021, the last month of the area
    toml = home.study_areas / "toy.toml"
    toml.write_text(toml.read_text().replace("[grid]", 'ignored_labels = ["Parking"]\n\n[grid]', 1))
    path = home.root / FILE
    header, *rows = path.read_text().splitlines()
    kept = [row for row in rows if row < "2021-06-15"]
    path.write_text("\n".join([header, *kept]) + "\n")
    ends_early = count(home).last_complete
    path.write_text("\n".join([header, *kept, f"2021-07-03,{after},-79.374,43.625"]) + "\n")

    assert (ends_early, count(home).last_complete) == (JUNE - 1, JUNE)


def test_a_row_of_after_today_shows_nothing(toy_city):
    home = toy_city(n_months=30)
    path = home.root / FILE
    rows = [row for row in path.read_text().splitlines() if not "2021-06-15" <= row < "2022"]
    path.write_text("\n".join([*rows, "2199-07-03,Assault,-79.374,43.625"]) + "\n")

    assert count(home).last_complete == JUNE - 1


def test_a_copy_with_a_new_time_does_not_make_its_month_whole(written_at):
    _, home = written_at("2021-06-30T20:00")
    set_time(home.root / FILE, "2021-07-03T20:00")

    assert count(home).last_complete == JUNE - 1  # the same bytes were known in June


def test_a_newer_file_completes_the_month(written_at):
    _, home = written_at("2021-06-30T20:00")
    write_toy_csv(home.root / FILE, toy_counts(30, moving=True) + 1)
    set_time(home.root / FILE, "2021-07-02T20:00")

    assert count(home).last_complete == JUNE


NAMED = (
    'paths = ["raw/toy/*.csv"]',
    'paths = ["raw/toy/*.csv"]\npublished_on = "toy-%Y-%m-%d.csv"\nrevisions = "replace_months"',
)


@pytest.mark.parametrize(
    ("named_on", "last"), [("2021-06-30", JUNE - 1), ("2021-07-01", JUNE), ("2023-01-01", JUNE)]
)
@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Pacific/Kiritimati"])
def test_the_day_in_a_files_name_is_a_day_in_the_area(toy_city, named_on, last, zone):
    home = toy_city()
    toml = home.study_areas / "toy.toml"
    text = toml.read_text().replace(*OPEN).replace(*NAMED).replace("America/Toronto", zone)
    toml.write_text(text)
    (home.root / FILE).rename(home.root / f"raw/toy/toy-{named_on}.csv")

    report = count(home)

    assert report.last_complete == last


def test_a_name_that_lies_ahead_counts_from_the_reading(toy_city):
    home = toy_city()
    toml = home.study_areas / "toy.toml"
    toml.write_text(toml.read_text().replace(*OPEN).replace(*NAMED))
    file = (home.root / FILE).rename(home.root / "raw/toy/toy-2099-01-01.csv")
    set_time(file, "2021-06-30T20:00")

    assert count(home).last_complete == JUNE - 1


def test_an_api_that_was_asked_again_completes_a_month_without_news(written_at):
    _, home = written_at("2021-06-30T20:00")
    warehouse = Warehouse(home.warehouse)

    warehouse.confirm_files("toy", "toy_police", utc("2021-07-02T08:00"))

    area = load_study_area(home.study_areas / "toy.toml")
    assert rebuild_counts(area, home).last_complete == JUNE


def test_a_day_that_was_still_running_is_not_the_last_ended(written_at):
    _, home = written_at("2021-06-30T20:00")

    record = day_record(load_study_area(home.study_areas / "toy.toml"), home)

    assert (record.newest, record.last_ended) == (day("2021-06-30"), day("2021-06-29"))


def test_an_area_that_was_never_read_has_no_days(toy_city):
    home = toy_city()

    assert day_record(load_study_area(home.study_areas / "toy.toml"), home) is None


def test_the_sensor_forecasts_from_the_month_before_the_running_one(written_at):
    _, home = written_at("2021-06-30T20:00")
    build_tensor(load_study_area(home.study_areas / "toy.toml"), home, toy_grid(home))

    requests = look(home).run_requests

    assert [request.partition_key for request in requests] == ["2021-05"]


def test_counts_of_a_month_ahead_start_no_forecast(written_at):
    _, home = written_at("2021-07-30T20:00")
    build_tensor(load_study_area(home.study_areas / "toy.toml"), home, toy_grid(home))
    attributes = home.artifacts("toy") / "grid_tensor.zarr" / ".zattrs"
    told = json.loads(attributes.read_text()) | {"last_month": "2099-01"}
    # As an earlier version counted a running month; it knew no seal either.
    attributes.write_text(json.dumps(told))
    (attributes.parent / "sha256.json").unlink()

    assert "2099-01 has not ended in America/Toronto" in look(home).skip_message


def look(home):
    """One evaluation of the sensor of new months."""
    definitions = build_definitions(home)
    with (
        dg.instance_for_test() as instance,
        dg.build_sensor_context(
            instance=instance, repository_def=definitions.get_repository_def()
        ) as context,
    ):
        return definitions.resolve_sensor_def("toy_new_months").evaluate_tick(context)


def toy_grid(home):
    return grid_of(load_study_area(home.study_areas / "toy.toml"), home=home.root)


def test_a_file_without_a_whole_month_ends_as_bad_input(toy_city):
    home = toy_city(n_months=1, last_month="2021-06")
    set_time(home.root / FILE, "2019-01-20T20:00")

    outcome = run_area(home, "toy", "2021-06")

    assert outcome.exit_code == BAD_INPUT
    (message,) = outcome.messages
    assert "0 complete months from 2019-01 on, at least 24 are needed" in message


def test_a_run_falls_back_to_the_last_complete_month_and_says_why(written_at, caplog, monkeypatch):
    _, home = written_at("2021-06-30T20:00")
    asked = []

    def execute(_definitions, job, _instance, partition):
        asked.append((job, partition))
        return pipeline_run.Outcome(exit_code=0, run_id="r")

    monkeypatch.setattr(pipeline_run, "_execute", execute)

    run_area(home, "toy", None)

    assert asked == [("toy_ingest", None), ("toy_monthly", "2021-05")]
    assert "forecasting as of 2021-05: 2021-06 is not complete: raw/toy/all.csv" in caplog.text


def test_a_running_month_that_is_asked_for_is_explained(written_at):
    _, home = written_at("2021-06-30T20:00")

    with pytest.raises(IncompleteDataError, match=r"2030-01; .*; 2021-06 is not complete: raw/toy"):
        run_area(home, "toy", "2030-01")

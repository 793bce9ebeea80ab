import os
import shutil

import dagster as dg
import numpy as np
import pytest

from crime_platform.definitions import build_definitions
from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts, tensor_version
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.publication.publish import published_version
from crime_platform.study_area.study_area import load_study_area
from toys.city import toy_counts, write_toy_csv

FILE = "raw/toy/all.csv"


@pytest.fixture
def look():
    """Evaluates one of the toy city's sensors as the daemon would."""
    with dg.DagsterInstance.ephemeral() as instance:

        def evaluate(home, name, cursor=None):
            definitions = build_definitions(home)
            context = dg.build_sensor_context(
                instance=instance,
                cursor=cursor,
                repository_def=definitions.get_repository_def(),
            )
            return definitions.resolve_sensor_def(name).evaluate_tick(context)

        evaluate.instance = instance
        yield evaluate


def looks(look, home, times, cursor=None):
    """The last of several looks at the toy city's files."""
    tick = look(home, "toy_new_files", cursor)
    return tick if times == 1 else looks(look, home, times - 1, tick.cursor)


def keys(tick):
    return [request.run_key for request in tick.run_requests]


def test_an_area_without_files_waits(toy_city, look):
    home = toy_city()
    (home.root / FILE).unlink()

    tick = look(home, "toy_new_files")

    assert tick.skip_message == "toy has no file yet at raw/toy/*.csv"


def test_a_file_seen_for_the_first_time_may_still_be_growing(toy_city, look):
    tick = looks(look, toy_city(), 1)

    assert tick.run_requests == []
    assert "once they stay as they are" in tick.skip_message


def test_a_file_that_stayed_as_it_was_is_read(toy_city, look):
    tick = looks(look, toy_city(), 2)

    assert keys(tick)[0].startswith("toy:")


def test_a_file_that_is_still_being_copied_is_not_read(toy_city, look):
    home = toy_city()
    first = looks(look, home, 1)
    with (home.root / FILE).open("a") as file:
        file.write("2019-01-09,Assault,-79.36,43.62\n")

    second = look(home, "toy_new_files", first.cursor)
    third = look(home, "toy_new_files", second.cursor)

    assert second.run_requests == []
    assert len(third.run_requests) == 1


def test_files_that_were_read_start_nothing_more(toy_city, look):
    tick = looks(look, toy_city(), 3)

    assert tick.run_requests == []
    assert tick.skip_message == "no file is new"


def test_a_touched_file_with_the_same_bytes_starts_nothing(toy_city, look):
    home = toy_city()
    started = looks(look, home, 2)
    os.utime(home.root / FILE, (1, 1))

    tick = looks(look, home, 2, started.cursor)

    assert tick.skip_message == "no file is new"


def test_a_revised_file_starts_the_ingest_again(toy_city, look):
    home = toy_city()
    started = looks(look, home, 2)
    write_toy_csv(home.root / FILE, 2 * toy_counts(30, moving=True))

    tick = looks(look, home, 2, started.cursor)

    assert len(tick.run_requests) == 1
    assert keys(tick) != keys(started)


def test_bytes_that_come_back_are_read_again(toy_city, look):
    home = toy_city()
    first = looks(look, home, 2)
    write_toy_csv(home.root / FILE, 2 * toy_counts(30, moving=True))
    second = looks(look, home, 2, first.cursor)
    write_toy_csv(home.root / FILE, toy_counts(30, moving=True))

    third = looks(look, home, 2, second.cursor)

    # Dagster never starts the same run key twice.
    assert len({*keys(first), *keys(second), *keys(third)}) == 3


def test_a_file_that_is_taken_away_starts_the_ingest_again(toy_city, look):
    home = toy_city()
    shutil.copy(home.root / FILE, home.root / "raw/toy/more.csv")
    started = looks(look, home, 2)
    (home.root / "raw/toy/more.csv").unlink()

    tick = looks(look, home, 2, started.cursor)

    assert len(tick.run_requests) == 1


def test_a_link_to_nothing_is_told_and_starts_nothing(toy_city, look):
    home = toy_city()
    (home.root / "raw/toy/link.csv").symlink_to("nowhere.csv")

    tick = looks(look, home, 2)

    assert tick.run_requests == []
    assert "link.csv: a link to nowhere.csv, which is not there" in tick.skip_message


def count(home):
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)
    rebuild_counts(area, home)
    build_tensor(area, home, grid_of(area, home=home.root))


def test_nothing_counted_starts_no_forecast(toy_city, look):
    tick = look(toy_city(), "toy_new_months")

    assert tick.skip_message == "nothing of toy was counted yet"


def test_too_little_history_starts_no_forecast(toy_city, look):
    home = toy_city(n_months=6)
    count(home)

    tick = look(home, "toy_new_months")

    assert tick.skip_message == (
        "2019-06 has too little history to forecast from; the first month with enough is 2020-12"
    )


def test_counts_that_were_never_published_start_a_forecast(toy_city, look):
    home = toy_city()
    count(home)

    tick = look(home, "toy_new_months")

    month, version = tensor_version(home, "toy")
    assert keys(tick) == [f"toy:{month}:first:{version}"]
    assert [request.partition_key for request in tick.run_requests] == ["2021-06"]


def test_a_forecast_under_way_is_not_started_twice(toy_city, look):
    home = toy_city()
    count(home)
    job = build_definitions(home).resolve_job_def("toy_monthly")
    look.instance.create_run_for_job(
        job, status=dg.DagsterRunStatus.STARTED, tags={"dagster/partition": "2021-06"}
    )

    tick = look(home, "toy_new_months")

    assert tick.skip_message == "a forecast is under way"


@pytest.mark.slow
def test_published_counts_start_nothing(published, look):
    tick = look(published, "toy_new_months")

    assert tick.skip_message == "2021-06 is published with these counts"


@pytest.mark.slow
def test_revised_counts_of_a_published_month_start_a_forecast(published, look):
    write_toy_csv(published.root / FILE, 2 * toy_counts(30, moving=True))
    count(published)

    tick = look(published, "toy_new_months")

    assert [request.partition_key for request in tick.run_requests] == ["2021-06"]


def test_a_month_that_was_never_published_has_no_version(toy_city):
    assert published_version(toy_city(), "toy", np.datetime64("2021-06", "M")) is None

"""What counting on streets refuses, and what it says."""

import pytest

from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.segment_counts import (
    count_segments,
    last_counted_day,
    read_segment_counts,
)
from crime_platform.pipeline.street_graph import build_graph
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.vocabulary.incident import CoordinateError
from crime_platform.vocabulary.timesteps import IncompleteDataError
from crime_platform.warehouse.warehouse import Warehouse
from toys.street_town import INCIDENTS, PLACES, count_town, write_streets, write_town


def test_streets_of_another_city_are_refused(home):
    area = write_town(home)
    write_streets(home.root / "raw/streets.gpkg", [[(90000, 0), (90000, 900)]])
    ingest_area(area, home)
    build_graph(area, home)

    with pytest.raises(
        CoordinateError, match="incidents is within 100 m of a segment; the nearest"
    ):
        count_segments(area, home)


def test_each_step_names_the_one_before_it(home):
    area = write_town(home)
    with pytest.raises(IncompleteDataError, match="town has no counts on streets: materialise"):
        read_segment_counts(home, "town")
    with pytest.raises(IncompleteDataError, match="town has no street graph: materialise"):
        count_segments(area, home)
    build_graph(area, home)
    with pytest.raises(IncompleteDataError, match="town has no incident in the warehouse"):
        count_segments(area, home)
    assert last_counted_day(home, "town") is None


def test_a_warehouse_of_an_earlier_version_holds_no_counts_on_streets(home):
    with Warehouse(home.warehouse).writer() as connection:
        connection.execute("drop table street_count")

    assert last_counted_day(home, "town") is None


def test_a_record_too_young_to_hold_a_whole_day_is_named(home):
    young = write_town(
        home,
        changes=(
            ('last_month = "2020-02"\n', ""),
            ("nearby_types", "reporting_lag_days = 90\nnearby_types"),
        ),
    )
    ingest_area(young, home)
    build_graph(young, home)

    with pytest.raises(IncompleteDataError, match="reporting_lag_days = 90 no day of it is compl"):
        count_segments(young, home)


def test_places_need_an_incident_with_one(home):
    nowhere = tuple((*incident[:4], None, None) for incident in INCIDENTS)
    area = write_town(home, streets=PLACES, incidents=(*nowhere[:2], *INCIDENTS[5:6] * 5))
    ingest_area(area, home)

    with pytest.raises(IncompleteDataError, match="no incident of burglary, robbery has a place"):
        build_graph(area, home)


def test_other_groups_than_were_counted_are_refused(home):
    count_town(home)
    toml = home.study_areas / "town.toml"
    toml.write_text(toml.read_text().replace('"homes"', '"houses"'))

    with pytest.raises(IncompleteDataError, match=r"counted for the groups \['homes', 'street'\]"):
        read_segment_counts(home, "town")


def test_an_area_without_streets_is_refused(home):
    area = write_town(home, streets="")

    with pytest.raises(StudyAreaError, match=r"town has no streets: add \[streets\] to town\.toml"):
        build_graph(area, home)


def test_incidents_that_came_in_meanwhile_are_not_lost(home, monkeypatch):
    area, *_ = count_town(home)
    monkeypatch.setattr(
        Warehouse,
        "incident_places",
        lambda *_, places=Warehouse.incident_places, **options: places(
            Warehouse(home.warehouse), "town", **options
        ).iloc[1:],
    )

    with pytest.raises(IncompleteDataError, match="incidents of town came in while their places"):
        count_segments(area, home)
    assert Warehouse(home.warehouse).read("select count(*) from street_count").to_numpy() == [[1]]

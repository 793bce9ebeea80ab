"""Incidents of a small town counted by day and street, worked by hand; and Toronto's, by number."""

import shutil
from functools import partial

import geopandas
import numpy as np
import pytest
import shapely

from crime_platform.geography.street_graph_file import read_graph
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.segment_counts import (
    count_segments,
    last_counted_day,
    read_segment_counts,
)
from crime_platform.pipeline.street_graph import build_graph
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.seal import DamagedArtifactError
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import prepare_home
from toys.damage import cut_off
from toys.paths import REPOSITORY
from toys.street_town import (
    EAST,
    EAST_SIDE,
    INCIDENTS,
    NORTH,
    NORTH_SIDE,
    PLACES,
    SOUTH_SIDE,
    STREET_TABLE,
    UTM_17,
    WEST_SIDE,
    count_town,
    write_incidents,
    write_streets,
    write_town,
)

JAN_1, JAN_3, FEB_29 = 0, 2, 59  # steps of 2020, whose February has 29 days


@pytest.fixture
def counted(home):
    """Writes the town, ingests, builds its graph and counts: area, both reports, dense counts."""
    return partial(count_town, home)


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """The town counted once, never touched again: home, both reports, dense counts."""
    home = prepare_home(tmp_path_factory.mktemp("town") / "home")
    _, graph, report, counts = count_town(home)
    return home, graph, report, counts


def stored(home, query):
    return Warehouse(home.warehouse).read(query).to_numpy().tolist()


def test_incidents_are_counted_by_day_group_and_nearest_street(town):
    *_, counts = town

    node = counts.graph.node_id.index
    expected = np.zeros((60, 2, 4), dtype=np.float32)
    expected[JAN_1, 0, node(WEST_SIDE)] = 2
    expected[JAN_1, 1, node(EAST_SIDE)] = 1
    expected[JAN_3, 1, node(NORTH_SIDE)] = 1
    np.testing.assert_array_equal(counts.history.counts, expected)
    assert counts.offence_groups == ("homes", "street")
    assert (str(counts.days[0]), str(counts.days[-1])) == ("2020-01-01", "2020-02-29")


def test_marks_are_counted_beside_them(town):
    *_, counts = town

    node, marked = counts.graph.node_id.index, counts.history.marked
    assert {mark: float(array.sum()) for mark, array in marked.items()} == {
        "hours_afternoon": 1.0,  # 12 o'clock
        "hours_evening": 1.0,  # 23
        "hours_night": 2.0,  # both burglaries at 2
        "nearby_theft": 2.0,  # one, shown to both groups
        "premises_house": 1.0,
    }
    assert marked["premises_house"][JAN_1, 0, node(WEST_SIDE)] == 1
    assert marked["nearby_theft"][FEB_29, :, node(SOUTH_SIDE)].tolist() == [1.0, 1.0]
    assert {array.dtype for array in marked.values()} == {np.dtype(np.float16)}


def test_every_incident_is_accounted_for(town):
    home, _, report, _ = town

    assert (report.n_incidents, report.n_snapped, report.n_forecast) == (7, 5, 4)
    assert (report.n_beyond, report.n_outside, report.n_without_place) == (1, 0, 1)
    # Of the groups: 10, 10, 20 and 0 m to their streets, and one beyond.
    assert (report.snap.n_points, report.snap.n_beyond) == (5, 1)
    assert (report.snap.median_m, report.snap.max_m) == pytest.approx((10.0, 20.0))
    assert sorted(report.snap_distance_m) == pytest.approx([0, 10, 10, 20])
    assert report.n_never_active == 1  # the south side had a theft only
    assert stored(home, "select source_row, offence_type, reason from unsnapped_incident") == [
        [6, "burglary", "no street within 100 m"]
    ]


def test_the_graph_is_named_by_its_content_and_linked_to(town):
    home, graph, report, counts = town

    link = home.artifacts("town") / "street_graph"
    assert link.is_symlink()
    assert link.resolve() == graph.path.resolve()
    assert (graph.path.name, report.graph_key) == (graph.key, graph.key)
    assert read_graph(link).node_id == counts.graph.node_id
    assert graph.facts["nodes"] == graph.facts["lines: n_segments"] == 4
    assert (graph.facts["links"], graph.facts["pieces"]) == (6, 1)  # all four meet


def test_counting_again_changes_nothing(counted, home):
    area, graph, first, counts = counted()
    again = build_graph(area, home)
    second = count_segments(area, home)

    assert (again.key, second.n_rows) == (graph.key, first.n_rows)
    assert read_segment_counts(home, "town").data_version == counts.data_version
    assert stored(home, "select count(*) from street_count") == [[1]]
    assert stored(home, "select count(*) from unsnapped_incident") == [[1]]


def test_what_was_counted_is_read_on_its_own_graph(counted, home):
    area, graph, _, counts = counted()
    write_streets(home.root / "raw/streets.gpkg", [[(0, 500), (1000, 500)]])
    other = build_graph(area, home)

    assert other.key != graph.key
    assert read_segment_counts(home, "town").data_version == counts.data_version


def test_an_incident_on_a_street_outside_is_not_moved_to_one_inside(counted):
    # The west half holds the middle of the west side alone. Of the groups' incidents two lie on it;
    # the one at (510, 480) is nearest to the south side, which does not belong to the area.
    extent = f"extent_m = [{EAST}, {NORTH}, {EAST + 499}, {NORTH + 1000}]\nnearby_types"
    near_the_crossing = ("2020-01-05", 1, "Robbery", "Street", 501, 480)
    _, graph, report, counts = counted(
        changes=(("nearby_types", extent),), incidents=(*INCIDENTS, near_the_crossing)
    )

    assert counts.graph.node_id == (WEST_SIDE,)
    assert graph.facts["nodes outside the street area"] == 3
    assert (report.n_incidents, report.n_snapped, report.n_outside) == (8, 2, 4)
    assert (report.n_beyond, report.snap.n_points) == (1, 3)  # (250, 700) lies in the extent


def test_a_boundary_chooses_streets_and_what_is_beyond(counted, home):
    west = shapely.box(EAST, NORTH + 400, EAST + 499, NORTH + 600)
    geopandas.GeoDataFrame(geometry=[west], crs=UTM_17).to_file(home.root / "west.gpkg")

    _, _, report, counts = counted(
        changes=(("nearby_types", 'boundary_file = "west.gpkg"\nnearby_types'),)
    )

    assert counts.graph.node_id == (WEST_SIDE,)
    assert (report.n_snapped, report.n_beyond, report.n_outside) == (2, 0, 4)


def test_the_busiest_community_is_told_by_the_days_of_training(home):
    # Two crossings far apart are two communities; the second is busier, but late: 70 % of 60 days
    # end on 11 February.
    far = [[(x + 9000, y) for x, y in line] for line in [[(0, 500), (900, 500)]]]
    write_town(home)
    write_streets(home.root / "raw/streets.gpkg", [[(0, 500), (900, 500)], *far])
    late = tuple(("2020-02-20", 1, "Robbery", "Street", 950, 500) for _ in range(9))
    write_incidents(home, (*INCIDENTS, *late))
    toml = home.study_areas / "town.toml"
    text = toml.read_text().replace("nearby_types", "n_communities = 1\nnearby_types")
    toml.write_text(text.replace('file = "raw', 'max_snap_m = 400\nfile = "raw'))
    area = load_study_area(toml)
    ingest_area(area, home)

    graph = build_graph(area, home).graph

    assert graph.node_id == (f"x{EAST + 450}y{NORTH + 500}",)


def test_without_streets_the_places_of_the_groups_are_the_graph(counted):
    thefts = [("2020-01-05", 1, "Theft", "Street", *place) for place in ((100, 530), (500, 600))]

    _, graph, report, counts = counted(streets=PLACES, incidents=(*INCIDENTS, *thefts))

    # Four distinct places of burglary and robbery hold five incidents; a theft 20 m from one of
    # them is moved there, one 269 m from all is beyond, and (500, 100) is south of them all.
    assert (counts.graph.kind, counts.graph.n_nodes) == ("place", 4)
    assert (report.n_snapped, report.n_beyond, report.n_outside) == (6, 1, 1)
    assert (graph.facts["nodes"], counts.node_features) == (4, {})


def test_an_open_record_ends_before_its_late_reports(counted, home):
    *_, counts = counted(changes=(('last_month = "2020-02"\n', ""),))

    assert str(counts.days[-1]) == "2020-02-26"  # the newest three days are left out
    assert counts.history.counts.sum() == 4
    assert last_counted_day(home, "town") == np.datetime64("2020-02-26")


def test_holidays_are_known_a_year_ahead(town):
    *_, counts = town

    assert str(counts.history.holidays[-1]) == "2021-02-15"  # Family Day in Ontario


def test_features_and_temperatures_are_read_raw(counted, home):
    stations = geopandas.GeoDataFrame(
        {"staff": [3.0]}, geometry=[shapely.Point(EAST + 250, NORTH + 600)], crs=UTM_17
    )
    stations.to_file(home.root / "stations.gpkg")
    weather = np.arange("2019-01-01", "2020-01-01", dtype="datetime64[D]")
    lines = ["day,temperature_c", *(f"{d},{n}" for n, d in enumerate(weather))]
    (home.root / "weather.csv").write_text("\n".join(lines))
    points = '[[streets.points]]\nname = "station"\nfile = "stations.gpkg"\n'
    total = 'kind = "total"\nvalue_column = "staff"\nradius_m = 150\n'
    density = 'kind = "density"\nbandwidth_m = 500\n'

    *_, counts = counted(
        streets=STREET_TABLE + points + points + total + points + density,
        changes=(("nearby_types", 'temperature_file = "weather.csv"\nnearby_types'),),
    )

    west = counts.graph.node_id.index(WEST_SIDE)
    found = {name: values[west] for name, values in counts.node_features.items()}
    assert found == pytest.approx(
        {
            "log_length": np.log(0.5),
            "station_distance_m": 100.0,
            "station_total": 3.0,
            # exp(-100^2 / (2 500^2)) / (2 pi 0.5^2) per km2
            "station_per_km2": np.exp(-0.02) / (2 * np.pi * 0.25),
        }
    )
    assert str(counts.covariates.days[-1]) == "2020-03-07"  # seven days ahead
    assert counts.covariates.values[-1, 0] == 65.0  # 7 March is day 65 of 2019, counted from 0


def test_torontos_square_holds_1123_places_and_32749_incidents(tmp_path):
    # Counted with numpy in the bundled file: assault and robbery whose point lies in the square.
    home = prepare_home(tmp_path / "home")
    (home.root / "toronto").symlink_to(REPOSITORY / "data/toronto")
    shutil.copy(REPOSITORY / "data/study_areas/toronto.toml", home.study_areas)
    area = load_study_area(home.study_areas / "toronto.toml")
    ingest_area(area, home)
    build_graph(area, home)
    report = count_segments(area, home)

    counts = read_segment_counts(home, "toronto")

    assert counts.history.counts.shape == (2922, 1, 1123)  # 2014-01-01..2021-12-31
    assert counts.history.counts.sum() == report.n_forecast == 32_749
    assert (report.snap.n_beyond, report.n_never_active) == (0, 0)
    assert report.snap.max_m < 0.75  # half a metre's diagonal: places are whole metres


def test_a_damaged_graph_is_built_anew_and_said(counted, home, caplog):
    area, graph, _, _ = counted()
    cut_off(graph.path / "nodes.parquet")

    with pytest.raises(DamagedArtifactError, match=r"nodes\.parquet has"):
        read_segment_counts(home, "town")
    again = build_graph(area, home)

    assert again.key == graph.key
    assert read_graph(again.path).node_id == graph.graph.node_id
    assert f"{graph.key}.damaged-1 and made anew" in caplog.text

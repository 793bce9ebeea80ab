"""Toronto on street lines: the study area is here, the lines (ODbL) are not."""

import shutil

import pytest

from crime_platform.commands.run import run_streets
from crime_platform.definitions import build_definitions
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.pipeline.segment_counts import count_segments
from crime_platform.pipeline.street_graph import build_graph
from crime_platform.study_area.study_area import load_study_area
from crime_platform.system.exit_codes import BAD_INPUT
from toys.paths import REPOSITORY

TOML = REPOSITORY / "data" / "study_areas" / "toronto_lines.toml"
LINES = REPOSITORY.parent / "shared" / "data" / "toronto-streets" / "toronto_osm_lines.geojson.gz"
INCIDENTS = REPOSITORY / "data" / "toronto" / "major_crime_indicators_2014_2021.parquet"
needs_lines = pytest.mark.skipif(
    not LINES.is_file(), reason=f"Toronto's street lines are not at {LINES}: nothing is counted"
)


@pytest.fixture
def toronto(home):
    shutil.copy(TOML, home.study_areas)
    return load_study_area(home.study_areas / TOML.name)


@pytest.fixture
def raw(home):
    folder = home.root / "raw" / "toronto_lines"
    folder.mkdir(parents=True)
    (folder / INCIDENTS.name).symlink_to(INCIDENTS)
    return folder


def test_without_its_files_the_area_loads_and_a_run_names_them(toronto, home):
    assert build_definitions(home).resolve_job_def("toronto_lines_daily")

    outcome = run_streets(home, toronto.name, None)

    assert outcome.exit_code == BAD_INPUT
    assert "raw/toronto_lines/major_crime_indicators_2014_2021.parquet" in outcome.messages[0]


@needs_lines
def test_nearly_all_incidents_of_the_square_lie_near_a_line(toronto, home, raw):
    (raw / LINES.name).symlink_to(LINES)
    ingest_area(toronto, home)

    graph = build_graph(toronto, home)
    counted = count_segments(toronto, home)

    # Counted independently of the platform: 2,031 segments, 230 km, 6,665 forecast incidents, 101
    # beyond every street. Segments depend on how short a sliver may be.
    assert graph.graph.n_nodes == pytest.approx(2031, abs=5)
    assert graph.graph.length_m.sum() == pytest.approx(230_000, rel=0.005)
    assert counted.n_forecast == pytest.approx(6665, rel=0.005)
    assert counted.n_beyond == pytest.approx(101, abs=10)
    assert counted.snap.median_m < 2

"""An area whose places are addresses in a file of their own: the file is here, its data are not."""

import shutil

import pytest

from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.warehouse.warehouse import Warehouse
from toys.paths import REPOSITORY

TOML = REPOSITORY / "data" / "study_areas" / "charlottesville.toml"
FOLDER = REPOSITORY.parent / "shared" / "data" / "charlottesville"
FILES = ("crime_raw_2019-09-28.csv.gz", "addresses_2019-09-28.csv.gz")
needs_files = pytest.mark.skipif(
    not FOLDER.exists(), reason=f"the files of the Charlottesville police are not in {FOLDER}"
)


@pytest.fixture
def charlottesville(home):
    shutil.copy(TOML, home.study_areas)
    raw = home.root / "raw" / "charlottesville"
    raw.mkdir(parents=True)
    for name in FILES:
        (raw / name).symlink_to(FOLDER / name)
    return load_study_area(home.study_areas / TOML.name)


def test_the_area_counts_what_victims_report():
    area = load_study_area(TOML)

    assert len(area.offence_names) == 6
    assert not area.includes_police_discovered
    assert {"Narcotics", "Towed Vehicle"} <= set(area.ignored_labels)


@needs_files
def test_every_row_of_the_real_file_is_accounted_for(charlottesville, home):
    report = ingest_area(charlottesville, home)
    counts = rebuild_counts(charlottesville, home)

    found = {row["finding"]: row["n_rows"] for row in report.findings}
    assert report.problems == []
    # 29,475 rows: 18,170 of other labels, 184 of the months that are cut off, 53 wrong geocodes
    assert report.n_accepted == 29_475 - 18_170 - 184 - 53
    assert found["outside the grid"] == 53
    assert (str(counts.first), str(counts.last_complete)) == ("2014-10", "2019-08")


@needs_files
def test_addresses_are_found_and_the_others_count_in_totals(charlottesville, home):
    ingest_area(charlottesville, home)

    table = Warehouse(home.warehouse).read(
        "select count(*) as n, count(row) as placed, avg(occurred_hour) as hour from incident"
    )
    assert table["placed"].item() / table["n"].item() == pytest.approx(0.988, abs=5e-4)
    # Local hours; read as UTC, the quiet of the small hours would lie four or five hours later.
    assert 12.0 < table["hour"].item() < 14.0

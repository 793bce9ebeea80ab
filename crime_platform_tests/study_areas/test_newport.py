"""The second real area: its file is in the repository, its data are not."""

import shutil

import pytest

from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from toys.paths import REPOSITORY

TOML = REPOSITORY / "data" / "study_areas" / "newport.toml"
ZIP = REPOSITORY.parent / "shared" / "data" / "ukpolice-gwent" / "gwent-street.zip"


def test_the_area_is_read_and_ignores_what_police_discover():
    area = load_study_area(TOML)

    assert area.crs == "EPSG:27700"
    assert not area.includes_police_discovered
    assert {"Drugs", "Public order"} <= set(area.ignored_labels)


@pytest.mark.skipif(not ZIP.exists(), reason=f"the street files of Gwent Police are not at {ZIP}")
def test_every_row_of_the_real_files_is_accounted_for(home):
    shutil.copy(TOML, home.study_areas)
    (home.root / "raw" / "newport").mkdir(parents=True)
    (home.root / "raw" / "newport" / ZIP.name).symlink_to(ZIP)
    area = load_study_area(home.study_areas / "newport.toml")

    report = ingest_area(area, home)
    counts = rebuild_counts(area, home)

    assert report.problems == []
    # 202,374 rows: 72,135 of other labels, 79,071 in the rest of the force area
    assert report.n_accepted == 202_374 - 72_135 - 79_071
    assert (str(counts.first), str(counts.last_complete)) == ("2022-07", "2025-06")
    assert counts.missing == []

"""New York's benchmark file: the study areas that read it are here, the file is not."""

import shutil

import pytest

from conftest import REPOSITORY
from crime_platform.ingest import ingest_area
from crime_platform.vocabulary.study_area import load_study_area

TOML = REPOSITORY / "data" / "study_areas" / "nyc_2014.toml"
ZIP = REPOSITORY.parent / "shared" / "data" / "nyc-incidents-2014-2015" / "NYC_Crime.zip"
needs_file = pytest.mark.skipif(not ZIP.exists(), reason=f"New York's incidents are not at {ZIP}")


@pytest.fixture
def home_with_file(home):
    shutil.copy(TOML, home.study_areas)
    (home.root / "raw" / "nyc_2014").mkdir(parents=True)
    (home.root / "raw" / "nyc_2014" / ZIP.name).symlink_to(ZIP)
    return home


@needs_file
def test_every_row_of_the_real_file_is_accepted(home_with_file):
    area = load_study_area(home_with_file.study_areas / "nyc_2014.toml")

    report = ingest_area(area, home_with_file)

    found = {row["finding"]: row["n_rows"] for row in report.findings}
    assert report.problems == []
    assert found == {"accepted": 191_580, "equal to an earlier row": 2_751}

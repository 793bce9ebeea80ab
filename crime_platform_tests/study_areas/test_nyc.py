"""New York's benchmark file: the study areas that read it are here, the file is not."""

import shutil

import numpy as np
import pytest

from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from toys.paths import REPOSITORY

TOML = REPOSITORY / "data" / "study_areas" / "nyc_2014.toml"
ZIP = REPOSITORY.parent / "shared" / "data" / "nyc-incidents-2014-2015" / "NYC_Crime.zip"
needs_file = pytest.mark.skipif(not ZIP.exists(), reason=f"New York's incidents are not at {ZIP}")


@pytest.fixture
def home_with_file(home):
    shutil.copy(TOML, home.study_areas)
    (home.root / "raw" / "nyc_2014").mkdir(parents=True)
    (home.root / "raw" / "nyc_2014" / ZIP.name).symlink_to(ZIP)
    return home


@pytest.fixture
def benchmarks_on_path(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "benchmarks")


@needs_file
def test_every_row_of_the_real_file_is_accepted(home_with_file):
    area = load_study_area(home_with_file.study_areas / "nyc_2014.toml")

    report = ingest_area(area, home_with_file)

    found = {row["finding"]: row["n_rows"] for row in report.findings}
    assert report.problems == []
    assert found == {"accepted": 191_580, "equal to an earlier row": 2_751}


@pytest.mark.usefixtures("benchmarks_on_path")
@needs_file
def test_the_daily_tensor_equals_the_benchmark_cell_by_cell():
    from nyc_daily_tensor import by_formula, rebuild

    tensor = rebuild(ZIP)

    assert tensor.counts.shape == (730, 4, 16, 16)
    assert tensor.offence_types == ("burglary", "grand_larceny", "robbery", "felony_assault")
    assert tensor.counts.sum(axis=(0, 2, 3)).tolist() == [31_799, 85_899, 33_453, 40_429]
    assert (tensor.counts > 0).mean() == pytest.approx(0.135, abs=5e-4)  # as published
    np.testing.assert_array_equal(tensor.counts, by_formula(ZIP, tensor))


@pytest.mark.usefixtures("benchmarks_on_path")
def test_chicago_is_counted_from_the_corner_of_its_file_without_a_header(tmp_path):
    from nyc_daily_tensor import CITIES, by_formula, rebuild

    # 0.05 degrees north are 5.55 km, row 1; 0.1 degrees east are 8.4 km, column 2
    raw = tmp_path / "CHI_Crime.csv"
    raw.write_text(
        "01/01/2016 12:10:00 AM,THEFT,41.65,-87.9\n"
        "01/01/2016 11:50:00 PM,THEFT,41.70,-87.8\n"
        "12/31/2017 01:00:00 PM,CRIMINAL DAMAGE,41.65,-87.9\n"
    )

    tensor = rebuild(raw, CITIES["chicago"])

    assert tensor.counts.shape == (731, 4, 14, 12)
    assert tensor.offence_types == ("theft", "battery", "assault", "criminal_damage")
    assert np.argwhere(tensor.counts).tolist() == [[0, 0, 0, 0], [0, 0, 1, 2], [730, 3, 0, 0]]
    np.testing.assert_array_equal(tensor.counts, by_formula(raw, tensor, CITIES["chicago"]))

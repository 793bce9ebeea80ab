"""Seven real vintages of one police force: the area's file is here, its data are not."""

import gzip
import shutil

import numpy as np
import pytest

from crime_platform.pipeline.cell_counts import rebuild_counts
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import prepare_home
from toys.paths import REPOSITORY

TOML = REPOSITORY / "data" / "study_areas" / "berlin.toml"
FOLDER = REPOSITORY.parent / "shared" / "data" / "berlin-bicycle-theft"
needs_files = pytest.mark.skipif(
    not FOLDER.exists(), reason=f"the files of the Berlin police are not in {FOLDER}"
)


@pytest.fixture(scope="module")
def berlin(tmp_path_factory):
    """Home with Berlin's seven files, ingested and counted."""
    home = prepare_home(tmp_path_factory.mktemp("berlin") / "home")
    shutil.copy(TOML, home.study_areas)
    raw = home.root / "raw" / "berlin"
    raw.mkdir(parents=True)
    shutil.copy(FOLDER / "plr.csv", raw)
    for packed in FOLDER.glob("*.csv.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    area = load_study_area(home.study_areas / TOML.name)
    ingest = ingest_area(area, home)
    return home, ingest, rebuild_counts(area, home)


def test_the_area_is_read_and_counts_two_ways_of_theft():
    area = load_study_area(TOML)

    assert area.offence_names == ("bicycle_theft", "cellar")
    assert area.sources[0].places is not None


@needs_files
def test_of_each_month_the_newest_file_counts(berlin):
    _, ingest, counts = berlin

    assert ingest.problems == []
    # 183,113 rows are accepted; of a month that several files hold, the newest alone counts
    assert sum(row["n_accepted"] for row in ingest.file_rows) == 183_113
    assert ingest.n_accepted == 93_750
    assert counts.totals["count"].sum() == 93_750
    assert len(counts.totals) == 54
    assert counts.missing == []


@needs_files
def test_every_incident_has_the_point_of_its_planning_area(berlin):
    home, _, _ = berlin

    found = Warehouse(home.warehouse).read(
        "select count(*) as n, count(row) as placed, count(distinct (x_m, y_m)) as points "
        "from incident"
    )

    assert found["placed"].item() / found["n"].item() > 0.999
    assert found["points"].item() <= 542


@needs_files
def test_what_was_known_of_a_month_depends_on_the_days_since_its_end(berlin):
    home, _, _ = berlin

    looks = Warehouse(home.warehouse).read(
        "select age_days, sum(count)::double as known, any_value(last)::double as last "
        "from month_revision join "
        "(select month, sum(count) as last from month_count group by month) using (month) "
        "where age_days < 31 group by month, age_days order by age_days"
    )

    share = dict(zip(looks["age_days"], looks["known"] / looks["last"], strict=True))
    # June 2025, known after 5 days, was never looked at again.
    assert list(share) == [1, 2, 5, 9, 15, 19, 24]
    assert share[1] == pytest.approx(0.906, abs=5e-4)
    assert share[2] == pytest.approx(0.930, abs=5e-4)
    assert share[15] == pytest.approx(0.942, abs=5e-4)
    assert share[24] == pytest.approx(0.982, abs=5e-4)


@needs_files
def test_a_month_known_after_five_days_is_too_young(berlin):
    _, _, counts = berlin

    june, may = (np.datetime64(month, "M") for month in ("2025-06", "2025-05"))
    assert counts.last_complete == may
    assert counts.maturity.completeness[june] == pytest.approx(0.939, abs=0.005)
    assert counts.maturity.notes[june].startswith(
        "2025-06 is left out: 5 days after its end, 93.9% of its final count is known"
    )


@needs_files
def test_completeness_rises_with_every_day(berlin):
    _, _, counts = berlin

    measured = counts.record.completeness(np.datetime64("2025-07-05", "D"))

    shares = [measured.at(age) for age in (1, 2, 15, 24)]
    # A little below what was known of the last look: some months were not looked at for long.
    np.testing.assert_allclose(shares, [0.886, 0.930, 0.947, 0.978], atol=0.005)

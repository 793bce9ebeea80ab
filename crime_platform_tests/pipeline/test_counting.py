import errno

import numpy as np
import pytest

from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts, tensor_version
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.tensors.grid_counts import read_tensor
from crime_platform.vocabulary.seal import DamagedArtifactError
from crime_platform.vocabulary.timesteps import IncompleteDataError, is_whole
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import toy_counts
from toys.damage import flip_a_bit

JUNE = np.datetime64("2021-06", "M")


@pytest.mark.parametrize(
    ("last_day", "whole"),
    [
        ("2021-06-30", True),
        ("2021-06-27", True),  # three quiet days
        ("2021-06-26", False),
        ("2021-06-01", False),  # fetched on the 2nd
        ("2021-07-02", True),
    ],
)
def test_a_month_is_whole_when_the_data_reach_its_end(last_day, whole):
    assert is_whole(JUNE, np.datetime64(last_day, "D")) is whole


def test_a_month_of_a_publisher_who_gives_no_days_is_whole():
    assert is_whole(JUNE, np.datetime64("2021-06-01", "D"), months_only=True)


def test_a_daily_series_that_ends_on_the_first_has_an_unfinished_month(toy_city):
    home = toy_city(n_months=2, last_month="2021-06")
    file = home.root / "raw/toy/all.csv"
    header, first, *lines = file.read_text().splitlines()
    late = first.replace(first[:10], "2019-03-01")
    file.write_text("\n".join([header, first, *lines, late]) + "\n")
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)

    report = rebuild_counts(area, home)

    assert report.last_complete == np.datetime64("2019-02", "M")


@pytest.mark.parametrize("step", ["replace_quality", "replace_file"])
def test_a_run_that_ends_between_two_writes_leaves_no_file_without_findings(
    toy_city, monkeypatch, step
):
    home = toy_city(n_months=2)
    area = load_study_area(home.study_areas / "toy.toml")

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Warehouse, step, full)
        with pytest.raises(OSError, match="No space left"):
            ingest_area(area, home)
    ingest_area(area, home)

    kept = Warehouse(home.warehouse).read("select finding, n_rows from data_quality")
    assert kept["finding"].tolist()[0] == "accepted"


def test_what_was_found_in_a_file_goes_with_the_file(toy_city):
    home = toy_city(n_months=2)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)
    (home.root / "raw/toy/all.csv").rename(home.root / "raw/toy/renamed.csv")

    report = ingest_area(area, home)

    assert {row["file_path"] for row in report.findings} == {"raw/toy/renamed.csv"}
    kept = Warehouse(home.warehouse).read("select distinct file_path from data_quality")
    assert kept["file_path"].tolist() == ["raw/toy/renamed.csv"]


def test_the_tensor_holds_what_the_file_holds(toy_city):
    home = toy_city(n_months=26)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)
    report = rebuild_counts(area, home)
    build_tensor(area, home, grid_of(area))

    tensor, grid = read_tensor(home.artifacts("toy") / "grid_tensor.zarr")
    expected = toy_counts(26, moving=True).astype(np.float32)
    expected[:, 0, 0, 0] += 1  # the incident that makes each month whole
    np.testing.assert_array_equal(tensor.counts, expected)
    assert grid == grid_of(area)
    assert (report.n_complete, report.missing) == (26, [])
    assert report.n_rows == np.count_nonzero(expected)


def test_an_area_without_incidents_is_named(toy_city):
    area = load_study_area(toy_city().study_areas / "toy.toml")
    home = toy_city()
    with pytest.raises(IncompleteDataError, match="toy has no incident in the warehouse"):
        rebuild_counts(area, home)
    with pytest.raises(IncompleteDataError, match="toy has no complete month"):
        build_tensor(area, home, grid_of(area))


def test_the_same_bytes_under_two_names_are_refused(toy_city):
    home = toy_city(n_months=2)
    file = home.root / "raw/toy/all.csv"
    (file.parent / "copy.csv").write_bytes(file.read_bytes())
    area = load_study_area(home.study_areas / "toy.toml")
    with pytest.raises(ValueError, match=r"all.csv hold the same bytes, and their"):
        ingest_area(area, home)


def test_a_revised_file_replaces_its_counts_and_keeps_its_vintage(toy_city):
    home = toy_city(n_months=3)
    area = load_study_area(home.study_areas / "toy.toml")
    before = ingest_area(area, home).n_accepted
    file = home.root / "raw/toy/all.csv"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines, lines[-1]]) + "\n")

    after = ingest_area(area, home)

    assert after.n_accepted == before + 1
    vintages = Warehouse(home.warehouse).read("select count(*) n from incident_vintage")
    assert vintages["n"].item() == 2 * before + 1


def test_a_grid_that_follows_from_incidents_is_found_once_and_kept(toy_city):
    home = toy_city(n_months=3)
    path = home.study_areas / "toy.toml"
    path.write_text(path.read_text().replace("extent_m = [630000, 4830000, 632500, 4833000]", ""))
    area = load_study_area(path)
    ingest_area(area, home)
    kept = (home.artifacts("toy") / "grid.json").read_text()

    file = home.root / "raw/toy/all.csv"
    file.write_text(file.read_text().replace("-79.3", "-79.31", 40))
    ingest_area(area, home)

    assert (home.artifacts("toy") / "grid.json").read_text() == kept


def test_a_tensor_with_a_damaged_chunk_is_made_anew_and_said(toy_city, caplog):
    home = toy_city(n_months=26)
    area = load_study_area(home.study_areas / "toy.toml")
    ingest_area(area, home)
    rebuild_counts(area, home)
    made = build_tensor(area, home, grid_of(area))
    chunk = next(path for path in (made["path"] / "count").iterdir() if path.name[0] != ".")
    flip_a_bit(chunk)

    assert tensor_version(home, "toy") is None
    with pytest.raises(DamagedArtifactError, match=r"count/0\.0\.0\.0 has other bytes"):
        read_tensor(home.artifacts("toy") / "grid_tensor.zarr")
    build_tensor(area, home, grid_of(area))

    tensor, _ = read_tensor(home.artifacts("toy") / "grid_tensor.zarr")
    assert tensor.data_version == made["data version"]
    assert "zarr.damaged-1 and made anew" in caplog.text

"""What a run takes is said before it starts, and one that cannot end is refused."""

from dataclasses import replace

import numpy as np
import pytest

from crime_platform.data_checks.run_size import (
    in_words,
    size_of_run,
    size_problem,
    street_memory_bytes,
    street_minutes,
    street_size_problem,
    width_remark,
)
from crime_platform.onboarding.check import check_area
from crime_platform.pipeline.cell_counts import build_tensor, rebuild_counts
from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import area_grid, ingest_area
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import load_study_area
from crime_platform.system.machine import memory_bytes
from crime_platform.vocabulary.incident import CoordinateError
from toys.city import TOY_AREA
from toys.paths import REPOSITORY

TORONTO = load_study_area(REPOSITORY / "data" / "study_areas" / "toronto.toml")
BOX = "extent_m = [630000, 4830000, 632500, 4833000]"


@pytest.fixture
def nation(home):
    """A whole country in one file, on a grid that follows from it."""
    days = np.arange("2019-01-01", "2021-07-01", 3, dtype="datetime64[D]")
    random = np.random.default_rng(1)
    places = zip(
        random.uniform(-120, -70, days.size), random.uniform(30, 48, days.size), strict=True
    )
    rows = [
        f"{day},Assault,{lon:.4f},{lat:.4f}" for day, (lon, lat) in zip(days, places, strict=True)
    ]
    file = home.root / "raw" / "toy" / "all.csv"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(["date,offence,lon,lat", *rows]) + "\n")
    toml = home.study_areas / "toy.toml"
    toml.write_text(TOY_AREA.format(last_month="2021-06").replace(BOX, ""))
    return toml


def test_toronto_takes_what_was_measured():
    size = size_of_run(TORONTO, n_rows=61, n_cols=84, n_months=96)

    # 84 x 61 cells x 5 types x 24 origins is what the 12.5 minutes were measured on.
    assert size.minutes == pytest.approx(14.0)
    assert in_words(size.minutes, 1.84e9) == "14 minutes on 2 cores and 1.8 GB of memory"


def test_memory_by_hand():
    area = replace(TORONTO, premises_types=())
    size = size_of_run(area, n_rows=1, n_cols=1, n_months=96)

    # 5 series: 96 months of 16 bytes and 4 bands of 2; 17 models, 25 origins, 3 leads, 16 bytes
    assert size.memory_bytes - 1e9 == 5 * (96 * (16 + 4 * 2) + 17 * 25 * 3 * 16)


def test_hours_are_said_where_minutes_would_be_many():
    assert in_words(600.0, 5e9) == "10 hours on 2 cores and 5.0 GB of memory"


def test_streets_by_hand():
    assert street_memory_bytes(n_nodes=10, n_days=100, n_groups=2) == 1e9 + 10 * (64_000 + 3_200)
    assert street_minutes(n_nodes=1_123, n_days=2_484) == pytest.approx(7.5)


def test_streets_that_need_more_memory_than_there_is_are_refused():
    asked = {"n_nodes": 10, "n_days": 100, "n_groups": 2}  # 1,000,672,000 bytes, as above

    problem = street_size_problem("town", **asked, memory_bytes=10**9)

    assert problem is not None
    assert "10 streets or places and 100 days of 2 offence groups need about 1 GB" in problem
    assert "smaller extent_m or boundary_file under [streets]" in problem
    assert street_size_problem("town", **asked, memory_bytes=1_000_672_000) is None


def test_a_large_city_is_told_to_take_larger_cells():
    size = size_of_run(TORONTO, n_rows=100, n_cols=100, n_months=96)

    problem = size_problem(TORONTO, size, int(1e9))

    assert problem is not None
    assert "100 x 100 = 10,000 cells, and 96 months of 5 offence types" in problem
    assert problem.endswith(
        "Choose a smaller extent_m or a larger cell_size_m under [grid] (now 500)."
    )
    assert size_problem(TORONTO, size, int(64e9)) is None


def test_a_grid_wider_than_a_city_is_mentioned():
    wide = size_of_run(TORONTO, n_rows=20, n_cols=400, n_months=96)

    assert "is 200 km wide and 10 km high, which is no city" in str(width_remark(TORONTO, wide))
    assert width_remark(TORONTO, size_of_run(TORONTO, n_rows=61, n_cols=84, n_months=96)) is None


def test_a_nation_is_refused_before_a_run(nation, home):
    check = check_area(nation, home)

    (problem,) = [each for each in check.to_fix if "of memory" in each]
    assert "km high, which is no city: keep one with [source.only]" in problem


def test_a_run_on_a_nation_ends_with_the_same_words(nation, home):
    area = load_study_area(nation)
    ingest_area(area, home)
    rebuild_counts(area, home)

    with pytest.raises(StudyAreaError, match="which is no city: keep one with"):
        build_tensor(area, home, area_grid(area, home))


def test_a_grid_of_more_rows_than_can_be_counted_is_refused():
    spec = replace(TORONTO.grid, extent_m=None, cell_size_m=1.0)
    corners = np.array([0.0, 40_000.0])

    with pytest.raises(CoordinateError, match=r"x 39,9\d\d cells of 1 m, at most 32,767 on a side"):
        grid_of(replace(TORONTO, grid=spec), x_m=corners, y_m=corners)


@pytest.mark.parametrize(
    ("name", "written", "limit"),
    [
        ("memory.max", "1000000", 1_000_000),
        ("memory.max", "max", None),
        ("memory/memory.limit_in_bytes", "2000000", 2_000_000),
    ],
)
def test_the_limit_of_a_container_counts(tmp_path, name, written, limit):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(written + "\n")

    assert memory_bytes(tmp_path) == limit or (limit is None and memory_bytes(tmp_path) > 10**8)


def test_the_limit_of_the_process_counts(monkeypatch, tmp_path):
    monkeypatch.setattr("resource.getrlimit", lambda _: (5_000_000, 5_000_000))

    assert memory_bytes(tmp_path) == 5_000_000


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("key", ["cell_size_m = 500", "n_origins = 6"])
def test_numbers_that_are_none_are_refused(home, key, number):
    toml = home.study_areas / "toy.toml"
    name = key.partition(" ")[0]
    toml.write_text(TOY_AREA.format(last_month="2021-06").replace(key, f"{name} = {number}"))

    with pytest.raises(StudyAreaError, match=f"{name}: expected a .*number, found {number}"):
        load_study_area(toml)


def test_a_back_test_of_more_than_a_century_is_refused(home):
    toml = home.study_areas / "toy.toml"
    text = TOY_AREA.format(last_month="2021-06").replace("refit_every = 12", "horizon = 100000000")
    toml.write_text(text)

    with pytest.raises(
        StudyAreaError, match="horizon: expected months, at most 1,200, found 100,0"
    ):
        load_study_area(toml)

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from crime_platform.geography.grid import Grid
from crime_platform.tensors.grid_counts import as_dataset, dense_counts, read_tensor, write_tensor
from crime_platform.tensors.vintages import vintage_from

FIRST = np.datetime64("2022-01", "M")
FEBRUARY, MARCH = FIRST + 1, FIRST + 2
TYPES = ("assault", "robbery")
GRID = Grid(crs="EPSG:26917", x_min=0.0, y_min=0.0, cell_size_m=500.0, n_rows=2, n_cols=3)


def rows(*lines):
    frame = pd.DataFrame(lines, columns=["mark", "month", "offence_type", "row", "col", "count"])
    return frame.assign(month=frame["month"].astype("datetime64[s]"))


# Known now: 5 assaults in January, 4 in February, 3 of these in houses, 7 in March.
NOW = rows(
    ("", "2022-01-01", "assault", 0, 1, 5),
    ("", "2022-02-01", "assault", 0, 1, 4),
    ("", "2022-03-01", "robbery", 1, 2, 7),
)
MARKED = rows(("house", "2022-02-01", "assault", 0, 1, 3))
# When February was the newest month, 2 of its assaults were known, 1 of them in a house.
THEN = rows(("", "2022-02-01", "assault", 0, 1, 2), ("house", "2022-02-01", "assault", 0, 1, 1))


@pytest.fixture
def today():
    return dense_counts(NOW, MARKED, grid=GRID, offence_types=TYPES, first=FIRST, last=MARCH)


@pytest.fixture
def tensor(today):
    vintage = vintage_from(THEN, first=FIRST, offence_types=TYPES)
    return replace(today, vintages={FEBRUARY: vintage})


def test_an_origin_sees_the_counts_that_were_known_then(tensor):
    known = tensor.through(FEBRUARY)

    assert known.counts[:, 0, 0, 1].tolist() == [5, 2]
    assert known.marked["house"][:, 0, 0, 1].tolist() == [0, 1]


def test_an_origin_without_a_vintage_sees_the_counts_of_today(tensor):
    assert tensor.through(MARCH).counts[:, 0, 0, 1].tolist() == [5, 4, 0]


def test_looking_back_changes_nothing_in_the_tensor(tensor):
    tensor.through(FEBRUARY)

    assert tensor.counts[:, 0, 0, 1].tolist() == [5, 4, 0]


def test_the_truth_of_a_past_month_is_what_is_known_today(tensor):
    cut = tensor.cut_at(FEBRUARY)

    assert cut.counts[:, 0, 0, 1].tolist() == [5, 4]
    assert cut.through(FEBRUARY).counts[:, 0, 0, 1].tolist() == [5, 2]


def test_a_cut_forgets_the_vintages_of_later_origins(tensor):
    assert tensor.cut_at(FIRST).vintages == {}


def test_what_was_known_then_has_a_data_version_of_its_own(tensor, today):
    assert tensor.data_version != today.data_version
    assert tensor.through(FEBRUARY).data_version != today.through(FEBRUARY).data_version
    assert tensor.through(FIRST).data_version == today.through(FIRST).data_version


def test_a_mark_that_was_unknown_then_is_left_out(tensor):
    unmarked = vintage_from(THEN.assign(count=[2, 0]), first=FIRST, offence_types=TYPES)
    known = replace(tensor, vintages={FEBRUARY: unmarked}).through(FEBRUARY)

    assert known.marked == {}


def test_vintages_survive_writing_and_reading(tensor, tmp_path):
    write_tensor(as_dataset(tensor, GRID, study_area="toy", title="Toy"), tmp_path / "t.zarr")

    read, _ = read_tensor(tmp_path / "t.zarr")

    assert read.data_version == tensor.data_version
    assert read.through(FEBRUARY).counts[:, 0, 0, 1].tolist() == [5, 2]


def test_a_vintage_without_any_difference_survives_too(tensor, tmp_path):
    nothing = vintage_from(THEN.head(0), first=FIRST, offence_types=TYPES)
    same = replace(tensor, vintages={FEBRUARY: nothing})
    write_tensor(as_dataset(same, GRID, study_area="toy", title="Toy"), tmp_path / "t.zarr")

    read, _ = read_tensor(tmp_path / "t.zarr")

    assert list(read.vintages) == [FEBRUARY]
    assert read.through(FEBRUARY).counts[:, 0, 0, 1].tolist() == [5, 4]

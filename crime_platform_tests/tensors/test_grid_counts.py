import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.geography.grid import Grid
from crime_platform.study_area.parts import HolidayCalendar
from crime_platform.tensors.grid_counts import as_dataset, dense_counts, read_tensor, write_tensor
from crime_platform.vocabulary.timesteps import IncompleteDataError

GRID = Grid(
    crs="EPSG:26917", x_min=630000.0, y_min=4830000.0, cell_size_m=500.0, n_rows=2, n_cols=3
)
FIRST, LAST = np.datetime64("2021-01", "M"), np.datetime64("2021-03", "M")
TYPES = ("assault", "robbery")


def rows(*values):
    table = pd.DataFrame(values, columns=["month", "offence_type", "row", "col", "count"])
    return table.assign(month=pd.to_datetime(table["month"]))


def dense(table, marked=None, last=LAST):
    ontario = HolidayCalendar(country="CA", subdivision="ON")
    return dense_counts(
        table, marked, grid=GRID, offence_types=TYPES, first=FIRST, last=last, calendar=ontario
    )


def test_counts_land_where_their_labels_say():
    tensor = dense(rows(("2021-02-01", "robbery", 1, 2, 4), ("2021-01-01", "assault", 0, 0, 1)))

    assert tensor.counts.shape == (3, 2, 2, 3)
    assert tensor.counts[1, 1, 1, 2] == 4
    assert tensor.counts[0, 0, 0, 0] == 1
    assert tensor.counts.sum() == 5


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2021-01-01", "2021-02-01", "2021-03-01"]),
            st.sampled_from(TYPES),
            st.integers(0, 1),
            st.integers(0, 2),
            st.integers(1, 9),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_every_incident_is_counted_once(table):
    assert dense(rows(*table)).counts.sum() == sum(row[-1] for row in table)


def marks(*values):
    table = pd.DataFrame(values, columns=["mark", "month", "offence_type", "row", "col", "count"])
    return table.assign(month=pd.to_datetime(table["month"]))


def test_marked_counts_lie_on_the_same_axes():
    tensor = dense(
        rows(("2021-02-01", "robbery", 1, 2, 4)),
        marks(
            ("premises_house", "2021-02-01", "robbery", 1, 2, 3),
            ("hours_night", "2021-02-01", "robbery", 1, 2, 1),
        ),
    )

    assert list(tensor.marked) == ["hours_night", "premises_house"]
    assert tensor.history.marked["premises_house"][1, 1, 1, 2] == 3
    assert all(counts.shape == tensor.counts.shape for counts in tensor.marked.values())


def test_a_mark_makes_another_version_from_the_month_it_is_known_on():
    counted = rows(("2021-01-01", "robbery", 1, 2, 4), ("2021-03-01", "robbery", 1, 2, 4))
    plain = dense(counted)
    marked = dense(counted, marks(("hours_night", "2021-03-01", "robbery", 1, 2, 1)))
    until = np.datetime64("2021-02", "M")

    assert marked.data_version != plain.data_version
    assert marked.through(until).data_version == plain.through(until).data_version


def test_an_unknown_offence_type_is_named():
    with pytest.raises(ValueError, match=r"offence types \['arson'\] are not in"):
        dense(rows(("2021-02-01", "arson", 1, 2, 4)))


@pytest.mark.parametrize(
    "row",
    [("2021-04-01", "robbery", 0, 0, 1), ("2021-01-01", "robbery", 2, 0, 1)],
    ids=["month", "row"],
)
def test_a_count_outside_the_tensor_is_named(row):
    with pytest.raises(ValueError, match="1 counts lie outside the tensor"):
        dense(rows(row))


def test_zarr_gives_back_the_same_tensor_and_grid(tmp_path):
    night = marks(("hours_night", "2021-02-01", "robbery", 1, 2, 3))
    tensor = dense(rows(("2021-02-01", "robbery", 1, 2, 4)), night)
    write_tensor(as_dataset(tensor, GRID, study_area="toy", title="Toy"), tmp_path / "t.zarr")

    back, grid = read_tensor(tmp_path / "t.zarr")

    np.testing.assert_array_equal(back.counts, tensor.counts)
    assert back.data_version == tensor.data_version
    np.testing.assert_array_equal(back.holidays, tensor.holidays)
    np.testing.assert_array_equal(back.marked["hours_night"], tensor.marked["hours_night"])
    assert back.offence_types == TYPES
    assert grid == GRID


def test_the_dataset_is_labelled():
    dataset = as_dataset(
        dense(rows(("2021-02-01", "robbery", 1, 2, 4))), GRID, study_area="toy", title="Toy"
    )
    counted = dataset["count"].sel(month="2021-02-01", offence_type="robbery")
    assert counted.sel(row=1, col=2).item() == 4
    assert dataset["cell_id"].sel(row=1, col=2).item() == "r001c002"
    assert dataset.attrs["crs"] == "EPSG:26917"
    assert dataset["x_m"].to_numpy().tolist() == [630250.0, 630750.0, 631250.0]


def test_a_tensor_that_was_not_built_says_how_to_build_it(tmp_path):
    with pytest.raises(FileNotFoundError, match="materialise grid_tensor first"):
        read_tensor(tmp_path / "none.zarr")


def test_a_tensor_of_an_earlier_version_says_how_to_renew_it(tmp_path):
    tensor = dense(rows(("2021-02-01", "robbery", 1, 2, 4)))
    whole = as_dataset(tensor, GRID, study_area="toy", title="Toy")
    write_tensor(whole.drop_vars("marked_count"), tmp_path / "old.zarr")

    with pytest.raises(IncompleteDataError, match=r"holds no marked_count.*grid_tensor again"):
        read_tensor(tmp_path / "old.zarr")


def test_later_months_do_not_change_the_version_of_the_past():
    early = dense(rows(("2021-01-01", "robbery", 1, 2, 4)))
    late = dense(rows(("2021-01-01", "robbery", 1, 2, 4), ("2021-03-01", "assault", 0, 0, 7)))
    until = np.datetime64("2021-02", "M")

    assert early.data_version != late.data_version
    assert early.through(until).data_version == late.through(until).data_version


def test_holidays_reach_a_year_beyond_the_last_month():
    tensor = dense(rows(("2021-01-01", "robbery", 1, 2, 4)))
    assert (str(tensor.holidays[0]), str(tensor.holidays[-1])) == ("2021-01-01", "2022-02-21")


def test_a_later_month_does_not_change_the_holidays_known_in_the_past():
    one = rows(("2021-01-01", "robbery", 1, 2, 4))
    late = dense(one, last=np.datetime64("2021-12", "M"))
    assert late.through(LAST).data_version == dense(one).data_version


def test_a_cell_is_ever_active_through_any_type_and_month():
    tensor = dense(rows(("2021-03-01", "robbery", 1, 2, 1)))
    assert np.argwhere(tensor.ever_active()).tolist() == [[1, 2]]

import datetime as dt
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.study_area.source import (
    NZ_POLICE,
    POLICE_UK,
    ColumnMapping,
    Source,
    require_days,
)
from crime_platform.study_area.source_formats import KNOWN_SETTINGS
from crime_platform.tensors.daily_counts import daily_counts
from crime_platform.vocabulary.timesteps import IncompleteDataError
from toys.table_reading import GRID, TOWN

FIRST, LAST = np.datetime64("2020-02-28"), np.datetime64("2020-03-01")


def incidents(*rows):
    names = ["occurred_on", "offence_type", "row", "col", "n_incidents"]
    return pd.DataFrame(rows, columns=names)


def count(table, first=FIRST, last=LAST, area=TOWN):
    return daily_counts(table, area, GRID, first=first, last=last)


def test_incidents_are_counted_by_day_type_and_cell():
    table = incidents(
        (dt.date(2020, 2, 28), "burglary", 0, 0, 1),
        (dt.date(2020, 2, 29), "robbery", 1, 0, 2),  # a row that stands for two
        (dt.date(2020, 2, 29), "robbery", 1, 0, 1),
        (dt.date(2020, 3, 1), "burglary", 0, 1, 1),
    )

    tensor = count(table)

    assert tensor.days.astype(str).tolist() == ["2020-02-28", "2020-02-29", "2020-03-01"]
    assert tensor.offence_types == ("burglary", "robbery")
    # Day, type, then the two rows of cells from the south.
    assert tensor.counts.tolist() == [
        [[[1, 0], [0, 0]], [[0, 0], [0, 0]]],
        [[[0, 0], [0, 0]], [[0, 0], [3, 0]]],
        [[[0, 1], [0, 0]], [[0, 0], [0, 0]]],
    ]


def test_an_incident_without_a_place_is_in_no_cell():
    table = incidents(
        (dt.date(2020, 2, 28), "burglary", None, None, 1), (FIRST.item(), "burglary", 0.0, 0.0, 1)
    )

    assert count(table).counts.sum() == 1


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(1, 5)), min_size=1))
def test_no_incident_is_lost(rows):
    table = incidents(
        *[(FIRST.item() + dt.timedelta(day), "robbery", r, 0, n) for day, r, n in rows]
    )

    assert count(table).counts.sum() == sum(n for *_, n in rows)


@pytest.mark.parametrize("day", ["2020-02-27", "2020-03-02"])
def test_a_day_outside_the_tensor_is_an_error(day):
    table = incidents((dt.date.fromisoformat(day), "burglary", 0, 0, 1))

    with pytest.raises(ValueError, match=r"1 counts lie outside the tensor \{'day': 3"):
        count(table)


def test_days_run_forward():
    with pytest.raises(ValueError, match="got first 2020-03-01 after last 2020-02-28"):
        count(incidents(), first=LAST, last=FIRST)


def written_as(form, *formats):
    columns = ColumnMapping(occurred_at="Month", offence="What", lon="lon", lat="lat")
    return Source(
        name="street", paths=("x",), format=form, columns=columns, datetime_formats=formats
    )


@pytest.mark.parametrize("form", [POLICE_UK, NZ_POLICE])
def test_publishers_of_months_are_refused(form):
    monthly = written_as(form, *KNOWN_SETTINGS[form]["datetime_formats"])
    area = replace(TOWN, sources=(*TOWN.sources, monthly))

    message = rf"source 'street' \(format {form}, .*\): the publisher gives months only, so nothing"
    with pytest.raises(IncompleteDataError, match=message):
        count(incidents(), area=area)


@pytest.mark.parametrize("formats", [("%Y-%m",), ("%Y-%m-%d", "%B %Y")])
def test_tables_whose_dates_lack_the_day_are_refused(formats):
    with pytest.raises(IncompleteDataError, match=r"dates written .*%Y"):
        require_days(written_as("table", *formats))


@pytest.mark.parametrize("formats", [(), ("%Y-%m-%d",), ("%-d/%-m/%Y %H:%M",), ("%Y%j",)])
def test_dates_with_a_day_are_let_through(formats):
    require_days(written_as("table", *formats))

"""`[streets]` in a study area's TOML: what it means, and how every mistake in it is told."""

import numpy as np
import pytest

from crime_platform.geography.point_graph import MAX_LINK_M
from crime_platform.geography.street_segments import MIN_SEGMENT_M
from crime_platform.study_area.streets import (
    DayRecord,
    OffenceGroup,
    StreetPoints,
    last_complete_day,
)
from crime_platform.study_area.study_area import StudyAreaError, load_study_area
from toys.paths import REPOSITORY
from toys.street_town import STREET_TABLE, TOWN


@pytest.fixture
def town(tmp_path):
    """Loads the town's file with other streets, and passages replaced."""

    def load(streets=STREET_TABLE, old="", new=""):
        text = TOWN + streets
        assert old in text
        path = tmp_path / "town.toml"
        path.write_text(text.replace(old, new) if old else text)
        return load_study_area(path)

    return load


def test_an_area_without_the_table_has_no_streets(town):
    assert town("").streets is None


def test_an_empty_table_forecasts_every_offence_type_by_itself(town):
    spec = town("[streets]\n").streets

    assert spec.group_names == ("burglary", "robbery", "theft")
    assert spec.group_of_type == {"burglary": "burglary", "robbery": "robbery", "theft": "theft"}
    assert (spec.file, spec.max_snap_m, spec.kernel_m, spec.horizon) == (None, 100.0, 150.0, 7)


def test_the_table_is_read_word_for_word(town):
    spec = town(
        """
[streets]
file = "raw/lines.gpkg"
layer = "edges"
max_snap_m = 40
min_segment_m = 8
kernel_m = 200
n_communities = 3
reporting_lag_days = 2
horizon = 14
nearby_types = ["theft"]
max_beyond_share = 0.1
temperature_file = "raw/weather.csv"

[[streets.offence_group]]
name = "all"
title = "All of it"
offence_types = ["burglary", "robbery"]

[[streets.points]]
name = "police_station"
file = "raw/stations.gpkg"

[[streets.points]]
name = "residents"
file = "raw/blocks.csv"
kind = "total"
value_column = "people"
radius_m = 250
"""
    ).streets

    assert spec.offence_groups == (
        OffenceGroup(name="all", title="All of it", offence_types=("burglary", "robbery")),
    )
    assert (spec.file, spec.layer) == ("raw/lines.gpkg", "edges")
    assert (spec.max_snap_m, spec.min_segment_m) == (40.0, 8.0)
    assert (spec.kernel_m, spec.n_communities, spec.reporting_lag_days) == (200.0, 3, 2)
    assert (spec.horizon, spec.nearby_types, spec.max_beyond_share) == (14, ("theft",), 0.1)
    assert spec.temperature_file == "raw/weather.csv"
    assert [points.feature for points in spec.points] == [
        "police_station_distance_m",
        "residents_total",
    ]


def test_defaults_are_those_of_the_graphs(town):
    spec = town("[streets]\n").streets

    assert (spec.min_segment_m, spec.max_link_m) == (MIN_SEGMENT_M, MAX_LINK_M)


def test_reports_are_still_missing_unless_the_data_set_is_closed(town):
    assert town().streets.reporting_lag_days == 0
    assert town(old='last_month = "2020-02"\n').streets.reporting_lag_days == 3


MONTHS = 'crs = "EPSG:26917"\n\n[source.columns]'
MISTAKES = {
    "an unknown key": ("file =", "fiel =", "[streets] fiel: unknown key; did you mean 'file'?"),
    "an unknown key of a group": (
        'name = "homes"',
        'name = "homes"\ntypes = 1',
        "[offence_group 1] types: unknown key",
    ),
    "a type nobody knows": (
        '["theft"]',
        '["thefts"]',
        "[streets] offence_group, nearby_types: 'thefts' is no offence type of the area; it has "
        "burglary, robbery, theft",
    ),
    "a type in two groups": (
        'offence_types = ["robbery"]',
        'offence_types = ["robbery", "burglary"]',
        "[streets] offence_group, nearby_types: offence type 'burglary' stands there twice",
    ),
    "a nearby type that is forecast": (
        '["theft"]',
        '["robbery"]',
        "offence type 'robbery' stands there twice; keep it once",
    ),
    "two groups of one name": ('"street"', '"homes"', "name 'homes' stands there twice"),
    "a group without types": (
        'offence_types = ["robbery"]',
        "offence_types = []",
        "[offence_group 2] offence_types: group 'street' has none",
    ),
    "two areas": (
        "nearby_types",
        'extent_m = [0, 0, 1, 1]\nboundary_file = "b.gpkg"\nnearby_types',
        "[streets] extent_m: boundary_file is given too; keep one of the two",
    ),
    "an extent of three": (
        "nearby_types",
        "extent_m = [0, 0, 1]\nnearby_types",
        "[streets] extent_m: expected [xmin, ymin, xmax, ymax], found 3 numbers",
    ),
    "an extent the wrong way round": (
        "nearby_types",
        "extent_m = [1, 0, 0, 1]\nnearby_types",
        "[streets] extent_m: expected [xmin, ymin, xmax, ymax] with xmin < xmax",
    ),
    "no reach": (
        "nearby_types",
        "max_snap_m = 0\nnearby_types",
        "[streets] max_snap_m: expected metres above 0, found 0",
    ),
    "a horizon of no day": (
        "nearby_types",
        "horizon = 0\nnearby_types",
        "[streets] horizon: expected 1 or more, found 0",
    ),
    "no community": (
        "nearby_types",
        "n_communities = 0\nnearby_types",
        "[streets] n_communities: expected 1 or more, found 0",
    ),
    "a percentage": (
        "max_beyond_share = 0.25",
        "max_beyond_share = 5",
        "[streets] max_beyond_share: expected a share from 0 to 1, found 5; write 5% as 0.05",
    ),
    "links of places beside lines": (
        "nearby_types",
        "max_link_m = 300\nnearby_types",
        "[streets] max_link_m: it links places, and file gives street lines",
    ),
    "segments without lines": (
        'file = "raw/streets.gpkg"',
        "min_segment_m = 5",
        "[streets] min_segment_m: it is of street lines, and no file names them",
    ),
    "layer without lines": (
        'file = "raw/streets.gpkg"',
        'layer = "edges"',
        "[streets] layer: it is of street lines, and no file names them",
    ),
    "months only": (
        MONTHS,
        'crs = "EPSG:26917"\ndatetime_format = "%Y-%m"\n\n[source.columns]',
        "[streets] source 'police' (format table, dates written %Y-%m): the publisher gives months "
        "only, so nothing can be counted or forecast by day; use monthly steps, or a source with "
        "days; or leave [streets] out",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_cure(town, old, new, message):
    with pytest.raises(StudyAreaError) as caught:
        town(old=old, new=new)

    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "near"}, "kind: expected one of distance, density, total; found 'near'"),
        ({"kind": "density"}, "bandwidth_m: goes with kind 'density' and with no other"),
        ({"radius_m": 10.0}, "radius_m: goes with kind 'total' .* and it is given"),
        ({"kind": "total", "radius_m": 0.0}, "radius_m: expected metres above 0, found 0"),
        ({"value_column": "n"}, "value_column: a distance weighs nothing"),
        ({"name": "Police Station"}, "name: expected small letters, digits and underscores"),
    ],
)
def test_points_that_cannot_be_used_are_refused(fields, message):
    with pytest.raises(StudyAreaError, match=message):
        StreetPoints(**({"name": "station", "file": "stations.gpkg"} | fields))


@pytest.mark.parametrize(
    ("newest", "last_ended", "last_month", "expected"),
    [
        ("2020-02-20", "2020-03-09", None, "2020-02-18"),  # two days of late reports
        ("2020-02-20", "2020-02-16", None, "2020-02-16"),  # a file of the 17th, with later dates
        ("2020-02-20", "2020-03-09", "2020-03", "2020-02-18"),  # the end is not reached yet
        ("2020-02-29", "2020-03-09", "2020-02", "2020-02-29"),
        ("2020-02-29", "2020-02-28", "2020-02", "2020-02-27"),  # its last day was still running
        ("2020-02-26", "2020-03-09", "2020-02", "2020-02-29"),  # three quiet days
    ],
)
def test_the_last_complete_day_leaves_late_reports_out(
    town, newest, last_ended, last_month, expected
):
    spec = town(old="nearby_types", new="reporting_lag_days = 2\nnearby_types").streets
    end = None if last_month is None else np.datetime64(last_month, "M")

    record = DayRecord(newest=np.datetime64(newest, "D"), last_ended=np.datetime64(last_ended, "D"))

    day = last_complete_day(record, spec, end)

    assert day == np.datetime64(expected)


def test_torontos_square_is_round_city_hall():
    spec = load_study_area(REPOSITORY / "data/study_areas/toronto.toml").streets

    assert spec.extent_m == (627800.0, 4832000.0, 632800.0, 4837000.0)
    assert spec.group_of_type == {"assault": "violent", "robbery": "violent"}

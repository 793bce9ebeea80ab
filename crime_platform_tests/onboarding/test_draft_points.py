"""Coordinates of any kind are drafted as what they are, or their CRS is asked for."""

import csv
import json

import pytest

from crime_platform.study_area.parts import StudyAreaError
from toys.small_town import METRES, invented, moved


def test_metres_need_their_crs(draft):
    message = r"columns 'X' and 'Y' are no degrees: say their CRS, e\.g\. --crs EPSG:26917"
    with pytest.raises(StudyAreaError, match=message):
        draft(METRES)


def test_numbers_without_a_crs_may_be_feet(draft):
    with pytest.raises(StudyAreaError, match="Numbers of six or seven digits may be feet"):
        draft(METRES)


def test_swapped_columns_are_told_where_nobody_lives_on_the_other_side(draft):
    swapped = moved(-79.4, 43.7).replace(";Lon;Lat;", ";Lat;Lon;")

    with pytest.raises(StudyAreaError, match=r"swapped \(--column lon=Lat --column lat=Lon\)"):
        draft(swapped)
    _, area = draft(swapped, columns={"lon": "Lat", "lat": "Lon"})

    assert area.timezone == "America/Toronto"


def test_two_decimal_marks_in_one_column_are_told(draft):
    rows = [
        f"2021-{n % 12 + 1:02d}-03;Theft;{('7,1', '7.1')[n % 4 > 0]}{n};50.7{n}" for n in range(80)
    ]

    with pytest.raises(StudyAreaError) as told:
        draft("\n".join(["date;offence;lon;lat", *rows]))

    assert "Column 'lon' holds coordinates, but 25% of its values, e.g. '7,10'," in str(told.value)
    assert "swapped" not in str(told.value)


@pytest.mark.parametrize("filler", ["NULL", "n/a", "-", "-1", "0"])
def test_words_and_numbers_for_no_place_are_none(draft, filler):
    rows = invented().splitlines()
    rows[1::9] = [";".join([*row.split(";")[:5], filler, filler, "41"]) for row in rows[1::9]]

    _, area = draft("\n".join(rows) + "\n")

    assert (area.timezone, area.sources[0].columns.lon) == ("Europe/Berlin", "Lon")
    assert area.grid.extent_m == draft(invented())[1].grid.extent_m


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (
            "Date;Offence;Address",
            "9 Main St",
            "Column 'Address' speaks of addresses, which are not",
        ),
        ("Date;Offence;BLOCK", "9XX W MAIN", "Column 'BLOCK' speaks of addresses"),
        ("Date;Offence;Dirección", "Calle 9", "Column 'Dirección' speaks of addresses"),
        (
            ";".join(["Date;Offence", *(f"20200{month}" for month in range(1, 8))]),
            "1;2;3;4;5;6;7",
            "Months stand in columns, '202001' to '202007': these are counts of areas",
        ),
    ],
)
def test_what_stands_in_place_of_coordinates_is_told(draft, header, row, message):
    rows = [f"20{10 + n}-01-31;{('Theft', 'Assault')[n % 2]};{row}" for n in range(9)]

    with pytest.raises(StudyAreaError, match=message):
        draft("\n".join([header, *rows]) + "\n")


@pytest.mark.parametrize(
    "geometry", [None, {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}]
)
def test_features_that_are_no_points_are_told(draft, geometry):
    collection = json.loads(in_metres("EPSG:26917"))
    for feature in collection["features"]:
        feature["geometry"] = geometry

    with pytest.raises(StudyAreaError, match="No feature holds a point: they are areas, lines or"):
        draft(json.dumps(collection), name="file.geojson")


def test_columns_that_are_never_read_are_named_where_something_is_missing(draft):
    text = invented().replace("Date Reported;Date Occurred", "Arrest Date;Date of Arrest")

    with pytest.raises(
        StudyAreaError, match="people, arrests or patrols: 'Arrest Date', 'Date of "
    ):
        draft(text)


def test_metres_of_web_maps_are_called_by_their_name(draft):
    west = METRES.replace(";63", ";-8863")

    with pytest.raises(StudyAreaError, match=r"look like those of web maps .*--crs EPSG:3857"):
        draft(west)


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("UTM 17", "--crs: 'UTM 17' is no CRS that the registries of EPSG and ESRI know"),
        ("EPSG:99999", "--crs: 'EPSG:99999' is no CRS that the registries"),
        ("EPSG:4326", r"--crs: EPSG:4326 \(WGS 84\) is in degrees, and x and y are not"),
    ],
)
def test_a_crs_that_cannot_be_is_told(draft, crs, message):
    with pytest.raises(StudyAreaError, match=message):
        draft(METRES, crs=crs)


def test_feet_that_are_called_metres_are_refused_with_the_crs_that_fits(draft):
    feet = METRES.replace(";63", ";89").replace(";483", ";101")

    with pytest.raises(StudyAreaError, match="outside the area of use of EPSG:6512") as refusal:
        draft(feet, crs="EPSG:6512")

    assert "The numbers fit ESRI:102696" in str(refusal.value)


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("EPSG:2263", r"--crs: EPSG:2263 .* measures in \['US survey foot'\].* In metres there: "),
        ("foo", "--crs: 'foo' is not a known CRS.* In metres there: EPSG:32615"),
        ("EPSG:26917", "--crs: EPSG:26917 .* is made for longitude -84 to -78.* EPSG:32615"),
    ],
)
def test_a_crs_that_suits_no_grid_there_is_refused_with_those_that_do(draft, crs, message):
    with pytest.raises(StudyAreaError, match=message):
        draft(moved(-95.40, 29.70), crs=crs)


def in_metres(crs):
    """The small town as features of a collection that names its CRS, as RFC 7946 took away."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [int(row["X"]), int(row["Y"])]},
            "properties": {"when": row["when"], "what": row["what"]},
        }
        for row in csv.DictReader(METRES.splitlines(), delimiter=";")
    ]
    named = {"type": "name", "properties": {"name": crs}}
    return json.dumps({"type": "FeatureCollection", "crs": named, "features": features})


@pytest.mark.parametrize(
    "crs", ["urn:ogc:def:crs:EPSG::26917", "EPSG:26917", "urn:ogc:def:crs:EPSG:6.9:26917"]
)
def test_features_in_metres_are_taken_in_the_crs_that_their_file_names(draft, crs):
    _, area = draft(in_metres(crs), name="file.geojson")

    assert area.crs == area.sources[0].crs == "EPSG:26917"
    assert area.sources[0].columns.x == "geometry.x"


def test_a_crs_that_is_said_goes_before_that_of_the_file(draft):
    with pytest.raises(StudyAreaError, match=r"--crs: the points lie outside .* EPSG:27700"):
        draft(in_metres("EPSG:26917"), name="file.geojson", crs="EPSG:27700")


def test_a_file_that_says_degrees_of_metres_is_asked_for_its_crs(draft):
    with pytest.raises(StudyAreaError, match="are no degrees: say their CRS"):
        draft(in_metres("urn:ogc:def:crs:OGC:1.3:CRS84"), name="file.geojson")


def test_metres_are_taken_in_the_crs_that_is_said(draft):
    _, area = draft(METRES, crs="EPSG:26917")

    assert area.crs == area.sources[0].crs == "EPSG:26917"
    assert area.sources[0].columns.x == "X"
    assert area.grid.extent_m == (630_000.0, 4_830_000.0, 634_500.0, 4_832_500.0)


def test_feet_are_read_and_cells_are_cut_in_metres(draft):
    feet = METRES.replace(";63", ";98").replace(";483", ";19")

    _, area = draft(feet, crs="EPSG:2263")  # New York in US survey feet

    assert (area.crs, area.sources[0].crs) == ("EPSG:32618", "EPSG:2263")


def test_a_grid_in_degrees_is_refused(draft):
    with pytest.raises(StudyAreaError, match=r"EPSG:4326 .* is geographic, in degrees"):
        draft(invented(), crs="EPSG:4326")


def test_where_no_zone_reaches_a_crs_is_asked_for(draft):
    with pytest.raises(StudyAreaError, match=r"no UTM zone holds longitude 7\.1.*latitude 89\."):
        draft(invented().replace(";50.", ";89."))


def test_coordinates_that_never_meet_are_told(draft):
    text = "date,offence,lon,lat\n2020-01-01,a,7.1,\n2020-01-02,b,7.2,\n" + (
        "2020-01-03,a,,50.1\n2020-01-04,b,,50.2\n"
    )

    with pytest.raises(StudyAreaError, match="no row has numbers in both 'lon' and 'lat'"):
        draft(text)

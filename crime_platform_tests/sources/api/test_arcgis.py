"""ArcGIS: layers that page as they like, write dates as numbers, and report mistakes as success."""

import gzip
from dataclasses import replace

import pytest

from crime_platform.sources.api.clients import open_datasets
from crime_platform.vocabulary.incident import SourceFormatError
from toys.api_server import ARCGIS_PATH, BUSY_LAYER, WELL, toy_api
from toys.api_town import HASTY, arcgis_town, fetch, folder, month_bytes, month_stats


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


@pytest.fixture
def layer(home, api):
    area = arcgis_town(home, api)
    (dataset,) = open_datasets(area.sources[0], area.sources[0].api, HASTY)
    return dataset


def following_changes(area):
    """The area, with its rows told apart by object identifier and fetched by time of change."""
    source = area.sources[0]
    columns = replace(source.columns, id="OBJECTID")
    api = replace(source.api, updated_at="EDITED")
    source = replace(source, columns=columns, api=api, duplicates="drop_same_id")
    return replace(area, sources=(source,))


def test_a_page_asks_for_the_mapped_fields_in_the_order_of_the_identifier(home, api):
    fetch(arcgis_town(home, api), home)

    assert api.asked[1] == {
        "outFields": "OBJECTID,OCC_DATE,OFFENCE,OCC_HOUR",
        "returnGeometry": "true",
        "outSR": "4326",
        "orderByFields": "OBJECTID",
        "resultRecordCount": "3",
        "where": "OBJECTID > 2",
        "f": "json",
    }


def test_dates_are_written_as_times_in_utc_and_points_as_columns(home, api):
    fetch(arcgis_town(home, api), home)

    lines = month_bytes(home)["2024-01.csv"].decode().splitlines()
    assert lines[:2] == [
        "OCC_DATE,OFFENCE,geometry.x,geometry.y,OCC_HOUR",
        "2024-01-02T05:00:00.000Z,Theft,-79.37,43.62,0",
    ]
    assert len(lines) == 11


def test_fields_about_persons_are_neither_asked_for_nor_stored(home, api):
    fetch(arcgis_town(home, api), home)

    pages = [gzip.decompress(path.read_bytes()) for path in folder(home).glob("pages/*/*.gz")]
    assert "SUSPECT_AGE" not in str(api.asked + api.counted)
    assert not any(b"SUSPECT_AGE" in page for page in pages)


def test_a_layer_without_mapped_points_is_asked_for_none(home, api):
    area = arcgis_town(home, api)
    source = area.sources[0]
    columns = replace(source.columns, lon="OCC_HOUR", lat="OBJECTID")
    area = replace(area, sources=(replace(source, columns=columns),))

    fetch(area, home)

    assert api.asked[0]["returnGeometry"] == "false"
    assert "outSR" not in api.asked[0]


def test_a_layer_that_gives_fewer_rows_than_asked_for_is_read_to_its_end(home, api):
    area = arcgis_town(home, api)
    api.largest_page = 2

    report = fetch(area, home)

    assert report.n_rows == 10


def test_rows_in_another_order_under_new_identifiers_change_no_byte(home, api):
    area = arcgis_town(home, api)
    fetch(area, home)
    before = month_stats(home)
    rows = api.tables[ARCGIS_PATH]
    api.tables[ARCGIS_PATH] = [row | {"OBJECTID": 100 - row["OBJECTID"]} for row in rows]
    api.arrange = lambda page: [*reversed(page), *page[:1]]

    report = fetch(area, home)

    assert (report.n_rows, report.changed) == (10, [])
    assert month_stats(home) == before


def test_only_what_changed_is_asked_for_by_the_time_of_its_change(home, api):
    area = following_changes(arcgis_town(home, api))
    fetch(area, home)
    api.asked.clear()

    report = fetch(area, home)

    # the last change is 209 days after 2 January 2024, and two days before it are asked for again
    assert api.asked[0]["where"] == "EDITED >= TIMESTAMP '2024-07-27 05:00:00'"
    assert (report.n_rows, report.changed) == (3, [])


def test_a_changed_row_of_a_layer_replaces_the_earlier_one(home, api):
    area = following_changes(arcgis_town(home, api))
    fetch(area, home)
    api.tables[ARCGIS_PATH][0] |= {"OCC_HOUR": 23, "EDITED": 1_730_000_000_000}

    report = fetch(area, home)

    assert report.changed == ["2024-01"]
    assert b"2024-01-02T05:00:00.000Z,Theft,-79.37,43.62,0,23" in month_bytes(home)["2024-01.csv"]


def test_a_token_goes_into_the_header_of_the_publisher(home, api, monkeypatch):
    monkeypatch.setenv("TOY_TOKEN", "abc")

    fetch(arcgis_town(home, api, 'token_variable = "TOY_TOKEN"'), home)

    assert {headers["X-Esri-Authorization"] for headers in api.headers} == {"Bearer abc"}


def test_a_layer_that_says_it_is_busy_is_asked_again(home, api):
    area = arcgis_town(home, api)
    api.faults = [WELL, BUSY_LAYER]

    report = fetch(area, home)

    assert report.n_rows == 10


def test_a_layer_that_stays_busy_is_an_error(home, api):
    area = arcgis_town(home, api)
    api.faults = [BUSY_LAYER] * 3

    with pytest.raises(SourceFormatError, match=r"no whole answer after every attempt \(503 Try"):
        fetch(area, home)


def test_a_renamed_field_is_named_though_the_layer_answers_200(home, api):
    area = arcgis_town(home, api)
    for row in api.tables[ARCGIS_PATH]:
        row["OFFENCE_1"] = row.pop("OFFENCE")

    with pytest.raises(SourceFormatError) as refusal:
        fetch(area, home)

    assert api.url(ARCGIS_PATH) in str(refusal.value)
    assert "offence = 'OFFENCE'; did you mean 'OFFENCE_1'?" in str(refusal.value)


def test_without_a_description_the_layers_own_words_are_shown(home, api):
    area = arcgis_town(home, api, """where = "NOWHERE = 1" """)
    api.is_described = False

    with pytest.raises(SourceFormatError, match=r"Cannot perform query\. no such column: NOWHERE"):
        fetch(area, home)


def test_a_count_that_is_missing_is_an_error(home, api):
    area = arcgis_town(home, api)
    api.is_counted = False

    with pytest.raises(SourceFormatError, match=r"expected the rows of a layer, found \{\}"):
        fetch(area, home)


def test_a_row_that_lacks_a_field_is_an_error(home, api):
    area = arcgis_town(home, api)
    api.arrange = lambda page: [{k: v for k, v in row.items() if k != "OFFENCE"} for row in page]

    with pytest.raises(SourceFormatError, match=r"a row without \['OFFENCE'\]"):
        fetch(area, home)


@pytest.mark.parametrize("values", [[], {"a": "1"}, {"features": ["x"]}, {"features": [{}]}])
def test_an_answer_that_holds_no_rows_of_a_layer_is_an_error(layer, values):
    with pytest.raises(SourceFormatError, match="expected the rows of a layer"):
        layer.rows(values)


def test_text_in_a_date_field_is_left_as_it_is(layer):
    fields = [{"name": "OCC_DATE", "type": "esriFieldTypeDate"}]
    attributes = {"OBJECTID": "1", "OCC_DATE": "soon", "OCC_HOUR": None, "OFFENCE": "Theft"}

    rows = layer.rows({"fields": fields, "features": [{"attributes": attributes}]})

    assert rows == [("1", None, "soon", "Theft", None, None, None)]

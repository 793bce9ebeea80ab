"""GeoJSON features become rows of the mapped columns, whatever the size of the file."""

import csv
import json

import pytest

from crime_platform.sources.scan import geojson, json_lists
from crime_platform.sources.scan.geojson import write_features_as_csv
from crime_platform.vocabulary.incident import SourceFormatError

WANTED = ("When", "geometry.x", "geometry.y")


def feature(when, geometry):
    return {"type": "Feature", "properties": {"when ": when, "sex": "F"}, "geometry": geometry}


def point(x, y):
    return {"type": "Point", "coordinates": [x, y]}


@pytest.fixture
def convert(tmp_path):
    """Write text as GeoJSON, and give back the columns found and the rows written."""

    def write_and_read(text):
        (tmp_path / "f.geojson").write_text(text, encoding="utf-8")
        found = write_features_as_csv(
            tmp_path / "f.geojson", "f.geojson", WANTED, tmp_path / "out.csv"
        )
        with (tmp_path / "out.csv").open(encoding="utf-8", newline="") as file:
            return found, list(csv.reader(file))

    return write_and_read


def test_features_become_rows_of_the_wanted_columns(convert):
    features = [
        feature('2020, "noon"', point(1.5, -2)),
        feature(None, None),
        {"type": "Feature", "properties": None, "geometry": {"type": "Point", "coordinates": []}},
        feature("x", {"type": "LineString", "coordinates": [[0, 1], [2, 3]]}),
        feature("one", {"type": "MultiPoint", "coordinates": [[0, 1]]}),
        feature("two", {"type": "MultiPoint", "coordinates": [[0, 1], [2, 3]]}),
    ]

    found, rows = convert(json.dumps({"type": "FeatureCollection", "features": features}))

    assert found == ("when ", "sex", "geometry.x", "geometry.y")
    assert rows == [
        list(WANTED),
        ['2020, "noon"', "1.5", "-2"],
        ["", "", ""],
        ["", "", ""],
        ["x", "", ""],
        ["one", "0", "1"],
        ["two", "", ""],
    ]


@pytest.mark.parametrize("chunk", [60, 97, 4096])
def test_features_are_read_across_pieces(convert, monkeypatch, chunk):
    for module in (geojson, json_lists):
        monkeypatch.setattr(module, "CHUNK_CHARACTERS", chunk)
    features = [feature(f"day {number}", point(number, 0)) for number in range(20)]
    text = json.dumps({"type": "FeatureCollection", "features": features}, indent=1)

    _, rows = convert(text)

    assert [row[0] for row in rows[1:]] == [f"day {number}" for number in range(20)]


def test_json_without_features_is_refused(convert):
    with pytest.raises(SourceFormatError, match=r"f\.geojson: JSON without a list of features"):
        convert('{"rows": []}')


def test_esri_json_is_refused_by_name(convert):
    with pytest.raises(SourceFormatError, match=r"f\.geojson: Esri JSON, not GeoJSON"):
        convert('{"features": [{"attributes": {"a": 1}, "geometry": {"x": 1, "y": 2}}]}')


@pytest.mark.parametrize("text", ['{"features": [{"a": 1}', '{"features": [{"a": 1}, {"b": '])
def test_a_file_that_breaks_off_is_refused(convert, text):
    with pytest.raises(
        SourceFormatError, match=r"f\.geojson: the GeoJSON breaks off or is damaged"
    ):
        convert(text)

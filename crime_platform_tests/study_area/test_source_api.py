"""The table [source.api] of a TOML, and what it refuses before anything is asked."""

import pytest

from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.source_api import SourceApi
from crime_platform.study_area.study_area import load_study_area
from toys.api_server import toy_api
from toys.api_town import arcgis_town, socrata_town

URL = "https://data.example.org/resource/abcd-1234"


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


def refusal_of(home, api, old, new, make=socrata_town):
    """What is said of the town's TOML with one line changed."""
    make(home, api)
    path = home.study_areas / "town.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(StudyAreaError) as refusal:
        load_study_area(path)
    return str(refusal.value)


def test_files_follow_from_the_names_of_area_and_source(home, api):
    area = socrata_town(home, api)

    assert area.sources[0].paths == ("raw/town/police/months/*.csv",)


def test_a_layers_times_are_utc_without_saying_so(home, api):
    assert arcgis_town(home, api).sources[0].timestamps_are == "utc"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('name = "police"', 'name = "police"\npaths = ["a.csv"]', "leave paths out"),
        ('format = "socrata"', 'format = "table"\npaths = ["a.csv"]', "belongs to the formats"),
        ("page_rows = 3", "page_rows = 0", "page_rows: expected 1 or more, found 0"),
        ("page_rows = 3", "page_row = 3", "page_row: unknown key; did you mean 'page_rows'?"),
        ("fresh_hours = 0", "fresh_hours = -1", "fresh_hours: expected 0 or more, found -1"),
        ("fresh_hours = 0", "full_every_days = 0", "full_every_days: expected 1 or more"),
        ("requests_per_second = 100000", "requests_per_second = 0", "expected more than 0"),
        ('id = "id"', 'id = "Case Number"', "'Case Number' is no field of an API"),
        ('duplicates = "drop_same_id"', "", "replaces the earlier one by its identifier"),
        ("fresh_hours = 0", "where = \"vic_sex = 'F'\"", "'vic_sex' describes a person"),
        ("fresh_hours = 0", 'where = "id > 1 AND arrest"', "'arrest' describes a person"),
        ('updated_at = "updated_on"', 'updated_at = "arrest_date"', "neither loaded nor asked"),
        ('lat = "latitude"', 'lat = "latitude"\nhour = "perp_race"', "are never loaded"),
        ("fresh_hours = 0", 'row_id = "susp_id"', "'susp_id' describes a person"),
        ("/resource/abcd-1234", "/d/abcd-1234", "ends like /resource/abcd-1234"),
        ("http://127.0.0.1", "http://data.example.org", "starts with https://"),
    ],
)
def test_a_mistake_is_answered_with_its_cure(home, api, old, new, told):
    assert told in refusal_of(home, api, old, new)


def test_an_api_without_its_table_is_refused(home, api):
    text = refusal_of(home, api, "[source.api]\nurl", "[source.apis]\nurl")

    assert "api: the key is missing; add it" in text


def test_a_layers_address_ends_in_its_number(home, api):
    told = refusal_of(home, api, "/FeatureServer/0", "/FeatureServer", make=arcgis_town)

    assert "ends like /FeatureServer/0" in told


def test_words_in_quotes_are_no_fields():
    api = SourceApi(urls=(URL,), where="primary_type = 'SEX OFFENSE' and a > 'O''age'")

    assert api.fields() == ["primary_type", "and", "a"]


@pytest.mark.parametrize(
    "url",
    [
        f"{URL}?$$app_token=s3cret",
        "https://me:s3cret@data.example.org/resource/abcd-1234",
        f"{URL}#s3cret",
    ],
)
def test_an_address_with_a_secret_is_refused_without_showing_it(url):
    with pytest.raises(StudyAreaError, match="expected the bare address") as refusal:
        SourceApi(urls=(url,))

    assert "s3cret" not in str(refusal.value)


def test_a_token_in_the_toml_is_refused_without_showing_it():
    with pytest.raises(StudyAreaError, match="never stands in a TOML") as refusal:
        SourceApi(urls=(URL,), token_variable="s3cretT0ken")

    assert "s3cretT0ken" not in str(refusal.value)


@pytest.mark.parametrize("url", ["data.example.org", "ftp://data.example.org/a", "https://", ""])
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(StudyAreaError, match="starts with https://"):
        SourceApi(urls=(url,))


def test_an_address_that_cannot_be_read_is_refused():
    with pytest.raises(StudyAreaError, match="is no web address"):
        SourceApi(urls=("https://[::1/resource/abcd-1234",))


def test_no_address_is_refused():
    with pytest.raises(StudyAreaError, match="expected the address of a dataset, found none"):
        SourceApi(urls=())

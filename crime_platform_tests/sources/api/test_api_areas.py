"""The areas that are ready for an API, from its answer to the incidents in the warehouse.

Rows have every field of the real dataset, those about persons included. The real APIs are out of
reach of a test: the toy server stands in for them.
"""

import datetime as dt

import pytest
from typer.testing import CliRunner

from crime_platform.cli import app
from crime_platform.commands.area_choice import has_files, only_area
from crime_platform.definitions import build_definitions
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.source import is_never_loaded
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.warehouse.warehouse import Warehouse
from toys.api_server import SOCRATA_PATH, toy_api
from toys.api_town import socrata_town, theft
from toys.paths import REPOSITORY
from toys.schedule_tick import tick

TOMLS = REPOSITORY / "data" / "study_areas"
CHICAGO = {
    ":id": "row-a",
    "id": "13204489",
    "case_number": "JG416325",
    "date": "2023-09-06T11:00:00.000",
    "block": "0000X E 8TH ST",
    "iucr": "0810",
    "primary_type": "THEFT",
    "description": "OVER $500",
    "location_description": "STREET",
    "arrest": False,
    "domestic": False,
    "beat": "0123",
    "district": "001",
    "ward": "4",
    "community_area": "32",
    "fbi_code": "06",
    "x_coordinate": "1176857",
    "y_coordinate": "1896680",
    "year": "2023",
    "updated_on": "2023-11-04T15:40:18.000",
    "latitude": "41.871834768",
    "longitude": "-87.62615082",
}
NEW_YORK = {
    ":id": "row-a",
    ":updated_at": "2024-04-23T18:08:12.345Z",
    "cmplnt_num": "271187021",
    "cmplnt_fr_dt": "2023-07-08T00:00:00.000",
    "cmplnt_fr_tm": "21:05:00",
    "rpt_dt": "2023-07-09T00:00:00.000",
    "ky_cd": "341",
    "ofns_desc": "PETIT LARCENY",
    "law_cat_cd": "MISDEMEANOR",
    "boro_nm": "BROOKLYN",
    "prem_typ_desc": "STREET",
    "susp_age_group": "25-44",
    "susp_race": "UNKNOWN",
    "susp_sex": "M",
    "latitude": "40.652464",
    "longitude": "-73.949389",
    "vic_age_group": "25-44",
    "vic_race": "BLACK",
    "vic_sex": "F",
}
TORONTO = {
    "OBJECTID": 1,
    "EVENT_UNIQUE_ID": "GO-20141273522",
    "REPORT_DATE": 1_388_552_400_000,
    "OCC_DATE": 1_393_736_400_000,  # 2014-03-02 05:00 UTC: midnight in winter
    "OCC_HOUR": 23,
    "DIVISION": "D14",
    "LOCATION_TYPE": "Apartment (Rooming House, Condo)",
    "PREMISES_TYPE": "Apartment",
    "OFFENCE": "Assault",
    "CSI_CATEGORY": "Assault   ",
    "HOOD_158": "088",
    "LONG_WGS84": -79.425896,
    "LAT_WGS84": 43.757346,
}
HOSTS = (
    "https://data.cityofchicago.org",
    "https://data.cityofnewyork.us",
    "https://services.arcgis.com",
)


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


@pytest.fixture
def ready_area(home, api):
    """Loads one of the ready areas with the toy server in its publisher's place."""

    def load(name, *tables):
        text = (TOMLS / f"{name}.toml").read_text()
        for host in HOSTS:
            text = text.replace(f"{host}/", f"{api.address}/")
        path = home.study_areas / f"{name}.toml"
        path.write_text(text.replace("[source.api]", "[source.api]\nrequests_per_second = 1e6"))
        area = load_study_area(path)
        paths = [url.removeprefix(api.address) for url in area.sources[0].api.urls]
        api.tables = dict(zip(paths, tables, strict=True))
        return area

    return load


def incidents(home, *columns):
    """These columns of every incident in the warehouse, by identifier and hour."""
    query = f"select {', '.join(columns)} from incident order by source_id, occurred_hour"
    return [tuple(row) for row in Warehouse(home.warehouse).read(query).to_numpy().tolist()]


@pytest.mark.parametrize("name", ["chicago", "new_york", "toronto_live"])
def test_a_ready_area_is_read_and_asks_about_no_person(name):
    area = load_study_area(TOMLS / f"{name}.toml")

    (source,) = area.sources
    assert source.api is not None
    assert not any(map(is_never_loaded, [*source.columns.mapped().values(), *source.api.fields()]))
    assert not area.includes_police_discovered


def test_chicago_comes_with_its_local_time(home, api, ready_area):
    other = {"primary_type": "NARCOTICS", "id": "2", ":id": "row-b"}
    area = ready_area("chicago", [CHICAGO, CHICAGO | other])

    report = ingest_area(area, home)

    assert report.problems == []
    # in UTM zone 16N the point lies 26,540 m east and 25,736 m north of the grid's corner
    columns = ("source_id", "occurred_on::varchar", "occurred_hour", "offence_type", "row", "col")
    assert incidents(home, *columns) == [("13204489", "2023-09-06", 11, "theft", 51, 53)]
    assert api.asked[0]["$where"] == "(date >= '2018-01-01T00:00:00')"


def test_a_new_york_complaint_in_both_tables_counts_once(home, ready_area):
    moved = NEW_YORK | {":id": "row-z", "ofns_desc": "GRAND LARCENY"}
    newer = {":updated_at": "2024-07-01T00:00:00.000Z"}
    area = ready_area("new_york", [NEW_YORK], [moved | newer])

    report = ingest_area(area, home)

    assert report.problems == []
    columns = ("source_id", "occurred_on::varchar", "occurred_hour", "offence_type")
    assert incidents(home, *columns) == [("271187021", "2023-07-08", 21, "grand_larceny")]


def test_toronto_days_are_local_and_every_row_of_an_event_counts(home, ready_area):
    summer = 1_405_051_200_000  # 2014-07-11 04:00 UTC: midnight in summer
    second = TORONTO | {"OBJECTID": 2, "CSI_CATEGORY": "Robbery"}
    third = TORONTO | {"OBJECTID": 3, "OCC_DATE": summer, "EVENT_UNIQUE_ID": "GO-3", "OCC_HOUR": 0}
    area = ready_area("toronto_live", [TORONTO, second, third])

    report = ingest_area(area, home)

    assert report.problems == []
    assert incidents(home, "source_id", "occurred_on::varchar", "occurred_hour") == [
        ("GO-20141273522", "2014-03-02", 23),
        ("GO-20141273522", "2014-03-02", 23),
        ("GO-3", "2014-07-11", 0),
    ]


def test_a_second_ingest_of_an_unchanged_api_reads_no_file(home, api):
    area = socrata_town(home, api)
    first = ingest_area(area, home)

    second = ingest_area(area, home)

    assert (first.n_read, second.n_read) == (3, 0)
    assert (first.n_accepted, second.n_accepted) == (10, 10)


def test_a_changed_row_reads_its_month_and_keeps_the_earlier_vintage(home, api):
    area = socrata_town(home, api)
    ingest_area(area, home)
    changes = {"longitude": "-79.38", "updated_on": "2024-06-20T00:00:00.000"}
    api.tables[SOCRATA_PATH][0] = theft(0, **changes)

    report = ingest_area(area, home)

    assert (report.n_read, report.n_accepted) == (1, 10)
    vintages = Warehouse(home.warehouse).read(
        "select lon from incident_vintage where source_id = '500' order by lon"
    )
    assert vintages["lon"].tolist() == [-79.38, -79.37]


def test_how_fast_is_asked_does_not_make_files_new(home, api):
    ingest_area(socrata_town(home, api), home)

    report = ingest_area(socrata_town(home, api, "full_every_days = 9"), home)

    assert report.n_read == 0


def test_an_api_that_is_gone_leaves_the_incidents(home, api):
    area = socrata_town(home, api)
    ingest_area(area, home)
    api.tables.clear()

    with pytest.raises(SourceFormatError, match="there is no such dataset"):
        ingest_area(area, home)

    assert len(incidents(home, "source_id")) == 10


def test_an_api_is_not_the_area_to_run_until_it_was_fetched(toy_city, api):
    home = toy_city()
    area = socrata_town(home, api)

    before = only_area(home)
    ingest_area(area, home)

    assert before == "toy"
    assert has_files(home, "town")


def test_a_tick_does_not_start_a_first_download(home, api):
    socrata_town(home, api)
    moment = dt.datetime.fromisoformat("2026-03-05T06:00:00-05:00")

    data = tick(build_definitions(home), moment, area="town")

    assert data.run_requests == []
    assert "start it once by hand with `crime-platform run --study-area town`" in data.skip_message
    assert api.headers == []


def test_a_tick_after_the_first_fetch_starts_a_run(home, api):
    ingest_area(socrata_town(home, api), home)
    moment = dt.datetime.fromisoformat("2026-03-05T06:00:00-05:00")

    data = tick(build_definitions(home), moment, area="town")

    assert [request.partition_key for request in data.run_requests] == ["2026-02"]


def test_fetch_says_which_months_changed(home, api):
    socrata_town(home, api)

    answers = [CliRunner().invoke(app, ["fetch"], env={"COLUMNS": "200"}) for _ in range(2)]

    assert [answer.exit_code for answer in answers] == [0, 0]
    assert "2024-01, 2024-02, 2024-03" in answers[0].stdout
    assert "what changed" in answers[1].stdout
    assert "none" in answers[1].stdout


def test_fetch_full_asks_for_everything(home, api):
    socrata_town(home, api)
    CliRunner().invoke(app, ["fetch"])

    answer = CliRunner().invoke(app, ["fetch", "--full"], env={"COLUMNS": "200"})

    assert "everything" in answer.stdout


def test_fetch_of_an_area_with_files_says_so(toy_city):
    toy_city()

    answer = CliRunner().invoke(app, ["fetch"])

    assert answer.exit_code == 2
    assert "no source has an API" in " ".join(answer.stderr.split())


def test_fetch_that_fails_says_why(home, api):
    socrata_town(home, api)
    api.tables.clear()

    answer = CliRunner().invoke(app, ["fetch"], env={"COLUMNS": "300"})

    assert answer.exit_code == 2
    assert "there is no such dataset" in " ".join(answer.stderr.split())

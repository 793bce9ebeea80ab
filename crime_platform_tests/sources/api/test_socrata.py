"""Socrata: what is asked, what is never asked, and what a refusal tells."""

import gzip
from dataclasses import replace

import pytest

from crime_platform.sources.api.clients import open_datasets
from crime_platform.vocabulary.incident import SourceFormatError
from toys.api_server import SOCRATA_PATH, toy_api
from toys.api_town import HASTY, fetch, folder, socrata_town, theft

TOKEN = "s3cret-T0ken"


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


def stored_texts(home):
    """Every file that a fetch left, unpacked, in one text."""
    paths = [path for path in folder(home).rglob("*") if path.is_file()]
    packed = [gzip.decompress(path.read_bytes()) for path in paths if path.suffix == ".gz"]
    plain = [path.read_bytes() for path in paths if path.suffix != ".gz"]
    return b"\n".join(packed + plain).decode(errors="replace")


def test_a_page_asks_for_the_mapped_fields_in_the_order_of_the_identifier(home, api):
    fetch(socrata_town(home, api), home)

    assert api.asked[0] == {
        "$select": ":id, updated_on, date, primary_type, longitude, latitude, id",
        "$order": ":id",
        "$limit": "3",
    }


def test_fields_about_persons_are_neither_asked_for_nor_stored(home, api):
    fetch(socrata_town(home, api), home)

    told = str(api.asked + api.counted) + stored_texts(home)
    assert "vic_sex" not in told
    assert "arrest" not in told


def test_a_field_to_filter_rows_by_is_asked_for_too(home, api):
    more = "[source.only]\ncolumn = 'district'\nvalues = ['7']"
    api.tables[SOCRATA_PATH] = [theft(0, district="7")]

    fetch(socrata_town(home, api, more), home)

    assert api.asked[0]["$select"].endswith("id, district")


def test_the_filter_of_the_toml_stands_in_brackets_before_ours(home, api):
    more = """where = "longitude < '0' or latitude > '0'" """

    fetch(socrata_town(home, api, more), home)

    assert api.asked[1]["$where"] == ("(longitude < '0' or latitude > '0') AND :id > 'row-0002'")
    assert api.counted[0]["$where"] == "(longitude < '0' or latitude > '0')"


def test_the_servers_own_time_of_change_can_be_followed(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    system = replace(source, api=replace(source.api, updated_at=":updated_at"))
    area = replace(area, sources=(system,))
    fetch(area, home)
    api.asked.clear()

    fetch(area, home)

    assert api.asked[0]["$where"] == ":updated_at >= '2024-06-08T04:00:00.000Z'"


def test_a_dataset_without_a_time_of_change_is_fetched_as_a_whole_each_time(home, api):
    area = socrata_town(home, api)
    source = area.sources[0]
    area = replace(area, sources=(replace(source, api=replace(source.api, updated_at=None)),))

    reports = [fetch(area, home), fetch(area, home)]

    assert [report.is_full for report in reports] == [True, True]
    assert reports[1].changed == []


def test_the_token_is_sent_with_every_request_and_kept_nowhere(home, api, monkeypatch, caplog):
    monkeypatch.setenv("TOY_TOKEN", f" {TOKEN}\n")

    fetch(socrata_town(home, api, 'token_variable = "TOY_TOKEN"'), home)

    assert {headers["X-App-Token"] for headers in api.headers} == {TOKEN}
    assert TOKEN not in stored_texts(home) + caplog.text + str(api.asked + api.counted)


def test_without_a_token_no_header_is_sent(home, api, monkeypatch):
    monkeypatch.delenv("TOY_TOKEN", raising=False)

    fetch(socrata_town(home, api, 'token_variable = "TOY_TOKEN"'), home)

    assert not any("X-App-Token" in headers for headers in api.headers)


def test_what_can_be_no_token_is_refused_without_showing_it(home, api, monkeypatch):
    monkeypatch.setenv("TOY_TOKEN", "two words")
    area = socrata_town(home, api, 'token_variable = "TOY_TOKEN"')

    with pytest.raises(SourceFormatError, match="TOY_TOKEN: holds blanks") as refusal:
        fetch(area, home)

    assert "two words" not in str(refusal.value)


def rename(api, old, new):
    for row in api.tables[SOCRATA_PATH]:
        row[new] = row.pop(old)


def test_a_renamed_column_is_named_with_the_one_it_became(home, api):
    area = socrata_town(home, api)
    rename(api, "primary_type", "primary_type_1")

    with pytest.raises(SourceFormatError) as refusal:
        fetch(area, home)

    told = str(refusal.value)
    assert api.url(SOCRATA_PATH) in told
    assert "offence = 'primary_type'; did you mean 'primary_type_1'?" in told
    assert "correct the names under [source.columns]" in told


def test_a_renamed_time_of_change_is_named(home, api):
    area = socrata_town(home, api)
    rename(api, "updated_on", "updated")

    with pytest.raises(
        SourceFormatError, match="updated_at = 'updated_on'; did you mean 'updated'"
    ):
        fetch(area, home)


def test_a_renamed_column_leaves_what_was_known(home, api):
    area = socrata_town(home, api)
    fetch(area, home)
    rename(api, "primary_type", "primary_type_1")

    with pytest.raises(SourceFormatError, match="mapped columns are missing"):
        fetch(area, home)

    assert len(list(folder(home).glob("months/*.csv"))) == 3


def test_without_a_description_the_servers_own_words_are_shown(home, api):
    area = socrata_town(home, api)
    rename(api, "primary_type", "primary_type_1")
    api.is_described = False

    with pytest.raises(SourceFormatError, match="no such column: primary_type"):
        fetch(area, home)


def test_a_filter_that_the_server_does_not_take_is_an_error(home, api):
    area = socrata_town(home, api, """where = "nonsense(" """)

    with pytest.raises(SourceFormatError, match=r"does not take the question.*Compare where"):
        fetch(area, home)


def test_a_row_without_its_identifier_is_an_error(home, api):
    area = socrata_town(home, api)
    api.tables[SOCRATA_PATH][0] = theft(0, **{":id": None})

    with pytest.raises(SourceFormatError, match="a row without ':id'"):
        fetch(area, home)


def test_an_answer_that_is_no_list_of_rows_is_an_error(home, api):
    area = socrata_town(home, api)
    (dataset,) = open_datasets(area.sources[0], area.sources[0].api, HASTY)

    with pytest.raises(SourceFormatError, match=r"expected a list of rows, found \{'a': '1'\}"):
        dataset.rows({"a": "1"})


def test_a_count_that_is_missing_is_an_error(home, api):
    area = socrata_town(home, api)
    api.is_counted = False

    with pytest.raises(SourceFormatError, match=r"expected a list of rows, found \[\]"):
        fetch(area, home)

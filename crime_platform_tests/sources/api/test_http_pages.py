"""What a person is told when a server cannot be reached, refuses, or answers nonsense."""

from dataclasses import replace

import pytest
import urllib3

from crime_platform.sources.api.http_client import RateLimitedClient, _refusal, read_json
from crime_platform.vocabulary.incident import SourceFormatError
from toys.api_server import BOMB, BUSY, GARBLED, MOVED, SOCRATA_PATH, THROTTLED, toy_api
from toys.api_town import HASTY, fetch, socrata_town


@pytest.fixture
def api():
    with toy_api() as server:
        yield server


def client_of(url):
    return RateLimitedClient(url, requests_per_second=1e6, retries=HASTY)


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ([MOVED], "moved to https://elsewhere.example/resource/wxyz-9999; correct url"),
        ([401], "HTTP 401: the server refuses to answer; name an environment variable"),
        ([403], "HTTP 403: the server refuses to answer; name an environment variable"),
        ([410], "HTTP 410: there is no such dataset; correct url under .source.api."),
        ([418], "HTTP 418: the server does not take the question; compare url"),
        ([THROTTLED] * 3, "HTTP 429: the server asks for fewer requests; name an environment"),
        ([BUSY] * 3, "HTTP 503: the publisher's server is in trouble; try again later"),
        ([GARBLED] * 3, "no whole answer after every attempt .*is the API's and no web page"),
    ],
)
def test_a_refusal_names_the_address_and_the_cure(home, api, faults, told):
    area = socrata_town(home, api)
    api.faults = list(faults)

    with pytest.raises(SourceFormatError, match=told) as refusal:
        fetch(area, home)

    assert str(refusal.value).startswith(api.url(SOCRATA_PATH))
    assert "run again to go on" in str(refusal.value)


def test_what_a_redirect_says_moves_no_cursor():
    headers = {"Location": "https://a.example/\x1b[2Jgone"}
    answer = urllib3.HTTPResponse(status=301, headers=headers)

    assert "moved to https://a.example/\\x1b[2Jgone; correct url" in _refusal("https://b", answer)


def test_an_answer_that_unpacks_without_end_is_refused(home, api):
    area = socrata_town(home, api)
    api.faults = [BOMB]

    with pytest.raises(SourceFormatError, match=r"one answer unpacks to more than 104,857,600 byt"):
        fetch(area, home)


def test_a_dataset_that_does_not_exist_is_an_error(home, api):
    area = socrata_town(home, api)
    api.tables.clear()

    with pytest.raises(SourceFormatError, match="HTTP 404: there is no such dataset"):
        fetch(area, home)


def test_a_server_that_is_gone_is_an_error(api):
    url = api.url(SOCRATA_PATH)
    client = client_of(url)
    api.stop()

    with pytest.raises(SourceFormatError, match=f"{url}: the server cannot be reached; check the"):
        client.ask(url, {})


def test_a_server_without_a_certificate_is_an_error(api):
    url = api.url(SOCRATA_PATH).replace("http://", "https://")

    with pytest.raises(SourceFormatError, match="its certificate cannot be trusted"):
        client_of(url).ask(url, {})


def test_a_host_that_nobody_knows_is_an_error():
    url = "https://nowhere.invalid/resource/abcd-1234"

    with pytest.raises(SourceFormatError, match="the host is not known; check the network"):
        client_of(url).ask(url, {})


def test_a_server_that_never_answers_is_an_error(api):
    url = api.url(SOCRATA_PATH)
    retries = replace(HASTY, attempts=1, timeout_s=0.05)
    client = RateLimitedClient(url, requests_per_second=1e6, retries=retries)

    with api.lock, pytest.raises(SourceFormatError, match="took too long; ask for fewer rows"):
        client.ask(url, {"$select": "count(*)"})


def test_numbers_stay_the_text_that_they_are():
    values = read_json(b'{"a": -79.370, "b": 1e5, "c": 12345678901234567890, "d": NaN, "e": true}')

    assert values == {
        "a": "-79.370",
        "b": "1e5",
        "c": "12345678901234567890",
        "d": "NaN",
        "e": True,
    }


def test_json_without_a_bottom_is_an_error():
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(b"[" * 100_000)


def test_a_proxy_of_the_environment_is_used_except_on_this_machine(monkeypatch, api):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    near, far = api.url(SOCRATA_PATH), "https://data.example.org/resource/abcd-1234"
    api.tables[SOCRATA_PATH] = [{":id": "row-1"}]

    answer = client_of(near).ask(near, {"$select": "count(*) as n_rows"})

    assert answer.values == [{"n_rows": "1"}]
    with pytest.raises(SourceFormatError, match=f"{far}: "):
        client_of(far).ask(far, {})

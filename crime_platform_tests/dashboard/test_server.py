"""The page's server, asked over real HTTP: what it answers, and everything it must refuse."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from crime_platform.dashboard import static_files as pages
from crime_platform.dashboard.response_cache import PartCache
from crime_platform.dashboard.server import build_app, takes_gzip
from crime_platform.dashboard.static_files import WebError
from crime_platform.vocabulary.home import PlatformHome
from toys.dashboard import AREAS, CSS, INDEX, ToyMakers, publish, serving, write_web


@pytest.fixture
def web(tmp_path):
    return write_web(tmp_path / "web")


@pytest.fixture
def makers():
    return ToyMakers()


SHARED = ToyMakers()  # of the server that most tests share


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    root = tmp_path_factory.mktemp("dashboard")
    home = PlatformHome(root / "home")
    publish(home, "0a")
    with serving(home, write_web(root / "web"), makers=SHARED) as client:
        yield client


# What is answered


def test_the_page_and_its_files_are_served(client):
    page, style, module = (client.ask(path) for path in ("/", "/app.css", "/main.js"))

    assert (page.body.decode(), style.body.decode()) == (INDEX, CSS)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert style.headers["Content-Type"] == "text/css; charset=utf-8"
    assert module.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert client.ask("/index.html").body == page.body


def test_a_file_in_a_folder_of_the_page_is_served_by_its_path(home, tmp_path):
    web = write_web(tmp_path / "page")
    (web / "map").mkdir()
    (web / "map" / "stage.js").write_text("export const A = 1;")
    publish(home, "0a")
    with serving(home, web, makers=SHARED) as client:
        assert client.ask("/map/stage.js").body == b"export const A = 1;"
        assert client.ask("/stage.js").status == client.ask("/map").status == 404


def test_deck_is_served_from_the_installed_wheel(client):
    script = client.ask("/vendor/deck.js")

    assert script.status == 200
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert len(script.body) > 2_000_000
    assert b"sourceMappingURL" not in script.body


def test_without_deck_the_script_says_so_and_the_page_stays(home, web, monkeypatch):
    publish(home, "0a")
    monkeypatch.setattr("crime_platform.dashboard.deck_bundle.PLACE", "nowhere.js")
    with serving(home, web) as client:
        script = client.ask("/vendor/deck.js")
        page = client.ask("/")

    assert (script.status, page.status) == (200, 200)
    assert script.body.startswith(b'globalThis.deckError = "pydeck ')
    assert b"the page opens in 2D" in script.body
    assert b"site-packages" not in script.body


def test_every_kind_of_part_is_answered(client):
    assert client.ask("/api/areas").json == {"release": "0a", "areas": AREAS}
    assert client.ask("/api/cells/toy").body.startswith(b"CFP1")
    assert client.ask("/api/model/toy/ewma").body.startswith(b"CFP1")
    assert b'"names": ["town"]' in client.ask("/api/streets/town").body
    assert client.ask("/api/about/town").json == {"kind": "about", "key": "0a"}


def test_parts_say_what_they_are(client):
    assert client.ask("/api/areas").headers["Content-Type"] == "application/json"
    assert client.ask("/api/cells/toy").headers["Content-Type"] == "application/octet-stream"


def test_a_client_without_gzip_is_given_plain_bytes(client):
    zipped = client.ask("/api/cells/toy")
    plain = client.ask("/api/cells/toy", Accept_Encoding="identity")

    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert plain.raw == zipped.body
    assert {zipped.headers["Vary"], plain.headers["Vary"]} == {"Accept-Encoding"}


@pytest.mark.parametrize(
    ("header", "is_taken"),
    [
        ("gzip", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0, *", False),
        ("gzip; q=0.0", False),
        ("identity, *;q=0", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(header, is_taken):
    assert takes_gzip(header) == is_taken


def test_head_tells_the_size_and_sends_nothing(client):
    whole = client.ask("/api/cells/toy")
    head = client.ask("/api/cells/toy", method="HEAD")

    assert (head.status, head.raw) == (200, b"")
    assert head.headers["Content-Length"] == str(len(whole.raw))
    assert head.headers["ETag"] == whole.headers["ETag"]


@pytest.mark.parametrize("tags", ["{}", '"other", {}', "*"])
@pytest.mark.parametrize("path", ["/", "/app.css", "/vendor/deck.js", "/api/areas"])
def test_what_the_browser_has_is_not_sent_again(client, path, tags):
    first = client.ask(path)
    again = client.ask(path, If_None_Match=tags.format(first.headers["ETag"]))

    assert (again.status, again.raw) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]


def test_another_tag_is_answered_in_full(client):
    assert client.ask("/api/areas", If_None_Match='W/"other"').status == 200


def test_the_release_is_told_and_never_kept(client):
    answer = client.ask("/api/release")

    assert answer.json == {"release": "0a"}
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_icon_that_browsers_ask_for_is_no_error(client):
    assert client.ask("/favicon.ico").status == 204


# One build per release


def test_a_part_is_built_once(client):
    client.ask("/api/shares/toy/st_resnet")
    client.ask("/api/shares/toy/st_resnet")

    assert [each for each in SHARED.asked if "shares" in each] == ["shares/toy/st_resnet"]


def test_a_part_asked_for_by_many_at_once_is_built_once(home, web, makers):
    publish(home, "0a")
    is_asked, may_go_on = threading.Event(), threading.Event()
    make = makers.make_cells

    def slow(connection, area):
        is_asked.set()
        assert may_go_on.wait(10)
        return make(connection, area)

    makers.make_cells = slow
    with serving(home, web, makers=makers) as client, ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(client.ask, "/api/cells/toy") for _ in range(4)]
        assert is_asked.wait(10)
        time.sleep(0.2)  # the others arrive meanwhile
        may_go_on.set()
        bodies = {answer.result().body for answer in answers}

    assert makers.asked.count("cells/toy") == 1
    assert len(bodies) == 1


def test_a_new_release_is_seen_without_a_restart(home, web):
    publish(home, "0a")
    with serving(home, web) as client:
        before = client.ask("/api/areas")
        publish(home, "0b")
        after = client.ask("/api/areas", If_None_Match=before.headers["ETag"])
        release = client.ask("/api/release")

    assert release.json == {"release": "0b"}
    assert (after.status, after.json["release"]) == (200, "0b")


def test_a_page_of_an_older_release_gets_no_part_of_a_newer_one(home, web, makers):
    publish(home, "0a")
    with serving(home, web, makers=makers) as client:
        before = client.ask("/api/cells/toy?release=0a")
        publish(home, "0b")
        after = client.ask("/api/cells/toy?release=0a")
        unpinned = client.ask("/api/cells/toy")

    assert (before.status, after.status, unpinned.status) == (200, 409, 200)
    assert after.json == {"error": "a newer release was published: reload the page"}


def test_a_part_that_a_new_release_overtook_is_made_again(home, makers):
    publish(home, "0a")
    make = makers.make_areas

    def overtaken(connection):
        content = make(connection)
        home.forecasts.touch()  # as if it were another file
        return content

    makers.make_areas = overtaken
    cache = PartCache(home, makers.parts())
    cache.payload("areas")
    cache.payload("areas")

    assert makers.asked == ["areas", "areas"]


def test_old_parts_leave_when_there_are_too_many(home, makers):
    publish(home, "0a")
    cache = PartCache(home, makers.parts(), max_bytes=1)
    cache.payload("corners/toy")
    cache.payload("accuracy/toy")
    cache.payload("corners/toy")

    assert makers.asked.count("corners/toy") == 2


def test_a_part_that_failed_is_tried_again(home, makers):
    publish(home, "0a")
    parts = makers.parts()
    cache = PartCache(home, {**parts, "about": lambda *_: 1 / 0})
    with pytest.raises(ZeroDivisionError):
        cache.payload("about/toy")
    cache.makers = parts

    assert cache.payload("about/toy").plain.startswith(b'{"kind"')


# Downloads


def test_a_download_is_what_was_asked_for_under_a_safe_name(client):
    answer = client.ask("/download/cells.csv?month=2022-01&area=toy&model=ewma")

    chosen = {"month": "2022-01", "area": "toy", "model": "ewma"}
    assert answer.json == ["0a", "cells", "csv", chosen]
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"] == (
        'attachment; filename="cells-toy-ewma-2022-01.csv"'
    )
    assert answer.headers["Cache-Control"] == "no-store"


def test_streets_are_chosen_by_group_and_day(client):
    answer = client.ask("/download/streets.geojson?area=toy&group=violent&day=2022-01-02")

    assert answer.headers["Content-Type"] == "application/geo+json"
    assert (
        'filename="streets-toy-violent-2022-01-02.geojson"'
        in (answer.headers["Content-Disposition"])
    )


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("cells.xlsx?area=toy", 404, "there is no such download; there are cells, backtest"),
        ("release.csv?area=toy", 404, "there is no such download"),
        ("cells.csv", 400, "area is needed"),
        ("cells.csv?area=toy&day=2022-01-01", 400, "chosen by area, type, model, month"),
        ("cells.csv?area=toy&area=toy", 400, "each at most once"),
        ("cells.csv?area=toy%22%0d%0aX:%20y", 400, "one word of letters, digits"),
        ("cells.csv?area=toy&type=a'%20or%201=1", 400, "one word of letters, digits"),
        ("cells.csv?area=toy&model=" + "a" * 81, 400, "at most 80 of them"),
        ("cells.csv?area=other", 404, "the release holds no such area"),
    ],
)
def test_a_download_that_cannot_be_is_refused(client, path, status, told):
    answer = client.ask(f"/download/{path}")

    assert answer.status == status
    assert told in answer.json["error"]


# What is refused

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; worker-src 'self' blob:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/", "GET", 200),
        ("/api/areas", "GET", 200),
        ("/api/release", "GET", 200),
        ("/vendor/deck.js", "HEAD", 200),
        ("/download/cells.csv?area=toy", "GET", 200),
        ("/nothing", "GET", 404),
        ("/api/nothing", "GET", 404),
        ("/", "POST", 405),
    ],
)
def test_every_answer_has_the_security_headers_and_no_cors(client, path, method, status):
    answer = client.ask(path, method=method, Origin="http://elsewhere.example")

    assert answer.status == status
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert [name for name in answer.headers if name.lower().startswith("access-control")] == []
    assert "Server" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/", "/api/areas", "/download/cells.csv"])
def test_nothing_can_be_written(client, method, path):
    asked = list(SHARED.asked)
    answer = client.ask(path, method=method)

    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert "can only be read" in answer.json["error"]
    assert asked == SHARED.asked


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "localhost.evil", ""]
)
@pytest.mark.parametrize("path", ["/", "/api/areas", "/api/release"])
def test_another_name_for_this_machine_is_refused(client, path, host):
    asked = list(SHARED.asked)
    answer = client.ask(path, Host=host)

    assert answer.status == 421
    assert "open it under that name" in answer.json["error"]
    assert answer.headers["Content-Security-Policy"]
    assert asked == SHARED.asked


def test_bound_to_the_network_any_name_will_do(home, web):
    publish(home, "0a")
    with serving(home, web, is_local=False) as client:
        assert client.ask("/api/release", Host="desk.example").status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/%2e%2e/pyproject.toml",
        "/..%2f..%2fetc%2fpasswd",
        "/vendor/../server.py",
        "/vendor/%2e%2e/%2e%2e/parts.py",
        "//etc/passwd",
        "/notes.txt",
        "/main.js%00.css",
        "/main.js/",
        "/.",
        "/app.css/../main.js",
        "/api/../areas",
        "/api/%2e%2e/%2e%2e/forecasts.duckdb",
        "/api//etc/passwd",
        "/api/areas/",
        "/api/areas/toy",
        "/api/cells",
        "/api/cells/toy/ewma",
        "/api/cells/town",
        "/api/streets/toy",
        "/api/cells/nowhere",
        "/api/model/toy/none",
        "/api/model/nowhere/ewma",
        "/api/backtest/toy/st_resnet",
        "/api/cells/toy'; drop table release; --",
        "/download/../api/areas",
        "/download/",
    ],
)
def test_a_path_that_names_nothing_is_a_404_without_details(client, path):
    client.ask("/api/model/toy/ewma")
    asked = list(SHARED.asked)
    answer = client.ask(path.replace(" ", "%20"))

    assert answer.status == 404
    assert set(answer.json) == {"error"}
    assert len(answer.json["error"]) < 120
    assert asked == SHARED.asked  # nothing unknown reached a maker


def test_a_failure_inside_is_told_to_the_log_alone(home, web, makers, capfd):
    publish(home, "0a")

    def fail(*_):
        raise RuntimeError("select secret from /srv/forecasts.duckdb")

    parts = {**makers.parts(), "about": fail}
    makers.parts = lambda: parts
    with serving(home, web, makers=makers) as client:
        answer = client.ask("/api/about/toy")

    assert answer.status == 500
    assert answer.json == {"error": "something went wrong on the server; its log says what"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "select secret" in capfd.readouterr().err


def test_before_the_first_release_the_cure_is_told(home, web):
    with serving(home, web) as client:
        page, part = client.ask("/"), client.ask("/api/areas")
        release, file = client.ask("/api/release"), client.ask("/download/cells.csv?area=toy")
        style = client.ask("/app.css")

    assert {each.status for each in (page, part, release, file)} == {503}
    assert style.status == 200
    assert "run `crime-platform run`, then load this page again" in page.body.decode()
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    told = {"error": pages.NOTHING_PUBLISHED}
    assert part.json == release.json == file.json == told
    assert str(home.root) not in page.body.decode()


def test_the_first_release_is_seen_without_a_restart(home, web):
    with serving(home, web) as client:
        assert client.ask("/api/areas").status == 503
        publish(home, "0a")
        assert client.ask("/api/areas").json["release"] == "0a"


def test_a_package_without_its_page_says_so(home, tmp_path):
    with pytest.raises(WebError, match=r"no index.html in .*Install crime-platform again"):
        build_app(home, web=tmp_path)

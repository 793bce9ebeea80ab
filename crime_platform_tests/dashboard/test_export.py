"""The page as one file: everything is in it, it asks for nothing, and it says what it lacks."""

import base64
import gzip
import hashlib
import json
import re

import numpy as np
import pytest

from crime_platform.dashboard.deck_bundle import BundleError, inlined_bundle
from crime_platform.dashboard.export import ROOM_FOR_AREAS, ExportError, export_html
from crime_platform.dashboard.export_page import MARKERS
from crime_platform.dashboard.static_files import WebError
from crime_platform.publication.release import ReleaseError
from toys.dashboard import CSS, SCALES, ToyMakers, publish, serving, write_web

NOISE = np.random.default_rng(0).bytes(4_000)  # gzip cannot make it smaller
HELD = re.compile(r'<script type="text/plain" (?:id|data-part)="([^"]+)">([^<]*)</script>')


@pytest.fixture
def web(tmp_path):
    return write_web(tmp_path / "web")


@pytest.fixture
def makers():
    return ToyMakers()


@pytest.fixture
def export(home, web, makers, tmp_path):
    """Writes the toy release's page and gives its text."""
    publish(home, "0a")

    def write(area=None, **options):
        target = tmp_path / "out" / "page.html"
        written = export_html(home, area, target, makers=makers.parts(), web=web, **options)
        assert written == target
        return target.read_text(encoding="utf-8")

    return write


def held(page):
    return {name: gzip.decompress(base64.b64decode(text)) for name, text in HELD.findall(page)}


def area_told(page, name):
    return {area["name"]: area for area in json.loads(held(page)["areas"])["areas"]}[name]


def test_every_part_is_held_byte_for_byte_as_the_server_gives_it(home, web, makers, export):
    parts = held(export())
    del parts["deck-bundle"], parts["areas"]
    with serving(home, web, makers=makers) as client:
        served = {path: client.ask(f"/api/{path}").body for path in parts}

    assert parts == served


def test_the_parts_of_each_area_are_there(export):
    assert set(held(export())) == {
        "deck-bundle",
        "areas",
        "cells/toy",
        "corners/toy",
        "model/toy/historical_average",
        "model/toy/ewma",
        "model/toy/st_resnet",
        "model/toy/convlstm",
        "backtest/toy/lightgbm",
        "backtest/toy/historical_average",
        "shares/toy/st_resnet",
        "accuracy/toy",
        "about/toy",
        "streets/town",
        "accuracy/town",
        "about/town",
    }


def test_one_area_leaves_the_others_out(export):
    page = export("town")

    assert set(held(page)) == {
        "deck-bundle",
        "areas",
        "streets/town",
        "accuracy/town",
        "about/town",
    }
    assert [area["name"] for area in json.loads(held(page)["areas"])["areas"]] == ["town"]


def test_no_part_is_made_twice(export, makers):
    export()

    assert len(makers.asked) == len(set(makers.asked))


def test_models_that_are_not_in_the_file_are_named(export):
    assert area_told(export(), "toy")["models_left_out"] == ["last_month"]
    assert area_told(export(), "town")["models_left_out"] == []


def test_models_go_first_when_the_file_grows_too_large(export, makers):
    makers.tail = NOISE
    whole = export("toy")
    smaller = export("toy", max_bytes=len(whole) + ROOM_FOR_AREAS - 1_000)

    assert area_told(whole, "toy")["models_left_out"] == ["last_month"]
    assert area_told(smaller, "toy")["models_left_out"] == ["convlstm", "last_month"]
    assert "model/toy/convlstm" not in held(smaller)
    assert len(smaller) < len(whole)


def test_the_file_is_never_larger_than_it_may_be(export):
    limit = 1_700_000
    assert len(export(max_bytes=limit).encode()) <= limit


def test_an_area_that_does_not_fit_is_named(export, makers):
    makers.areas = [*makers.areas, {**makers.areas[1], "name": "port"}]
    makers.tail = NOISE
    four_models = 4 * len(NOISE) * 4 / 3  # they go first
    limit = len(export()) + ROOM_FOR_AREAS - four_models - 3_000
    with pytest.raises(ExportError, match=r"port did not fit into one file, .*--study-area"):
        export(max_bytes=int(limit))


def test_one_area_alone_that_does_not_fit_names_the_server(export):
    with pytest.raises(ExportError, match=r"toy did not fit .*look at it with `crime-platform da"):
        export("toy", max_bytes=1_000_000)


def test_deck_is_held_as_the_server_gives_it(export):
    assert held(export())["deck-bundle"].decode() == inlined_bundle()


def imports(page):
    found = re.search(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    return {
        name: base64.b64decode(url.partition("base64,")[2]).decode()
        for name, url in json.loads(found[1])["imports"].items()
    }


def test_modules_are_named_without_a_folder_and_import_each_other_so(export):
    modules = imports(export())

    assert set(modules) == {"cf/main", "cf/words", "cf/scales"}
    assert modules["cf/scales"] == SCALES
    assert 'import { shout } from "cf/words";' in modules["cf/main"]
    assert "import * as scales from 'cf/scales';" in modules["cf/words"]


@pytest.mark.parametrize(
    ("written", "renamed"),
    [
        ('import "./scales.js";', 'import "cf/scales";'),
        ('export { END } from"./scales.js";', 'export { END } from"cf/scales";'),
        ('const s = await import("./scales.js");', 'const s = await import("cf/scales");'),
    ],
)
def test_every_way_to_import_is_renamed(export, web, written, renamed):
    (web / "words.js").write_text(written)

    assert imports(export())["cf/words"] == renamed


def test_an_import_is_looked_for_from_the_folder_that_it_stands_in(export, web):
    (web / "map").mkdir()
    (web / "map" / "stage.js").write_text('import "./legend.js"; import "../scales.js";')
    (web / "map" / "legend.js").write_text('import "../map/stage.js";')

    modules = imports(export())

    assert modules["cf/map/stage"] == 'import "cf/map/legend"; import "cf/scales";'
    assert modules["cf/map/legend"] == 'import "cf/map/stage";'


@pytest.mark.parametrize("name", ["./none.js", "../parts.js", "./sub/scales.js"])
def test_an_import_of_what_is_not_there_is_refused(export, web, name):
    (web / "words.js").write_text(f'import "{name}";')

    with pytest.raises(WebError, match=f"words.js imports '{re.escape(name)}', which is not in"):
        export()


def test_nothing_in_the_page_is_loaded_from_anywhere(export):
    page = HELD.sub("", export())
    loaded = re.findall(r"""(?:src|href|action)\s*=\s*["']?([^"'\s>]+)""", page)

    assert [url for url in loaded if not url.startswith("data:")] == [
        "URL.createObjectURL(source);"
    ]
    assert "http:" not in page
    assert "https:" not in page
    assert base64.b64encode(CSS.encode()).decode() in page


def test_the_policy_allows_these_scripts_and_no_connection(export):
    page = export()
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)[1]
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    scripts = re.findall(r'<script type="(?:importmap|module)">(.*?)</script>', page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in scripts]

    assert rules["default-src"] == "'none'"
    assert "connect-src" not in rules
    assert rules["script-src"].split() == [
        *(f"'sha256-{digest.decode()}'" for digest in digests),
        "blob:",
        "data:",
    ]
    assert "unsafe" not in policy
    assert page.index("http-equiv") < page.index("<script")


def test_the_page_says_when_and_from_what_it_was_made(export):
    page = export()
    told = json.loads(held(page)["areas"])

    assert told["release"] == "0a"
    assert re.fullmatch(
        r"Made on \d{4}-\d\d-\d\d at \d\d:\d\d UTC from release 0a\.", told["exported"]
    )
    assert '<meta name="crime-platform-release" content="0a">' in page
    assert re.search(r'name="crime-platform-made-at" content="[-\d]{10}T[:\d]{8}Z"', page)


def test_a_file_that_is_there_is_replaced_whole_or_stays(home, web, makers, export, tmp_path):
    before = export()
    parts = {**makers.parts(), "about": lambda *_: 1 / 0}
    with pytest.raises(ZeroDivisionError):
        export_html(home, None, tmp_path / "out" / "page.html", makers=parts, web=web)

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]
    assert (tmp_path / "out" / "page.html").read_text(encoding="utf-8") == before


def test_an_unknown_area_is_named_with_those_that_are_there(export):
    with pytest.raises(ExportError, match=r"no study area 'nowhere' in the release; it holds toy"):
        export("nowhere")


@pytest.mark.parametrize("marker", MARKERS)
def test_a_page_without_a_place_for_something_is_refused(export, web, marker):
    index = web / "index.html"
    index.write_text(index.read_text().replace(marker, ""))

    with pytest.raises(WebError, match=r"index.html must hold .* exactly once.*found 0"):
        export()


def test_a_package_without_its_page_says_so(export, web):
    (web / "index.html").unlink()
    with pytest.raises(WebError, match=r"no index.html in .*install crime-platform again"):
        export()


def test_without_deck_nothing_is_written(export, monkeypatch, tmp_path):
    monkeypatch.setattr("crime_platform.dashboard.deck_bundle.PLACE", "nowhere.js")
    with pytest.raises(BundleError, match="the file is missing"):
        export()

    assert not (tmp_path / "out").exists()


def test_without_a_release_the_cure_is_told(home, web, tmp_path):
    with pytest.raises(ReleaseError, match="run `crime-platform run` first"):
        export_html(home, None, tmp_path / "page.html", web=web)

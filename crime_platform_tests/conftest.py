"""Fixtures shared by all tests, and the hypothesis profile: deterministic, no deadline."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from crime_platform.vocabulary.home import PlatformHome
from toys.city import prepare_home, use_home, write_toy_city

settings.register_profile("crime_platform", deadline=None, derandomize=True)
settings.load_profile("crime_platform")
# A console made at import keeps the width that it finds here, and xdist sets 80: the messages of a
# command that is asked for more columns would break within the paths of temporary folders.
os.environ.pop("COLUMNS", None)
os.environ["TERM"] = "xterm"


@pytest.fixture
def home(tmp_path, monkeypatch) -> PlatformHome:
    """An empty platform home that the process uses."""
    use_home(monkeypatch, tmp_path / "home")
    return prepare_home(tmp_path / "home")


@pytest.fixture
def toy_city(home) -> Callable[..., PlatformHome]:
    """Writes the toy city's TOML and file; call it again to change the data."""

    def write(**options) -> PlatformHome:
        write_toy_city(home, **options)
        return home

    return write


@pytest.fixture(scope="session")
def published_once(tmp_path_factory) -> Path:
    """A toy city that was run and published, never touched again: tests take a copy."""
    from crime_platform.commands.run import run_area

    root = tmp_path_factory.mktemp("published") / "home"
    home = prepare_home(root)
    write_toy_city(home)
    with pytest.MonkeyPatch.context() as patch:
        use_home(patch, root)
        outcome = run_area(home, "toy", None)
    assert outcome.exit_code == 0, outcome.messages
    return root


@pytest.fixture
def published(published_once, tmp_path, monkeypatch) -> PlatformHome:
    """A copy of the published toy city that the process uses."""
    root = tmp_path / "home"
    shutil.copytree(published_once, root, symlinks=True)
    use_home(monkeypatch, root)
    return PlatformHome(root)


@pytest.fixture(scope="session")
def published_streets(tmp_path_factory) -> PlatformHome:
    """A toy town whose streets were forecast and published once, without any month."""
    from crime_platform.commands.run import run_streets
    from toys.street_city import write_street_city

    root = tmp_path_factory.mktemp("streets") / "home"
    with pytest.MonkeyPatch.context() as patch:
        use_home(patch, root)
        home = prepare_home(root)
        write_street_city(home)
        outcome = run_streets(home, "town", None)
    assert outcome.exit_code == 0, outcome.messages
    return home


@pytest.fixture(scope="module")
def toy(published_once) -> Iterator:
    """Read-only connection to the toy city's release."""
    from crime_platform.publication.release import open_release

    with open_release(PlatformHome(published_once)) as connection:
        yield connection


@pytest.fixture(scope="module")
def town(published_streets) -> Iterator:
    """Read-only connection to the toy town's release."""
    from crime_platform.publication.release import open_release

    with open_release(published_streets) as connection:
        yield connection


@pytest.fixture(scope="module")
def playwright(request) -> Iterator:
    """One Playwright for a module: a second one while it is open would raise.

    It keeps an event loop running in this thread, in which Dagster's own would fail: so the homes
    are published before, and it ends with the module.
    """
    from playwright.sync_api import sync_playwright

    from toys.dashboard_browser import CHROMIUM

    if CHROMIUM is None:
        pytest.skip("NO BROWSER TEST RAN: Chromium is not installed (apt-get install chromium)")
    for home in ("published_once", "published_streets"):
        request.getfixturevalue(home)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(playwright) -> Iterator:
    """A browser that draws WebGL in software."""
    from toys.dashboard_browser import launch

    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def look(chromium) -> Iterator:
    """Opens an address in a fresh page; options are those of a browser context."""
    from toys.dashboard_browser import SIZE, Watched

    contexts = []

    def open_page(address: str, *, clock: str | None = None, **options):
        contexts.append(
            chromium.new_context(**{"viewport": SIZE, "color_scheme": "dark"} | options)
        )
        page = contexts[-1].new_page()
        if clock is not None:
            page.clock.set_fixed_time(clock)
        return Watched(page).open(address)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def toy_site(published_once) -> Iterator[str]:
    """Address of the toy city's dashboard."""
    from toys.dashboard_browser import served

    with served(PlatformHome(published_once)) as address:
        yield address


@pytest.fixture(scope="session")
def street_site(published_streets) -> Iterator[str]:
    """Address of the toy town's dashboard: streets, no cells."""
    from toys.dashboard_browser import served

    with served(published_streets) as address:
        yield address


@pytest.fixture
def draft(home):
    """Draft an area from a file below the home and load it; the text and the area."""
    from crime_platform.onboarding.draft import Told, draft_area
    from crime_platform.study_area.study_area import load_study_area

    def draft_from(content, *, name="file.csv", home=home, **told):
        (home.root / "raw").mkdir(exist_ok=True)
        file = home.root / "raw" / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        text = draft_area([file], home, Told(**{"name": "town", "columns": {}, **told})).text
        (home.study_areas / "town.toml").write_text(text)
        return text, load_study_area(home.study_areas / "town.toml")

    return draft_from


@pytest.fixture
def guess(tmp_path):
    """What is guessed of the columns of a file."""
    import duckdb

    from crime_platform.onboarding.guesses.column_guess import guess_columns
    from crime_platform.onboarding.guesses.raw_files import read_raw

    def guess_of(content, *, name="file.csv", given=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with duckdb.connect() as connection:
            return guess_columns(read_raw(connection, [path], tmp_path).raw, given or {})

    return guess_of

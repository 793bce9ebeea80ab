"""The page as a Dagster asset: the jobs that publish carry it, and its failure undoes nothing."""

from functools import partial

import dagster as dg
import pytest

from crime_platform.commands.run import run_area
from crime_platform.dashboard import export
from crime_platform.dashboard.export import export_html
from crime_platform.definitions import build_definitions
from crime_platform.defs.assets_dashboard import dashboard_assets
from crime_platform.defs.resources import Platform
from crime_platform.publication.release import release_key
from crime_platform.study_area.study_area import load_study_area
from toys.dashboard import AREAS, ToyMakers, publish, write_web
from toys.street_city import write_street_city


@pytest.fixture
def area(toy_city):
    return load_study_area(toy_city().study_areas / "toy.toml")


@pytest.fixture
def toy_page(home, tmp_path, monkeypatch):
    """A published toy release whose parts and page are the tests' own."""
    publish(home, "0a")
    of_toy = {"makers": ToyMakers(areas=AREAS[:1]).parts(), "web": write_web(tmp_path / "web")}
    monkeypatch.setattr(export, "export_html", partial(export_html, **of_toy))


def materialized(home, area):
    return dg.materialize(
        dashboard_assets(area),
        resources={"platform": Platform(root=str(home.root))},
        raise_on_error=False,
    )


def assets_of(definitions, job):
    keys = definitions.resolve_job_def(job).asset_layer.executable_asset_keys
    return {key.path[-1] for key in keys}


@pytest.mark.usefixtures("toy_page")
def test_the_page_is_written_below_exports(home, area):
    result = materialized(home, area)

    (event,) = result.asset_materializations_for_node("toy__dashboard_export")
    told = {name: value.value for name, value in event.metadata.items()}
    page = home.exports / "toy.html"
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert told == {
        "file": str(page),
        "size (MB)": pytest.approx(page.stat().st_size / 1e6, abs=0.01),
        "release": "0a",
        "open": page.as_uri(),
    }


@pytest.mark.usefixtures("toy_page")
def test_a_failed_export_fails_the_step_and_leaves_the_release(home, area, monkeypatch):
    monkeypatch.setattr(export, "export_html", partial(export.export_html, max_bytes=1_000))

    result = materialized(home, area)

    assert not result.success
    message = result.failure_data_for_node("toy__dashboard_export").user_failure_data.description
    assert message.startswith("The release stands, but its page was not exported: toy did not fit")
    assert release_key(home) == "0a"
    assert not home.exports.exists()


def test_the_page_waits_for_what_is_published(home, area):
    street_area = write_street_city(home)

    (of_months,) = dashboard_assets(area)
    (of_both,) = dashboard_assets(street_area)

    assert {key.path[-1] for key in of_months.dependency_keys} == {"published"}
    assert {key.path[-1] for key in of_both.dependency_keys} == {"published", "street_published"}


def test_the_jobs_that_publish_carry_the_page(home):
    write_street_city(home)
    definitions = build_definitions(home)

    assert "dashboard_export" in assets_of(definitions, "town_monthly")
    assert "dashboard_export" in assets_of(definitions, "town_daily")
    assert "dashboard_export" not in assets_of(definitions, "town_ingest")
    dg.Definitions.validate_loadable(definitions)


@pytest.mark.slow
def test_a_run_whose_page_fails_has_published_all_the_same(published, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("no page today")

    monkeypatch.setattr(export, "export_html", fail)

    outcome = run_area(published, "toy", "2021-06")

    assert outcome.exit_code == 0
    assert "The release stands, but its page was not exported: RuntimeError" in caplog.text
    assert "no page today" in caplog.text


@pytest.mark.slow
def test_a_run_leaves_the_page_of_its_release(published):
    page = (published.exports / "toy.html").read_text(encoding="utf-8")

    told = f'<meta name="crime-platform-release" content="{release_key(published)}">'
    assert told in page
    assert 'data-part="cells/toy"' in page
    assert 'data-part="accuracy/toy"' in page
    assert len(page.encode()) < 8_000_000


@pytest.mark.slow
def test_a_run_of_streets_leaves_the_page_too(published_streets):
    page = (published_streets.exports / "town.html").read_text(encoding="utf-8")

    assert 'data-part="streets/town"' in page
    assert 'data-part="cells/town"' not in page

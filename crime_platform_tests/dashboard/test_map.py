"""The map in a real browser: that it draws, that the drawing is the data, and that it needs no one.

Every probe has its negative control, so that none of them can pass on an empty canvas.
"""

import numpy as np
import pytest

from crime_platform.dashboard.export import export_html
from crime_platform.vocabulary.home import PlatformHome
from toys.dashboard_browser import SIZE, Watched, launch, served


@pytest.fixture
def city(look, toy_site):
    return look(f"{toy_site}?view=3d&month=2020-06").rested()


def changed_share(one: np.ndarray, other: np.ndarray) -> float:
    return float((np.abs(one - other).max(axis=-1) > 8).mean())


NOW_AND_THEN = [("2021-09-30T12:00:00Z", ""), ("2026-01-01T00:00:00Z", "expired on 1 October 2021")]


@pytest.mark.parametrize(("when", "words"), NOW_AND_THEN)
@pytest.mark.parametrize("shown", ["map", "accuracy", "about"])
def test_an_expired_forecast_is_called_so_on_every_page_by_the_clock(
    look, toy_site, shown, when, words
):
    page = look(f"{toy_site}?area=toy&page={shown}", clock=when)

    place = page.page.locator("#expiry")
    assert place.is_visible() is bool(words)
    assert words in place.inner_text()
    assert page.complaints == []


def test_a_page_that_stays_open_tells_when_the_forecast_expires(look, toy_site):
    page = look(f"{toy_site}?area=toy", clock="2021-10-01T03:59:30Z")
    assert not page.page.locator("#expiry").is_visible()

    page.page.clock.set_fixed_time("2021-10-01T04:00:30Z")
    page.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    assert "expired on 1 October 2021" in page.text("#expiry")


def test_webgl_draws(city):
    found = city.ask("drawn")

    assert (found["error"], found["isLost"]) == (0, False), found["renderer"]
    assert found["cover"] > 0.15
    assert found["colours"] > 300


def test_the_probe_fails_on_an_empty_map_and_recovers(city):
    city.page.evaluate("crimeDashboard.now.map.deck.setProps({ layers: [] })")
    city.until(lambda: city.ask("drawn")["cover"] == 0)  # deck takes layers next frame
    emptied = city.ask("drawn")
    city.page.evaluate("crimeDashboard.go(crimeDashboard.now.at)")
    city.until(lambda: city.ask("drawn")["cover"] > 0.15)

    assert emptied["colours"] == 1


def test_the_slider_changes_the_map_and_returns(city):
    slider = city.page.locator("#step")
    slider.focus()
    slider.press("Home")
    first = city.rested().pixels("#map")
    slider.press("End")
    last = city.rested().pixels("#map")
    slider.press("Home")
    again = city.rested().pixels("#map")

    assert changed_share(first, last) > 0.05
    assert changed_share(first, again) == 0.0


def test_height_follows_the_count(city):
    found = city.ask("highest")
    city.page.evaluate("crimeDashboard.go", found["high"])
    at_top = city.rested().ask("topOf", [found["cell"], 0.8])
    city.page.evaluate("crimeDashboard.go", found["low"])
    city.rested()
    # The same point of the screen: where the top was, nothing of that cell is left.
    when_low = city.ask("cellAt", [at_top["x"], at_top["y"]])

    assert found["least"] < found["most"] / 4
    assert at_top["hit"] == found["cell"]
    assert at_top["base"] - at_top["y"] > 20  # pixels of the screen
    assert when_low != found["cell"]


def test_a_click_shows_the_series_and_its_intervals(city):
    box = city.page.locator("#map").bounding_box()
    city.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    city.until(lambda: city.page.locator("#detail svg.chart").count() == 1)
    city.until(lambda: "cell=r" in city.page.url)

    assert city.page.locator("#detail polygon.band").count() == 2
    assert city.page.locator("#detail path.baseline").count() == 1
    assert city.page.locator("#detail table.errors tbody tr").count() == 6


def test_the_ground_under_the_pointer_is_where_the_layers_are(city):
    assert city.ask("missed") == pytest.approx([0.0] * 8, abs=1.0)  # metres


def test_dragging_the_map_chooses_nothing(city):
    box = city.page.locator("#map").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    city.page.mouse.move(x, y)
    city.page.mouse.down()
    city.page.mouse.move(x + 60, y + 20, steps=4)
    city.page.mouse.up()
    city.rested()

    assert city.page.locator("#detail svg.chart").count() == 0


def test_nothing_leaves_the_machine_and_nothing_is_complained_about(look, toy_site):
    page = look(f"{toy_site}?view=3d&cell=r002c002").rested()
    page.page.click("[data-page=accuracy]")
    page.until(lambda: page.page.locator("#page-accuracy table").count() > 2)
    page.page.click("[data-page=about]")
    page.until(lambda: page.page.locator("#page-about section").count() > 2)
    kept = [url for url in page.requests if not url.startswith(("data:", "blob:"))]

    assert [url for url in kept if not url.startswith(toy_site)] == []
    assert len(kept) > 10
    assert page.complaints == []


def test_the_policy_would_have_refused_a_script(look, toy_site):
    page = look(toy_site)
    page.page.evaluate(
        "() => { const made = document.createElement('script'); made.textContent = 'var leak = 1';"
        " document.body.append(made); }"
    )

    assert page.page.evaluate("typeof leak") == "undefined"
    assert any("Content Security Policy" in text for text in page.complaints)


def test_deck_offers_the_names_the_page_uses(city):
    names = [
        "Deck", "MapView", "GridCellLayer", "ColumnLayer", "LineLayer", "BitmapLayer",
        "ScatterplotLayer", "LightingEffect", "AmbientLight", "DirectionalLight",
    ]  # fmt: skip

    missing = city.page.evaluate("names => names.filter((name) => !(name in deck))", names)

    assert missing == []
    assert city.page.evaluate("deck.VERSION").startswith("9.")


def test_software_drawing_is_answered_by_a_flat_map_with_a_notice(look, toy_site):
    page = look(toy_site).rested()

    assert page.page.evaluate("crimeDashboard.now.mapKind") == "2d"
    assert "draws 3D in software" in page.text("#notices")


def test_without_webgl_the_flat_map_does_everything(playwright, toy_site):
    browser = launch(playwright, "--disable-3d-apis")
    page = Watched(browser.new_context(viewport=SIZE).new_page()).open(f"{toy_site}?view=3d")
    slider = page.page.locator("#step")
    slider.focus()
    slider.press("Home")
    first = page.rested().pixels("#map canvas")
    slider.press("End")
    last = page.rested().pixels("#map canvas")
    box = page.page.locator("#map").bounding_box()
    page.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.until(lambda: page.page.locator("#detail svg.chart").count() == 1)
    said, kind = page.text("#notices"), page.page.evaluate("crimeDashboard.now.mapKind")
    browser.close()

    assert (kind, "no WebGL" in said) == ("2d", True)
    assert changed_share(first, last) > 0.05


def test_a_map_whose_webgl_is_taken_away_goes_on_flat_and_says_so(city):
    lose = "document.querySelector('#map canvas').getContext('webgl2')"
    city.page.evaluate(f"{lose}.getExtension('WEBGL_lose_context').loseContext()")
    city.until(lambda: city.page.evaluate("crimeDashboard.now.mapKind") == "2d")
    slider = city.page.locator("#step")
    slider.focus()
    slider.press("Home")
    first = city.rested().pixels("#map canvas")
    slider.press("End")
    last = city.rested().pixels("#map canvas")

    assert "took WebGL away" in city.text("#notices")
    assert changed_share(first, last) > 0.05

    city.page.locator('[data-view="3d"]').click()
    city.until(lambda: city.page.evaluate("crimeDashboard.now.mapKind") == "3d")
    assert "took WebGL away" not in city.text("#notices")
    assert city.page.locator("#map canvas").count() == 1


def test_without_decks_bundle_the_page_says_why_and_stays_flat(look, published_once, monkeypatch):
    monkeypatch.setattr("crime_platform.dashboard.deck_bundle.PLACE", "nowhere.js")
    with served(PlatformHome(published_once)) as address:
        page = look(f"{address}?view=3d").rested()
        said, kind = page.text("#notices"), page.page.evaluate("crimeDashboard.now.mapKind")
        n_listed = page.page.locator("#ranking-list button").count()

    assert kind == "2d"
    assert "pydeck" in said
    assert "The map is flat" in said
    assert n_listed > 5


def test_the_exported_file_opens_from_disk(look, published_once, tmp_path):
    target = export_html(PlatformHome(published_once), None, tmp_path / "city.html")
    page = look(f"{target.as_uri()}#view=3d&month=2020-06").rested()
    drawn = page.ask("drawn")
    slider = page.page.locator("#step")
    slider.focus()
    slider.press("Home")
    first = page.rested().pixels("#map")
    slider.press("End")
    last = page.rested().pixels("#map")
    page.page.click("[data-page=accuracy]")
    page.until(lambda: page.page.locator("#page-accuracy table").count() > 2)
    page.until(lambda: "page=accuracy" in page.page.url)

    assert drawn["cover"] > 0.15
    assert changed_share(first, last) > 0.05
    assert [url for url in page.requests if url.startswith("http")] == []
    assert page.complaints == []


def test_streets_have_their_own_days(look, street_site):
    page = look(f"{street_site}?view=3d").rested()
    forecast = page.pixels("#map")
    said = page.text("#banner")
    slider = page.page.locator("#step")
    slider.focus()
    slider.press("Home")
    recorded = page.rested().pixels("#map")

    assert said.startswith("Forecast: ")
    assert page.text("#banner").startswith("Recorded: ")
    assert changed_share(forecast, recorded) > 0.001
    assert page.complaints == []


def test_a_street_is_chosen_from_the_list_and_marked(look, street_site, town):
    page = look(f"{street_site}?view=3d").rested()
    page.page.locator("#ranking-list button").first.click()
    page.until(lambda: page.page.locator("#detail svg.chart").count() == 1)
    (segment, count, per_km) = town.execute(
        "select segment_id, expected_count, expected_per_km from street_forecast_latest "
        "where lead = 1 and offence_group = 'violent' order by risk_rank limit 1"
    ).fetchone()

    layers = page.page.evaluate("crimeDashboard.now.map.layers.map((each) => each.id)")
    assert layers == ["outline", "streets", "mark"]
    assert page.text("#detail h2").startswith(f"Street {segment}")
    assert page.text("#detail-value") == f"{per_km:.3f}"
    assert f"{count:.4f}; 95 %:" in page.text("#detail .facts")
    assert "1 of 40 in the ranking" in page.text("#detail .facts")

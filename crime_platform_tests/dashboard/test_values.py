"""What the page says in numbers and words: equal to SQL, reachable by key, readable by everyone."""

import csv
import json
import shutil
import urllib.request

import pytest
import shapely

from crime_platform.dashboard.export import export_html
from crime_platform.geography.antimeridian import cut_at_180
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome
from toys.dashboard_browser import served

MONTHS = {"recorded": "2020-06", "forecast": "2021-07"}


@pytest.fixture(scope="module")
def sql(published_once):
    """Rows of a query on the toy city's release."""
    with open_release(PlatformHome(published_once)) as connection:
        yield lambda query, *given: connection.execute(query, list(given)).fetchall()


def expected_counts(sql):
    return sql(
        "select cell_id, expected_count from forecast_latest where is_champion and lead = 1 "
        "and offence_type = 'assault' order by expected_count desc, cell_id limit 15"
    )


def test_the_list_of_highest_cells_is_the_querys(look, toy_site, sql):
    page = look(f"{toy_site}?type=assault&month={MONTHS['forecast']}").rested()

    shown = [text.split("\n") for text in page.page.locator("#ranking-list li").all_inner_texts()]

    assert shown == [[cell, f"{count:.2f}"] for cell, count in expected_counts(sql)]


def test_the_list_of_a_recorded_month_is_the_querys(look, toy_site, sql):
    page = look(f"{toy_site}?type=assault&month={MONTHS['recorded']}").rested()

    shown = [text.split("\n") for text in page.page.locator("#ranking-list li").all_inner_texts()]

    stored = sql(
        "select cell_id, count from cell_month where offence_type = 'assault' and month = ? "
        "and count > 0 order by count desc, cell_id limit 15",
        f"{MONTHS['recorded']}-01",
    )
    assert shown == [[cell, str(count)] for cell, count in stored]


def test_the_details_are_the_querys(look, toy_site, sql):
    cell, count = expected_counts(sql)[0]
    page = look(f"{toy_site}?type=assault&month={MONTHS['forecast']}&cell={cell}").rested()

    (low, high, base, last) = sql(
        "select p10, p90, historical_average_count, (select count from cell_month c where "
        "c.cell_id = f.cell_id and c.offence_type = 'assault' and month = date '2021-06-01') "
        "from forecast_latest f where is_champion and lead = 1 and offence_type = 'assault' "
        "and cell_id = ?",
        cell,
    )[0]
    facts = page.text("#detail .facts")
    assert page.text("#detail-value") == f"{count:.2f}"
    assert f"80 %: {low} to {high};" in facts
    assert f"{base:.2f} (Historical average)" in facts
    assert "1 of 30 cells" in facts
    newest = page.page.locator("#detail .errors tbody tr").first.inner_text().split("\t")
    assert newest[:2] == ["Jun 2021", str(last or 0)]


def test_the_tooltip_is_the_querys(look, toy_site, sql):
    page = look(f"{toy_site}?type=assault&month={MONTHS['forecast']}&view=2d").rested()
    box = page.page.locator("#map").bounding_box()
    page.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.until(lambda: page.page.locator("#tooltip").is_visible())
    said = page.text("#tooltip")

    cell, rest = said.split(": ", 1)
    (count, base) = sql(
        "select expected_count, historical_average_count from forecast_latest where is_champion "
        "and lead = 1 and offence_type = 'assault' and cell_id = ?",
        cell,
    )[0]
    assert rest == f"{count:.2f} expected incidents; baseline {base:.2f}"


def test_downloads_hold_every_cell_as_the_query_does(look, toy_site, sql):
    page = look(f"{toy_site}?type=assault&month={MONTHS['forecast']}").rested()
    address = page.page.locator("#csv").get_attribute("href")
    with urllib.request.urlopen(toy_site + address) as answer:
        rows = list(csv.DictReader(answer.read().decode().splitlines()))
    with urllib.request.urlopen(toy_site + address.replace("cells.csv", "cells.geojson")) as answer:
        features = json.load(answer)["features"]

    stored = dict(
        sql(
            "select cell_id, expected_count from forecast_latest where is_champion and lead = 1 "
            "and offence_type = 'assault'"
        )
    )
    assert {row["cell_id"]: float(row["expected_count"]) for row in rows} == pytest.approx(stored)
    found = {each["properties"]["cell_id"]: each["properties"] for each in features}
    assert {cell: each["expected_count"] for cell, each in found.items()} == pytest.approx(stored)


def test_an_exported_file_saves_the_same_rows(look, published_once, sql, tmp_path):
    target = export_html(PlatformHome(published_once), None, tmp_path / "city.html")
    page = look(f"{target.as_uri()}#month={MONTHS['forecast']}&type=assault").rested()
    page.page.click("#downloads summary")
    with page.page.expect_download() as csv_file:
        page.page.click("#csv")
    with page.page.expect_download() as geojson_file:
        page.page.click("#geojson")
    rows = list(csv.DictReader(csv_file.value.path().read_text().splitlines()))
    features = json.loads(geojson_file.value.path().read_text())["features"]

    stored = sql(
        "select cell_id, expected_count, p90, lon, lat from forecast_latest where is_champion "
        "and lead = 1 and offence_type = 'assault' order by cell_id"
    )
    assert [(row["cell_id"], float(row["expected_count"]), int(row["p90"])) for row in rows] == [
        (cell, pytest.approx(count), p90) for cell, count, p90, *_ in stored
    ]
    ring = features[0]["geometry"]["coordinates"][0]
    assert [sum(point[axis] for point in ring[:4]) / 4 for axis in (0, 1)] == pytest.approx(
        stored[0][3:], abs=1e-6
    )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("mode=interval&iv=95", "Width of the 95 % interval, incidents"),
        ("mode=error&model=historical_average", "Error in incidents, expected minus recorded"),
        ("type=robbery&month=2020-02", "Recorded incidents"),
        ("month=2021-09", "Expected incidents"),
    ],
)
def test_every_state_can_be_linked_to(look, toy_site, query, shown):
    page = look(f"{toy_site}?area=toy&{query}").rested()
    page.until(lambda: "area=toy" in page.page.url)

    assert page.text("#legend p >> nth=0") == shown
    assert set(query.split("&")) <= set(page.page.url.partition("?")[2].split("&"))
    assert page.complaints == []


def test_nonsense_in_the_address_shows_the_default(look, toy_site):
    page = look(f"{toy_site}?mode=hack&type=%3Cb%3E&month=1999-01&cell=zz&view=%22&height=1e9")

    assert page.text("#banner").startswith("Forecast: July 2021")
    assert page.complaints == []


def test_everything_is_done_by_key(look, toy_site):
    page = look(f"{toy_site}?month=2020-06")
    press = page.page.keyboard.press
    page.page.locator("#step").focus()
    press(".")
    after_step = page.rested().text("#step-label")
    press("Shift+ArrowUp")
    page.until(lambda: page.page.locator("#detail svg.chart").count() == 1)
    first = page.page.evaluate("crimeDashboard.state.cell")
    press("Shift+ArrowLeft")
    page.rested()
    second = page.page.evaluate("crimeDashboard.state.cell")
    press("Escape")
    page.until(lambda: page.page.locator("#detail svg.chart").count() == 0)
    press("?")
    helped = page.page.locator("#help").is_visible()
    press("Escape")
    page.page.locator("#ranking-list button").first.focus()
    press("Enter")
    page.until(lambda: page.page.locator("#detail svg.chart").count() == 1)

    assert after_step == "July 2020"
    assert helped
    assert int(second[5:]) in (int(first[5:]) - 1, int(first[5:]))
    assert page.page.evaluate("document.activeElement.dataset.unit") is not None


def test_the_map_is_moved_and_turned_by_key(look, toy_site):
    page = look(f"{toy_site}?view=3d").rested()
    before = page.ask("looking")
    page.page.locator("#map canvas").focus()
    page.page.keyboard.press("ArrowRight")
    page.until(lambda: page.ask("looking")[0] != before[0])
    page.page.keyboard.press("Shift+ArrowRight")
    page.until(lambda: page.ask("looking")[1] != before[1])
    page.page.keyboard.press("+")
    page.until(lambda: page.ask("looking")[2] > before[2])
    page.page.click("[data-view='3d']")
    page.until(lambda: page.ask("looking") == before)

    assert page.page.evaluate("crimeDashboard.state.cell") == ""


def test_the_whole_area_stays_in_sight_until_the_map_is_moved(look, toy_site):
    page = look(f"{toy_site}?view=3d").rested()
    before = page.ask("looking")[2]

    page.page.set_viewport_size({"width": 1100, "height": 560})
    page.until(lambda: page.ask("looking")[2] < before - 0.1)
    page.page.set_viewport_size({"width": 1100, "height": 720})
    page.until(lambda: page.ask("looking")[2] == before)
    page.page.locator("#map canvas").focus()
    page.page.keyboard.press("+")
    page.until(lambda: page.ask("looking")[2] > before + 0.9)
    page.page.set_viewport_size({"width": 1100, "height": 560})
    page.rested()
    moved = page.ask("looking")[2]

    assert moved > before + 0.9


def test_space_plays_and_pauses(look, toy_site):
    page = look(f"{toy_site}?month=2019-03&speed=8")
    page.page.locator("#step").focus()
    page.page.keyboard.press("Space")
    page.until(lambda: page.page.evaluate("crimeDashboard.now.at") > 3.5)
    between = page.page.evaluate("crimeDashboard.now.at")
    page.page.keyboard.press("Space")
    paused = page.rested().page.evaluate("crimeDashboard.now.at")
    still = page.rested().page.evaluate("crimeDashboard.now.at")

    assert between > 3.5
    assert paused == still == int(still)


def test_who_wants_less_motion_sees_whole_months(look, toy_site):
    page = look(f"{toy_site}?month=2019-03&speed=8", reduced_motion="reduce")
    page.page.locator("#step").focus()
    page.page.keyboard.press("Space")
    seen = []
    page.until(lambda: seen.append(page.page.evaluate("crimeDashboard.now.at")) or seen[-1] >= 5)

    assert [at for at in seen if at != int(at)] == []


def test_a_new_release_is_announced_without_a_restart(look, published_once, tmp_path):
    home = PlatformHome(tmp_path / "home")
    shutil.copytree(published_once, home.root, symlinks=True)
    with served(home) as address:
        page = look(address)
        old = home.forecasts.resolve()
        new = old.with_name("forecasts-00000000000000aa.duckdb")
        shutil.copy(old, new)
        home.forecasts.unlink()
        home.forecasts.symlink_to(f"{home.releases.name}/{new.name}")
        page.page.evaluate("crimeDashboard.poll()")
        page.until(lambda: "new release" in page.text("#notices"))
        page.page.select_option("#mode", "error")
        page.until(lambda: "a newer release was published" in page.text("#notices"))
        page.page.click("#notices .reload")
        page.until(lambda: page.has_class("ready"))
        now = page.page.evaluate("crimeDashboard.now.areas.release")

    assert now == "00000000000000aa"


CUT = """async ([ring, line]) => {
  const { polygonOf, lineOf } = await import("./antimeridian.js");
  return [polygonOf(ring), lineOf(line)];
}"""


def test_the_browser_cuts_shapes_at_180_degrees_as_the_server_does(look, toy_site):
    ring = [[179.5, -17], [-179.5, -17], [-179.5, -16], [179.5, -16], [179.5, -17]]
    line = [[179.5, 0], [-179.5, 1]]
    page = look(toy_site)

    shapes = page.page.evaluate(CUT, [ring, line])

    wanted = cut_at_180([shapely.Polygon(ring), shapely.LineString(line)])
    cell, street = (shapely.geometry.shape(each) for each in shapes)
    assert [cell.equals(wanted[0]), street.equals(wanted[1])] == [True, True]


def test_the_browser_lets_no_text_of_a_csv_be_a_formula(look, toy_site):
    texts = ["=1+1", "+x", "@a", "-2.5", "-a", 'a "b"', "a,b", None, 1.5]
    page = look(toy_site)

    fields = page.page.evaluate(
        "async texts => { const { csvField } = await import('./saving.js'); "
        "return texts.map(csvField); }",
        texts,
    )

    assert fields == ["'=1+1", "'+x", "'@a", "-2.5", "'-a", '"a ""b"""', '"a,b"', "", "1.5"]


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("shown", ["map&cell=r002c002", "accuracy", "about"])
def test_every_control_is_named_and_every_word_is_readable(look, toy_site, theme, shown):
    page = look(f"{toy_site}?page={shown}&theme={theme}").rested()

    unnamed = page.ask("unnamed")
    words = page.ask("contrasts")

    assert unnamed == []
    assert len(words) > 20
    assert [each for each in words if each["ratio"] < 4.5] == []


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("shown", ["map&cell=r002c002", "accuracy", "about"])
def test_nothing_is_cut_off(look, toy_site, width, shown):
    page = look(f"{toy_site}?page={shown}", viewport={"width": width, "height": 800}).rested()

    wide = page.page.evaluate("document.documentElement.scrollWidth")
    cut = page.ask("cut")

    assert wide <= width
    assert cut == []


def test_the_baseline_stands_beside_the_model(look, toy_site, sql):
    page = look(f"{toy_site}?page=accuracy").rested()

    board = page.text("#page-accuracy table >> nth=0")
    ranked = [row[0] for row in sql("select model from leaderboard order by rank")]
    assert board.count("baseline") >= 1
    assert len(board.splitlines()) >= len(ranked) + 1
    assert page.page.locator("#page-accuracy figure path.opponent").count() >= 3

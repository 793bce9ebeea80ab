"""Hostile text in a study area's TOML and in the data, through every output."""

import csv
import io
import json
import re

import pyarrow as pa
import pytest
from markdown_it import MarkdownIt

from crime_platform.commands.sql import Format, _write_text
from crime_platform.commands.terminal import TerminalConsole, print_error, print_rows
from crime_platform.dashboard.downloads.formats import csv_bytes
from crime_platform.dashboard.downloads.rows import Shown
from crime_platform.defs.assets_grid import grid_assets
from crime_platform.evaluation.candidate import read_candidate
from crime_platform.reporting.facts import LocalFacts
from crime_platform.reporting.figures.drawing import as_svg
from crime_platform.reporting.figures.scores import skill_by_type_figure
from crime_platform.reporting.report import write_report
from crime_platform.study_area.study_area import load_study_area
from toys.candidate import write_toy_candidate
from toys.city import TOY_AREA

TITLE = "# City <img src=x onerror=alert(1)> **b** [go](javascript:alert(2)) | $x$ $y_{"
PUBLISHER = "<script>alert(3)</script>[pub](http://evil.example)\\u001b[2J"
LICENCE = "=cmd|' /C calc'!A0 `code`"
KIND = "Theft over $5,000 and under $10_{000 <b>bold</b> [streets]"


def _toml(url):
    """The toy area with all of that in its titles and its source."""
    quoted = {name: json.dumps(text) for name, text in (("t", TITLE), ("l", LICENCE), ("k", KIND))}
    text = TOY_AREA.format(last_month="2021-12").replace('"Toy city"', quoted["t"])
    text = text.replace('title = "Assault"', f"title = {quoted['k']}")
    source = f'name = "toy_police"\npublisher = "{PUBLISHER}"\nlicence = {quoted["l"]}\n'
    return text.replace('name = "toy_police"\n', f'{source}url = "{url}"\n')


def area_at(folder, url="javascript:alert(4)"):
    path = folder / "toy.toml"
    path.write_text(_toml(url), encoding="utf-8")
    return load_study_area(path)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Report and card of a hostile area."""
    folder = tmp_path_factory.mktemp("hostile")
    candidate = read_candidate(write_toy_candidate(folder / "2021-12-toy"))
    return write_report(candidate, area_at(folder), folder / "report")


def test_the_model_card_shows_the_text_and_does_nothing_else(written):
    card = written.model_card.read_text(encoding="utf-8")

    html = MarkdownIt("commonmark").enable("table").render(card)

    tags = set(re.findall(r"<(\w+)", html))
    assert tags <= {"h1", "h2", "h3", "p", "ul", "li", "strong"} | {
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    assert html.count("<h1>") == 1
    assert "\x1b" not in card
    assert "[streets]" in html


def test_a_web_address_in_the_card_is_a_link(tmp_path):
    from crime_platform.reporting.model_card import _sources

    candidate = read_candidate(write_toy_candidate(tmp_path / "2021-12-toy"))
    area = area_at(tmp_path, "https://data.example/police?a=1&b=2")

    html = MarkdownIt("commonmark").render(_sources(LocalFacts(candidate=candidate, area=area)))

    assert re.findall(r'href="([^"]*)"', html) == ["https://data.example/police?a=1&amp;b=2"]


def test_the_report_escapes_and_forbids_scripts(written):
    page = written.report.read_text(encoding="utf-8")

    assert "<script" not in page
    assert "<img src=x" not in page
    assert "onerror=alert" not in re.sub(r">[^<]*<", "><", page)  # in no tag
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert "default-src &#39;none&#39;" in policy or "default-src 'none'" in policy


def test_dollar_signs_are_no_formula_in_a_picture(tmp_path):
    candidate = read_candidate(write_toy_candidate(tmp_path / "2021-12-toy"))

    picture = as_svg(skill_by_type_figure(LocalFacts(candidate=candidate, area=area_at(tmp_path))))

    assert picture.startswith("data:image/svg+xml")


def test_dagsters_descriptions_are_text(tmp_path):
    found = [
        spec.description or "" for asset in grid_assets(area_at(tmp_path)) for spec in asset.specs
    ]

    html = "".join(MarkdownIt("commonmark").render(each) for each in found)
    assert "City" in html
    assert not set(re.findall(r"<(\w+)", html)) & {"img", "strong", "a", "h1"}


ROWS = pa.table(
    {
        "name": pa.array(["=1+1", "+49 30", "-x", "@SUM(A1)", "\tx", "\rx", "fine, ok"]),
        "kind": pa.array(["=a", "b", "c", "d", "e", "f", "g"]).dictionary_encode(),
        "number": pa.array([-1.5, 2.0, -3.0, 4.0, 5.0, 6.0, 7.0]),
        "text_number": pa.array(["-79.38", "+1", "1", "2", "3", "4", "5"]),
    }
)
GUARDED = ["'=1+1", "'+49 30", "'-x", "'@SUM(A1)", "'\tx", "'\rx", "fine, ok"]


def test_no_field_of_a_download_is_a_formula():
    shown = Shown(rows=ROWS, shapes=[], about={})

    rows = list(csv.DictReader(io.StringIO(csv_bytes(shown).decode(), newline="")))

    assert [row["name"] for row in rows] == GUARDED
    assert rows[0]["kind"] == "'=a"
    assert [row["number"] for row in rows][:3] == ["-1.5", "2", "-3"]
    assert [row["text_number"] for row in rows][:2] == ["-79.38", "+1"]


def test_no_field_of_a_query_is_a_formula(tmp_path):
    import duckdb

    path = tmp_path / "rows.csv"
    with duckdb.connect() as connection, path.open("w", newline="") as out:
        connection.register("found", ROWS)
        _write_text(connection.sql("select * from found"), Format.CSV, out)

    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode(), newline="")))
    assert [row["name"] for row in rows] == GUARDED
    assert [row["number"] for row in rows][:2] == ["-1.5", "2.0"]


def test_the_terminal_prints_brackets_and_obeys_nothing():
    out = io.StringIO()
    console = TerminalConsole(file=out, width=200, force_terminal=True, color_system=None)

    console.print(f"{KIND} \x1b[2J\x07")
    print_error(console, "no [streets]", ["in [streets]\x1b]0;owned\x07 of x.toml"])
    print_rows(console, ["[red]name"], [["[bold]\x1b[31mred"]])

    told = out.getvalue()
    assert told.count("[streets]") == 3
    assert "[red]name" in told
    assert "[bold]\\x1b[31mred" in told
    assert "\x07" not in told
    assert "\x1b" not in told

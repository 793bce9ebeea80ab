import datetime as dt
import re
import shutil
from html.parser import HTMLParser

import pandas as pd
import pytest

from crime_platform.evaluation.candidate import read_candidate
from crime_platform.reporting.facts import LocalFacts
from crime_platform.reporting.figures.drawing import as_svg
from crime_platform.reporting.figures.scores import skill_figure
from crime_platform.reporting.model_card import model_card
from crime_platform.reporting.report import key_plots, write_report
from crime_platform.reporting.sections import turn_parts
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.artifact import TEMPORARY
from toys.candidate import write_toy_candidate
from toys.city import TOY_AREA

OPTIONAL = (
    "calibration",
    "pit_histogram",
    "reliability",
    "distribution_choice",
    "ensemble_weight",
    "champion_history",
    "turning_month",
    "model_turn",
    "fusion_weight",
)
LARGEST_BYTES = 5_000_000


class Tags(HTMLParser):
    """Every opening tag of a page with its attributes, in order."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, *names):
        return [attributes for tag, attributes in self.found if tag in names]


@pytest.fixture(scope="module")
def area(tmp_path_factory):
    path = tmp_path_factory.mktemp("area") / "toy.toml"
    path.write_text(TOY_AREA.format(last_month="2021-12").replace("Toy city", "Toy <b> & city"))
    return load_study_area(path)


@pytest.fixture(scope="module")
def written(tmp_path_factory, area):
    """The paths of one whole report and the candidate it describes."""
    root = tmp_path_factory.mktemp("whole")
    candidate = read_candidate(
        write_toy_candidate(root / "2021-12-toy", skipped={"gldnet": "no streets"})
    )
    return write_report(candidate, area, root / "2021-12"), candidate


@pytest.fixture(scope="module")
def page(written):
    return written[0].report.read_text(encoding="utf-8")


def test_the_report_asks_the_network_for_nothing(page):
    tags = Tags(page)

    sources = [attributes["src"] for attributes in tags.of("img")]
    assert len(page) < LARGEST_BYTES
    assert len(sources) >= 10
    assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)
    assert tags.of("script", "link", "iframe", "object") == []
    assert "url(" not in page
    assert all(attributes["href"].startswith("#") for attributes in tags.of("a"))


def test_every_picture_has_words_for_who_cannot_see_it(page):
    assert all(len(attributes["alt"]) > 40 for attributes in Tags(page).of("img"))


def test_every_heading_of_a_table_says_what_it_heads(page):
    scopes = {attributes["scope"] for attributes in Tags(page).of("th")}

    assert scopes == {"row", "col"}


def test_headings_descend_one_step_at_a_time_and_links_lead_somewhere(page):
    tags = Tags(page)

    levels = [tag for tag, _ in tags.found if re.fullmatch(r"h[1-6]", tag)]
    anchors = {f"#{attributes['id']}" for attributes in tags.of("section")}
    assert levels[0] == "h1"
    assert set(levels[1:]) == {"h2"}
    assert {attributes["href"] for attributes in tags.of("a")} == anchors


def test_values_of_the_data_are_escaped(page):
    assert "Toy &lt;b&gt; &amp; city" in page
    assert "<b>" not in page


@pytest.mark.parametrize(
    "words",
    [
        "1 April 2022",
        "policy (no model)",
        "The policy is no model",
        "Recorded, not actual, crime; places, never people",
        "too few to carry a general claim",
        "75.0\u00a0% off",
        "gldnet: no streets",
        "What the data cannot say",
        "Patrol orders or targets",
        "crime-platform sql",
    ],
)
def test_the_report_says_what_it_must(page, words):
    assert words in page


def test_nothing_unfinished_is_left_behind(written):
    names = [path.name for path in written[0].report.parent.iterdir()]

    assert sorted(names) == ["model_card.md", "report.html"]
    assert not any(name.startswith(TEMPORARY) for name in names)


def test_pictures_do_not_change_when_they_are_drawn_again(written, area):
    facts = LocalFacts(candidate=written[1], area=area)

    assert as_svg(skill_figure(facts)) == as_svg(skill_figure(facts))


def test_tables_that_a_candidate_lacks_are_named_in_a_sentence(tmp_path, area, written):
    folder = tmp_path / "2021-12-toy"
    shutil.copytree(written[1].folder, folder)
    for name in OPTIONAL:
        (folder / f"{name}.parquet").unlink()

    paths = write_report(read_candidate(folder), area, tmp_path / "2021-12")

    page = paths.report.read_text(encoding="utf-8")
    assert "Calibration was not measured for this candidate." in page
    assert "No turning months were scored for this candidate." in page
    assert "No ST-ResNet of this candidate has fusion weights per cell." in page
    assert "This candidate has neither ensemble nor policy history." in page
    assert "Not measured for this candidate." in paths.model_card.read_text(encoding="utf-8")


def test_months_without_a_turn_are_said_to_have_none(tmp_path, area):
    folder = write_toy_candidate(tmp_path / "2021-12-toy")
    turns = pd.read_parquet(folder / "model_turn.parquet")
    turns.assign(n_turns=0, lag_months=None).to_parquet(folder / "model_turn.parquet")
    facts = LocalFacts(candidate=read_candidate(folder), area=area)

    parts = turn_parts(facts)

    assert [part.text for part in parts] == [
        "The recorded total did not turn in the months that were forecast."
    ]


def test_a_candidate_of_another_area_is_refused(tmp_path, area):
    folder = write_toy_candidate(tmp_path / "2021-12-other", study_area="other")

    with pytest.raises(ValueError, match="made for 'other' and cannot be reported as 'toy'"):
        write_report(read_candidate(folder), area, tmp_path / "2021-12")


def test_the_model_card_holds_its_fields(written, area):
    card = model_card(LocalFacts(candidate=written[1], area=area))

    assert re.findall(r"^## (.*)$", card, flags=re.MULTILINE) == [
        "Model",
        "Uses",
        "Data",
        "Scores",
        "Limits and known failures",
        "Owner and expiry",
    ]
    assert "squares of 500 m in EPSG:26917" in card
    assert "27 of 30 cells" in card
    assert "Police-discovered offences: none" in card
    assert "**The monthly forecast expired on 1 April 2022" in card
    assert "2014" not in card  # this area begins in 2019


def test_a_card_and_a_report_of_a_forecast_that_is_current_say_until_when(tmp_path, area, written):
    moment = dt.datetime(2022, 1, 3, tzinfo=dt.UTC)

    paths = write_report(written[1], area, tmp_path / "2021-12", now=moment)

    told = "The monthly forecast expires on 1 April 2022, when March 2022"
    assert told in paths.model_card.read_text(encoding="utf-8")
    assert told in paths.report.read_text(encoding="utf-8")


def test_every_table_of_the_card_has_as_many_cells_as_headings(written):
    card = written[0].model_card.read_text(encoding="utf-8")

    blocks = re.findall(r"(?:^\|.*\n)+", card, flags=re.MULTILINE)
    widths = [{line.count("|") for line in block.splitlines()} for block in blocks]
    assert len(blocks) == 3
    assert all(len(width) == 1 for width in widths)


def test_key_plots_are_small_pngs(written):
    plots = key_plots(written[1])

    assert set(plots) == {"skill", "hit_rate", "forecast"}
    assert all(png.startswith(b"\x89PNG") for png in plots.values())
    assert all(len(png) < 100_000 for png in plots.values())

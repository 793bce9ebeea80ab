import json
import shutil

import duckdb
import numpy as np
import pytest

from crime_platform.dashboard.data.declared import declared
from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.pages.about import about_part
from crime_platform.dashboard.pages.about_streets import StreetFacts
from crime_platform.dashboard.pages.released_facts import released_facts
from crime_platform.dashboard.pages.sections import section
from crime_platform.evaluation.candidate import read_candidate
from crime_platform.reporting import sentences, statements
from crime_platform.reporting.facts import LocalFacts
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.home import PlatformHome


@pytest.fixture(scope="module")
def about(toy):
    return about_part(toy, "toy")


@pytest.fixture(scope="module")
def about_town(town):
    return about_part(town, "town")


@pytest.fixture
def changed(published_once, tmp_path):
    """The toy city's release after some statements."""

    def change(*statements):
        source = PlatformHome(published_once).forecasts.resolve()
        connection = duckdb.connect(shutil.copy(source, tmp_path / "changed.duckdb"))
        for statement in statements:
            connection.execute(statement)
        return connection

    return change


def by_id(part):
    return {section["id"]: section for section in part["sections"]}


def test_the_sections_of_an_area_of_months(about):
    assert about["title"] == "Toy city"
    assert list(by_id(about)) == [
        "summary",
        "method",
        "sources",
        "files",
        "findings",
        "limits",
        "failures",
        "intended",
        "refused",
    ]
    assert json.loads(json.dumps(about, allow_nan=False)) == about


def test_the_sentences_are_those_of_the_candidate_that_was_published(published_once, toy):
    home = PlatformHome(published_once)
    (folder,) = (home.artifacts("toy") / "candidates").glob("2021-06-*")
    area = load_study_area(home.study_areas / "toy.toml")
    mine = LocalFacts(candidate=read_candidate(folder), area=area)

    released = released_facts(toy, "toy")

    assert released is not None
    told = (
        sentences.subject,
        sentences.verdict,
        sentences.baseline_gap,
        sentences.chosen,
        sentences.tested,
        sentences.switches,
        sentences.calibration,
        sentences.noise,
        sentences.hot_spots,
        sentences.limits,
        sentences.failures,
    )
    assert [sentence(released) for sentence in told] == [sentence(mine) for sentence in told]


def test_the_method_names_champion_baseline_gate_and_interval(about):
    items = by_id(about)["method"]["items"]

    assert items[0].startswith(
        "Model of this forecast, the champion: rolling_mean_6. Its own skill"
    )
    assert "Why this model: rolling_mean_6 " in items[0]
    assert "Historical average" in items[1]
    assert "Champion (policy)" not in items[1]
    assert sum(item.startswith("Not made: rolling_mean_24 back-test needs 25") for item in items)
    assert statements.GATE in items
    assert "within 10\u00a0% of what was recorded" in statements.GATE
    assert statements.INTERVALS in items


def test_sources_count_the_incidents(toy, about):
    (total,) = toy.execute("select sum(count) from month_count").fetchone()

    told = by_id(about)["sources"]

    assert told["paragraphs"] == [
        f"As of June 2021. {total:,} recorded incidents from January 2019 to June 2021 were "
        "counted by month; the last complete month is June 2021."
    ]
    assert told["table"]["rows"] == [["toy_police", "not stated", "not stated", "not stated"]]


def test_an_unfinished_month_is_not_the_last_complete_one(changed):
    with changed(
        "update month_count set is_complete = false where month = date '2021-06-01'"
    ) as connection:
        (told,) = by_id(about_part(connection, "toy"))["sources"]["paragraphs"]

    assert told.endswith("the last complete month is May 2021.")


def test_no_complete_month_is_told(changed):
    with changed("update month_count set is_complete = false") as connection:
        (told,) = by_id(about_part(connection, "toy"))["sources"]["paragraphs"]

    assert told.endswith("the last complete month is none.")


def test_incidents_without_a_place_are_told_in_the_limits(changed):
    with changed(
        "update month_count set n_ungeocoded = 0",
        "update month_count set n_ungeocoded = 5, count = 20 where month = date '2020-01-01'",
    ) as connection:
        items = by_id(about_part(connection, "toy"))["limits"]["items"]

    assert any(item.startswith("10 of ") and "no usable coordinates" in item for item in items)


def test_files_are_named_without_their_folders(changed):
    with changed(
        "update data_quality set file_path = '/home/someone/secret/all.csv'",
        "update data_check set passed = false, problem = '/home/someone/secret/all.csv has holes'"
        " where check_name = 'data_are_fresh'",
    ) as connection:
        part = about_part(connection, "toy")

    assert by_id(part)["files"]["table"]["rows"][0][0] == "all.csv"
    assert "Data are fresh: all.csv has holes" in by_id(part)["findings"]["items"]
    assert "secret" not in json.dumps(part)


def test_rows_of_the_files_are_summed_by_finding(toy, about):
    told = by_id(about)["findings"]

    found = toy.execute(
        "select finding, sum(n_rows) from data_quality group by 1 having sum(n_rows) > 0 "
        "order by 2 desc"
    ).fetchall()
    assert told["table"]["rows"] == [[finding, f"{int(n):,}"] for finding, n in found]
    # The toy's data end in June 2021, and so does what can be said of today.
    (stale,) = told["items"]
    assert stale.startswith("Data are fresh: the data end too early for a forecast of today")
    assert told["paragraphs"][1].startswith("1 of 10 checks found something")


def test_every_problem_of_a_check_is_told(changed):
    with changed(
        "update data_check set passed = false, problem = 'first' || chr(10) || 'second' "
        "where check_name = 'data_are_fresh'",
    ) as connection:
        told = by_id(about_part(connection, "toy"))["findings"]

    assert told["items"] == ["Data are fresh: first", "Data are fresh: second"]
    assert told["paragraphs"][1].startswith("1 of 10 checks found something")


def test_refused_uses_are_those_of_the_model_card(about, about_town):
    assert by_id(about)["refused"]["items"] == list(statements.REFUSED_USES)
    assert by_id(about_town)["refused"] == by_id(about)["refused"]
    assert by_id(about)["refused"]["paragraphs"] == [statements.FEEDBACK]
    assert by_id(about)["intended"]["items"] == list(statements.INTENDED_USES)


def test_a_simulated_area_says_so_first(changed):
    with changed(
        "drop table if exists study_area", "update release set title = 'Toy city (simulated)'"
    ) as connection:
        part = about_part(connection, "toy")

    assert part["title"] == "Toy city (simulated)"
    assert by_id(part)["summary"]["paragraphs"][0].startswith("This area is simulated: no incident")


def test_a_real_area_is_not_called_simulated(about):
    assert "simulated" not in json.dumps(about)


def test_what_police_discover_is_told(changed):
    with changed(
        "create or replace table offence_type as select 'toy' as study_area, 'assault' as "
        "offence_type, 0 as position, 'Drug offences' as title, true as is_police_discovered"
    ) as connection:
        items = by_id(about_part(connection, "toy"))["limits"]["items"]

    assert items[-1] == ("Counted where police looked, not where harm was reported: Drug offences.")


def test_the_declaration_wins_over_what_is_guessed():
    with duckdb.connect() as connection:
        connection.execute(
            "create table study_area as select 'toy' as study_area, 'Toy' as title, "
            "250.0 as cell_size_m, 'EPSG:26917' as crs, true as is_simulated"
        )

        assert declared(connection, "toy", "Old title") == {
            "title": "Toy",
            "cell_size_m": 250.0,
            "crs": "EPSG:26917",
            "is_simulated": True,
        }


def test_the_side_of_a_cell_follows_from_its_area_where_it_is_not_declared(changed):
    with changed("drop table if exists study_area") as connection:
        facts = released_facts(connection, "toy")

        assert facts is not None
        assert facts.cell_size_m == 500.0
        assert facts.first_month == np.datetime64("2019-01", "M")
        assert facts.title_of("any") == "All types"


def test_the_sections_of_an_area_of_streets(town, about_town):
    sections = by_id(about_town)
    leader = town.execute(
        "select champion, n_segments, street_km, n_test_days from street_release"
    ).fetchone()

    told = sections["streets"]["items"]

    assert about_town["title"] == "Small Town"
    assert list(sections) == [
        "summary",
        "streets",
        "sources",
        "files",
        "findings",
        "limits",
        "intended",
        "refused",
    ]
    assert leader == ("exponential_decay", 40, 8.0, 118)
    assert told[0].startswith("Model of this forecast: exponential_decay. Why: ")
    assert told[1] == "As of 2021-02-28: 40 street segments of 8.0 km together."
    assert "Long-run frequency" in told[2]
    (subject,) = sections["summary"]["paragraphs"]
    assert subject.startswith("Counts of violent")
    assert "per street segment and day, 7 days ahead." in subject
    assert sections["limits"]["items"][0] == statements.RECORDED_ONLY


def test_street_scores_are_those_of_the_leaderboard(town, about_town):
    skill, hit_rate, theirs = town.execute(
        "select any_value(deviance_skill) filter (is_champion), "
        "any_value(hit_rate_20) filter (is_champion), "
        "any_value(hit_rate_20) filter (model = 'long_run_frequency') from street_leaderboard"
    ).fetchone()

    items = by_id(about_town)["streets"]["items"]

    assert any(f"one day ahead, is +{100 * skill:.1f}\u00a0%" in item for item in items)
    assert any(
        f"held {100 * hit_rate:.1f}\u00a0% of the incidents of those days; by long_run_frequency "
        f"it is {100 * theirs:.1f}\u00a0%" in item
        for item in items
    )


def street_facts_of(kind, board):
    released = {
        "champion": "ewma",
        "champion_reason": "ewma is best.",
        "as_of_day": "2021-02-28",
        "n_segments": 3,
        "street_km": None,
        "graph_kind": kind,
        "n_test_days": 10,
    }
    return StreetFacts(released=released, board=board, n_days_ahead=7, groups=("Violent crime",))


def score(model, skill, low, high):
    ends = {"deviance_skill_low": low, "deviance_skill_high": high}
    return {"model": model, "deviance_skill": skill, "hit_rate_20": 0.5, **ends}


def test_places_are_not_called_streets():
    facts = street_facts_of("place", [score("ewma", 0.1, 0.05, 0.15)])

    assert facts.subject.startswith("Counts of violent crime per place and day")
    assert facts.moved.endswith("A place is such a point, and no address.")
    assert "As of 2021-02-28: 3 places." in facts.section()["items"]


def test_a_skill_whose_interval_holds_zero_is_told():
    board = [score("ewma", 0.1, -0.05, 0.15), score("long_run_frequency", 0.0, 0.0, 0.0)]

    items = street_facts_of("segment", board).section()["items"]

    assert sum("+15.0\u00a0%, which holds zero)" in item for item in items) == 1


def test_missing_street_scores_are_told():
    items = street_facts_of("segment", []).section()["items"]

    assert "Its scores are not in this release." in items


def test_a_section_without_rows_has_no_table():
    assert section("a", "A", head=("x",))["table"] is None
    assert section("a", "A", head=("x",), rows=[("1",)])["table"] == {
        "head": ["x"],
        "rows": [["1"]],
    }


def test_an_unknown_area_names_those_there_are(toy):
    with pytest.raises(PartError, match=r"no study area 'oz'; it holds \['toy'\]"):
        about_part(toy, "oz")

"""The README tells the truth: its commands exist, its SQL runs, its assets and models are named."""

import re

import pytest

from crime_platform.cli import app
from crime_platform.definitions import build_definitions
from crime_platform.publication.release import open_release
from toys.paths import REPOSITORY

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```sql\n(.*?)```", README, re.DOTALL)
QUERIES = re.findall(r'crime-platform sql "(.*?)"', README)


ON_STREETS = [query for query in (*EXAMPLES, *QUERIES) if "street_forecast" in query]
ON_MONTHS = [query for query in (*EXAMPLES, *QUERIES) if query not in ON_STREETS]


@pytest.mark.slow
@pytest.mark.parametrize("query", ON_STREETS)
def test_every_example_of_streets_runs_and_answers(published_streets, query):
    with open_release(published_streets) as connection:
        assert connection.sql(query).fetchall() != []


@pytest.mark.slow
@pytest.mark.parametrize("query", ON_MONTHS)
def test_every_example_runs_and_answers(published, query):
    with open_release(published) as connection:
        assert connection.sql(query).fetchall() != []


def test_there_are_examples():
    assert len(EXAMPLES) >= 4
    assert len(QUERIES) >= 3


def test_every_command_named_exists():
    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"crime-platform ([a-z-]+)", README))
    assert named - known == set()


def test_every_make_target_named_exists():
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"make ([a-z]+)  |`make ([a-z]+)`", README))
    assert {name for pair in named for name in pair if name} - targets == set()


def test_every_asset_is_listed(toy_city):
    keys = build_definitions(toy_city()).resolve_all_asset_keys()
    assert [key.path[-1] for key in keys if f"`{key.path[-1]}`" not in README] == []


def test_the_results_table_comes_from_a_run():
    table = README.split("<!-- results: begin -->")[1].split("<!-- results: end -->")[0]
    for model in ("historical_average", "ewma", "st_resnet", "convlstm", "st_resnet_log1p_mse"):
        assert f"`{model}`" in table

"""Mangled files through the whole ingest: no row is lost, and what is refused changes nothing."""

import re
import shutil

import pytest

from crime_platform.vocabulary.home import PlatformHome
from crime_platform.warehouse.warehouse import Warehouse
from toys.mangled_home import everything_but_the_warehouse, home_with_a_good_file, state, take_in
from toys.mangling import READ, REFUSED

HOME = "a/b/c/home"


@pytest.fixture(scope="module")
def prepared_once(tmp_path_factory):
    around = tmp_path_factory.mktemp("prepared")
    home_with_a_good_file(around)
    return around


@pytest.fixture
def around(prepared_once, tmp_path):
    """A copy of the prepared folder; the home lies four folders below it."""
    shutil.copytree(prepared_once, tmp_path / "around")
    return tmp_path / "around"


@pytest.mark.parametrize("case", READ.values(), ids=READ.keys())
def test_every_row_is_found_again_and_nothing_is_written_elsewhere(around, case):
    home = PlatformHome(around / HOME)
    (home.root / "raw" / case.name).write_bytes(case.content)
    before = everything_but_the_warehouse(around, home)

    report = take_in(home, case.content, case.name)

    n_rejected = sum(case.rejected.values())
    stored = Warehouse(home.warehouse).read(
        "select n_rows, n_accepted, n_rejected, "
        "(select count(*) from incident_vintage i where i.sha256 = f.sha256) as n_incidents, "
        "(select count(*) from rejected_row r where r.sha256 = f.sha256) as n_rejected_rows "
        "from source_file f where is_current and file_path <> 'raw/good.csv'"
    )
    n_accepted = case.n_rows - n_rejected
    assert stored.to_numpy().tolist() == [
        [case.n_rows, n_accepted, n_rejected, n_accepted, n_rejected]
    ]
    reasons = Warehouse(home.warehouse).read(
        "select reason, count(*) n from rejected_row group by 1"
    )
    assert dict(reasons.to_numpy().tolist()) == case.rejected
    assert report.n_accepted == n_accepted + 3  # those of the good file
    assert everything_but_the_warehouse(around, home) == before


@pytest.mark.parametrize(("content", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_a_refused_file_is_named_and_changes_nothing(around, content, message):
    home = PlatformHome(around / HOME)
    (home.root / "raw" / "mangled.csv").write_bytes(content)
    before = state(home), everything_but_the_warehouse(around, home)

    refusal = take_in(home, content)

    assert re.search(message, refusal), refusal
    assert len(refusal) < 4000
    assert (state(home), everything_but_the_warehouse(around, home)) == before

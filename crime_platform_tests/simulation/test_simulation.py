"""The simulated files, read back through the platform itself."""

import datetime as dt
import json

import numpy as np
import pandas as pd
import pytest

from crime_platform.commands.area_choice import only_area
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.simulation.downloads import (
    ANZSOC_COLUMNS,
    LATER_COLUMNS,
    Download,
    planned_downloads,
)
from crime_platform.simulation.offences import PROCESSES
from crime_platform.simulation.simulate import SimulationRequest, simulate_area
from crime_platform.sources.table import read_table_file
from crime_platform.study_area.parts import StudyAreaError
from crime_platform.study_area.study_area import load_study_area
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import month_range
from crime_platform.warehouse.warehouse import Warehouse
from toys.city import prepare_home
from toys.paths import REPOSITORY

AUCKLAND = REPOSITORY / "data" / "study_areas" / "auckland.toml"
SMALL = {"n_months": 9, "scale": 0.05, "n_city_places": 900, "n_other_places": 300}
AS_OF = dt.date(2026, 6, 30)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """A small simulation and its home; tests only read it."""
    home = prepare_home(tmp_path_factory.mktemp("simulated") / "home")
    return home, simulate_area(SimulationRequest(**SMALL), home)


@pytest.fixture(scope="module")
def ingested(simulated):
    """The same home after its files were taken in, with what the ingest said."""
    home, _ = simulated
    area = load_study_area(home.study_areas / "auckland_simulated.toml")
    return home, ingest_area(area, home)


def test_downloads_are_quarterly_windows_that_end_with_the_last_month():
    months = month_range(np.datetime64("2024-01"), np.datetime64("2024-08"))

    planned = planned_downloads(months)

    assert planned == [
        Download(
            file_name="simulated_2024-03-10.csv",
            first=0,
            last=1,
            is_later_layout=False,
        ),
        Download(
            file_name="simulated_2024-06-10.csv",
            first=0,
            last=4,
            is_later_layout=True,
        ),
        Download(
            file_name="simulated_2024-09-10.csv",
            first=2,
            last=7,
            is_later_layout=True,
        ),
    ]


def test_the_early_layout_is_utf_16_with_tabs_and_seventeen_columns(simulated):
    _, simulation = simulated

    content = (simulation.folder / simulation.contents[0].file).read_bytes()

    assert content.startswith(b"\xff\xfe")
    header, row, *rest = content[2:].decode("utf-16-le").splitlines()
    assert header == (
        "Table 1\tANZSOC Division\tYear Month\tMonth Year\tANZSOC Group\tANZSOC Subdivision\t"
        "Area Unit\tLocation Type\tLocn Type Division\tMeshblock\tOccurrence Day Of Week\t"
        "Occurrence Hour Of Day\tTerritorial Authority\tWeapon\tYear Month (copy 2)\t"
        "Number of Records\tVictimisations"
    )
    assert row.startswith("1 Victimisation Time and Place\tTheft and Related Offences\t")
    assert len(rest) + 1 == simulation.contents[0].n_rows


def test_the_later_layout_is_utf_8_with_commas(simulated):
    _, simulation = simulated

    text = (simulation.folder / simulation.contents[-1].file).read_text(encoding="utf-8")

    assert text.splitlines()[0] == (
        "Year Month,Area Unit,Territorial Authority,Meshblock,ANZSOC Division,ANZSOC Group,"
        "ANZSOC Subdivision,Victimisations,Month Year,Locn Type Division"
    )
    assert '"Robbery, blackmail, and extortion"' in text


def test_texts_are_those_of_the_publisher(simulated):
    _, simulation = simulated

    early = pd.read_csv(
        simulation.folder / simulation.contents[0].file, sep="\t", encoding="utf-16", dtype=str
    )
    later = pd.read_csv(simulation.folder / simulation.contents[-1].file, dtype=str)

    assert tuple(early.columns) == ANZSOC_COLUMNS
    assert tuple(later.columns) == LATER_COLUMNS
    assert early["Territorial Authority"].str.endswith(".").all()
    assert {"February 2022", "March 2022"} <= set(early["Year Month"])
    assert {"99.0", "0.0", "23.0"} <= set(early["Occurrence Hour Of Day"])
    assert "-118" in set(early["Meshblock"])
    assert "999999" in set(early["Area Unit"])
    assert (early["Area Unit"].str.endswith(".") | (early["Area Unit"] == "999999")).all()
    assert early["Victimisations"].astype(int).max() > 1


def test_a_seed_gives_the_same_bytes_and_another_seed_others(tmp_path, simulated):
    _, simulation = simulated
    request = SimulationRequest(**SMALL, output=tmp_path / "again")

    again = simulate_area(request, PlatformHome(tmp_path))
    other = simulate_area(
        SimulationRequest(**SMALL, seed=1, output=tmp_path / "other"), PlatformHome(tmp_path)
    )

    first, same, different = (
        {path.name: path.read_bytes() for path in one.folder.glob("simulated_*")}
        for one in (simulation, again, other)
    )
    assert first == same
    assert first.keys() == different.keys()
    assert not set(first.values()) & set(different.values())


@pytest.mark.parametrize("number", [0, -1])
def test_the_reader_finds_what_was_written_less_the_dirty_rows(tmp_path, simulated, number):
    home, simulation = simulated
    content = simulation.contents[number]
    area = load_study_area(home.study_areas / "auckland_simulated.toml")
    path = simulation.folder / content.file

    # Without a grid, so that no row is rejected for lying outside it.
    report = read_table_file(
        path, area.sources[0], area, tmp_path, home=home.root, as_of=AS_OF
    ).report

    assert report.n_rows == content.n_rows
    assert report.n_elsewhere == content.n_rows - content.n_city_rows
    assert report.n_accepted == content.n_clean_rows
    assert report.n_incidents == content.n_clean_victimisations
    assert report.n_accepted - report.n_geocoded == content.n_clean_rows_without_place
    dirty = content.n_dirty_rows
    assert sum(dirty.values()) == content.n_city_rows - content.n_clean_rows
    assert report.n_rejected.get("missing offence", 0) == dirty["blank offence"]
    assert report.n_rejected.get("unparseable date", 0) == dirty["unreadable month"]
    assert report.n_rejected.get("after last month", 0) == dirty["month in the future"]


def test_some_rows_of_the_simulation_are_dirty(simulated):
    _, simulation = simulated

    assert sum(sum(content.n_dirty_rows.values()) for content in simulation.contents) > 0


def test_every_row_is_accounted_for_by_the_ingest(simulated, ingested):
    _, simulation = simulated
    _, report = ingested

    assert report.problems == []
    assert report.n_read == len(simulation.contents) == 3
    found = pd.DataFrame(report.findings).groupby("finding")["n_rows"].sum()
    kinds = (
        "accepted",
        "of another area",
        "outside the grid",
        "missing offence",
        "unparseable date",
        "after last month",
    )
    assert sum(found.get(kind, 0) for kind in kinds) == simulation.n_written


def test_a_month_published_again_has_grown(ingested):
    home, _ = ingested

    warehouse = Warehouse(home.warehouse)
    known = warehouse.read(
        "select sum(n_incidents)::bigint as n from incident_vintage where month = '2022-04-01' "
        "group by source_file order by n"
    )
    counted = warehouse.read(
        "select sum(n_incidents)::bigint as n from incident where month = '2022-04-01'"
    )

    # April was the newest month of the first download and is three months old in the second: 88%
    # and 98.7% of it are known by then. Of some 780, three standard deviations are 0.033.
    early, late = known["n"].tolist()
    assert early / late == pytest.approx(0.88 / 0.987, abs=0.033)
    assert counted["n"].item() == late


def test_everything_says_that_it_is_simulated(simulated):
    home, simulation = simulated
    area = load_study_area(home.study_areas / "auckland_simulated.toml")

    assert area.is_simulated
    assert area.title == "Auckland (simulated)"
    assert area.sources[0].publisher == "simulated, no real incident"
    tables = [path.name for path in simulation.folder.glob("*.csv*")]
    assert len(tables) == 4
    assert all(name.startswith("simulated_") for name in tables)
    note = (simulation.folder / "SIMULATED.txt").read_text()
    assert note.startswith("SIMULATED DATA. NOTHING IN THESE FILES EVER HAPPENED.")
    assert json.loads((simulation.folder / "simulation.json").read_text())["is_simulated"] is True


def test_the_real_auckland_takes_no_simulated_row(tmp_path, simulated):
    home, simulation = simulated
    (home.root / "raw" / "auckland").mkdir(exist_ok=True)
    real = load_study_area(AUCKLAND)
    places = simulation.folder / "simulated_places.csv.gz"
    target = tmp_path / real.sources[0].places.file
    target.parent.mkdir(parents=True)
    target.write_bytes(places.read_bytes())

    report = read_table_file(
        simulation.folder / simulation.contents[-1].file,
        real.sources[0],
        real,
        tmp_path,
        home=tmp_path,
        as_of=AS_OF,
    ).report

    assert (report.n_accepted, report.n_elsewhere) == (0, report.n_rows)


def test_the_simulated_area_is_the_real_one_but_for_its_files(simulated):
    home, _ = simulated
    ours, real = (
        load_study_area(home.study_areas / "auckland_simulated.toml"),
        load_study_area(AUCKLAND),
    )

    assert ours.grid == real.grid
    assert ours.offence_types == real.offence_types
    assert (ours.crs, ours.timezone, ours.calendar) == (real.crs, real.timezone, real.calendar)
    assert ours.sources[0].columns == real.sources[0].columns
    assert ours.offence_names == tuple(process.name for process in PROCESSES)


def test_a_simulated_area_is_chosen_only_where_there_is_no_other(toy_city):
    home = toy_city()
    simulate_area(SimulationRequest(**SMALL), home)

    beside_a_real_one = only_area(home)
    (home.study_areas / "toy.toml").unlink()
    alone = only_area(home)

    assert (beside_a_real_one, alone) == ("toy", "auckland_simulated")


def test_a_simulated_area_must_say_so_in_its_title(tmp_path, simulated):
    home, _ = simulated
    text = (home.study_areas / "auckland_simulated.toml").read_text()
    path = tmp_path / "auckland_simulated.toml"
    path.write_text(text.replace('title = "Auckland (simulated)"', 'title = "Auckland"'))

    with pytest.raises(StudyAreaError, match=r'title: .* write e\.g\. "Auckland \(simulated\)"'):
        load_study_area(path)


def test_a_simulation_replaces_an_earlier_one_and_nothing_else(home):
    simulate_area(SimulationRequest(**{**SMALL, "n_months": 6}), home)
    shorter = simulate_area(SimulationRequest(**{**SMALL, "n_months": 2}), home)

    assert len([*shorter.folder.glob("*.csv")]) == len(shorter.contents) == 1

    with pytest.raises(ValueError, match="holds files that no simulation wrote"):
        simulate_area(SimulationRequest(**SMALL, output=home.study_areas), home)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_months": 0}, "--months: expected 1 to 600, found 0"),
        ({"scale": 0.0}, "--scale: expected a factor above 0 and up to 100, found 0"),
        ({"scale": float("nan")}, "--scale: .* found nan"),
        ({"seed": -1}, "--seed: expected 0 or more, found -1"),
    ],
)
def test_a_wrong_option_is_told_with_what_to_write(wrong, message):
    with pytest.raises(ValueError, match=message):
        SimulationRequest(**wrong)

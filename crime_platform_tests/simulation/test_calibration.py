"""Real tables of places and totals, and the simulation that follows them."""

import gzip

import numpy as np
import pytest

from crime_platform.simulation.calibration import find_tables, real_places, real_totals
from crime_platform.simulation.offences import PROCESSES
from crime_platform.simulation.simulate import SimulationRequest, simulate_area
from crime_platform.vocabulary.incident import SourceFormatError
from toys.paths import REPOSITORY

SHARED = REPOSITORY.parent / "shared" / "data"
CENTROIDS = """MB2013,MB2006,AU2013_name,TA2013_name,LC2013_name,X,Y,Pop2013
100,100,Harbour,Auckland,Mainland,1758000,5918000,90
200,200,Harbour,Auckland,Oceanic,1758300,5918000,0
300,300,Hill,Hamilton City,Mainland,1800000,5815000,60
"""
TOTALS = """,Year Month,Territorial Authority,Victimisations
0,December 2019,Auckland,300
1,January 2020,Auckland,500
2,January 2020,Hamilton,40
3,December 2019,Chatham Islands,7
"""
BURGLARIES = "Meshblock,Area.Unit,Records\n100,Harbour,8\n"


@pytest.fixture
def real_tables(tmp_path):
    """Three small tables in the real layouts."""
    folder = tmp_path / "tables"
    folder.mkdir()
    (folder / "mb2013_centroids_nztm.csv.gz").write_bytes(gzip.compress(CENTROIDS.encode()))
    (folder / "ta_month_victimisations_2019-12_2020-01.csv").write_text(TOTALS)
    burglaries = folder / "auckland_burglary_meshblock_totals.csv.gz"
    burglaries.write_bytes(gzip.compress(BURGLARIES.encode()))
    return folder


def test_real_totals_are_those_of_each_authority_and_month(real_tables):
    tables = find_tables(real_tables)
    places = real_places(tables, PROCESSES, np.random.default_rng(0))

    months, totals = real_totals(tables.totals, places, 2)

    assert places.authority_name == ("Auckland (simulated)", "Hamilton City (simulated)")
    assert months.astype(str).tolist() == ["2019-12", "2020-01"]
    assert totals.tolist() == [[300.0, 0.0], [500.0, 40.0]]
    assert places.surface.share[:, 1].sum() == 0  # nobody is robbed at sea


def test_a_calibrated_simulation_says_what_it_follows(home, real_tables):
    request = SimulationRequest(n_months=2, calibrate_to=real_tables)

    simulation = simulate_area(request, home)

    assert len(simulation.calibrated_to) == 3
    assert simulation.months.astype(str).tolist() == ["2019-12", "2020-01"]
    # 840 are expected, and the standard deviation is some 50 with the districts' gamma noise.
    assert simulation.n_victimisations == pytest.approx(840, abs=200)
    note = (simulation.folder / "SIMULATED.txt").read_text()
    assert "ta_month_victimisations_2019-12_2020-01.csv" in note


def test_tables_of_the_real_area_are_found_by_themselves(home, real_tables):
    (home.root / "raw").mkdir()
    real_tables.rename(home.root / "raw" / "auckland")

    simulation = simulate_area(SimulationRequest(n_months=1), home)

    assert simulation.calibrated_to[0] == "mb2013_centroids_nztm.csv.gz"


def test_places_alone_leave_the_totals_invented(home, real_tables):
    next(real_tables.glob("ta_month*")).unlink()

    simulation = simulate_area(
        SimulationRequest(n_months=1, scale=0.1, calibrate_to=real_tables), home
    )

    assert simulation.months.astype(str).tolist() == ["2022-02"]
    assert simulation.n_victimisations > 1_000


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("ta_month", "December 2019", "October 2019", r"the months \['2019-11', '2019-12'\] are"),
        ("ta_month", "Auckland", "Otago", "none of its authorities has places: found e.g."),
        ("ta_month", "Victimisations", "Total", r"columns \['Victimisations'\] are missing"),
        ("ta_month", "January 2020", "2020-01", "'Year Month' is not written like March 2020"),
        ("ta_month", "0,December", '"', "cannot be read as a table"),
    ],
)
def test_a_real_table_that_changed_is_named(home, real_tables, file, old, new, message):
    path = next(real_tables.glob(f"{file}*"))
    path.write_text(path.read_text().replace(old, new).replace("Hamilton", "Elsewhere"))

    with pytest.raises(SourceFormatError, match=message):
        simulate_area(SimulationRequest(n_months=1, calibrate_to=real_tables), home)


def test_centroids_of_another_city_are_refused(home, real_tables):
    elsewhere = CENTROIDS.replace("Auckland", "Dunedin City")
    (real_tables / "mb2013_centroids_nztm.csv.gz").write_bytes(gzip.compress(elsewhere.encode()))

    with pytest.raises(SourceFormatError, match="no meshblock of 'Auckland' in column TA2013_name"):
        simulate_area(SimulationRequest(n_months=1, calibrate_to=real_tables), home)


def test_more_months_than_the_real_totals_hold_is_an_error(home, real_tables):
    with pytest.raises(ValueError, match="holds 2 months, asked for 48; ask for fewer"):
        simulate_area(SimulationRequest(calibrate_to=real_tables), home)


def test_a_folder_without_centroids_cannot_be_calibrated_to(home, tmp_path):
    with pytest.raises(ValueError, match=r"holds no mb2013_centroids_nztm\.csv\.gz"):
        simulate_area(SimulationRequest(calibrate_to=tmp_path / "nothing"), home)


@pytest.mark.skipif(not SHARED.exists(), reason=f"the real tables are not at {SHARED}")
def test_the_real_tables_give_every_meshblock_and_the_real_totals():
    tables = find_tables(SHARED)
    places = real_places(tables, PROCESSES, np.random.default_rng(0))

    months, totals = real_totals(tables.totals, places, 48)

    assert len(places.code) == 46_621
    assert (str(months[0]), str(months[-1])) == ("2016-04", "2020-03")
    # Auckland, March 2020, as the publisher's table has it
    assert totals[-1, places.authority_name.index("Auckland (simulated)")] == 6_680
    assert len(tables.names) == 3

"""Auckland: its file is in the repository, its data and its table of meshblocks are not."""

import gzip
import shutil

import pytest

from crime_platform.pipeline.declared_grid import grid_of
from crime_platform.pipeline.ingest import ingest_area
from crime_platform.study_area.study_area import load_study_area
from crime_platform.warehouse.warehouse import Warehouse
from toys.paths import REPOSITORY

TOML = REPOSITORY / "data" / "study_areas" / "auckland.toml"
SHARED = REPOSITORY.parent / "shared" / "data"
BURGLARIES = SHARED / "nz-police" / "auckland_burglary_meshblock_totals.csv.gz"
CENTROIDS = SHARED / "nz-meshblock-2013" / "mb2013_centroids_nztm.csv.gz"

# Three meshblocks 100 m from the grid's south-west corner, in its middle, and south of it.
MESHBLOCKS = """MB2013,AU2013_name,X,Y
579200,Wesley,1743100,5897600
579300,Wesley,1758100,5917600
800100,Drury,1770000,5880000
"""
OLD_HEADER = (
    "Table 1\tANZSOC Division\tYear Month\tMonth Year\tANZSOC Group\tANZSOC Subdivision\t"
    "Area Unit\tLocation Type\tLocn Type Division\tMeshblock\tOccurrence Day Of Week\t"
    "Occurrence Hour Of Day\tTerritorial Authority\tWeapon\tYear Month (copy 2)\t"
    "Number of Records\tVictimisations\n"
)
NEW_HEADER = (
    "Year Month,Area Unit,Territorial Authority,Meshblock,ANZSOC Division,ANZSOC Group,"
    "ANZSOC Subdivision,Victimisations,Month Year,Locn Type Division\n"
)


def old_row(offence, block, district="Wesley.", authority="Auckland.", n=1):
    return (
        f"1 Victimisation Time and Place\t{offence}\tJuly 2019\tJuly 2019\tg\ts\t{district}\t.\t"
        f"Other Location\t{block}\tWednesday\t99.0\t{authority}\tNot Applicable\tJuly 2019\t"
        f"1\t{n}\n"
    )


@pytest.fixture
def auckland(home):
    """The area as it is in the repository, with its small table of meshblocks."""
    shutil.copy(TOML, home.study_areas)
    area = load_study_area(home.study_areas / "auckland.toml")

    places = home.root / area.sources[0].places.file
    places.parent.mkdir(parents=True)
    places.write_bytes(gzip.compress(MESHBLOCKS.encode()))
    return area


def test_the_grid_has_77_rows_and_59_columns():
    area = load_study_area(TOML)

    grid = grid_of(area)

    assert (grid.n_rows, grid.n_cols, grid.cell_size_m) == (77, 59, 500)
    assert (area.crs, area.timezone) == ("EPSG:2193", "Pacific/Auckland")


def test_six_offence_types_have_the_names_of_both_eras():
    area = load_study_area(TOML)

    assert [len(kind.labels) for kind in area.offence_types] == [2] * 6
    assert area.type_of_label["acts intended to cause injury"] == "assault"
    assert area.type_of_label["harm or endanger persons"] == "harm"


def test_files_of_both_eras_are_read_through_the_real_file(home, auckland):
    raw = home.root / "raw" / "auckland"
    rows = (
        old_row("Unlawful Entry With Intent/Burglary, Break and Enter", 579200, n=2) * 20
        + old_row("Robbery, Extortion and Related Offences", -118)
        + old_row("Theft and Related Offences", -118, district="999999")
        + old_row("Theft and Related Offences", 579200, authority="Hamilton.")
        + old_row("Theft and Related Offences", 800100, district="Drury.")
    )
    (raw / "2019.csv").write_bytes(b"\xff\xfe" + (OLD_HEADER + rows).encode("utf-16-le"))
    (raw / "Download Table_Full Data_data.csv").write_text(
        NEW_HEADER + 'January 2025,Wesley.,Auckland.,579300,"Robbery, blackmail, and extortion",'
        "g,s,3,January 2025,Dwelling\n"
    )

    report = ingest_area(auckland, home)

    assert report.problems == []
    found = Warehouse(home.warehouse).read(
        "select strftime(month, '%Y-%m'), offence_type, row, col, sum(n_incidents) from incident "
        "where study_area = 'auckland' group by all order by all"
    )
    assert found.astype(object).where(found.notna(), None).to_numpy().tolist() == [
        ["2019-07", "burglary", 0, 0, 40],
        # The area unit stands in: half way between its two meshblocks.
        ["2019-07", "robbery", 20, 15, 1],
        ["2019-07", "theft", None, None, 1],
        ["2025-01", "robbery", 40, 30, 3],
    ]


@pytest.mark.skipif(not BURGLARIES.exists(), reason=f"no real burglary totals at {BURGLARIES}")
def test_the_grid_covers_the_share_of_burglaries_that_the_file_says():
    import pandas as pd

    grid = grid_of(load_study_area(TOML))
    places = pd.read_csv(CENTROIDS, usecols=["MB2013", "X", "Y"])
    real = pd.read_csv(BURGLARIES, usecols=["Meshblock", "Records"])
    placed = real.merge(places, left_on="Meshblock", right_on="MB2013", validate="one_to_one")

    row, _ = grid.cell_of(placed["X"].to_numpy(), placed["Y"].to_numpy())

    assert placed["Records"].sum() == 60_532
    assert placed["Records"][row >= 0].sum() / 60_532 == pytest.approx(0.843, abs=0.0005)

"""What a person sees who drafts a first TOML."""

import geopandas as gpd
import pytest
from typer.testing import CliRunner

from crime_platform.cli import app
from toys.city import write_toy_city
from toys.small_town import invented
from toys.workbooks import workbook


def call(*arguments, columns="200"):
    return CliRunner().invoke(app, [str(word) for word in arguments], env={"COLUMNS": columns})


def test_a_drafted_area_is_written_and_checked(home):
    write_toy_city(home)
    file = home.root / "raw" / "toy" / "all.csv"

    answer = call("new-area", file, "--name", "drafted", "--timezone", "America/Detroit")

    written = (home.study_areas / "drafted.toml").read_text()
    assert answer.exit_code == 0, answer.output
    assert 'timezone = "America/Detroit" # given, but the points lie in America/Toronto' in written
    assert 'Worth a look: timezone = "America/Detroit" was given, but' in answer.output
    assert 'paths = ["raw/toy/all.csv"]' in written
    assert "Next: crime-platform run --study-area drafted" in " ".join(answer.stdout.split())


def test_an_area_that_is_there_is_never_overwritten(home):
    write_toy_city(home)
    before = (home.study_areas / "toy.toml").read_text()

    answer = call("new-area", home.root / "raw/toy/all.csv", "--name", "toy")

    assert answer.exit_code == 2
    assert "toy.toml exists and is not overwritten" in answer.stderr
    assert (home.study_areas / "toy.toml").read_text() == before


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--name", "New York"], "--name: expected small letters"),
        (["--output", "mistyped/a.toml"], "there is no folder"),
        (["--output", "/proc/a.toml"], "--output /proc/a.toml: cannot be written"),
        (["--output", "New York.toml"], "--output: expected small letters"),
        (["--name", "a", "--output", "b.toml"], "b.toml must be called a.toml, after the area"),
        (["--column", "offense=Kind"], "--column offense=Kind: expected KEY=NAME"),
        (["--column", "offence"], "--column offence=: expected KEY=NAME"),
        (["--column", "offence=Kind"], "the file has no column 'Kind'"),
    ],
)
def test_options_that_cannot_be_meant_are_told(home, options, told):
    write_toy_city(home)

    answer = call("new-area", home.root / "raw/toy/all.csv", *options)

    assert answer.exit_code == 2
    assert told in " ".join(answer.stderr.split())
    assert sorted(path.name for path in home.study_areas.iterdir()) == ["toy.toml"]


# --- options, one for each key that a person may have to say --------------------------------


def drafted(home, *options):
    """Text of the TOML, and the answer."""
    answer = call("new-area", *options, "--name", "town")
    toml = home.study_areas / "town.toml"
    assert toml.exists(), answer.output
    return toml.read_text(), answer


def rows_of_the_town():
    header, *rows = invented().splitlines()
    return header.split(";"), [row.split(";") for row in rows]


def test_the_sheet_of_a_workbook_is_asked_for_and_taken(home):
    file = home.root / "town.xlsx"
    header, rows = rows_of_the_town()
    file.write_bytes(workbook(Old=[header, *rows[:400]], New=[header, *rows]))

    asked = call("new-area", file, "--name", "town")
    text, answer = drafted(home, file, "--sheet", "New")

    assert asked.exit_code == 2
    assert all(sheet in asked.stderr for sheet in ("Old", "New"))
    assert 'sheet = "New"\n' in text
    assert f"1 file, {len(rows):,} rows" in answer.stdout


def test_the_layer_of_a_file_with_several_is_asked_for_and_taken(home):
    file = home.root / "town.gpkg"
    header, rows = rows_of_the_town()
    frame = gpd.GeoDataFrame(
        rows,
        columns=header,
        geometry=gpd.points_from_xy([row[5] for row in rows], [row[6] for row in rows]),
        crs="EPSG:4326",
    ).drop(columns=["Lon", "Lat"])
    for layer in ("thefts", "others"):
        frame.to_file(file, layer=layer, engine="pyogrio")

    asked = call("new-area", file, "--name", "town")
    text, _ = drafted(home, file, "--layer", "others")

    assert asked.exit_code == 2
    assert all(layer in asked.stderr for layer in ("thefts", "others"))
    assert 'layer = "others"\n' in text


def test_what_only_a_person_knows_reaches_the_toml(home):
    folder = home.root / "raw" / "town"
    folder.mkdir(parents=True)
    header, rows = rows_of_the_town()
    for n, year in enumerate(("2019", "2020", "2021")):
        kept = [";".join(row) for row in rows if row[2][6:10] == year]
        (folder / f"{n}.csv").write_text("\n".join([";".join(header), *kept]), encoding="cp1252")
    (folder / "copy.csv").write_bytes((folder / "0.csv").read_bytes())

    text, answer = drafted(
        home,
        folder,
        *("--exclude", "copy.csv", "--encoding", "cp1252", "--country", "DE-NW"),
        *("--date-format", "%d/%m/%Y %H:%M", "--offence-label", "Theft"),
    )

    assert 'paths = ["raw/town/**/*.csv"]\n' in text
    assert 'exclude = ["copy.csv"]' in text
    assert 'encoding = "cp1252"' in text
    assert 'datetime_format = "%d/%m/%Y %H:%M"' in text
    assert 'offence_label = "Theft"' in text
    assert 'subdivision = "NW"' in text
    assert "3 files" in answer.stdout


def test_codes_of_places_are_drafted_with_their_table(home):
    _, rows = rows_of_the_town()
    codes = {lon: f"A{n}" for n, lon in enumerate(sorted({row[5] for row in rows}))}
    lines = [",".join([row[0], row[2], row[3], codes[row[5]]]) for row in rows]
    file, places = home.root / "town.csv", home.root / "areas.csv"
    file.write_text("\n".join(["Case No,Date Occurred,Offence,Area", *lines]))
    places.write_text("code,lon,lat\nA0,7.10,50.70\nA1,7.11,50.71\nA2,7.12,50.72\n")

    text, _ = drafted(home, file, "--places", places)

    assert 'place = "Area"' in text
    assert '[source.places]\nfile = "areas.csv"' in text

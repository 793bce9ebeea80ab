"""What the release says of each area: taken from TOMLs, part of the release's name."""

import pytest

from crime_platform.pipeline.ingest import GRID_FILE
from crime_platform.publication.area_rows import area_tables
from crime_platform.publication.publish import rebuild_release
from crime_platform.publication.release import open_release
from crime_platform.schema.model_titles import model_title
from crime_platform.vocabulary.artifact import write_json
from toys.city import TOY_AREA
from toys.street_town import write_town

POLICE_UK = """
name = "avon"
title = "Avon"
crs = "EPSG:27700"
timezone = "Europe/London"
first_month = "2020-01"

[grid]
cell_size_m = 250

[[offence_type]]
name = "drugs"
title = "Drug offences"
labels = ["Drugs"]
police_discovered = true

[[offence_type]]
name = "burglary"
labels = ["Burglary"]

[[source]]
name = "street_files"
format = "police_uk"
paths = ["raw/avon/*.zip"]
"""
NO_EXTENT = "extent_m = [630000, 4833000, 631000, 4834000]\n"


def write_avon(home, *, discovered=True):
    flag = "includes_police_discovered = true\n" if discovered else ""
    (home.study_areas / "avon.toml").write_text(flag + POLICE_UK)


def rows(home, table):
    with open_release(home) as connection:
        return connection.sql(f"select * from {table} order by all").fetchall()


def records(tables, name):
    return [tuple(row.values()) for row in tables[name].to_dict("records")]


def test_the_release_says_what_its_area_is(published):
    grid = (500.0, 630000.0, 4830000.0, 6, 5)  # 3 km north to south, 2.5 km west to east
    zone = "America/Toronto"

    assert rows(published, "study_area") == [("toy", "Toy city", "EPSG:26917", *grid, zone, False)]
    assert rows(published, "offence_type") == [
        ("toy", "assault", 0, "Assault", False),
        ("toy", "robbery", 1, "Robbery", False),
    ]
    assert rows(published, "offence_group") == []
    assert rows(published, "source") == [("toy", "toy_police", None, None, None)]


@pytest.mark.slow
def test_the_release_says_what_an_area_of_streets_alone_is(published_streets):
    grid = (500.0, 630000.0, 4833000.0, 2, 2)

    assert rows(published_streets, "study_area") == [
        ("town", "Small Town", "EPSG:26917", *grid, "America/Toronto", False)
    ]
    assert rows(published_streets, "offence_group") == [("town", "violent", 0, "violent")]
    assert rows(published_streets, "source") == [("town", "police", None, None, None)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('title = "Toy city"', 'title = "Toy town"'),
        ('title = "Robbery"', 'title = "Theft with force"'),
        ('name = "toy_police"', 'name = "toy_police"\nlicence = "CC BY 4.0"'),
    ],
)
def test_a_changed_title_or_licence_makes_a_new_release(published, before, after):
    old = published.forecasts.resolve().name
    toml = published.study_areas / "toy.toml"
    toml.write_text(toml.read_text().replace(before, after))

    new = rebuild_release(published).name

    assert new != old
    assert published.forecasts.resolve().name == new


def test_nothing_changed_makes_no_new_release(published):
    old = published.forecasts.resolve()

    assert rebuild_release(published) == old


def test_an_area_whose_toml_is_gone_stays_published_without_a_row(published):
    (published.study_areas / "toy.toml").unlink()

    rebuild_release(published)

    assert rows(published, "study_area") == []
    assert rows(published, "source") == []
    assert len(rows(published, "release")) == 1


def test_a_toml_that_cannot_be_read_stops_no_release_and_has_no_row(home):
    (home.study_areas / "toy.toml").write_text(TOY_AREA.replace("crs", "csr"))
    write_avon(home)

    tables = area_tables(home, ["toy", "avon"])

    assert tables["study_area"]["study_area"].tolist() == ["avon"]


def test_publisher_and_licence_of_a_known_format_need_no_toml(home):
    write_avon(home)

    tables = area_tables(home, ["avon", "avon"])

    licence = "Open Government Licence v3.0"
    assert records(tables, "source") == [
        ("avon", "street_files", "data.police.uk", licence, "https://data.police.uk")
    ]
    assert records(tables, "offence_type") == [
        ("avon", "drugs", 0, "Drug offences", True),
        ("avon", "burglary", 1, "burglary", False),
    ]


def test_a_grid_that_was_never_found_is_left_out_and_not_made(home):
    write_avon(home)

    row = area_tables(home, ["avon"])["study_area"].iloc[0]

    assert row[["west_m", "south_m", "n_rows", "n_cols"]].isna().all()
    assert row["cell_size_m"] == 250
    assert not (home.artifacts("avon") / GRID_FILE).exists()


def test_a_grid_that_was_found_is_told(home):
    write_avon(home)
    grid = {"crs": "EPSG:27700", "x_min": 350000.0, "y_min": 160000.0, "cell_size_m": 250.0}
    write_json(home.artifacts("avon") / GRID_FILE, {**grid, "n_rows": 8, "n_cols": 9})

    row = area_tables(home, ["avon"])["study_area"].iloc[0]

    assert row[["west_m", "south_m", "n_rows", "n_cols"]].tolist() == [350000, 160000, 8, 9]


def test_an_area_whose_boundary_file_is_gone_has_no_grid(home):
    boundary = (NO_EXTENT, 'boundary_file = "raw/gone.gpkg"\n')
    write_town(home, changes=(boundary,))

    row = area_tables(home, ["town"])["study_area"].iloc[0]

    assert row["title"] == "Small Town"
    assert row[["west_m", "n_rows"]].isna().all()


def test_groups_of_streets_are_told_in_the_order_of_the_toml(home):
    write_town(home)

    tables = area_tables(home, ["town"])

    assert records(tables, "offence_group") == [
        ("town", "homes", 0, "homes"),
        ("town", "street", 1, "street"),
    ]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("historical_average", "Historical average"),
        ("st_resnet", "ST-ResNet"),
        ("st_resnet_log1p_mse", "ST-ResNet (log1p, MSE)"),
        ("policy", "Policy (no model)"),
        ("gldnet", "GLDNet"),
        ("a_new_one", "A new one"),
    ],
)
def test_models_have_titles_that_people_read(name, title):
    assert model_title(name) == title

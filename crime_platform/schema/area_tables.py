"""The published tables that say what an area is: its grid, its offence types, its sources.

They are taken from the TOML of each published area, so that a reader of the release needs none.
"""

from crime_platform.schema.columns import AREA, OFFENCE, Column, Table

AREA_TABLES = (
    Table(
        "study_area",
        "Published study areas as their TOML declares them; an area whose TOML is gone has no row",
        (
            AREA,
            Column("title", "VARCHAR", "Title of the study area"),
            Column("crs", "VARCHAR", "Projected coordinate reference system, metres"),
            Column("cell_size_m", "DOUBLE", "Side of a grid cell, metres"),
            Column("west_m", "DOUBLE", "West edge of the grid, metres; NULL without a grid"),
            Column("south_m", "DOUBLE", "South edge of the grid, metres; NULL without a grid"),
            Column("n_rows", "INTEGER", "Rows of the grid; NULL without a grid"),
            Column("n_cols", "INTEGER", "Columns of the grid; NULL without a grid"),
            Column("timezone", "VARCHAR", "IANA name of the time zone of its days"),
            Column("is_simulated", "BOOLEAN", "True where no incident ever happened"),
        ),
    ),
    Table(
        "offence_type",
        "Offence types of each study area, in the order of its TOML",
        (
            AREA,
            OFFENCE,
            Column("position", "INTEGER", "Place in the TOML, 0 is the first"),
            Column("title", "VARCHAR", "Title of the offence type"),
            Column(
                "is_police_discovered",
                "BOOLEAN",
                "True where incidents are recorded because police looked",
            ),
        ),
    ),
    Table(
        "offence_group",
        "Offence groups that are counted on streets, in the order of the area's TOML",
        (
            AREA,
            Column("offence_group", "VARCHAR", "Offence group of the study area's TOML"),
            Column("position", "INTEGER", "Place in the TOML, 0 is the first"),
            Column("title", "VARCHAR", "Title of the offence group"),
        ),
    ),
    Table(
        "source",
        "Where the incidents of each study area come from",
        (
            AREA,
            Column("source", "VARCHAR", "Name of the source block in the TOML"),
            Column("publisher", "VARCHAR", "Who publishes the files; NULL where the TOML is mute"),
            Column("licence", "VARCHAR", "Under which licence; NULL where the TOML is mute"),
            Column("url", "VARCHAR", "Where they are found; NULL where the TOML is mute"),
        ),
    ),
)

"""The study area of the simulated city: a TOML file that says so in its title and its publisher."""

import json
from pathlib import Path

import numpy as np

from crime_platform.simulation.places import CITY, GRID_EXTENT_M, Places

AREA_NAME = "auckland_simulated"
PLACES_FILE = "simulated_places.csv.gz"
FILES = "simulated_*.csv"
PUBLISHED_ON = "simulated_%Y-%m-%d.csv"
TEMPLATE = """\
# SIMULATED. Written by `crime-platform simulate auckland`, which overwrites it; nothing in these
# files ever happened. Grid, labels and layout are those of auckland.toml.
name = "{name}"
title = "Auckland (simulated)"
simulated = true
crs = "EPSG:2193"
timezone = "Pacific/Auckland"
step = "month"
first_month = "{first}"
last_month = "{last}"

[calendar]
country = "NZ"
subdivision = "AUK"

[grid]
cell_size_m = 500
extent_m = {extent}

[[offence_type]]
name = "theft"
title = "Theft"
labels = ["Theft and Related Offences", "Theft"]

[[offence_type]]
name = "burglary"
title = "Burglary"
labels = ["Unlawful Entry With Intent/Burglary, Break and Enter", "Burglary"]

[[offence_type]]
name = "assault"
title = "Assault"
labels = ["Acts Intended to Cause Injury", "Assault"]

[[offence_type]]
name = "robbery"
title = "Robbery, blackmail and extortion"
labels = ["Robbery, Extortion and Related Offences", "Robbery, blackmail, and extortion"]

[[offence_type]]
name = "sexual_offences"
title = "Sexual offences"
labels = ["Sexual Assault and Related Offences", "Sexual Offences"]

[[offence_type]]
name = "harm"
title = "Abduction, harassment and endangering"
labels = [
    "Abduction, Harassment and Other Related Offences Against a Person",
    "Harm or endanger persons",
]

[[source]]
name = "simulated_victimisations"
format = "nz_police"
paths = [{files}]
published_on = "{published_on}" # so that the downloads tell what was known when
publisher = "simulated, no real incident"
licence = "none: simulated"

[source.only]
column = "Territorial Authority"
values = ["{city}"]

[source.places]
file = {places_file}
vintage = "{vintage}"
code = "MB2013"
x = "X"
y = "Y"
crs = "EPSG:2193"
district = "AU2013_name"
unknown = ["-118", "999999"]

[quality]
max_outside_share = 0.25 # the city reaches beyond the grid, as the real one does
"""


def area_file(folder: str, places: Places, months: np.ndarray) -> str:
    """The TOML file; `folder` is absolute or below the home folder."""
    return TEMPLATE.format(
        name=AREA_NAME,
        first=months[0],
        last=months[-1],
        extent=[int(edge) for edge in GRID_EXTENT_M],
        files=json.dumps(f"{folder}/{FILES}"),
        published_on=PUBLISHED_ON,
        city=CITY,
        places_file=json.dumps(f"{folder}/{PLACES_FILE}"),
        vintage=places.vintage,
    )


def write_places(path: Path, places: Places) -> None:
    """The table of places in the columns of Stats NZ's: code, area unit, centroid."""
    import pandas as pd

    table = pd.DataFrame(
        {
            "MB2013": places.code,
            "AU2013_name": np.array(places.district_name)[places.surface.district],
            "TA2013_name": np.array(places.authority_name)[places.surface.authority],
            "X": places.surface.x_m,
            "Y": places.surface.y_m,
        }
    )
    # Without a time in it, equal places give equal bytes.
    table.to_csv(path, index=False, compression={"method": "gzip", "mtime": 0})

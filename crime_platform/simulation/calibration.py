"""What a simulation takes from real tables: where people live, and how much was recorded when.

Three tables, each with what follows it:

- Stats NZ's centroids of the meshblocks of 2013: codes, area units, authorities and points are
  theirs, and long-run shares follow the population.
- New Zealand Police's monthly totals by territorial authority, July 2014 to March 2020: each
  authority's expected total in each month is the real one. The mix of offences is Auckland's of
  2025 everywhere, because the totals do not tell offences apart.
- recorded burglaries by meshblock of Auckland, about 2014 to 2017: the long-run shares of burglary.

What happens where and when is invented all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from crime_platform.simulation.offences import OffenceProcess
from crime_platform.simulation.places import CITY, Places, long_run_shares
from crime_platform.simulation.process import Surface
from crime_platform.vocabulary.incident import SourceFormatError
from crime_platform.vocabulary.timesteps import missing_months

if TYPE_CHECKING:
    import pandas as pd

CENTROIDS = "mb2013_centroids_nztm.csv.gz"
TOTALS = "ta_month_victimisations*.csv"
BURGLARIES = "auckland_burglary_meshblock_totals.csv.gz"
CITY_AUTHORITY = "Auckland"
KINDS_OF_AUTHORITY = (" District", " City", " Territory")  # left out of the monthly totals' names
CENTROID_COLUMNS = ("MB2013", "AU2013_name", "TA2013_name", "LC2013_name", "X", "Y", "Pop2013")
WATER = ("Oceanic", "Inlet", "Inland Water")
PEOPLE_FLOOR = 10.0  # added to every meshblock on land: shops and offices have no residents
UNSEEN_RECORDS = 0.25  # of a meshblock without a recorded burglary


@dataclass(frozen=True, slots=True, kw_only=True)
class RealTables:
    """Real tables that were found; only the centroids are needed."""

    centroids: Path
    totals: Path | None = None
    burglaries: Path | None = None

    @property
    def names(self) -> list[str]:
        """Files that are used, for messages."""
        files = (self.centroids, self.totals, self.burglaries)
        return [path.name for path in files if path is not None]


def find_tables(folder: Path) -> RealTables | None:
    """The tables in a folder or below it; None without the centroids."""
    found = [
        min(folder.rglob(pattern), default=None) for pattern in (CENTROIDS, TOTALS, BURGLARIES)
    ]
    if found[0] is None:
        return None
    return RealTables(centroids=found[0], totals=found[1], burglaries=found[2])


def real_places(
    tables: RealTables, processes: Sequence[OffenceProcess], random: np.random.Generator
) -> Places:
    """The real meshblocks, with long-run shares from population and recorded burglaries.

    Raises:
        SourceFormatError: if a table cannot be read, lacks a column, or does not hold the city.
    """
    table = _read(tables.centroids, CENTROID_COLUMNS)
    if CITY_AUTHORITY not in set(table["TA2013_name"]):
        raise SourceFormatError(
            f"{tables.centroids}: no meshblock of {CITY_AUTHORITY!r} in column TA2013_name, found "
            f"e.g. {sorted(set(table['TA2013_name'].astype(str)))[:3]}; take the table of the "
            "whole country"
        )
    is_land = ~table["LC2013_name"].isin(WATER)
    people = (table["Pop2013"] + PEOPLE_FLOOR).where(is_land, 0.0).to_numpy(dtype=float)
    district, district_names = table["AU2013_name"].factorize(sort=True)
    authority, authority_names = table["TA2013_name"].factorize(sort=True)
    known = np.full((len(processes), len(table)), np.nan)
    if tables.burglaries is not None:
        known[[process.name for process in processes].index("burglary")] = _burglary_weights(
            tables.burglaries, table["MB2013"], table["TA2013_name"], people
        )
    population = np.bincount(authority, people)
    return Places(
        code=table["MB2013"].to_numpy(),
        district_name=tuple(map(str, district_names)),
        authority_name=tuple(
            CITY if n == CITY_AUTHORITY else f"{n} (simulated)" for n in authority_names
        ),
        authority_share=population / population.sum(),
        surface=Surface(
            x_m=table["X"].to_numpy(dtype=float),
            y_m=table["Y"].to_numpy(dtype=float),
            authority=authority,
            district=district,
            share=long_run_shares(processes, people, authority, random, known=known),
        ),
        vintage="meshblocks 2013 (Stats NZ), with simulated incidents",
    )


def real_totals(
    path: Path, places: Places, n_months: int
) -> tuple[np.ndarray, Float[np.ndarray, "month authority"]]:
    """The last months of the real series, and each authority's victimisations in them.

    Raises:
        SourceFormatError: if the table cannot be read, lacks a column or a month, or names no
            authority we know.
        ValueError: if it holds fewer months than asked for.
    """
    import pandas as pd

    table = _read(path, ("Year Month", "Territorial Authority", "Victimisations"))
    try:
        month = pd.to_datetime(table["Year Month"], format="%B %Y")
    except ValueError as error:
        raise SourceFormatError(
            f"{path}: column 'Year Month' is not written like March 2020 ({error}); fetch the "
            "table again, or leave it out of the folder"
        ) from error
    months = np.unique(month.to_numpy().astype("datetime64[M]"))
    gaps = missing_months(months)
    if gaps.size:
        raise SourceFormatError(
            f"{path}: the months {gaps.astype(str).tolist()} are missing, expected every "
            "month between the first and the last; fetch the table again"
        )
    if n_months > len(months):
        raise ValueError(
            f"--months: {path.name} holds {len(months)} months, asked for {n_months}; "
            "ask for fewer, or simulate without calibration"
        )
    wide = table.pivot_table(
        index=month, columns="Territorial Authority", values="Victimisations", aggfunc="sum"
    ).fillna(0.0)
    names = [_short_name(name) for name in places.authority_name]
    if not set(names) & set(wide.columns):
        raise SourceFormatError(
            f"{path}: none of its authorities has places: found e.g. {sorted(wide.columns)[:3]}, "
            f"expected e.g. {names[:3]}; fetch the table again, or leave it out of the folder"
        )
    return months[-n_months:], wide.reindex(columns=names, fill_value=0.0).to_numpy()[-n_months:]


def _burglary_weights(
    path: Path, code: "pd.Series", authority_name: "pd.Series", people: np.ndarray
) -> Float[np.ndarray, " place"]:
    """Recorded burglaries of the city's meshblocks; NaN elsewhere."""
    records = _read(path, ("Meshblock", "Records")).groupby("Meshblock")["Records"].sum()
    recorded = records.reindex(code).fillna(UNSEEN_RECORDS).to_numpy(dtype=float)
    recorded = np.where(people > 0, recorded, 0.0)
    return np.where(authority_name == CITY_AUTHORITY, recorded, np.nan)


def _short_name(name: str) -> str:
    """An authority as the monthly totals name it: `Hamilton City (simulated)` is `Hamilton`."""
    plain = name.removesuffix(" (simulated)")
    for kind in KINDS_OF_AUTHORITY:
        plain = plain.removesuffix(kind)
    return plain


def _read(path: Path, columns: Sequence[str]) -> "pd.DataFrame":
    import pandas as pd

    try:
        table = pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise SourceFormatError(
            f"{path}: cannot be read as a table ({error}); fetch it again, or leave it out of the "
            "folder"
        ) from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise SourceFormatError(
            f"{path}: columns {missing} are missing, found {list(table.columns)}; fetch the table "
            "again, or leave it out of the folder"
        )
    return table[list(columns)]

"""A toy city of five by six cells: its TOML, its one file, and a home to run it in."""

from pathlib import Path

import numpy as np
import pytest

from crime_platform.vocabulary.home import HOME_VARIABLE, PlatformHome
from toys.paths import REPOSITORY

INSIDE, OUTSIDE = "-79.374,43.625", "-79.0,43.0"  # of the toy city's grid
MONTHS = [str(month) for month in np.arange("2019-01", "2021-07", dtype="datetime64[M]")]
TOY_AREA = """
name = "toy"
title = "Toy city"
crs = "EPSG:26917"
timezone = "America/Toronto"
step = "month"
first_month = "2019-01"
last_month = "{last_month}"

[grid]
cell_size_m = 500
extent_m = [630000, 4830000, 632500, 4833000]

[[offence_type]]
name = "assault"
title = "Assault"
labels = ["Assault"]

[[offence_type]]
name = "robbery"
title = "Robbery"
labels = ["Robbery"]

[[source]]
name = "toy_police"
paths = ["raw/toy/*.csv"]

[source.columns]
occurred_at = "date"
offence = "offence"
lon = "lon"
lat = "lat"

[backtest]
n_origins = 6
refit_every = 12
"""


def toy_counts(n_months: int, *, moving: bool) -> np.ndarray:
    """Poisson counts [month, type, row, col]; where `moving`, hot spots move after a year.

    Recent months then tell more than the average of all, so a recency-weighted baseline beats the
    historical average; where they stay, nothing does.
    """
    random = np.random.default_rng(7)
    early, late = random.gamma(0.7, 6.0, (2, 2, 6, 5))
    rates = np.repeat(early[None], n_months, axis=0)
    if moving:
        rates[12:] = late
    return random.poisson(rates)


def write_toy_csv(path: Path, counts: np.ndarray, *, first: str = "2019-01") -> None:
    """One row per incident, in the middle of its cell, spread over the days of the month."""
    from pyproj import Transformer

    to_lonlat = Transformer.from_crs("EPSG:26917", "EPSG:4326", always_xy=True)
    row, col = np.indices(counts.shape[2:])
    lon, lat = to_lonlat.transform(630250 + 500 * col, 4830250 + 500 * row)
    lines = ["date,offence,lon,lat"]
    for step, kind, r, c in zip(*np.nonzero(counts), strict=True):
        month = np.datetime64(first, "M") + int(step)
        days = int(
            ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(int)
        )
        for number in range(counts[step, kind, r, c]):
            day = month.astype("datetime64[D]") + (r * 7 + c * 3 + number) % days
            label = ("Assault", "Robbery")[kind]
            lines.append(f"{day},{label},{lon[r, c]:.7f},{lat[r, c]:.7f}")
    # every month is whole: one incident on its last day
    for step in range(len(counts)):
        last = (np.datetime64(first, "M") + step + 1).astype("datetime64[D]") - 1
        lines.append(f"{last},Assault,{lon[0, 0]:.7f},{lat[0, 0]:.7f}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def prepare_home(root: Path) -> PlatformHome:
    """An empty platform home with the repository's Dagster settings."""
    settings_file = REPOSITORY / "data" / "dagster_home" / "dagster.yaml"
    (root / "dagster_home").mkdir(parents=True)
    (root / "dagster_home" / "dagster.yaml").write_text(settings_file.read_text())
    (root / "study_areas").mkdir()
    return PlatformHome(root)


def write_toy_city(
    home: PlatformHome,
    *,
    n_months: int = 30,
    moving: bool = True,
    last_month: str | None = None,
) -> None:
    """The toy city's TOML and its one file."""
    last = last_month or str(np.datetime64("2019-01", "M") + n_months - 1)
    (home.study_areas / "toy.toml").write_text(TOY_AREA.format(last_month=last))
    write_toy_csv(home.root / "raw/toy/all.csv", toy_counts(n_months, moving=moving))


def use_home(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    """Make this process use a home."""
    monkeypatch.setenv(HOME_VARIABLE, str(root))
    monkeypatch.setenv("DAGSTER_HOME", str(root / "dagster_home"))
    monkeypatch.setenv("DAGSTER_DISABLE_TELEMETRY", "1")


def days(months, n=28, label="Assault", at=INSIDE):
    """One row on each of the first days of each month; with 28 every month is whole."""
    return [f"{month}-{day:02d},{label},{at}" for month in months for day in range(1, n + 1)]


BOTH = days(MONTHS) + days(MONTHS, label="Robbery")

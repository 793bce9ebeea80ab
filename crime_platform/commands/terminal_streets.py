"""The leaderboard of street models in the terminal."""

from typing import TYPE_CHECKING

import pandas as pd
from rich.table import Table

if TYPE_CHECKING:
    from rich.console import Console

CAPTION = (
    "skill over long_run_frequency in mean Poisson deviance and bias, in %; 95 %: interval over "
    "weeks; @5: share of incidents on the riskiest 5 % of street length (of places, where there "
    "are no street lines); * is published; the test days chose nothing"
)


def print_street_leaderboard(console: "Console", rows: pd.DataFrame) -> None:
    """The street leaderboard of each area one day ahead, the champion marked."""
    if rows.empty:
        console.print(
            "No street forecast is published yet: crime-platform run --streets makes one for an "
            "area with [streets] in its TOML."
        )
    for (area, as_of), group in rows.groupby(["study_area", "as_of_day"]):
        n_days, n_incidents = int(group["n_days"].max()), int(group["n_incidents"].max())
        table = Table(
            title=f"{area}, streets as of {str(as_of)[:10]}: {n_days} test days, "
            f"{n_incidents:,} incidents",
            caption=CAPTION,
        )
        table.add_column("model", no_wrap=True)
        for name in ("skill", "95 %", "@5", "@10", "@20", "bias"):
            table.add_column(name, justify="right", no_wrap=True)
        for row in group.to_dict("records"):
            table.add_row(*_cells(row), style="bold green" if row["is_champion"] else None)
        console.print(table)


def _cells(row: dict) -> list[str]:
    low, high = row["deviance_skill_low"], row["deviance_skill_high"]
    interval = "" if pd.isna(low) or low == high else f"{100 * low:+.1f} to {100 * high:+.1f}"
    shares = [row[name] for name in ("hit_rate_5", "hit_rate_10", "hit_rate_20")]
    return [
        f"{'*' if row['is_champion'] else ' '}{row['model']}",
        f"{100 * row['deviance_skill']:+.1f}",
        interval,
        *("" if pd.isna(share) else f"{share:.3f}" for share in shares),
        f"{100 * row['bias_share']:+.1f}",
    ]

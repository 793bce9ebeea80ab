"""Pictures of calibration: reliability and randomised PIT."""

from typing import TYPE_CHECKING

import numpy as np

from crime_platform.reporting.facts import Facts
from crime_platform.reporting.figures.drawing import INK, ORANGE, QUIET, SKY, in_style, new_figure
from crime_platform.reporting.figures.scores import model_label
from crime_platform.schema.values import ALL_RATES

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOMINAL = {80: 0.80, 95: 0.95}
TOLERANCE = 0.02  # of the PIT share inside a central interval
PANELS_A_ROW = 4
LOWEST_TOP = 1.6  # of the PIT panels: small departures must look small
POINTS = (
    {"color": INK, "marker": "o", "linestyle": "none"},
    {"color": ORANGE, "marker": "s", "linestyle": "none", "mfc": "none"},
)
NOISE = 1.96  # standard errors in a 95 % band


def calibration_by_group(facts: Facts) -> "pd.DataFrame":
    """The champion's shares inside its intervals per rate group, and whether they are off.

    PIT shares are off when they lie more than `TOLERANCE` from nominal, plain coverage when it lies
    below nominal.
    """
    rows = _of_champion(facts, "calibration").set_index("rate_group")
    rows = rows[rows["n"] > 0]
    table = rows[["n"]].copy()
    table["recorded_per_case"] = rows["sum_observed"] / rows["n"]
    table["expected_per_case"] = rows["sum_expected"] / rows["n"]
    for level, nominal in NOMINAL.items():
        table[f"pit_{level}"] = rows[f"n_pit_inside_{level}"] / rows["n"]
        table[f"covered_{level}"] = rows[f"n_inside_{level}"] / rows["n"]
        table[f"stated_{level}"] = rows[f"sum_stated_{level}"] / rows["n"]
        table[f"pit_{level}_is_off"] = (table[f"pit_{level}"] - nominal).abs() > TOLERANCE
        table[f"covered_{level}_is_off"] = table[f"covered_{level}"] < nominal
    return table.loc[in_rate_order(list(table.index))]


def in_rate_order(groups: list[str]) -> list[str]:
    """All first, then the rate groups from the lowest rate, as their names state it."""

    def rate(group: str) -> float:
        numbers = [float(word) for word in group.split() if word.replace(".", "", 1).isdigit()]
        is_open_below = group.startswith(("below", "under", "up to", "<"))
        return -1.0 if group == ALL_RATES or not numbers else numbers[0] * (not is_open_below)

    return sorted(groups, key=rate)


@in_style
def reliability_figure(facts: Facts) -> "Figure":
    """Recorded against expected incidents per case in bins of the expected count, and the ratio."""
    figure = new_figure(3.7)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.35))
    reliability = facts.candidate.table("reliability")
    for model, style in zip([facts.champion, facts.best_baseline], POINTS, strict=True):
        rows = reliability[(reliability["model"] == model) & (reliability["lead"] == 1)]
        rows = rows[(rows["sum_observed"] > 0) & (rows["sum_expected"] > 0)]
        n, recorded, expected = (
            rows[name].to_numpy(dtype=float) for name in ("n", "sum_observed", "sum_expected")
        )
        error = NOISE * np.sqrt(recorded)  # of a Poisson sum
        # Never down to zero, which a logarithmic axis cannot show.
        bars = np.vstack([np.minimum(error, 0.9 * recorded), error])
        label = model_label(model)
        left.errorbar(expected / n, recorded / n, yerr=bars / n, label=label, **style)
        right.errorbar(expected / n, recorded / expected, yerr=bars / expected, **style)
    for axes in (left, right):
        axes.set_xscale("log")
    left.set_yscale("log")
    left.axline((0.1, 0.1), (1, 1), color=QUIET, linewidth=1, zorder=0)
    left.set_ylabel("recorded per cell and month")
    left.set_title("Recorded against expected")
    left.legend(loc="upper left")
    right.axhline(1, color=QUIET, linewidth=1, zorder=0)
    right.set_title("Recorded / expected")
    for axes in (left, right):
        axes.xaxis.set_major_formatter(_plain)
        axes.grid()
        axes.set_xlabel("expected per cell and month")
    left.yaxis.set_major_formatter(_plain)
    return figure


def _plain(value: float, _place: int) -> str:
    return f"{value:g}"


@in_style
def pit_figure(facts: Facts) -> "Figure":
    """Histograms of the champion's randomised PIT, one panel per rate group."""
    table = _of_champion(facts, "pit_histogram").sort_values("bin")
    table = table[table.groupby("rate_group")["n"].transform("sum") > 0]
    groups = in_rate_order(list(table["rate_group"].unique()))
    n_cols = min(len(groups), PANELS_A_ROW)
    n_rows = -(-len(groups) // n_cols)
    figure = new_figure(0.4 + 1.75 * n_rows)
    panels = figure.subplots(n_rows, n_cols, sharey=True, squeeze=False).ravel()
    highest = LOWEST_TOP
    for axes, group in zip(panels, groups, strict=False):
        counts = table.loc[table["rate_group"] == group, "n"].to_numpy(dtype=float)
        density = counts * len(counts) / max(counts.sum(), 1)
        _pit_panel(axes, density, NOISE * np.sqrt((len(counts) - 1) / max(counts.sum(), 1)))
        axes.set_title("all rates" if group == ALL_RATES else f"rate {group}")
        highest = max(highest, 1.08 * density.max())
    panels[0].set_ylim(0, highest)
    for axes in panels[len(groups) :]:
        axes.set_axis_off()
    figure.supxlabel("probability integral transform", fontsize=9, color=QUIET)
    figure.supylabel("density", fontsize=9, color=QUIET)
    return figure


def _pit_panel(axes: "Axes", density: np.ndarray, noise: float) -> None:
    edges = np.linspace(0, 1, len(density) + 1)
    axes.stairs(density, edges, fill=True, color=SKY, alpha=0.75)
    axes.axhline(1, color=INK, linewidth=1)
    for limit in (1 - noise, 1 + noise):
        axes.axhline(limit, color=INK, linewidth=0.8, linestyle=(0, (3, 2)))
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])


def _of_champion(facts: Facts, name: str) -> "pd.DataFrame":
    table = facts.candidate.table(name)
    return table[(table["model"] == facts.champion) & (table["lead"] == 1)]

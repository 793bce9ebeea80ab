"""Small pictures of the street models for the UI, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crime_platform.defs.plots import OURS, THEIRS, as_png
from crime_platform.schema.values import ANY, LONG_RUN_FREQUENCY, TEST

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_COVERAGE = 0.5  # beyond it every model finds nearly all
WIDE_INCHES = (6.4, 2.6)


def training_plot(curves: Sequence[Mapping[str, Any]]) -> bytes:
    """Loss and hit rate after each epoch, a line for each seed."""
    seeds = sorted({int(row["seed"]) for row in curves})
    of_seed = {seed: [row for row in curves if row["seed"] == seed] for seed in seeds}

    def losses(axes: "Axes") -> None:
        for rows in of_seed.values():
            epochs = [row["epoch"] for row in rows]
            axes.plot(epochs, [row["loss"] for row in rows], color=THEIRS, linewidth=1)
            axes.plot(epochs, [row["validation_loss"] for row in rows], color=OURS, linewidth=1)
        axes.set_title("Loss: learned (grey), validation", fontsize=8, loc="left")

    def hits(axes: "Axes") -> None:
        for rows in of_seed.values():
            rates = [100 * row["hit_rate_20"] for row in rows]
            axes.plot([row["epoch"] for row in rows], rates, color=OURS, linewidth=1)
        axes.set_xlabel("epoch", fontsize=8)
        axes.set_title("Hit rate at 20 %, validation, %", fontsize=8, loc="left")

    return as_png(losses, hits, size=WIDE_INCHES)


def hit_rate_plot(curve: "pd.DataFrame", champion: str) -> bytes:
    """Hit rate against coverage on the test days, and what the champion gains on the opponent."""
    test = curve[(curve["part"] == TEST) & (curve["lead"] == 1)]
    shown = test[(test["offence_group"] == ANY) & (test["coverage_share"] <= MOST_COVERAGE)]
    pooled = shown.sort_values("coverage_share")
    ours = pooled[pooled["model"] == champion]
    percent = 100 * ours["coverage_share"]

    def rates(axes: "Axes") -> None:
        for model, colour in ((LONG_RUN_FREQUENCY, THEIRS), (champion, OURS)):
            rows = pooled[pooled["model"] == model]
            axes.plot(percent, 100 * rows["hit_rate"], color=colour, linewidth=1.2, label=model)
        axes.set_xlabel("riskiest % of streets", fontsize=7)
        axes.legend(fontsize=6, loc="lower right", frameon=False)
        axes.set_title("% of incidents on the test days", fontsize=7, loc="left")

    def gain(axes: "Axes") -> None:
        low, high = (100 * ours[f"gain_over_long_run_{end}"] for end in ("low", "high"))
        axes.fill_between(percent, low, high, color=OURS, alpha=0.25, linewidth=0)
        axes.plot(percent, 100 * ours["gain_over_long_run"], color=OURS, linewidth=1.2)
        axes.axhline(0, color=THEIRS, linewidth=1)
        axes.set_xlabel("riskiest % of streets", fontsize=7)
        axes.set_title(f"points more than {LONG_RUN_FREQUENCY}, 95 %", fontsize=7, loc="left")

    return as_png(rates, gain, size=WIDE_INCHES)

"""Small pictures of the street models for the UI, as PNG bytes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from crime_platform.defs.plots import OURS, THEIRS, as_png

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

OPPONENT, ANY = "long_run_frequency", "any"


def training_plot(curves: Sequence[Mapping[str, Any]]) -> bytes:
    """Loss and hit rate after each epoch, a line for each seed."""
    seeds = sorted({int(row["seed"]) for row in curves})
    of_seed = {seed: [row for row in curves if row["seed"] == seed] for seed in seeds}

    def losses(axes: "Axes") -> None:
        for rows in of_seed.values():
            epochs = [row["epoch"] for row in rows]
            axes.plot(epochs, [row["loss"] for row in rows], color=THEIRS, linewidth=1)
            axes.plot(epochs, [row["validation_loss"] for row in rows], color=OURS, linewidth=1)
        axes.set_title("Loss: days learned from (grey), validation (blue)", fontsize=8, loc="left")

    def hits(axes: "Axes") -> None:
        for rows in of_seed.values():
            rates = [100 * row["hit_rate_20"] for row in rows]
            axes.plot([row["epoch"] for row in rows], rates, color=OURS, linewidth=1)
        axes.set_xlabel("epoch", fontsize=8)
        axes.set_title("Hit rate at 20 % of nodes, validation, %", fontsize=8, loc="left")

    return as_png(losses, hits)


def hit_rate_plot(curve: "pd.DataFrame", champion: str) -> bytes:
    """Hit rate against coverage on the test days: champion with its band, and the opponent."""
    test = curve[(curve["part"] == "test") & (curve["lead"] == 1)]
    pooled = test[test["offence_group"] == ANY].sort_values("coverage_share")

    def draw(axes: "Axes") -> None:
        for model, colour in ((OPPONENT, THEIRS), (champion, OURS)):
            rows = pooled[pooled["model"] == model]
            axes.plot(
                100 * rows["coverage_share"],
                100 * rows["hit_rate"],
                color=colour,
                linewidth=1.2,
                label=model,
            )
        rows = pooled[pooled["model"] == champion]
        low, high = (100 * rows[f"hit_rate_{end}"] for end in ("low", "high"))
        axes.fill_between(100 * rows["coverage_share"], low, high, color=OURS, alpha=0.2)
        axes.set_xlabel("riskiest % of streets", fontsize=8)
        axes.set_ylabel("% of incidents", fontsize=8)
        axes.legend(fontsize=7, loc="lower right")
        axes.set_title("Hit rate on the test days, one day ahead", fontsize=8, loc="left")

    return as_png(draw)

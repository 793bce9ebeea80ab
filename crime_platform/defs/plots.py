"""Small pictures for the UI, as PNG bytes: they are stored whole in Dagster's event log."""

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SIZE_INCHES, DPI = (5.0, 2.4), 80
OURS, THEIRS, GOOD, BAD = "#1b6ca8", "#8a8a8a", "#1b7f4d", "#b3261e"


def month_totals_plot(totals: "pd.DataFrame") -> bytes:
    """Recorded incidents per month in the whole area (`month, count`)."""

    def draw(axes: "Axes") -> None:
        axes.plot(totals["month"], totals["count"], color=OURS, linewidth=1.2)
        axes.set_ylim(bottom=0)
        axes.set_title("Recorded incidents per month", fontsize=9, loc="left")

    return _png(draw)


def revision_plot(triangle: "pd.DataFrame") -> bytes | None:
    """How each month's count grew after it was first seen; None where no month was seen twice.

    Args:
        triangle: `month, offence_type, vintage_month, age_months, count`.
    """
    wide = triangle.pivot_table("count", "age_months", "month", aggfunc="sum")
    grown = wide.loc[:, wide.notna().sum() > 1]
    if grown.empty:
        return None
    share = 100 * grown / grown.ffill().iloc[-1]

    def draw(axes: "Axes") -> None:
        axes.plot(share.index, share, color=OURS, linewidth=0.7, alpha=0.5)
        axes.axhline(100, color=THEIRS, linewidth=1)
        axes.set_xlabel("months later", fontsize=8)
        axes.set_ylabel("% of today's count", fontsize=8)
        axes.set_title("What was known of each month, months later", fontsize=9, loc="left")

    return _png(draw)


def skill_plot(skills: "pd.Series", *, model: str) -> bytes:
    """Deviance skill over the historical average at each origin; bars below 0 lost to it."""

    def draw(axes: "Axes") -> None:
        labels = [str(origin)[:7] for origin in skills.index]
        colours = [GOOD if value > 0 else BAD for value in skills]
        axes.bar(labels, 100 * skills, color=colours, width=0.7)
        axes.axhline(0, color=THEIRS, linewidth=1)
        axes.set_ylabel("skill, %", fontsize=8)
        axes.tick_params(axis="x", rotation=60)
        axes.set_title(f"{model}: skill over historical_average, lead 1", fontsize=8, loc="left")

    return _png(draw)


def _png(draw) -> bytes:
    # The object interface: no pyplot state, no display, and steps in threads do not collide.
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)
    draw(axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

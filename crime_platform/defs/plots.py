"""Small pictures for the UI, as PNG bytes: they are stored whole in Dagster's event log."""

import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from crime_platform.data_checks.outcome import MonthlySeries
    from crime_platform.geography.street_graph import StreetGraph

YOUNG_DAYS = 366  # after which a month hardly grows
SIZE_INCHES, MAP_INCHES, DPI = (5.0, 2.4), (4.0, 4.0), 80
PANEL_INCHES = 1.2  # height of one of several panels
OURS, THEIRS, GOOD, BAD = "#1b6ca8", "#8a8a8a", "#1b7f4d", "#b3261e"


def month_totals_plot(totals: "pd.DataFrame") -> bytes:
    """Recorded incidents per month in the whole area (`month, count`)."""

    def draw(axes: "Axes") -> None:
        axes.plot(totals["month"], totals["count"], color=OURS, linewidth=1.2)
        axes.set_ylim(bottom=0)
        axes.set_title("Recorded incidents per month", fontsize=9, loc="left")

    return as_png(draw)


def growth_of_months(triangle: "pd.DataFrame") -> "pd.DataFrame":
    """Percent of today's count that was known of each month (columns), by age in days (rows).

    Only months seen twice while they were young, with a straight line between two looks.

    Args:
        triangle: `month, offence_type, known_on, age_days, count`; empty where no month is whole.
    """
    wide = triangle.pivot_table("count", "age_days", "month", aggfunc="sum")
    share = 100 * wide / wide.ffill().tail(1).sum()
    young = share[share.index <= YOUNG_DAYS]
    seen_twice = young.loc[:, young.notna().sum() > 1]
    return seen_twice.interpolate(method="index", limit_area="inside")


def revision_plot(triangle: "pd.DataFrame") -> bytes | None:
    """How each month's count grew after it was first seen; None where no month was seen twice.

    Args:
        triangle: as in `growth_of_months`.
    """
    share = growth_of_months(triangle)
    if share.empty:
        return None

    def draw(axes: "Axes") -> None:
        axes.plot(share.index, share, color=OURS, linewidth=0.7, alpha=0.5)
        axes.axhline(100, color=THEIRS, linewidth=1)
        axes.set_xlabel("days after its end", fontsize=8)
        axes.set_ylabel("% of today's count", fontsize=8)
        axes.set_title("What was known of each month, days after its end", fontsize=9, loc="left")

    return as_png(draw)


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

    return as_png(draw)


def levels_plot(every: "Sequence[MonthlySeries]") -> bytes:
    """Recorded incidents per month, one panel an offence type, broken levels marked."""
    from matplotlib.dates import DateFormatter, YearLocator

    def draw_one(series: "MonthlySeries") -> "Callable[[Axes], None]":
        def draw(axes: "Axes") -> None:
            months = series.first + np.arange(series.counts.size)
            axes.plot(months.astype("datetime64[D]"), series.counts, color=OURS, linewidth=1)
            for month in series.breaks:
                axes.axvline(month.astype("datetime64[D]").item(), color=BAD, linewidth=1)
            axes.set_ylim(bottom=0)
            axes.xaxis.set_major_locator(YearLocator())
            axes.xaxis.set_major_formatter(DateFormatter("%Y"))
            axes.set_title(
                ", ".join([series.name, *(f"break {month}" for month in series.breaks)]),
                fontsize=7,
                loc="left",
            )

        return draw

    return as_png(*map(draw_one, every))


def street_graph_plot(graph: "StreetGraph") -> bytes:
    """The nodes of a street graph in their places, and the links between them as thin lines."""

    def draw(axes: "Axes") -> None:
        import shapely
        from matplotlib.collections import LineCollection

        middle = graph.midpoints()
        if graph.kind == "segment":
            coordinates, owner = shapely.get_coordinates(graph.geometry, return_index=True)
            streets = np.split(coordinates, np.flatnonzero(np.diff(owner)) + 1)
            axes.add_collection(LineCollection(streets, colors=OURS, linewidths=0.5))
        else:
            axes.add_collection(
                LineCollection(list(middle[graph.links]), colors=THEIRS, linewidths=0.4)
            )
            axes.scatter(*middle.T, s=1.5, color=OURS, linewidths=0)
        alone = graph.isolated
        axes.scatter(*middle[alone].T, s=4, color=BAD, linewidths=0)
        axes.autoscale_view()
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(f"{graph.n_nodes:,} {graph.kind}s", fontsize=9, loc="left")

    return as_png(draw, size=MAP_INCHES)


def snap_distance_plot(distance_m: "np.ndarray") -> bytes:
    """How far incidents lay from the street or place they were put on."""

    def draw(axes: "Axes") -> None:
        axes.hist(distance_m, bins=40, color=OURS)
        axes.set_xlabel("metres", fontsize=8)
        axes.set_title("Incidents by distance to their street", fontsize=9, loc="left")

    return as_png(draw)


def as_png(*draws: "Callable[[Axes], None]", size: tuple[float, float] = SIZE_INCHES) -> bytes:
    """A picture of one panel, or of several side by side."""
    # The object interface: no pyplot state, no display, and steps in threads do not collide.
    from matplotlib.figure import Figure

    n_cols = 1 if len(draws) == 1 else 2
    n_rows = -(-len(draws) // n_cols)
    width, height = size
    inches = (width, height if n_rows == 1 else n_rows * PANEL_INCHES)
    figure = Figure(figsize=inches, dpi=DPI, layout="constrained")
    for place, draw in enumerate(draws, start=1):
        axes = figure.add_subplot(n_rows, n_cols, place)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7 if n_cols == 1 else 6)
        draw(axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()

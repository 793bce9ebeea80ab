"""Maps of the study area, in kilometres of its own projection: counts, widths, errors, branches.

No street, no address and no person: squares of the grid only.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.reporting.facts import Facts
from crime_platform.reporting.figures.drawing import INK, WIDTH_INCHES, in_style, new_figure
from crime_platform.schema.error import ERROR_MEANING
from crime_platform.schema.values import HISTORICAL_AVERAGE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR_LENGTHS_KM = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
INACTIVE = "#e9ecef"  # cells without any incident on record
COUNT_COLOURS, DIVERGING = "magma_r", "PuOr"
BRIGHTEST = 0.995  # share of active cells inside the colour scale; the few beyond saturate
TALLEST_INCHES = 6.5
BRANCHES = ("closeness", "period", "trend")


@dataclass(frozen=True, kw_only=True, eq=False)
class Atlas:
    """Values of cells laid out as they lie on the ground."""

    facts: Facts

    @cached_property
    def cells(self) -> "pd.DataFrame":
        """Row, column and activity of every cell, by `cell_id`."""
        columns = ["cell_id", "row", "col", "is_ever_active"]
        return self.facts.read("cell", columns).set_index("cell_id")

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.cells["row"].max()) + 1, int(self.cells["col"].max()) + 1

    @property
    def cell_km(self) -> float:
        return float(self.facts.read("cell", ["area_km2"])["area_km2"].iloc[0]) ** 0.5

    def lay_out(self, values: "pd.Series") -> np.ndarray:
        """Values by `cell_id` as rows and columns; NaN in cells that were never active."""
        active = self.cells[self.cells["is_ever_active"]]
        field = np.full(self.shape, np.nan)
        field[active["row"], active["col"]] = values.reindex(active.index).to_numpy(dtype=float)
        return field

    @cached_property
    def forecast(self) -> "pd.DataFrame":
        """Next month's forecast: the published model and the historical average."""
        names = list(dict.fromkeys([self.facts.champion, HISTORICAL_AVERAGE]))
        columns = ["cell_id", "offence_type", "model", "expected_count"]
        columns += ["p025", "p10", "p90", "p975"]
        return self.facts.read("cell_forecast", columns, model=names, lead=[1])

    def expected(self, model: str) -> np.ndarray:
        """Expected count of all offence types next month."""
        rows = self.forecast[self.forecast["model"] == model]
        return self.lay_out(rows.groupby("cell_id", observed=True)["expected_count"].sum())

    @cached_property
    def commonest_type(self) -> str:
        """Offence type with the most incidents expected."""
        rows = self.forecast[self.forecast["model"] == self.facts.champion]
        totals = rows.groupby("offence_type", observed=True)["expected_count"].sum()
        return str(totals.idxmax())

    @cached_property
    def backtest(self) -> "pd.DataFrame":
        """Per cell over the test months: recorded, expected and deviance of champion and baseline.

        Columns `recorded`, `expected`, `deviance`, `baseline_deviance`.
        """
        import pandas as pd
        from scipy.special import xlogy

        facts, keys = self.facts, ["target_month", "cell_id", "offence_type"]
        names = list(dict.fromkeys([facts.champion, HISTORICAL_AVERAGE]))
        columns = [*keys, "model", "expected_count"]
        rows = facts.read("backtest_forecast", columns, model=names, lead=[1])
        rows = rows.astype({"cell_id": str, "offence_type": str, "model": str})
        rows["target_month"] = pd.to_datetime(rows["target_month"]).astype("datetime64[s]")
        rows = rows[
            rows["target_month"].isin([m.astype("datetime64[s]") for m in facts.test_targets])
        ]
        truth = facts.read("cell_month", ["month", "cell_id", "offence_type", "count"])
        truth = truth.rename(columns={"month": "target_month"})
        truth["target_month"] = pd.to_datetime(truth["target_month"]).astype("datetime64[s]")
        rows = rows.merge(truth, on=keys, how="left")
        count = rows["count"].fillna(0).to_numpy(dtype=float)
        rate = rows["expected_count"].to_numpy(dtype=float)
        rows["count"] = count
        rows["deviance"] = 2 * (xlogy(count, count) - xlogy(count, rate) - (count - rate))
        sums = rows.groupby(["model", "cell_id"])[["count", "expected_count", "deviance"]].sum()
        ours, theirs = sums.loc[facts.champion], sums.loc[HISTORICAL_AVERAGE]
        return pd.DataFrame(
            {
                "recorded": ours["count"],
                "expected": ours["expected_count"],
                "deviance": ours["deviance"],
                "baseline_deviance": theirs["deviance"],
            }
        )


@in_style
def forecast_figure(atlas: Atlas) -> "Figure":
    """Expected incidents next month, and how that differs from the historical average."""
    expected = atlas.expected(atlas.facts.champion)
    figure, (left, right) = _panels(atlas, 2)
    _counts(left, atlas, expected, "Expected incidents, all types", "incidents in the month")
    _differences(
        right,
        atlas,
        expected - atlas.expected(HISTORICAL_AVERAGE),
        "Forecast less historical average",
        "incidents in the month",
    )
    return figure


@in_style
def width_figure(atlas: Atlas) -> "Figure":
    """Width of the central 80 % and 95 % intervals of the commonest offence type."""
    rows = atlas.forecast
    rows = rows[rows["model"] == atlas.facts.champion]
    rows = rows[rows["offence_type"] == atlas.commonest_type].set_index("cell_id")
    figure, panels = _panels(atlas, 2)
    widest = (rows["p975"] - rows["p025"]).to_numpy(dtype=float).max()
    for axes, level, low, high in zip(
        panels, ("80 %", "95 %"), ("p10", "p025"), ("p90", "p975"), strict=True
    ):
        width = atlas.lay_out((rows[high] - rows[low]).astype(float))
        title = f"Width of the {level} interval"
        _counts(axes, atlas, width, title, "incidents", top=float(widest))
    return figure


@in_style
def error_figure(atlas: Atlas) -> "Figure":
    """Expected minus recorded over the test months, and who had the lower deviance where."""
    sums = atlas.backtest
    figure, (left, right) = _panels(atlas, 2)
    error = atlas.lay_out(sums["expected"] - sums["recorded"])
    title, unit = f"Error: {ERROR_MEANING}", "incidents over the test months; above 0 too high"
    _differences(left, atlas, error, title, unit)
    gain = atlas.lay_out(sums["baseline_deviance"] - sums["deviance"])
    title = "Deviance of the baseline less the champion's"
    _differences(right, atlas, gain, title, "deviance; below 0 the champion loses")
    return figure


def branch_shares(atlas: Atlas, model: str) -> dict[str, np.ndarray]:
    """Percent of each branch in each cell of one ST-ResNet, mean over offence types."""
    columns = ["cell_id", "branch", "weight_share"]
    rows = atlas.facts.read("fusion_weight", columns, model=[model])
    shares = rows.groupby(["branch", "cell_id"], observed=True)["weight_share"].mean()
    return {name: 100 * atlas.lay_out(shares.loc[name]) for name in BRANCHES}


@in_style
def fusion_figure(atlas: Atlas, model: str) -> "Figure":
    """Share of each branch in each cell, mean over offence types."""
    fields = branch_shares(atlas, model)
    equal = 100 / len(BRANCHES)
    spread = max(float(np.nanmax(np.abs(field - equal))) for field in fields.values())
    figure, panels = _panels(atlas, len(BRANCHES), below=0.6)
    for axes, (name, field) in zip(panels, fields.items(), strict=True):
        limits = (equal - spread, equal + spread)
        _field(axes, atlas, field, DIVERGING, vmin=limits[0], vmax=limits[1])
        axes.set_title(name.capitalize())
    bar = figure.colorbar(panels[-1].images[0], ax=panels, shrink=0.75, pad=0.01)
    bar.set_label("share of the cell's weight, %")
    bar.outline.set_visible(False)  # pyright: ignore
    return figure


def _panels(atlas: Atlas, n_panels: int, *, below: float = 1.55) -> tuple["Figure", list["Axes"]]:
    n_rows, n_cols = atlas.shape
    map_width = 0.88 * WIDTH_INCHES / n_panels
    figure = new_figure(min(below + map_width * n_rows / n_cols, TALLEST_INCHES))
    panels = [figure.add_subplot(1, n_panels, place + 1) for place in range(n_panels)]
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)
    panels[0].set_ylabel("km north")
    return figure, panels


def _counts(
    axes: "Axes",
    atlas: Atlas,
    field: np.ndarray,
    title: str,
    unit: str,
    *,
    top: float | None = None,
) -> None:
    from matplotlib.colors import PowerNorm

    highest = float(np.nanmax(field)) if top is None else top
    # The square root gives quiet cells colours of their own beside the few busy ones.
    norm = PowerNorm(0.5, vmin=0, vmax=max(highest, 1e-9))
    _field(axes, atlas, field, COUNT_COLOURS, norm=norm)
    _colour_bar(axes, title, unit)


def _differences(axes: "Axes", atlas: Atlas, field: np.ndarray, title: str, unit: str) -> None:
    limit = max(float(np.nanquantile(np.abs(field), BRIGHTEST)), 1e-9)
    _field(axes, atlas, field, DIVERGING, vmin=-limit, vmax=limit)
    _colour_bar(axes, title, unit, extend="both")


def _colour_bar(axes: "Axes", title: str, unit: str, **options) -> None:
    axes.set_title(title)
    bar = axes.figure.colorbar(  # pyright: ignore
        axes.images[0], ax=axes, shrink=0.85, pad=0.02, aspect=28, location="bottom", **options
    )
    bar.set_label(unit)
    bar.outline.set_visible(False)


def _field(axes: "Axes", atlas: Atlas, field: np.ndarray, colours: str, **options) -> None:
    import matplotlib as mpl

    height, width = (n * atlas.cell_km for n in atlas.shape)
    palette = mpl.colormaps[colours].with_extremes(bad=INACTIVE)
    axes.imshow(
        field,
        origin="lower",
        extent=(0, width, 0, height),
        cmap=palette,
        interpolation="nearest",
        **options,
    )
    axes.spines[:].set_visible(True)
    axes.set_xlabel("km east")
    _scale_bar(axes, width, height)


def _scale_bar(axes: "Axes", width: float, height: float) -> None:
    from matplotlib.patheffects import AbstractPathEffect, withStroke

    length = max(bar for bar in BAR_LENGTHS_KM if bar <= max(0.3 * width, BAR_LENGTHS_KM[0]))
    left, base = 0.94 * width - length, 0.06 * height
    # Readable on dark cells too.
    halo: list[AbstractPathEffect] = [withStroke(linewidth=4, foreground="white")]
    style = {"color": INK, "linewidth": 2.5, "solid_capstyle": "butt"}
    axes.plot([left, left + length], [base, base], path_effects=halo, **style)
    middle = left + length / 2
    label = axes.text(middle, base + 0.02 * height, f"{length:g} km", ha="center", size=8)
    label.set_path_effects(halo)

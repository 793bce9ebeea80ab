"""Pictures of scores: skill by model, offence type and month, and hit rates."""

from typing import TYPE_CHECKING

import numpy as np

from crime_platform.reporting.facts import Facts, LocalFacts
from crime_platform.reporting.figures.drawing import (
    BLUE,
    GREEN,
    GRID,
    INK,
    ORANGE,
    PURPLE,
    QUIET,
    RED,
    SERIES,
    SKY,
    in_style,
    new_figure,
)
from crime_platform.reporting.words import short_month, signed_percent
from crime_platform.schema.values import HISTORICAL_AVERAGE, POLICY
from crime_platform.vocabulary.timesteps import parse_month

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILLS = (
    (BLUE, ""),
    (ORANGE, "//"),
    (GREEN, ".."),
    (PURPLE, "\\\\"),
    (SKY, "xx"),
    (RED, "--"),
    (QUIET, ""),
    (GRID, "//"),
)
LABEL_ROOM = 0.8  # a line further right than this share of the axis is labelled on its left
FARTHEST_SKILL = 0.12  # below -12 % the exact place says nothing more, and crowds out the rest


def model_label(name: str) -> str:
    """A model's name as tables write it; the policy's says that it is no model."""
    return "policy (no model)" if name == POLICY else name


@in_style
def skill_figure(facts: Facts) -> "Figure":
    """Dots with their 95 % intervals, the best model on top, the policy apart below them."""
    board = facts.board.drop(index=HISTORICAL_AVERAGE)
    figure = new_figure(0.9 + 0.27 * len(board))
    axes = figure.add_subplot()
    for place, (model, row) in enumerate(board.iterrows()):
        skill, low, high = (
            100 * float(row[f"deviance_skill{end}"]) for end in ("", "_low", "_high")
        )
        is_ours = model == facts.champion
        style = {"color": INK if is_ours else BLUE, "markersize": 7 if is_ours else 5}
        if model == POLICY:
            axes.axhline(place - 0.5, color=QUIET, linewidth=1)
        if skill < -100 * FARTHEST_SKILL:
            axes.plot(-100 * FARTHEST_SKILL, place, marker="<", **style)
            axes.annotate(
                f"{signed_percent(skill / 100, 0)}, off the scale",
                (-100 * FARTHEST_SKILL, place),
                xytext=(9, 0),
                textcoords="offset points",
                va="center",
                color=QUIET,
                fontsize=8,
            )
            continue
        axes.plot([low, high], [place, place], color=style["color"], linewidth=2.4, alpha=0.55)
        axes.plot(skill, place, marker="D" if is_ours else "o", **style)
    axes.axvline(0, color=QUIET, linewidth=1)
    left, right = axes.get_xlim()
    left = max(left, -108 * FARTHEST_SKILL)
    axes.set_xlim(left, right)
    best = 100 * facts.value("deviance_skill", facts.best_baseline)
    is_far_right = best > left + LABEL_ROOM * (right - left)
    if facts.best_baseline != HISTORICAL_AVERAGE:
        axes.axvline(best, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            f"best baseline: {facts.best_baseline}",
            (best, len(board) - 0.7),
            xytext=(-5 if is_far_right else 5, 0),
            textcoords="offset points",
            ha="right" if is_far_right else "left",
            color=QUIET,
            fontsize=8,
        )
    axes.set_yticks(range(len(board)), [model_label(str(name)) for name in board.index])
    axes.set_ylim(len(board) - 0.4, -0.6)
    axes.grid(axis="x")
    axes.set_xlabel("deviance skill over the historical average, % (right of 0 is better)")
    return figure


@in_style
def skill_by_type_figure(facts: LocalFacts) -> "Figure":
    """A row per offence type, a mark per model."""
    table = 100 * facts.skill_by("offence_type")
    kinds = [name for name in facts.area.offence_names if name in table.index]
    figure = new_figure(1.3 + 0.42 * len(kinds))
    axes = figure.add_subplot()
    models = [name for name in facts.shown if name != HISTORICAL_AVERAGE]
    offsets = np.linspace(-0.24, 0.24, len(models)) if len(models) > 1 else [0.0]
    for style, model, offset in zip(SERIES, models, offsets, strict=False):
        places = np.arange(len(kinds)) + offset
        label = model_label(model)
        marks = {"color": style["color"], "marker": style["marker"], "markersize": 6}
        axes.plot(table.loc[kinds, model], places, linestyle="none", label=label, **marks)
    axes.axvline(0, color=QUIET, linewidth=1)
    for border in np.arange(len(kinds) - 1) + 0.5:
        axes.axhline(border, color=GRID, linewidth=0.8)
    axes.set_yticks(range(len(kinds)), [facts.title_of(kind) for kind in kinds])
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.grid(axis="x")
    axes.set_xlabel("deviance skill over the historical average, %")
    _legend_above(axes)
    return figure


@in_style
def skill_by_month_figure(facts: Facts) -> "Figure":
    """A line per model over the test months, turning months shaded."""
    table = 100 * facts.skill_by("target_month")
    months = [parse_month(str(value)) for value in table.index]
    figure = new_figure(3.3)
    axes = figure.add_subplot()
    for style, model in zip(
        SERIES, [m for m in facts.shown if m != HISTORICAL_AVERAGE], strict=False
    ):
        axes.plot(table[model].to_numpy(), label=model_label(model), markersize=4.5, **style)
    axes.axhline(0, color=QUIET, linewidth=1)
    for month, direction in facts.turning_months().items():
        place = months.index(month)
        axes.axvspan(place - 0.5, place + 0.5, color="#f3e3bf", alpha=0.7, linewidth=0, zorder=0)
        axes.annotate(
            direction,
            (place, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, -10),
            textcoords="offset points",
            ha="center",
            color="#7a5b12",
            fontsize=8,
        )
    axes.set_xticks(range(len(months)), [short_month(month) for month in months])
    axes.set_xlim(-0.5, len(months) - 0.5)
    axes.margins(y=0.14)
    axes.grid(axis="y")
    axes.set_ylabel("skill over the historical average, %")
    _legend_above(axes)
    return figure


@in_style
def hit_rate_figure(facts: Facts) -> "Figure":
    """Share of incidents caught by share of the area, and the lead over the historical average."""
    rates, best = 100 * facts.hit_rates(), 100 * facts.best_hit_rates().to_numpy(dtype=float)
    coverage = 100 * rates.columns.to_numpy(dtype=float)
    figure = new_figure(3.4)
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.15))
    places = np.arange(len(coverage))
    top = min(100.0, 1.12 * best.max())
    left.fill_between(places, best, 1.1 * top, color=GRID, linewidth=0)
    left.plot(places, best, color=QUIET, linewidth=1, label="best possible")
    left.plot(places, rates.loc[facts.champion], label=model_label(facts.champion), **SERIES[0])
    left.plot(places, coverage, color=QUIET, linewidth=1, linestyle=":", label="by chance")
    left.set_ylim(0, top)
    left.set_ylabel("recorded incidents in it, %")
    left.legend(loc="upper left")
    for style, model in zip(SERIES, facts.shown, strict=False):
        ahead = (rates.loc[model] - rates.loc[HISTORICAL_AVERAGE]).to_numpy()
        right.plot(places, ahead, label=model_label(model), markersize=5, **style)
    right.set_title("Ahead of the historical average, points")
    right.margins(y=0.1)
    right.legend(loc="upper left", bbox_to_anchor=(1, 1))
    left.set_title("Hit rate")
    for axes in (left, right):
        axes.set_xticks(places, [f"{share:g} %" for share in coverage])
        axes.set_xlabel("share of the area that is flagged")
        axes.grid(axis="y")
    return figure


@in_style
def weight_figure(facts: Facts) -> "Figure":
    """Ensemble weights over the origins, mean over offence types, largest member lowest."""
    weights = facts.candidate.table("ensemble_weight")
    table = weights.pivot_table(index="origin_month", columns="member", values="weight")
    table = table.fillna(0)
    table = table[table.mean().sort_values(ascending=False).index]
    months = [parse_month(str(value)) for value in table.index]
    figure = new_figure(2.9)
    axes = figure.add_subplot()
    bottom = np.zeros(len(months))
    for (colour, hatch), member in zip(FILLS, table.columns, strict=False):
        heights = table[member].to_numpy(dtype=float)
        axes.bar(
            range(len(months)),
            heights,
            bottom=bottom,
            width=0.86,
            color=colour,
            hatch=hatch,
            edgecolor="white",
            linewidth=0.4,
            label=str(member),
        )
        bottom += heights
    step = max(1, len(months) // 12)
    axes.set_xticks(range(0, len(months), step), [short_month(month) for month in months[::step]])
    axes.set_xlim(-0.6, len(months) - 0.4)
    axes.set_ylabel("weight")
    axes.set_xlabel("origin")
    _legend_above(axes)
    return figure


def _legend_above(axes: "Axes") -> None:
    axes.legend(loc="lower left", bbox_to_anchor=(-0.01, 1.0), ncols=5, columnspacing=1.4)

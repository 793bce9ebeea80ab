"""Pictures of a search: how it went, who was stopped when, and what each parameter did."""

import math
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from crime_platform.reporting.figures.drawing import (
    BLUE,
    INK,
    ORANGE,
    QUIET,
    as_png,
    in_style,
    new_figure,
)
from crime_platform.tuning.findings import FIT, SearchReport
from crime_platform.vocabulary.artifact import written_aside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MIN_TRIALS = 10  # below, nothing can be said of a parameter's share
DEPTH = 3.0  # times the gap between best and median, below which trials are drawn at the edge
N_COLUMNS = 4
TREES_SEED = 0


def write_plots(report: SearchReport, folder: Path) -> None:
    """Store the pictures that can be drawn from what is there."""
    if not any(trial.skills for trial in report.trials):
        return
    figures = {
        "history.png": history_figure(report),
        "rungs.png": rungs_figure(report),
        "parameters.png": parameters_figure(report),
    }
    for name, figure in figures.items():
        with written_aside(folder / name) as aside:
            aside.write_bytes(as_png(figure, dpi=110))


@in_style
def history_figure(report: SearchReport) -> "Figure":
    """Skill of every trial in the order of the search, and the best so far."""
    figure = new_figure(3.2)
    axes = figure.add_subplot()
    lowest = _lowest_shown(report)
    judged = sorted((each for each in report.trials if each.skills), key=lambda each: each.number)
    for state, colour, fill in (("pruned", QUIET, "none"), ("complete", BLUE, BLUE)):
        some = [trial for trial in judged if trial.state == state]
        points = [each.number for each in some], [_shown(each.skills[-1], lowest) for each in some]
        axes.scatter(*points, s=22, facecolors=fill, edgecolors=colour, label=state)
    _draw_best_so_far(axes, report, lowest)
    if report.default is not None:
        level = _shown(report.default.skills[-1], lowest)
        axes.axhline(level, color=ORANGE, linestyle="--", linewidth=1.2, label="default")
    below = "trial; a pruned one has its last value"
    _finish(axes, report, lowest, title="trials in order", below=below)
    return figure


def _lowest_shown(report: SearchReport) -> float:
    """In percent: without a lower edge a few hopeless trials would flatten all others."""
    skills = sorted(100 * skill for trial in report.trials for skill in trial.skills)
    middle = skills[len(skills) // 2]
    return max(skills[0], middle - DEPTH * (skills[-1] - middle))


def _shown(skill: float, lowest: float) -> float:
    return max(100 * skill, lowest)


def _finish(axes: "Axes", report: SearchReport, lowest: float, *, title: str, below: str) -> None:
    is_cut = any(100 * skill < lowest for trial in report.trials for skill in trial.skills)
    axes.set_ylabel(f"skill over {report.facts['opponent']}, %")
    edge = f"; what lies below {lowest:.1f} % is drawn there" if is_cut else ""
    axes.set_xlabel(f"{below}{edge}")
    axes.set_title(f"{report.model}: {title}")
    if axes.get_legend_handles_labels()[0]:
        axes.legend(ncols=4, loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)


def _draw_best_so_far(axes: "Axes", report: SearchReport, lowest: float) -> None:
    complete = sorted(
        (trial.number, trial.skills[-1]) for trial in report.trials if trial.state == "complete"
    )
    best = list(accumulate((_shown(skill, lowest) for _, skill in complete), max))
    numbers = [number for number, _ in complete]
    axes.step(numbers, best, where="post", color=BLUE, linewidth=1.2, label="best so far")


@in_style
def rungs_figure(report: SearchReport) -> "Figure":
    """Skill of every trial after each rung; a line ends where its trial was stopped."""
    figure = new_figure(3.2)
    axes = figure.add_subplot()
    lowest = _lowest_shown(report)
    for trial in reversed(report.trials):
        colour = BLUE if trial.state == "complete" else QUIET
        style = {"color": colour, "linewidth": 0.9, "alpha": 0.6}
        if trial.is_default:
            style = {"color": ORANGE, "linewidth": 2.0, "linestyle": "--", "label": "default"}
        rungs = range(1, len(trial.skills) + 1)
        shown = [_shown(skill, lowest) for skill in trial.skills]
        axes.plot(rungs, shown, marker="o", markersize=3, **style)
    labels, below = [str(rung) for rung in range(1, report.n_rungs + 1)], report.rung
    title = f"skill after each {report.rung}"
    if report.rung == FIT:
        labels, below = [f"+ {origin}" for origin in report.facts["fit_origins"]], "fitted at"
        title = "pooled skill as more fits are judged"
    axes.set_xticks(range(1, report.n_rungs + 1), labels)
    _finish(axes, report, lowest, title=title, below=below)
    return figure


@in_style
def parameters_figure(report: SearchReport) -> "Figure":
    """One panel per parameter: skill against its value, after the first rung and after all."""
    n_rows = math.ceil(len(report.ranges) / N_COLUMNS)
    figure = new_figure(0.6 + 1.9 * n_rows)
    panels = figure.subplots(n_rows, N_COLUMNS, sharey=True, squeeze=False)
    shares = importances(report)
    for axes in panels.flat[len(report.ranges) :]:
        axes.set_axis_off()
    ordered = sorted(report.ranges, key=lambda name: -shares.get(name, 0.0))
    for axes, name in zip(panels.flat, ordered, strict=False):
        _draw_slice(axes, report, name)
        share = f", {100 * shares[name]:.0f} %" if name in shares else ""
        axes.set_title(f"{name}{share}", fontsize=8.5)
    figure.suptitle(
        f"{report.model}: skill after the first {report.rung} (rings, every trial) and after all "
        f"{report.rung}s (dots)"
        + (f"; % is the share in the variance after the first {report.rung}" if shares else ""),
        fontsize=8.5,
        ha="left",
        x=0.01,
    )
    return figure


def _draw_slice(axes: "Axes", report: SearchReport, name: str) -> None:
    lowest = _lowest_shown(report)
    judged = [trial for trial in report.trials if trial.skills]
    complete = [trial for trial in judged if trial.state == "complete"]
    firsts = [_shown(trial.skills[0], lowest) for trial in judged]
    rings = [trial.parameters[name] for trial in judged]
    axes.scatter(rings, firsts, s=14, facecolors="none", edgecolors=QUIET)
    lasts = [_shown(trial.skills[-1], lowest) for trial in complete]
    axes.scatter([trial.parameters[name] for trial in complete], lasts, s=14, color=BLUE)
    if report.default is not None:
        at, level = report.default.parameters[name], _shown(report.default.skills[-1], lowest)
        axes.scatter([at], [level], s=70, marker="*", color=ORANGE, edgecolors=INK, linewidths=0.5)
    allowed = report.ranges[name]
    if getattr(allowed, "log", False):
        _scale_by_powers(axes, float(allowed.low), float(allowed.high))  # pyright: ignore[reportAttributeAccessIssue]


def _scale_by_powers(axes: "Axes", low: float, high: float) -> None:
    ticks = (low, math.sqrt(low * high), high)
    axes.set_xscale("log")
    axes.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
    axes.set_xticks([], minor=True)


def importances(report: SearchReport) -> dict[str, float]:
    """Share of each parameter in the variance of the skill after the first rung, by fANOVA.

    The first one, because every trial was judged on it. Empty with too few trials to tell.

    Source: Hutter, Hoos & Leyton-Brown (2014), ICML, as implemented in Optuna.
    """
    judged = [trial for trial in report.trials if trial.skills]
    if len(judged) < MIN_TRIALS or len({trial.skills[0] for trial in judged}) == 1:
        return {}
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize")
    for trial in sorted(judged, key=lambda each: each.number):
        study.add_trial(
            optuna.create_trial(
                params=trial.parameters, distributions=report.ranges, value=trial.skills[0]
            )
        )
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=TREES_SEED)
    return optuna.importance.get_param_importances(study, evaluator=evaluator)

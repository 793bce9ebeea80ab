"""What a person at the terminal sees: progress bars from log records, tables, one-screen errors."""

import datetime as dt
import logging
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from crime_platform.reporting.expiries import Expiries
from crime_platform.schema.policy import WHAT_IT_IS
from crime_platform.system.escape import printable
from crime_platform.vocabulary.progress import LOGGER, Progress

if TYPE_CHECKING:
    import pandas as pd

LINE_SECONDS = 10.0
WIDEST = 10_000  # characters; wider than any row
PERCENT = {
    "deviance_skill",
    "rmse_skill",
    "bias_share",
    "hit_rate_20",
    "pei_20",
    "reducible_gap_closed",
    "skill_over_best_baseline",
    "coverage_80",
    "coverage_95",
}
# Most important first: a narrow terminal shows as many as fit.
LEADERBOARD_COLUMNS = (
    "rank",
    "model",
    "deviance_skill",
    "interval",
    "skill_over_best_baseline",
    "rmse_skill",
    "bias_share",
    "hit_rate_20",
    "mae",
    "deviance",
    "rmse",
    "diebold_mariano_p",
    "crps",
    "reducible_gap_closed",
    "coverage_80",
    "coverage_95",
)
COLUMN_WIDTH = 10  # of a number with its padding
MODEL_WIDTH = 34  # of rank and model together
HEADINGS = {
    "deviance_skill": "skill",
    "interval": "95 %",
    "skill_over_best_baseline": "over best",
    "reducible_gap_closed": "gap closed",
    "diebold_mariano_p": "p",
    "rmse_skill": "RMSE skill",
    "bias_share": "bias",
    "hit_rate_20": "hit 20%",
    "rmse": "RMSE",
    "mae": "MAE",
    "crps": "CRPS",
    "coverage_80": "in 80%",
    "coverage_95": "in 95%",
}


class TerminalConsole(Console):
    """A console on which text stays text: no markup is read, and no control character is obeyed.

    Titles, file names and values come from files of others; `[streets]` is a word of ours.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"markup": False, "emoji": False, **options})

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


class _BarHandler(logging.Handler):
    """Draws every `Progress` record as a bar; a finished task becomes a line above the bars.

    Its seconds count from the line before: a task reports when its first part is done, and what
    prepared it belongs to it. A warning becomes a line too; what is neither is left alone.
    """

    def __init__(self, bars: Bars) -> None:
        super().__init__(level=logging.INFO)
        self.bars = bars
        self.tasks: dict[str, TaskID] = {}
        self.last_line = self.last_end = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        progress = getattr(record, "progress", None)
        if not isinstance(progress, Progress):
            if record.levelno >= logging.WARNING:
                self.bars.console.print(Text(record.getMessage(), style="yellow"))
            return
        task = self.tasks.get(progress.task)
        if task is None:
            task = self.bars.add_task(progress.task, total=progress.total, remark="")
            self.tasks[progress.task] = task
        remark = f"{progress.unit}  {progress.detail}"
        self.bars.update(task, completed=progress.done, total=progress.total, remark=remark)
        self._say_where_it_stands(progress)
        for name, other in list(self.tasks.items()):
            # A task ends when it is full, or when the next one starts: training may stop early.
            if other != task or progress.done >= progress.total:
                self._finish(name, other)

    def _say_where_it_stands(self, progress: Progress) -> None:
        """A line now and then where bars cannot be drawn, as in a log file."""
        now = time.monotonic()
        quiet = now - self.last_line < LINE_SECONDS
        if self.bars.console.is_terminal or quiet or progress.done >= progress.total:
            return
        self.last_line = now
        step = f"{progress.unit} {progress.done}/{progress.total} {progress.detail}"
        self.bars.console.print(f"  {progress.task}: {step}", markup=False, highlight=False)

    def _finish(self, name: str, task: TaskID) -> None:
        state = next(item for item in self.bars.tasks if item.id == task)
        now = time.monotonic()
        seconds, self.last_end = now - self.last_end, now
        steps = f"{int(state.completed)}/{int(state.total or 0)}"
        line = f"  {name}: {steps} {state.fields['remark']}  {seconds:.1f} s"
        self.bars.console.print(line, markup=False, highlight=False)
        self.bars.remove_task(task)
        del self.tasks[name]


@contextmanager
def progress_bars(console: Console) -> Iterator[None]:
    """Draw progress records of the science as bars while the block runs."""
    columns = (
        TextColumn("  {task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[remark]}", markup=False),
        TimeElapsedColumn(),
    )
    level = LOGGER.level
    with Bars(*columns, console=console, transient=True) as bars:
        handler = _BarHandler(bars)
        LOGGER.addHandler(handler)
        LOGGER.setLevel(logging.INFO)
        try:
            yield
        finally:
            LOGGER.removeHandler(handler)
            LOGGER.setLevel(level)


def print_error(console: Console, title: str, messages: Sequence[str]) -> None:
    """One screen: what is wrong and what to do, without a traceback."""
    # Messages and areas' names hold brackets, which markup would swallow.
    text = Text(printable("\n\n".join(messages)))
    console.print(Panel(text, title=Text(printable(title)), border_style="red", expand=False))


def print_leaderboard(console: Console, rows: "pd.DataFrame") -> None:
    """The leaderboard of each area, the champion marked, the policy apart."""
    room = max(4, 2 + (console.width - MODEL_WIDTH - 4) // COLUMN_WIDTH)
    columns = LEADERBOARD_COLUMNS[:room]
    for (area, as_of), group in rows.groupby(["study_area", "as_of_month"]):
        origins = int(group["n_origins"].max())
        table = Table(
            title=f"{area}: {origins} origins before {str(as_of)[:7]}, ever active cells",
            caption="skill over historical_average in mean Poisson deviance, with its 95 % "
            "interval; over best: over the best single baseline, "
            "chosen in hindsight; * is the champion, which is published; MAE never decides. "
            f"{WHAT_IT_IS}",
        )
        for name in columns:
            side = "left" if name == "model" else "right"
            table.add_column(HEADINGS.get(name, name), justify=side, no_wrap=True)
        for row in group.to_dict("records"):
            style = "bold green" if row["is_champion"] else None
            if row.get("is_policy"):  # a release of an earlier version has no such column
                table.add_section()
            table.add_row(*(_cell(name, row) for name in columns), style=style)
        console.print(table)


def print_expiries(
    console: Console, expiries: Expiries, step: str, *, now: dt.datetime | None = None
) -> None:
    """When the newest forecast of each area expires or expired, a sentence each.

    Args:
        console: to print on.
        expiries: of the published forecasts.
        step: which ones, month or day.
        now: the moment that is judged; this one when absent.
    """
    moment = now or dt.datetime.now(dt.UTC)
    for (area, each), expiry in expiries.items():
        if each == step:
            style = "yellow" if expiry.is_past(moment) else "dim"
            console.print(Text(f"{area}: {expiry.sentence(moment)}", style=style))


def print_rows(console: Console, names: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A query's result: a table, or one block per row where the terminal is too narrow for it."""
    table = Table()
    for name in names:
        table.add_column(Text(printable(name)), no_wrap=True)
    texts = [[_text(value) for value in row] for row in rows]
    for row in texts:
        table.add_row(*map(Text, row))
    needed = console.measure(table, options=console.options.update(width=WIDEST)).maximum
    if needed <= console.width:
        console.print(table)
    elif not console.is_terminal:
        TerminalConsole(file=console.file, width=needed).print(table)  # a file may have long lines
    else:
        for number, row in enumerate(texts, start=1):
            console.rule(f"row {number}", align="left", style="dim")
            block = Table.grid(padding=(0, 2))
            for name, value in zip(names, row, strict=True):
                block.add_row(Text(name, style="dim"), Text(value))
            console.print(block)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else printable(str(value))


def _cell(name: str, row: Mapping) -> str:
    if name == "model":
        return f"{row['model']}{' *' if row['is_champion'] else ''}"
    if name == "interval":
        low, high = row["deviance_skill_low"], row["deviance_skill_high"]
        return "-" if low != low else f"{100 * low:.1f} {100 * high:.1f}"
    value = row[name]
    if value is None or value != value:
        return "-"
    if name in PERCENT:
        return f"{100 * value:.1f}%"
    return f"{value:.0f}" if name == "rank" else f"{value:.4f}"

"""Whether months hold far fewer incidents than the months around them: a file may be missing."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from crime_platform.data_checks.months import spans
from crime_platform.data_checks.outcome import Outcome
from crime_platform.metrics.thin_months import ThinSpan, thin_spans
from crime_platform.vocabulary.timesteps import Month, month_range

NEARLY_NOTHING = 0.2  # of what was expected: late reports in other files make up so much


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRows:
    """Rows of one month, of one offence type in one part of a source."""

    source: str
    part: str  # blank where the source has no parts
    offence_type: str
    month: Month
    n: int


def judge_thin_months(counts: Sequence[MonthRows]) -> Outcome:
    """Tell months that hold too little: of all incidents, of a part of them, of an offence type.

    A month that is too low as a whole is told once. It is grave where nearly nothing is left of it:
    its own file is missing then, and a run would take the rest for all there was.

    Args:
        counts: of whole months only.
    """
    if not counts:
        return Outcome()
    first, last = min(c.month for c in counts), max(c.month for c in counts)
    series = _series(counts, first=first, last=last)
    problems: list[str] = []
    grave: list[str] = []
    rows: list[dict] = []
    told = np.zeros(int((last - first).astype(int)) + 1, dtype=bool)
    for name, monthly in series.items():
        starts = int(np.argmax(monthly > 0))  # a part that begins later is no gap
        for span in thin_spans(monthly[starts:], n_series=len(series)):
            start, stop = starts + span.start, starts + span.stop
            rows.append(_row(name, first, start, stop, span))
            if told[start:stop].all():
                continue
            if not name:
                told[start:stop] = True
                if span.n == 0:  # a run stops at it anyway, and names it
                    continue
            problem = _problem(name, [first + at for at in range(start, stop)], span)
            problems.append(problem)
            if not name and span.share <= NEARLY_NOTHING:
                grave.append(problem)
    return Outcome(
        problems=tuple(problems),
        grave=tuple(grave),
        rows=rows,
        figures={"series": len(series), "months with too little": len(rows)},
    )


def _series(counts: Sequence[MonthRows], *, first: Month, last: Month) -> dict[str, np.ndarray]:
    """Monthly rows of all together, whose name is blank, then of parts and types of their own."""
    n_months = int((last - first).astype(int)) + 1
    found: dict[str, np.ndarray] = {"": np.zeros(n_months, dtype=np.int64)}
    own: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(n_months, dtype=np.int64))
    parts = {(count.source, count.part) for count in counts}
    types = {count.offence_type for count in counts}
    for count in counts:
        at = int((count.month - first).astype(int))
        found[""][at] += count.n
        for name in _names(count, has_parts=len(parts) > 1, has_types=len(types) > 1):
            own[name][at] += count.n
    return found | dict(sorted(own.items()))


def _names(count: MonthRows, *, has_parts: bool, has_types: bool) -> Iterator[str]:
    if has_parts:
        yield f"source {count.source}" + (f", {count.part}" if count.part else "")
    if has_types:
        yield f"offence type {count.offence_type}"


def _problem(name: str, months: list[Month], span: ThinSpan) -> str:
    few = f"{span.n:,} incidents where about {span.expected:,.0f} are usual ({span.share:.0%})"
    if not name and span.share <= NEARLY_NOTHING:
        return (
            f"{spans(months)}: {few}. The file of {'that month' if len(months) == 1 else 'them'} "
            "seems to be missing, and what there is comes from late reports in other files: add "
            "the file, or start after it with first_month in the TOML"
        )
    who = f"{name}, " if name else ""
    return (
        f"{who}{spans(months)}: {few}, fewer than season and chance explain. Look whether a file "
        "or a part of one is missing; if so few were recorded, models learn from it as it is"
    )


def _row(name: str, first: Month, start: int, stop: int, span: ThinSpan) -> dict:
    return {
        "of": name or "all",
        "months": str(month_range(first + start, first + stop - 1).astype(str).tolist()),
        "incidents": span.n,
        "expected": span.expected,
        "share": span.share,
    }

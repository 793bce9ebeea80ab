"""What a data check found: sentences for a person, a table and figures for the UI."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Int

from crime_platform.vocabulary.timesteps import Month


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MonthlySeries:
    """Counts of one offence type by month, with the months at which its level broke."""

    name: str
    first: Month
    counts: Int[np.ndarray, " month"]
    breaks: tuple[Month, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """The answer of one rule; it passes when there is no problem to tell."""

    problems: tuple[str, ...] = ()  # each with what was expected, what was found, and the cure
    grave: tuple[str, ...] = ()  # those of them with which a run would count wrong
    figures: dict[str, object] = field(default_factory=dict)
    rows: list[dict] = field(default_factory=list)  # what was looked at, and what needs no cure
    series: tuple[MonthlySeries, ...] = ()  # drawn where there are any

    @property
    def passed(self) -> bool:
        """Whether nothing has to be told."""
        return not self.problems


def together(outcomes: Iterable[Outcome]) -> Outcome:
    """One answer of a rule that was asked of several sources; later figures of a name win."""
    every = list(outcomes)
    return Outcome(
        problems=tuple(problem for one in every for problem in one.problems),
        grave=tuple(problem for one in every for problem in one.grave),
        figures={key: value for one in every for key, value in one.figures.items()},
        rows=[row for one in every for row in one.rows],
        series=tuple(series for one in every for series in one.series),
    )


def like(word: str, known: Iterable[str], *, cutoff: float = 0.75) -> str | None:
    """The known word that looks most like this one, if any does."""
    by_key = {one.lower(): one for one in known}
    close = difflib.get_close_matches(word.lower(), list(by_key), n=1, cutoff=cutoff)
    return by_key[close[0]] if close else None


def listed(words: Sequence[str], *, most: int = 10) -> str:
    """Words in quotes, the first few only."""
    shown = ", ".join(map(repr, words[:most]))
    return shown if len(words) <= most else f"{shown} and {len(words) - most} more"

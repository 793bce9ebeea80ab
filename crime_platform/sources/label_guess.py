"""What becomes of a publisher's labels: offence types of their own, or a reason to ignore them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from crime_platform.sources.label_words import (
    NIBRS_HARM,
    NIBRS_NO_OFFENCE,
    NIBRS_POLICE,
    NO_OFFENCE,
    POLICE_DISCOVERED,
    REPORTED_HARM,
    SURELY_NO_OFFENCE,
    SURELY_POLICE,
    folded,
)

MAX_TYPES = 8
MIN_TYPE_SHARE = 0.01  # of the rows whose labels may become a type
CODED_SHARE = 0.8  # of the labels, from which they are taken for codes
STOP_COLUMNS = re.compile(
    r"object of search|stop (and|&) (frisk|search)|\bfrisk(ed)?\b|search (conducted|basis|vehicle)"
    r"|(person|vehicle|driver) searched|contraband|reason for stop|stop (reason|outcome|duration)"
)
HARM, POLICE, NONE = "harm", "police", "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """What becomes of the publisher's labels; each with its rows, most frequent first."""

    types: Sequence[tuple[str, int]]
    police_discovered: Sequence[tuple[str, int]]
    no_offence: Sequence[tuple[str, int]]
    rare: Sequence[tuple[str, int]]  # fewer rows than a type needs
    beyond: Sequence[tuple[str, int]]  # enough rows, but there are types enough


def plan_labels(labels: Sequence[tuple[str, int]]) -> LabelPlan:
    """Sort labels into types of their own and the reasons for which they are none."""
    are_codes = _are_nibrs(label for label, _ in labels)
    kinds = {label: _kind_of_code(label) if are_codes else kind_of(label) for label, _ in labels}
    left = [pair for pair in labels if kinds[pair[0]] == HARM]
    enough = MIN_TYPE_SHARE * sum(n for _, n in left)
    frequent = [pair for pair in left if pair[1] >= enough]
    return LabelPlan(
        types=frequent[:MAX_TYPES],
        police_discovered=[pair for pair in labels if kinds[pair[0]] == POLICE],
        no_offence=[pair for pair in labels if kinds[pair[0]] == NONE],
        rare=[pair for pair in left if pair[1] < enough],
        beyond=frequent[MAX_TYPES:],
    )


def kind_of(label: str) -> str:
    """Whether a label names harm that somebody reports, what police find, or no offence.

    Harm is the answer where no word is known. An assault with a weapon is harm, and a weapon alone
    is found by police, so the words of harm are asked between the sure and the weaker ones.
    """
    words = folded(label)
    asked = (
        (SURELY_NO_OFFENCE, NONE),
        (SURELY_POLICE, POLICE),
        (REPORTED_HARM, HARM),
        (POLICE_DISCOVERED, POLICE),
        (NO_OFFENCE, NONE),
    )
    return next((kind for pattern, kind in asked if pattern.search(words)), HARM)


def _are_nibrs(labels: Iterable[str]) -> bool:
    """Whether the labels are codes of the FBI: nearly all known, and some with a letter."""
    codes = [label.strip().upper() for label in labels]
    known = [code for code in codes if code in NIBRS_HARM | NIBRS_POLICE | NIBRS_NO_OFFENCE]
    has_letter = any(code[-1].isalpha() for code in known)
    return has_letter and len(known) >= CODED_SHARE * len(codes)


def _kind_of_code(label: str) -> str:
    code = label.strip().upper()
    if code in NIBRS_POLICE:
        return POLICE
    return NONE if code in NIBRS_NO_OFFENCE else HARM


def stop_columns(names: Iterable[str]) -> list[str]:
    """Columns that only a file of stops and searches has."""
    return [name for name in names if STOP_COLUMNS.search(folded(name).replace("_", " "))]

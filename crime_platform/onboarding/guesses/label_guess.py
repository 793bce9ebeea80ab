"""What becomes of a publisher's labels: offence types of their own, or a reason to ignore them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from crime_platform.onboarding.guesses.label_words import (
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
from crime_platform.sources.label_spelling import spelling_key

MAX_TYPES = 8
MANY_LABELS = 3 * MAX_TYPES  # of harm; with more, those that begin with one word make one type
GENERIC = re.compile(  # a first word that says nothing of the offence
    r"other|all|misc|auto|motor|vehicle|veh|property|public|attempt|criminal|crim|crime|simple|grand|pett?[iy]t?"
    r"|first|second|third|offen[cs]e|delito|outros?|otros?|autres?|sonstig|sonst|tentativ|tentative"
)
# A code before the words, as in 0142 BURGLARY or 13A-Assault; and the words of a type's name.
_FAMILY = re.compile(
    r"(?:[A-Z]{0,2}\d[\dA-Z.]*[\s:.)/-]+)?"
    r"((?:(?:motor|auto|vehicle|grand|pett?[iy]t?|simple|criminal|attempt(?:ed)?)\s+){0,2}[^\W\d]\w{3,})",
    re.IGNORECASE,
)
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

    types: Sequence[tuple[str, int]]  # by their label, or by the first word of several labels
    members: Mapping[str, Sequence[tuple[str, int]]]  # labels of a type that has several
    police_discovered: Sequence[tuple[str, int]]
    no_offence: Sequence[tuple[str, int]]
    rare: Sequence[tuple[str, int]]  # fewer rows than a type needs
    beyond: Sequence[tuple[str, int]]  # enough rows, but there are types enough


def plan_labels(labels: Sequence[tuple[str, int]]) -> LabelPlan:
    """Sort labels into types of their own and the reasons for which they are none."""
    are_codes = _are_nibrs(label for label, _ in labels)
    spellings = by_spelling(labels)
    totals = [(label, sum(n for _, n in pairs)) for label, pairs in spellings.items()]
    kinds = {label: _kind_of_code(label) if are_codes else kind_of(label) for label, _ in totals}
    left = [pair for pair in totals if kinds[pair[0]] == HARM]
    families = _by_first_word(left) if len(left) > MANY_LABELS else {}
    grouped = {label for pairs in families.values() for label, _ in pairs}
    left = [pair for pair in left if pair[0] not in grouped]
    left += [(word, sum(n for _, n in pairs)) for word, pairs in families.items()]
    left.sort(key=lambda pair: -pair[1])
    enough = MIN_TYPE_SHARE * sum(n for _, n in left)
    frequent = [pair for pair in left if pair[1] >= enough]
    types = frequent[:MAX_TYPES]
    members = {word: _unfolded(pairs, spellings) for word, pairs in families.items()}
    members = {**spellings, **members}
    return LabelPlan(
        types=types,
        members={name: members[name] for name, _ in types if len(members[name]) > 1},
        police_discovered=_unfolded(_of_kind(POLICE, kinds, totals), spellings),
        no_offence=_unfolded(_of_kind(NONE, kinds, totals), spellings),
        rare=_unfolded([pair for pair in left if pair[1] < enough], members),
        beyond=_unfolded(frequent[MAX_TYPES:], members),
    )


def by_spelling(labels: Sequence[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Labels that differ in spelling only, by the first of them."""
    groups: dict[str, list[tuple[str, int]]] = {}
    for label, n in labels:
        groups.setdefault(spelling_key(label), []).append((label, n))
    return {pairs[0][0]: pairs for pairs in groups.values()}


def _of_kind(
    kind: str, kinds: Mapping[str, str], labels: Sequence[tuple[str, int]]
) -> list[tuple[str, int]]:
    return [pair for pair in labels if kinds[pair[0]] == kind]


def _by_first_word(labels: Sequence[tuple[str, int]]) -> dict[str, list[tuple[str, int]]]:
    """Labels that begin with the same telling words, by these words, where there are several."""
    groups: dict[str, list[tuple[str, int]]] = {}
    words: dict[str, str] = {}
    for label, n in labels:
        found = _FAMILY.match(label.strip())
        if found and not GENERIC.fullmatch(folded(found[1].split()[-1])):
            word = " ".join(found[1].upper().split())
            groups.setdefault(words.setdefault(spelling_key(word), word), []).append((label, n))
    return {word: pairs for word, pairs in groups.items() if len(pairs) > 1}


def _unfolded(
    pairs: Sequence[tuple[str, int]], members: Mapping[str, Sequence[tuple[str, int]]]
) -> list[tuple[str, int]]:
    """The labels themselves, for a type that was not made of them."""
    return [each for pair in pairs for each in members.get(pair[0], [pair])]


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

"""Whether the publisher's words are the ones that the study area knows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crime_platform.data_checks.outcome import Outcome
from crime_platform.sources.label_spelling import label_meant
from crime_platform.study_area.study_area import StudyArea, label_key
from crime_platform.vocabulary.timesteps import Month

N_NEWEST = 3  # months in which a word that was usual must occur
N_BEFORE = 12  # months before them that say what was usual
MIN_EXPECTED = 15.0  # rows a vanished word should have had: none by chance is once in 3 million
MAX_PREMISES_SHARE = 0.01  # of rows whose kind of place is named in no [[premises_type]]
MAX_LABELS_TOLD = 10

UNMAPPED, VANISHED, APPEARED, RENAMED = "not mapped", "vanished", "appeared", "renamed"
UNNAMED_PREMISES, UNUSED = "premises not named", "never used"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelCount:
    """Accepted rows of one month under one of the publisher's offence words."""

    label: str
    offence_type: str
    month: Month
    n: int


def judge_labels(
    area: StudyArea,
    *,
    unmapped: Mapping[str, int],
    used: Sequence[LabelCount],
    premises: Mapping[str, int],
) -> Outcome:
    """Tell words that are not mapped, usual words that stopped, and kinds of place left out.

    Args:
        area: with the words it knows.
        unmapped: rows by offence word that stands in no list of the TOML.
        used: of whole months only.
        premises: rows by kind of place, all months.
    """
    toml = area.toml_file or "the TOML"
    problems, rows = _unmapped(area, unmapped, toml)
    for part in (_come_and_gone(used, toml), _unnamed_premises(area, premises, toml)):
        problems += part[0]
        rows += part[1]
    rows += _unused(area, {label_key(count.label) for count in used})
    return Outcome(
        problems=tuple(problems),
        rows=rows,
        figures={"labels not mapped": len(unmapped), "rows not mapped": sum(unmapped.values())},
    )


def _row(what: str, label: str, n_rows: int, note: str = "") -> dict:
    return {"what": what, "label": label, "rows": n_rows, "note": note}


def _unmapped(
    area: StudyArea, unmapped: Mapping[str, int], toml: str
) -> tuple[list[str], list[dict]]:
    known = [label for kind in area.offence_types for label in kind.labels]
    near = {label: label_meant(label, [*known, *area.ignored_labels]) for label in unmapped}
    rows = [
        _row(UNMAPPED, label, n, f"like {near[label]!r}" if near[label] else "")
        for label, n in unmapped.items()
    ]
    if not unmapped:
        return [], rows
    told = [
        f"{label!r} ({n:,} rows{f', like {near[label]!r}' if near[label] else ''})"
        for label, n in list(unmapped.items())[:MAX_LABELS_TOLD]
    ]
    more = len(unmapped) - len(told)
    return [
        f"rejected, since no list of {toml} has the word: {', '.join(told)}"
        f"{f' and {more} more' if more > 0 else ''}; add each to the labels of an "
        "[[offence_type]], or to ignored_labels"
    ], rows


def _come_and_gone(used: Sequence[LabelCount], toml: str) -> tuple[list[str], list[dict]]:
    """Words that were usual and are gone; a new word of the same offence type explains it."""
    months = sorted({count.month for count in used})
    newest = months[-N_NEWEST:]
    before = months[-N_NEWEST - N_BEFORE : -N_NEWEST]
    if len(before) < N_BEFORE:
        return [], []
    type_of = {label_key(count.label): count.offence_type for count in used}
    names = {label_key(count.label): count.label for count in used}
    now = _rows_by_label(used, newest)
    usual = _rows_by_label(used, before)
    ever = _rows_by_label(used, months[:-N_NEWEST])
    appeared = {label: n for label, n in now.items() if label not in ever}
    problems, rows = [], [_row(APPEARED, names[label], n) for label, n in appeared.items()]
    for label, n in usual.items():
        if label in now or n * len(newest) / N_BEFORE < MIN_EXPECTED:
            continue
        heirs = [names[other] for other in appeared if type_of[other] == type_of[label]]
        if heirs:
            rows.append(_row(RENAMED, names[label], n, f"now {', '.join(map(repr, heirs))}"))
            continue
        rows.append(_row(VANISHED, names[label], n))
        problems.append(
            f"{names[label]!r} ({type_of[label]}) stood in {n:,} rows of the year before "
            f"{newest[0]} and in none since: if the publisher renamed it, add the new word to its "
            f"labels in {toml}; if the publisher stopped, {type_of[label]} is not comparable"
        )
    return problems, rows


def _rows_by_label(used: Sequence[LabelCount], months: Sequence[Month]) -> dict[str, int]:
    wanted, totals = set(months), {}
    for count in used:
        if count.month in wanted and count.n:
            key = label_key(count.label)
            totals[key] = totals.get(key, 0) + count.n
    return totals


def _unnamed_premises(
    area: StudyArea, premises: Mapping[str, int], toml: str
) -> tuple[list[str], list[dict]]:
    if not area.premises_types:
        return [], []
    known = area.premises_of_label
    unnamed = {label: n for label, n in premises.items() if label_key(label) not in known}
    rows = [_row(UNNAMED_PREMISES, label, n) for label, n in unnamed.items()]
    share = sum(unnamed.values()) / max(sum(premises.values()), 1)
    if share <= MAX_PREMISES_SHARE:
        return [], rows
    told = [f"{label!r} ({n:,} rows)" for label, n in list(unnamed.items())[:MAX_LABELS_TOLD]]
    return [
        f"{share:.1%} of the rows with a kind of place are in no [[premises_type]] of {toml}: "
        f"{', '.join(told)}; add the words, or know that models do not see these rows' kind"
    ], rows


def _unused(area: StudyArea, used: set[str]) -> list[dict]:
    return [
        _row(UNUSED, label, 0, f"of {kind.name}")
        for kind in area.offence_types
        for label in kind.labels
        if label_key(label) not in used
    ]

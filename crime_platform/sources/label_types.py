"""The publisher's labels that a file holds, each with its offence type, lists before patterns."""

import re
from fnmatch import translate

import duckdb

from crime_platform.study_area.study_area import StudyArea, label_key
from crime_platform.vocabulary.incident import SourceFormatError


def fill_labels(connection: duckdb.DuckDBPyConnection, area: StudyArea) -> None:
    """Table `label`: every known label of the table `loaded`; the type is null of ignored ones.

    Raises:
        SourceFormatError: if the patterns of two offence types fit one label.
    """
    type_of: dict[str, str | None] = {**area.type_of_label}
    type_of |= dict.fromkeys(map(label_key, area.ignored_labels))
    connection.execute("create table label (label_key varchar, offence_type varchar)")
    _insert(connection, type_of)
    if area.pattern_owners:
        found = connection.execute("""
            select distinct lower(trim(source_offence)) as label_key from loaded
            where source_offence is not null and not is_elsewhere
            except select label_key from label order by all
        """).fetchall()
        _insert(connection, _by_pattern([str(label) for (label,) in found], area))


def _insert(connection: duckdb.DuckDBPyConnection, type_of: dict[str, str | None]) -> None:
    connection.execute(
        "insert into label select unnest(?::varchar[]), unnest(?::varchar[])",
        [list(type_of), list(type_of.values())],
    )


def _by_pattern(labels: list[str], area: StudyArea) -> dict[str, str | None]:
    patterns = [
        (pattern, owner, re.compile(translate(pattern))) for pattern, owner in area.pattern_owners
    ]
    found: dict[str, str | None] = {}
    for label in labels:
        fitting = [(written, owner) for written, owner, rule in patterns if rule.match(label)]
        if len({owner for _, owner in fitting}) > 1:
            told = " and ".join(
                f"{written!r} of {owner or 'ignored_label_patterns'!r}"
                for written, owner in fitting
            )
            raise SourceFormatError(
                f"label {label!r} fits {told}; in {area.toml_file or 'the TOML'}, write the label "
                "itself under labels of the one it belongs to, or narrow a pattern"
            )
        if fitting:
            found[label] = fitting[0][1]
    return found

"""The part behind the About page: how it was made, from what, and what it must not be used for.

The sentences are those of the report and the model card.
"""

from typing import Any

import duckdb

from crime_platform.dashboard.data.declared import declared, police_discovered
from crime_platform.dashboard.data.rows import holds, records
from crime_platform.dashboard.pages.about_data import file_section, finding_section, source_section
from crime_platform.dashboard.pages.about_streets import StreetFacts, street_facts
from crime_platform.dashboard.pages.accuracy import require_area
from crime_platform.dashboard.pages.released_facts import ReleasedFacts, released_facts
from crime_platform.dashboard.pages.sections import Section, section
from crime_platform.reporting import sentences, statements
from crime_platform.reporting.words import listing, month_name
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.values import POLICY

SIMULATED_NOTICE = (
    "This area is simulated: no incident of it ever happened, and nothing here says anything about "
    "a real place."
)


def about_part(connection: duckdb.DuckDBPyConnection, area: str) -> dict[str, Any]:
    """Everything the About page says of an area, ready for JSON.

    Args:
        connection: to the release.
        area: name of a study area in it.

    Returns:
        `title` and `sections`, each with `id`, `heading`, `paragraphs`, `items` and `table`
        (`head` and `rows` of text, or None). Numbers are written out.

    Raises:
        PartError: if the release holds nothing of the area.
    """
    require_area(connection, area)
    facts, streets = released_facts(connection, area), street_facts(connection, area)
    title = _title(connection, area)
    return {
        "title": title["title"],
        "sections": [
            _summary(facts, streets, is_simulated=bool(title["is_simulated"])),
            *([] if facts is None else [_method(facts)]),
            *([] if streets is None else [streets.section()]),
            source_section(connection, area),
            file_section(connection, area),
            finding_section(connection, area),
            _limits(facts, streets, police_discovered(connection, area)),
            *([] if facts is None else [_failures(facts)]),
            section("intended", "Meant for", items=statements.INTENDED_USES),
            section(
                "refused",
                "Refused uses",
                items=statements.REFUSED_USES,
                paragraphs=[statements.FEEDBACK],
            ),
        ],
    }


def _title(connection: duckdb.DuckDBPyConnection, area: str) -> dict[str, Any]:
    """Title of the area, and whether it is simulated."""
    tables = [name for name in ("release", "street_release") if holds(connection, name)]
    queries = [f"select title from {name} where study_area = $1 and is_latest" for name in tables]
    published = records(connection, " union all ".join(queries), [area])
    return declared(connection, area, published[0]["title"])


def _summary(
    facts: ReleasedFacts | None, streets: StreetFacts | None, *, is_simulated: bool
) -> Section:
    told = [SIMULATED_NOTICE] if is_simulated else []
    if facts is not None:
        told += [
            sentences.subject(facts),
            f"{sentences.verdict(facts)} {sentences.baseline_gap(facts)}",
            f"As of {month_name(facts.as_of)}. A newer release replaces it.",
        ]
    if streets is not None:
        told.append(streets.subject)
    return section("summary", "What this is", paragraphs=told)


def _method(facts: ReleasedFacts) -> Section:
    versions = facts.candidate.table("model_version")
    compared = [str(name) for name in facts.board.index if name != POLICY]
    history = [sentences.switches(facts)] if facts.has("champion_history") else []
    spread = [sentences.calibration(facts)] if facts.has("calibration") else []
    return section(
        "method",
        "How the monthly forecast is made",
        items=[
            sentences.chosen(facts),
            f"Compared: {listing([model_title(name) for name in compared])}.",
            *(f"Not made: {why}." for why in versions["skipped"].dropna()),
            sentences.tested(facts),
            *history,
            statements.GATE,
            statements.INTERVALS,
            *spread,
            sentences.noise(facts),
            sentences.hot_spots(facts),
        ],
    )


def _limits(
    facts: ReleasedFacts | None, streets: StreetFacts | None, discovered: list[str]
) -> Section:
    moved = [] if streets is None else [streets.moved]
    if facts is None:
        items = [statements.RECORDED_ONLY, *moved, statements.NO_CAUSE]
    else:
        items = [*sentences.limits(facts), *moved]
    told = [sentences.police_discovered(discovered)] if discovered else []
    return section("limits", "What the data cannot say", items=[*items, *told])


def _failures(facts: ReleasedFacts) -> Section:
    return section("failures", "Known failures", items=sentences.failures(facts))

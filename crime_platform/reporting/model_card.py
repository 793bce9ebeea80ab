"""The model card: what a user must know before using the forecast, as Markdown.

Fields after Mitchell et al. (2019), "Model Cards for Model Reporting", with what forecasts of
recorded crime need besides: masks, noise floor, feedback and an expiry date.
"""

from crime_platform.reporting import sentences, statements, tables
from crime_platform.reporting.facts import LocalFacts
from crime_platform.reporting.parts import Cell, Table
from crime_platform.reporting.words import listing, month_name, signed_percent, whole
from crime_platform.system.escape import markdown, markdown_link


def model_card(facts: LocalFacts) -> str:
    """The card as Markdown, ending in a line break."""
    area, manifest = facts.area, facts.candidate.manifest
    is_past = facts.expiry.is_past(facts.written_at)
    parts = [
        f"# Model card: {markdown(area.title)}, {month_name(facts.as_of)}",
        *([f"**{markdown(facts.expiry.expired)}**"] if is_past else []),
        markdown(f"{sentences.verdict(facts)} {sentences.baseline_gap(facts)}"),
        "## Model",
        _bullets(_identity(facts)),
        "## Uses",
        "Intended:",
        _bullets(statements.INTENDED_USES),
        "Refused:",
        _bullets(statements.REFUSED_USES),
        "## Data",
        f"{_sources(facts)}\n{_bullets(_data(facts))}",
        "## Scores",
        markdown(sentences.tested(facts)),
        _table(tables.leaderboard_table(facts)),
        markdown(sentences.noise(facts)),
        "### Hot spots",
        _table(tables.hotspot_table(facts)),
        "### Coverage by rate group",
    ]
    if facts.has("calibration"):
        parts += [markdown(sentences.calibration(facts)), _table(tables.calibration_table(facts))]
    else:
        parts.append("Not measured for this candidate.")
    parts += [
        "## Limits and known failures",
        _bullets((*sentences.limits(facts), *sentences.failures(facts))),
        markdown(statements.FEEDBACK),
        "## Owner and expiry",
        _bullets(
            (
                "Owner: whoever runs this installation; state a name and an address where you "
                "publish the forecast.",
                facts.expiry.sentence(facts.written_at),
                f"Code {manifest['git_commit'] or 'outside a checkout'}, counts "
                f"{manifest['data_version']}, candidate {facts.candidate.candidate_id}.",
            )
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _identity(facts: LocalFacts) -> tuple[str, ...]:
    area = facts.area
    versions = facts.candidate.table("model_version").set_index("model")
    found = [
        sentences.chosen(facts),
        f"Output: expected count, quantiles and probability of at least one recorded incident per "
        f"{area.grid.cell_size_m:g} m cell, offence type and month, {facts.horizon} months ahead.",
    ]
    if facts.champion in versions.index:
        row = versions.loc[[facts.champion]].iloc[0]
        found.append(
            f"Version {row['model_version']}, {whole(row['parameters'])} trained parameters, "
            f"configuration {row['config']}."
        )
    return tuple(found)


def _sources(facts: LocalFacts) -> str:
    """A bullet a source, with its address as a link where it is one of the web."""
    found = []
    for source in facts.area.sources:
        publisher, licence = source.publisher or source.name, source.licence or "not stated"
        address = f", {markdown_link(source.url)}" if source.url else ""
        found.append(f"- {markdown(f'Source: {publisher}, licence {licence}')}{address}.")
    return "\n".join(found)


def _data(facts: LocalFacts) -> tuple[str, ...]:
    area = facts.area
    labels = "; ".join(f"{kind.title}: {', '.join(kind.labels)}" for kind in area.offence_types)
    discovered = [kind.title for kind in area.offence_types if kind.police_discovered]
    active = facts.read("cell", ["is_ever_active"])["is_ever_active"]
    return (
        f"As of {month_name(facts.as_of)}; trained on {month_name(area.first_month)} to "
        f"{month_name(facts.as_of)}; in the back-test networks are refitted every "
        f"{area.backtest.refit_every} origins. No month is left out.",
        f"Offence types and the publisher's labels ({area.toml_file or area.name}): {labels}.",
        "Models see counts by offence type, cell and month, and public holidays if the area states "
        "a calendar; lightgbm also sees what part of a cell's incidents happened at which premises "
        f"({listing([kind.name for kind in area.premises_types])}) and in which part of the day, "
        "where that is published.",
        f"Police-discovered offences: {listing(discovered)}. Demographic, arrest and patrol "
        "columns are never loaded.",
        f"Spatial unit: squares of {area.grid.cell_size_m:g} m in {area.crs}. Publishers blur "
        "locations to intersections, snap points or blocks; a cell is no address.",
        f"Mask: scores count the {whole(int(active.sum()))} of {whole(len(active))} cells with any "
        "incident of any type on record up to the as-of month, the test months included.",
        f"Bias of {facts.champion} over the test months: "
        f"{signed_percent(facts.value('bias_share', facts.champion))}.",
    )


def _bullets(items: tuple[str, ...]) -> str:
    return "\n".join(f"- {markdown(item)}" for item in items)


def _table(table: Table) -> str:
    lines = [
        _line(list(table.headings)),
        f"| {' | '.join(_rules(table))} |",
        *(_line([_text(cell) for cell in row.cells]) for row in table.rows),
    ]
    return "\n".join(lines) + f"\n\n{markdown(table.caption)}"


def _rules(table: Table) -> list[str]:
    return ["---" if place < table.n_text else "---:" for place in range(len(table.headings))]


def _line(texts: list[str]) -> str:
    return f"| {' | '.join(map(markdown, texts))} |"


def _text(cell: Cell) -> str:
    return f"{cell.text} ({cell.note})" if cell.note else cell.text

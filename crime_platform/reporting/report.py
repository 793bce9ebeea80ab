"""Writes the quality report, a single file that needs no network, and the model card."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crime_platform.evaluation.candidate import Candidate
from crime_platform.reporting import sentences
from crime_platform.reporting.facts import Facts, LocalFacts
from crime_platform.reporting.figures.drawing import as_png
from crime_platform.reporting.figures.maps import Atlas, forecast_figure
from crime_platform.reporting.figures.scores import hit_rate_figure, skill_figure
from crime_platform.reporting.model_card import model_card
from crime_platform.reporting.paths import ReportPaths, report_paths
from crime_platform.reporting.sections import sections
from crime_platform.reporting.words import (
    MISSING,
    interval,
    month_name,
    signed_percent,
)
from crime_platform.schema.values import HISTORICAL_AVERAGE, POLICY
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.artifact import written_aside
from crime_platform.vocabulary.expiry import written_day

if TYPE_CHECKING:
    import pandas as pd

TEMPLATES = Path(__file__).resolve().parent
TEMPLATE, STYLESHEET = "report.html.jinja", "report.css"


@dataclass(frozen=True, slots=True)
class Tile:
    """One of the figures at the head of the report."""

    name: str
    value: str
    note: str


def write_report(
    candidate: Candidate,
    area: StudyArea,
    folder: Path,
    *,
    quality: "pd.DataFrame | None" = None,
    now: dt.datetime | None = None,
) -> ReportPaths:
    """Write the report and the model card of a candidate; each takes its name when it is whole.

    Args:
        candidate: what is described.
        area: the study area it was made for.
        folder: where both files go, see `paths.report_folder`.
        quality: rows of `data_quality` of this area, when they are at hand.
        now: the moment at which both are read as written; this one when absent.

    Raises:
        ValueError: if the candidate was made for another study area.
    """
    made_for = str(candidate.manifest["study_area"])
    if made_for != area.name:
        raise ValueError(
            f"candidate {candidate.candidate_id} was made for {made_for!r} and cannot be reported "
            f"as {area.name!r}: pass the study area it was made for"
        )
    facts = LocalFacts(candidate=candidate, area=area, written_at=now or dt.datetime.now(dt.UTC))
    paths = report_paths(folder)
    texts = {paths.report: _html(facts, quality), paths.model_card: model_card(facts)}
    for path, text in texts.items():
        with written_aside(path) as aside:
            aside.write_text(text, encoding="utf-8")
    return paths


def key_plots(candidate: Candidate) -> dict[str, bytes]:
    """The report's most telling pictures as small PNGs, for Dagster's metadata."""
    facts = Facts(candidate=candidate)
    return {
        "skill": as_png(skill_figure(facts)),
        "hit_rate": as_png(hit_rate_figure(facts)),
        "forecast": as_png(forecast_figure(Atlas(facts=facts))),
    }


def _html(facts: LocalFacts, quality: "pd.DataFrame | None") -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    style = (TEMPLATES / STYLESHEET).read_text(encoding="utf-8")
    return environment.get_template(TEMPLATE).render(
        title=f"{facts.area.title}: forecast of recorded crime as of {month_name(facts.as_of)}",
        subtitle=sentences.subject(facts),
        expired=facts.expiry.expired if facts.expiry.is_past(facts.written_at) else None,
        lead=[
            f"{sentences.verdict(facts)} {sentences.baseline_gap(facts)}",
            sentences.chosen(facts),
        ],
        tiles=_tiles(facts),
        style=Markup(style),  # our own file, no value of the data in it
        sections=sections(facts, quality),
        colophon=_colophon(facts),
    )


def _colophon(facts: LocalFacts) -> str:
    manifest = facts.candidate.manifest
    return (
        "A report is written whether or not the gate lets the forecast be published; the table "
        f"release says which was. Candidate {facts.candidate.candidate_id}; counts "
        f"{manifest['data_version']}; code {manifest['git_commit'] or 'outside a checkout'}. "
        f"{facts.expiry.sentence(facts.written_at)}"
    )


def _tiles(facts: LocalFacts) -> tuple[Tile, ...]:
    def figure(name: str, column: str) -> Tile:
        stated = interval(facts.value(f"{column}_low"), facts.value(f"{column}_high"))
        note = "no interval" if stated == MISSING else f"95 % interval {stated}"
        return Tile(name, signed_percent(facts.value(column)), f"of {who}; {note}")

    who = "the policy" if facts.judged == POLICY else facts.champion

    best = f", {facts.best_baseline}" if facts.best_baseline != HISTORICAL_AVERAGE else ""
    return (
        Tile(
            "Model of this forecast",
            facts.champion,
            "the champion; its own skill is "
            f"{signed_percent(facts.value('deviance_skill', facts.champion))}",
        ),
        figure("Skill over the historical average", "deviance_skill"),
        figure(f"Skill over the best baseline{best}", "skill_over_best_baseline"),
        Tile(
            "Expired" if facts.expiry.is_past(facts.written_at) else "Expires",
            written_day(facts.expiry.day),
            f"data as of {month_name(facts.as_of)}",
        ),
    )

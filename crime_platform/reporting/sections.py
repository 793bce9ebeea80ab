"""The sections of the report in their order: which words, tables and pictures stand where.

A section whose table the candidate does not hold says so in one sentence instead.
"""

from typing import TYPE_CHECKING

import numpy as np

from crime_platform.reporting import sentences, statements, tables
from crime_platform.reporting.facts import LocalFacts
from crime_platform.reporting.figures.calibration import pit_figure, reliability_figure
from crime_platform.reporting.figures.drawing import as_svg
from crime_platform.reporting.figures.maps import (
    Atlas,
    branch_shares,
    error_figure,
    forecast_figure,
    fusion_figure,
    width_figure,
)
from crime_platform.reporting.figures.scores import (
    hit_rate_figure,
    model_label,
    skill_by_month_figure,
    skill_by_type_figure,
    skill_figure,
    weight_figure,
)
from crime_platform.reporting.parts import Bullets, Code, Paragraph, Part, Picture, Section
from crime_platform.reporting.words import in_sentence, month_name, percent, signed_percent
from crime_platform.schema.error import ERROR_MEANING
from crime_platform.schema.policy import WHAT_IT_IS
from crime_platform.schema.values import HISTORICAL_AVERAGE, POLICY

if TYPE_CHECKING:
    import pandas as pd

EQUAL_SHARES = 0.02  # shares that differ by less are called equal
RECOMPUTE = """\
-- crime-platform sql "…", or any DuckDB client on forecasts.duckdb, opened read-only
with sums as (
    select model, sum(sum_deviance) / sum(n) as deviance,
        sum(sum_expected) / sum(sum_observed) - 1 as bias_share
    from backtest_score
    where study_area = '{area}' and as_of_month = date '{as_of}-01'
        and lead = 1 and cell_set = 'ever_active' and is_selection is not true
    group by model)
select s.model, 1 - s.deviance / h.deviance as deviance_skill, s.bias_share
from sums s, sums h
where h.model = 'historical_average'
order by deviance_skill desc;
"""


def sections(facts: LocalFacts, quality: "pd.DataFrame | None") -> tuple[Section, ...]:
    """Every section of the report.

    Args:
        facts: the candidate beside its study area.
        quality: rows of `data_quality` of this area, when they are at hand.
    """
    atlas = Atlas(facts=facts)
    return (
        Section("leaderboard", "Leaderboard", _leaderboard(facts)),
        Section("type-and-month", "Skill by offence type and month", _type_and_month(facts)),
        Section("turning-months", "Turning months", turn_parts(facts)),
        Section("calibration", "Calibration", _calibration(facts)),
        Section("hot-spots", "Hot spots", _hot_spots(facts)),
        Section("maps", "Maps", _maps(facts, atlas)),
        Section("fusion", "What ST-ResNet leans on", _fusion(facts, atlas)),
        Section("champion", "Ensemble and policy over time", _over_time(facts)),
        Section("limits", "What the data cannot say", _limits(facts, quality)),
        Section("uses", "Uses", _uses()),
        Section("recompute", "Recompute it", _recompute(facts)),
    )


def _leaderboard(facts: LocalFacts) -> tuple[Part, ...]:
    policy = (
        f" The diamond is the champion, which is published. {WHAT_IT_IS}"
        if facts.judged == POLICY
        else ""
    )
    text = (
        "Models whose interval is right of 0 beat the historical average. Block bootstrap over "
        f"{len(facts.test_targets)} origins.{policy}"
    )
    ours = signed_percent(facts.value("deviance_skill", facts.champion))
    theirs = signed_percent(facts.value("deviance_skill", facts.best_baseline))
    n_models = len(facts.board.drop(index=[POLICY, HISTORICAL_AVERAGE], errors="ignore"))
    alt = (
        f"Deviance skill of {n_models} models with 95 % intervals. The champion {facts.champion} "
        f"stands at {ours}, the best baseline {facts.best_baseline} at {theirs}."
    )
    found: list[Part] = [
        Picture(as_svg(skill_figure(facts)), alt, text),
        tables.leaderboard_table(facts),
        Paragraph(sentences.noise(facts)),
    ]
    skipped = facts.candidate.manifest.get("skipped")
    if isinstance(skipped, dict) and skipped:
        reasons = [f"{name}: {why}" for name, why in skipped.items()]
        found.append(Paragraph(f"Not in the table. {'; '.join(reasons)}."))
    return tuple(found)


def _type_and_month(facts: LocalFacts) -> tuple[Part, ...]:
    by_type = facts.skill_by("offence_type")[facts.champion]
    by_month = facts.skill_by("target_month")[facts.champion]
    won = f"The champion is above 0 in {_n_won(by_month)}"
    if facts.judged == POLICY:
        won += f", the policy in {_n_won(facts.skill_by('target_month')[POLICY])}"
    is_turning = bool(facts.turning_months())
    shaded = " Shaded: months in which the recorded city total turns." if is_turning else ""
    return (
        Picture(
            as_svg(skill_by_type_figure(facts)),
            f"Deviance skill by offence type; the champion's runs from "
            f"{signed_percent(float(by_type.min()))} to {signed_percent(float(by_type.max()))}.",
            "Each type is scored against its own historical average: marks left of 0 lost to it. "
            f"Rare types have little to gain, since most of their deviance is noise. "
            f"{sentences.weakest_type(facts)}",
        ),
        Picture(
            as_svg(skill_by_month_figure(facts)),
            f"Deviance skill by target month; the champion's runs from "
            f"{signed_percent(float(by_month.min()))} to {signed_percent(float(by_month.max()))}.",
            f"{won} months.{shaded}",
        ),
    )


def _n_won(by_month: "pd.Series") -> str:
    return f"{int((by_month > 0).sum())} of {len(by_month)}"


def turn_parts(facts: LocalFacts) -> tuple[Part, ...]:
    """Whether any model anticipates the turns of the city's total, where there are any."""
    if not facts.has("model_turn"):
        return (_absent("No turning months were scored for this candidate."),)
    if not facts.candidate.table("model_turn")["n_turns"].gt(0).any():
        return (_absent("The recorded total did not turn in the months that were forecast."),)
    return (*map(Paragraph, sentences.turns(facts)), tables.turn_table(facts))


def _calibration(facts: LocalFacts) -> tuple[Part, ...]:
    found: list[Part] = []
    if facts.has("calibration"):
        found += [Paragraph(sentences.calibration(facts)), tables.calibration_table(facts)]
    if facts.has("reliability"):
        found.append(
            Picture(
                as_svg(reliability_figure(facts)),
                "Recorded against expected incidents per cell and month in bins of the expected "
                "count, champion and best baseline, and the ratio of the two.",
                "Points on the line are unbiased at that rate; above it too few were expected. "
                "Right: the same as a ratio, where small departures show. Bars are 95 % of Poisson "
                "noise; the rates are on logarithmic axes.",
            )
        )
    if facts.has("pit_histogram"):
        found.append(
            Picture(
                as_svg(pit_figure(facts)),
                "Histograms of the champion's randomised probability integral transform by rate "
                "group, beside the flat line of perfect calibration.",
                "Flat at 1 is calibrated. A hump in the middle means intervals too wide, raised "
                "ends too narrow, a slope too many or too few expected. Dashed: 95 % of chance.",
            )
        )
    if facts.has("distribution_choice"):
        found.append(tables.distribution_table(facts))
    return tuple(found) or (_absent("Calibration was not measured for this candidate."),)


def _hot_spots(facts: LocalFacts) -> tuple[Part, ...]:
    return (
        Paragraph(sentences.hot_spots(facts)),
        Picture(
            as_svg(hit_rate_figure(facts)),
            "Hit rate against flagged share of the area for the champion, other models, the best "
            "possible choice and chance.",
            "Left: nothing can enter the grey area, which begins at what the best choice, made "
            "afterwards, would hold. Right: how many points more of the incidents each model "
            "catches than the historical average. Mind that the axis has four steps.",
        ),
        tables.hotspot_table(facts),
    )


def _maps(facts: LocalFacts, atlas: Atlas) -> tuple[Part, ...]:
    when, target = month_name(facts.as_of), month_name(facts.as_of + 1)
    model = facts.champion
    kind = in_sentence(facts.title_of(atlas.commonest_type))
    sums = atlas.backtest
    is_worse = sums["deviance"] > sums["baseline_deviance"]
    active = atlas.cells.index[atlas.cells["is_ever_active"]]
    n_worse, held = is_worse.reindex(active).mean(), sums["recorded"][is_worse].sum()
    share_held = held / max(float(sums["recorded"].sum()), 1.0)
    n_tested = len(facts.test_targets)
    return (
        tables.forecast_table(facts),
        Picture(
            as_svg(forecast_figure(atlas)),
            f"Two maps of {target}: expected incidents by cell, and their difference from the "
            "historical average.",
            f"Recorded crime of all types expected in {target}, data as of {when}, model {model}. "
            "Left: square-root colours. Right: orange cells are expected to be quieter than their "
            "historical average, purple cells busier. Grey: no incident on record. The intervals "
            "are in the next maps: one cell's count is far less certain than a city's total.",
        ),
        Picture(
            as_svg(width_figure(atlas)),
            f"Two maps of the width of the 80 % and 95 % intervals for {kind}.",
            f"Width of the central intervals for {kind}, the commonest type, {target}, data as of "
            f"{when}. A width of 0 says that only one count, mostly none, is likely. Intervals are "
            "published per offence type; widths of several types must not be added.",
        ),
        Picture(
            as_svg(error_figure(atlas)),
            f"Two maps over {n_tested} test months: the error, {ERROR_MEANING}, and where "
            "the champion's deviance is lower or higher than the historical average's.",
            f"Back-test of {model_label(model)} over {n_tested} months to {when}. Left: "
            f"the error, {ERROR_MEANING}: in purple cells the forecast was too high, in orange "
            "ones too low, as on the page. Right: the champion has the "
            f"higher deviance in {percent(float(n_worse), 0)} of the active cells, which held "
            f"{percent(float(share_held), 0)} of the incidents (orange); in a single cell that is "
            "mostly chance, in a cluster of cells it is worth a look.",
        ),
    )


def _fusion(facts: LocalFacts, atlas: Atlas) -> tuple[Part, ...]:
    if not facts.has("fusion_weight"):
        return (_absent("No ST-ResNet of this candidate has fusion weights per cell."),)
    names = set(facts.read("fusion_weight", ["model"])["model"].astype(str))
    model = next((name for name in facts.board.index if name in names), min(names))
    return (
        Picture(
            as_svg(fusion_figure(atlas, str(model))),
            f"Three maps of the share of closeness, period and trend in {model}, by cell.",
            f"Share of each branch in the fusion of {model}, mean over offence types. 33.3 % is an "
            "equal share; purple cells lean more on the branch, orange less. Closeness: the latest "
            "months; period: the same month of earlier years; trend: older quarters. "
            f"{_spread(atlas, str(model))}",
        ),
    )


def _spread(atlas: Atlas, model: str) -> str:
    shares = list(branch_shares(atlas, model).values())
    low, high = min(map(np.nanmin, shares)) / 100, max(map(np.nanmax, shares)) / 100
    text = f"Shares run from {percent(low)} to {percent(high)}"
    if high - low < EQUAL_SHARES:
        return f"{text}: no cell leans on a branch to speak of, whatever the colours suggest."
    return f"{text}."


def _over_time(facts: LocalFacts) -> tuple[Part, ...]:
    found: list[Part] = []
    if facts.has("ensemble_weight"):
        text = "Each bar is the ensemble made at that origin, from earlier origins only. Mean over"
        found += [
            Picture(
                as_svg(weight_figure(facts)),
                "Stacked weights of the ensemble's members at each origin.",
                f"{text} offence types. Weights that hold still from origin to origin are a sign "
                "that they are not fitted to noise.",
            ),
            tables.weight_table(facts),
        ]
    if facts.has("champion_history"):
        found += [Paragraph(sentences.switches(facts)), tables.history_table(facts)]
    return tuple(found) or (_absent("This candidate has neither ensemble nor policy history."),)


def _limits(facts: LocalFacts, quality: "pd.DataFrame | None") -> tuple[Part, ...]:
    found: list[Part] = [Bullets(sentences.limits(facts))]
    if quality is not None and len(quality):
        found.append(tables.quality_table(quality))
    if facts.area.includes_police_discovered:
        names = [kind.title for kind in facts.area.offence_types if kind.police_discovered]
        found.append(Paragraph(sentences.police_discovered(names), is_notice=True))
    found += [Paragraph("Known failures:"), Bullets(sentences.failures(facts))]
    return tuple(found)


def _uses() -> tuple[Part, ...]:
    return (
        Paragraph("Meant for:"),
        Bullets(statements.INTENDED_USES),
        Paragraph("Refused:"),
        Bullets(statements.REFUSED_USES),
        Paragraph(statements.FEEDBACK, is_notice=True),
    )


def _recompute(facts: LocalFacts) -> tuple[Part, ...]:
    query = RECOMPUTE.format(area=facts.area.name, as_of=facts.as_of)
    return (
        Paragraph(
            "Every score is a ratio of sums in backtest_score, and every sum can be made again "
            "from backtest_forecast, which has expected count and dispersion one month ahead, and "
            "cell_month (the view forecast_vs_actual joins them)."
        ),
        Code(query),
    )


def _absent(text: str) -> Paragraph:
    return Paragraph(text)

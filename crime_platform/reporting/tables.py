"""The report's tables, ready to print: one function a table."""

from typing import TYPE_CHECKING

import numpy as np

from crime_platform.reporting.facts import Facts, LocalFacts
from crime_platform.reporting.figures.calibration import NOMINAL, calibration_by_group
from crime_platform.reporting.figures.scores import model_label
from crime_platform.reporting.parts import MUTED, OFF, STRONG, Cell, Row, Table
from crime_platform.reporting.words import (
    MISSING,
    decimal,
    interval,
    listing,
    month_name,
    p_value,
    percent,
    seconds,
    short_month,
    signed_percent,
    significant,
    whole,
)
from crime_platform.schema.policy import WHAT_IT_IS
from crime_platform.schema.values import ALL_RATES, POLICY
from crime_platform.vocabulary.timesteps import parse_month

if TYPE_CHECKING:
    import pandas as pd

LEADERBOARD_HEADINGS = (
    "Model",
    "Deviance skill",
    "p, historical average",
    "Skill over best baseline",
    "p, best baseline",
    "RMSE skill",
    "Bias",
    "Hit rate 20 %",
    "CRPS",
    "Gap closed",
    "MAE",
    "Parameters, training time",
    "Origins",
)


def leaderboard_table(facts: Facts) -> Table:
    """Every model, lowest deviance first; the policy below them."""
    rows = tuple(_board_row(facts, str(name), row) for name, row in facts.board.iterrows())
    return Table(
        caption="All models one month ahead, pooled over the test months and offence types, ever "
        "active cells, with 95 % intervals of the skills. MAE is shown and never decides: "
        f"forecasting zero everywhere does well on it. {WHAT_IT_IS}",
        headings=LEADERBOARD_HEADINGS,
        rows=rows,
        muted=("MAE",),
    )


def _board_row(facts: Facts, name: str, row: "pd.Series") -> Row:
    notes = []
    if name == facts.champion:
        notes.append("champion: this forecast")
    if name == POLICY:
        notes.append("no rank")
    if name == facts.best_baseline:
        notes.append("best baseline")
    low, high = row["deviance_skill_low"], row["deviance_skill_high"]
    ahead = "skill_over_best_baseline"
    cells = (
        Cell(model_label(name), ", ".join(notes)),
        Cell(signed_percent(row["deviance_skill"]), _known(interval(low, high))),
        Cell(p_value(row["diebold_mariano_p"])),
        Cell(
            signed_percent(row[ahead]), _known(interval(row[f"{ahead}_low"], row[f"{ahead}_high"]))
        ),
        Cell(p_value(row["diebold_mariano_p_best_baseline"])),
        Cell(signed_percent(row["rmse_skill"])),
        Cell(signed_percent(row["bias_share"])),
        Cell(percent(row["hit_rate_20"])),
        Cell(decimal(row["crps"], 4)),
        Cell(percent(row["gap_closed"], 0)),
        Cell(decimal(row["mae"], 4), tone=MUTED),
        Cell(whole(row["parameters"]), _known(seconds(row["training_seconds"]))),
        Cell(whole(row["n_origins"])),
    )
    return Row(cells, is_marked=name == facts.champion)


def _known(text: str) -> str:
    return "" if text == MISSING else text


def turn_table(facts: Facts) -> Table:
    """Every model's skill and lag in the months where the city total turns."""
    table = facts.candidate.table("model_turn").sort_values("deviance_skill", ascending=False)
    rows = tuple(
        Row(
            (
                Cell(model_label(str(row["model"]))),
                Cell(whole(row["n_turns"])),
                Cell(signed_percent(row["deviance_skill"])),
                Cell(percent(row["share_right_direction"], 0)),
                Cell(decimal(row["lag_months"], 0)),
            ),
            is_marked=row["model"] == facts.champion,
        )
        for row in table.to_dict("records")
    )
    return Table(
        caption="Turning months and the month after each, one month ahead. The lag is the shift at "
        "which the forecast totals lie closest to the recorded ones: 0 moves with the turn, 1 "
        "repeats last month.",
        headings=("Model", "Turns", "Deviance skill", "Right direction", "Lag, months"),
        rows=rows,
    )


def calibration_table(facts: Facts) -> Table:
    """The champion's shares inside its intervals per rate group, failures marked."""
    rows = []
    for group, row in calibration_by_group(facts).iterrows():
        cells = [
            Cell("all rates" if group == ALL_RATES else str(group)),
            Cell(whole(row["n"])),
            Cell(decimal(row["expected_per_case"])),
            Cell(decimal(row["recorded_per_case"])),
        ]
        for level in NOMINAL:
            for kind in ("pit", "covered"):
                is_off = bool(row[f"{kind}_{level}_is_off"])
                text = percent(row[f"{kind}_{level}"])
                cells.append(Cell(f"{text} off" if is_off else text, tone=OFF if is_off else ""))
            cells.append(Cell(percent(row[f"stated_{level}"]), tone=MUTED))
        rows.append(Row(tuple(cells), is_marked=group == ALL_RATES))
    per_level = (("PIT in {} %", "Counts in {} %", "Promised {} %"),) * len(NOMINAL)
    headings = [
        name.format(level)
        for level, names in zip(NOMINAL, per_level, strict=True)
        for name in names
    ]
    return Table(
        caption="Calibration of the champion by expected count. PIT shares should be within 2 "
        "points of nominal and counts inside the interval not below it; what is not is marked off. "
        "Whole counts make intervals promise more than nominal.",
        headings=("Rate group", "Cases", "Expected", "Recorded", *headings),
        rows=tuple(rows),
    )


def distribution_table(facts: Facts) -> Table:
    """Validation CRPS of each predictive distribution, and the one chosen."""
    table = facts.candidate.table("distribution_choice")
    table = table[table["lead"] == 1]
    names = [str(name) for name in dict.fromkeys(table["distribution"])]
    ranked = [name for name in facts.board.index if name in set(table["model"])]
    rows = []
    for model in ranked:
        of_model = table[table["model"] == model].set_index("distribution")
        crps, is_chosen = of_model["crps"], of_model["is_chosen"].astype(bool)
        chosen = [str(name) for name in of_model.index[is_chosen]]
        narrow = _too_narrow(of_model)
        cells = [
            Cell(
                decimal(crps.get(name), 5) + (" too narrow" if name in narrow else ""),
                tone=STRONG if name in chosen else "",
            )
            for name in names
        ]
        words = listing([name.replace("_", " ") for name in chosen])
        rows.append(Row((Cell(model_label(model)), *cells, Cell(words))))
    return Table(
        caption="Mean CRPS, in incidents, of each predictive distribution one month ahead, on "
        "months its fit did not see. The lowest is used of those that are wide enough in every "
        "rate group; if none is, the one that falls short least.",
        headings=("Model", *(name.replace("_", " ") for name in names), "Chosen"),
        rows=tuple(rows),
    )


def _too_narrow(of_model: "pd.DataFrame") -> set[str]:
    """Distributions whose PIT falls short by more than is allowed in some rate group."""
    if "pit_shortfall" not in of_model:
        return set()
    return {str(name) for name in of_model.index[of_model["pit_shortfall"] > 1]}


def hotspot_table(facts: Facts) -> Table:
    """Hit rate, PAI and PEI at each share of the area."""
    best = facts.best_hit_rates()
    rows = []
    for model in facts.shown:
        cells = [Cell(model_label(model))]
        for share in best.index.to_numpy(dtype=float):
            hit = facts.hit_rate(model, share)
            values = (percent(hit), decimal(hit / share, 2), decimal(hit / best[share], 2))
            cells += [Cell(text) for text in values]
        rows.append(Row(tuple(cells), is_marked=model == facts.champion))
    shares = [f"{100 * share:g} %" for share in best.index.to_numpy(dtype=float)]
    return Table(
        caption="PAI is the hit rate over the share of area flagged; PEI is the hit rate over the "
        "best possible one. Ties are shared equally.",
        headings=(
            "Model",
            *(f"{name} {share}" for share in shares for name in ("Hit", "PAI", "PEI")),
        ),
        rows=tuple(rows),
    )


def forecast_table(facts: LocalFacts) -> Table:
    """Expected incidents of the whole area beside what was recorded last."""
    columns = ["offence_type", "lead", "expected_count"]
    rows = facts.read("cell_forecast", columns, model=[facts.candidate.champion])
    expected = rows.groupby(["offence_type", "lead"], observed=True)["expected_count"].sum()
    months = facts.candidate.table("month_count")
    month = np.array([parse_month(str(value)) for value in months["month"]])
    leads = range(1, facts.horizon + 1)
    year_ago = facts.as_of + 1 - 12
    lines = []
    for kind in facts.area.offence_types:
        of_type = months["offence_type"] == kind.name
        known = [
            months.loc[of_type & (month == when), "count"].sum() for when in (facts.as_of, year_ago)
        ]
        ahead = [expected.get((kind.name, lead)) for lead in leads]
        cells = (Cell(kind.title), *(Cell(whole(value)) for value in (*ahead, *known)))
        lines.append(Row(cells))
    return Table(
        caption="Incidents expected in the whole area, from the model of this forecast, beside "
        "recorded counts. Forecasts cover incidents with coordinates inside the grid.",
        headings=(
            "Offence type",
            *(month_name(facts.as_of + lead) for lead in leads),
            f"recorded {short_month(facts.as_of)}",
            f"recorded {short_month(year_ago)}",
        ),
        rows=tuple(lines),
    )


def weight_table(facts: LocalFacts) -> Table:
    """Weights of the newest ensemble, a row per offence type."""
    weights = facts.candidate.table("ensemble_weight")
    newest = weights[weights["origin_month"] == weights["origin_month"].max()]
    table = newest.pivot_table(index="offence_type", columns="member", values="weight")
    members = [str(name) for name in table.mean().sort_values(ascending=False).index]
    levels = [name for name in ("level",) if name in newest]
    told = " The level is a factor on the pool that corrects its last misses." if levels else ""
    table = table.join(newest.groupby("offence_type")[levels].first())
    rows = tuple(
        Row(
            (
                Cell(facts.title_of(str(kind))),
                *(Cell(decimal(row[name], 2)) for name in members),
                *(Cell(decimal(row[name], 3)) for name in levels),
            )
        )
        for kind, row in table.iterrows()
    )
    month = month_name(parse_month(str(newest["origin_month"].iloc[0])))
    return Table(
        caption=f"Weights of the ensemble at {month}, fitted on earlier origins only.{told}",
        headings=("Offence type", *members, *(name.capitalize() for name in levels)),
        rows=rows,
    )


def history_table(facts: Facts) -> Table:
    """Which model the policy chose at each origin, and why."""
    table = facts.candidate.table("champion_history").sort_values("origin_month")
    rows = []
    for row in table.to_dict("records"):
        month, lowest = parse_month(str(row["origin_month"])), row["lowest_deviance_model"]
        use = "selection only" if row["is_selection"] else "tested"
        cells = (
            Cell(month_name(month)),
            Cell(str(row["champion"]), tone=STRONG if row["is_switch"] else ""),
            Cell(lowest if isinstance(lowest, str) else MISSING),
            Cell("this forecast" if month == facts.as_of else use),
            Cell(str(row["reason"])),
            Cell(f"{significant(row['mean_gap'])} ± {significant(row['standard_error'])}"),
        )
        rows.append(Row(cells, is_marked=bool(month == facts.as_of)))
    return Table(
        caption="The model the policy chose at each origin, from what was known then; a change is "
        "bold. The gap is that model's mean deviance per origin less the lowest one's, with its "
        "standard error. The last row is the champion of this forecast.",
        headings=("Origin", "Chosen", "Lowest deviance", "Use", "Reason", "Gap"),
        rows=tuple(rows),
        n_text=5,
    )


def quality_table(quality: "pd.DataFrame") -> Table:
    """What was found in the source files, summed over them."""
    sums = quality.groupby("finding")["n_rows"].sum().sort_values(ascending=False)
    rows = tuple(Row((Cell(str(finding)), Cell(whole(n)))) for finding, n in sums.items())
    return Table(
        caption="Rows of the source files by what became of them.",
        headings=("Finding", "Rows"),
        rows=rows,
    )

"""Accuracy of the monthly forecasts: one month ahead, ever active cells, unless a key says else.

The cases are those of the `leaderboard` view: the newest month's back-test without the origins that
only chose. Sums first, ratios last.
"""

import duckdb

from crime_platform.dashboard.data.declared import offence_titles
from crime_platform.dashboard.data.rows import gathered, records
from crime_platform.dashboard.pages.released_facts import released_facts
from crime_platform.reporting.facts import FAMILIES
from crime_platform.reporting.figures.calibration import in_rate_order
from crime_platform.reporting.sentences import weakest_type
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.policy import WHAT_IT_IS
from crime_platform.schema.values import ANY, HISTORICAL_AVERAGE, POLICY

NAIVE = "last_month"  # the row that weak comparisons are made against

_RELEASE = """
    select strftime(as_of_month, '%Y-%m') as as_of_month, champion
    from release where study_area = ? and is_latest
"""
_BOARD = """
    select rank, model, is_champion, is_policy, deviance_skill, deviance_skill_low,
        deviance_skill_high, diebold_mariano_p, best_baseline, skill_over_best_baseline,
        skill_over_best_baseline_low, skill_over_best_baseline_high,
        diebold_mariano_p_best_baseline, rmse_skill, bias_share,
        hit_rate_20, pei_20, deviance, rmse, mae, crps, coverage_80, coverage_95,
        stated_coverage_80, stated_coverage_95, noise_floor_deviance, reducible_gap_closed,
        parameters, training_seconds, n_origins, n_cases
    from leaderboard where study_area = ? order by rank nulls last
"""
# The cases of the `leaderboard` view, by the same conditions.
_CASES = """
    from backtest_score s join release r using (study_area, as_of_month)
    where s.study_area = ? and r.is_latest and s.cell_set = 'ever_active' and s.lead = 1
        and s.is_selection is not true
"""
_MONTHS = f"""
    select strftime(min(s.target_month), '%Y-%m') as first_target,
        strftime(max(s.target_month), '%Y-%m') as last_target {_CASES}
"""
_HOTSPOTS = """
    select h.model, h.coverage_share, sum(h.sum_hits) / sum(h.sum_incidents) as hit_rate,
        sum(h.sum_hits) / sum(h.sum_incidents) / h.coverage_share as pai,
        sum(h.sum_hits) / sum(h.sum_best_hits) as pei,
        sum(h.sum_best_hits) / sum(h.sum_incidents) as best_hit_rate
    from backtest_hotspot h join release r using (study_area, as_of_month)
    where h.study_area = ? and r.is_latest and h.lead = 1 and h.offence_type = ?
    group by h.model, h.coverage_share order by h.coverage_share
"""
_OF_MODELS = """
    join release r using (study_area, as_of_month)
    where t.study_area = ? and r.is_latest and t.lead = 1 and t.n > 0 and list_contains(?, t.model)
"""
_CALIBRATION = f"""
    select t.model, t.rate_group, t.n, t.n_inside_80 / t.n as coverage_80,
        t.sum_stated_80 / t.n as stated_80, t.n_pit_inside_80 / t.n as pit_80,
        t.n_inside_95 / t.n as coverage_95, t.sum_stated_95 / t.n as stated_95,
        t.n_pit_inside_95 / t.n as pit_95, t.sum_expected / t.n as expected,
        t.sum_observed / t.n as observed
    from calibration t {_OF_MODELS}
"""
_RELIABILITY = f"""
    select t.model, t.sum_expected / t.n as expected, t.sum_observed / t.n as observed, t.n
    from reliability t {_OF_MODELS} order by t.bin
"""
_PIT = """
    select t.model, t.n / sum(t.n) over (partition by t.model) as share
    from pit_histogram t join release r using (study_area, as_of_month)
    where t.study_area = ? and r.is_latest and t.lead = 1 and list_contains(?, t.model)
        and t.rate_group = 'all'
    order by t.bin
"""
_BY_MONTH = f"""
    with sums as (
        select s.model, s.target_month, sum(s.sum_deviance) as deviance {_CASES} group by all)
    select m.model, strftime(m.target_month, '%Y-%m') as target_month,
        1 - m.deviance / b.deviance as deviance_skill
    from sums m join sums b on b.target_month = m.target_month and b.model = ?
    where list_contains(?, m.model) order by m.target_month
"""
_BY_TYPE = """
    select m.offence_type, m.model, 1 - m.deviance / b.deviance as deviance_skill,
        1 - m.rmse / b.rmse as rmse_skill, m.bias_share, m.n_cases as n
    from leaderboard_by_offence_type m join leaderboard_by_offence_type b
        on b.study_area = m.study_area and b.offence_type = m.offence_type and b.model = ?
    where m.study_area = ? and list_contains(?, m.model)
"""
_BY_LEAD = """
    select lead, model, deviance_skill, deviance_skill_low, deviance_skill_high, rmse_skill,
        bias_share, hit_rate_20, n_cases as n
    from leaderboard_by_lead where study_area = ? and list_contains(?, model)
"""
_HISTORY = """
    select strftime(t.origin_month, '%Y-%m') as origin_month, t.champion,
        t.is_switch is true as is_switch, t.is_selection is true as is_selection, t.reason
    from champion_history t join release r using (study_area, as_of_month)
    where t.study_area = ? and r.is_latest order by t.origin_month
"""


def cell_accuracy(connection: duckdb.DuckDBPyConnection, area: str) -> dict | None:
    """Scores of the area's monthly forecasts beside the historical average; None without any.

    `policy` names the row of the policy, None without one, and `policy_is` says what it is.
    `compared` are the few models that pictures by month, lead and offence type show.
    """
    released = records(connection, _RELEASE, [area])
    if not released:
        return None
    board = records(connection, _BOARD, [area])
    facts = released_facts(connection, area)
    champion, names = released[0]["champion"], [row["model"] for row in board]
    policy = POLICY if POLICY in names else None
    best_baseline = _best_baseline(board, policy or champion)
    judged = _present([champion, policy, HISTORICAL_AVERAGE], names)
    compared = _compared(names, [champion, policy], [best_baseline, NAIVE, HISTORICAL_AVERAGE])
    first = board[0] if board else {}
    return {
        **released[0],
        "policy": policy,
        "policy_is": WHAT_IT_IS,
        "baseline": HISTORICAL_AVERAGE,
        "best_baseline": best_baseline,
        "compared": compared,
        "n_origins": first.get("n_origins"),
        **records(connection, _MONTHS, [area])[0],
        "n_cases": first.get("n_cases"),
        "noise_floor_deviance": first.get("noise_floor_deviance"),
        "leaderboard": [_board_row(row) for row in board],
        "hotspots": _ranked(
            gathered(records(connection, _HOTSPOTS, [area, ANY]), by="model"), names
        ),
        "calibration": _calibration(connection, area, judged),
        "reliability": _ranked(
            gathered(records(connection, _RELIABILITY, [area, judged]), by="model"), judged
        ),
        "pit": _ranked(gathered(records(connection, _PIT, [area, judged]), by="model"), judged),
        "by_month": _ranked(
            gathered(
                records(connection, _BY_MONTH, [area, HISTORICAL_AVERAGE, compared]), by="model"
            ),
            compared,
        ),
        "by_type": _by_type(connection, area, compared),
        "weakest_type": None if facts is None else weakest_type(facts),
        "by_lead": _ranked(records(connection, _BY_LEAD, [area, compared]), compared, "lead"),
        "champion_history": [
            {**row, "title": model_title(row["champion"])}
            for row in records(connection, _HISTORY, [area])
        ],
    }


def _best_baseline(board: list[dict], model: str) -> str:
    """The best single baseline; the historical average where none was compared."""
    named = {row["model"]: row["best_baseline"] for row in board}
    return named.get(model) or HISTORICAL_AVERAGE


def _compared(ranked: list[str], first: list[str | None], last: list[str | None]) -> list[str]:
    """The champion, the best of each learned family, and the baselines that matter."""
    families = [[name for name in ranked if name.startswith(family)][:1] for family in FAMILIES]
    return _present([*first, *(name for best in families for name in best), *last], ranked)


def _present(names: list[str | None], scored: list[str]) -> list[str]:
    return list(dict.fromkeys(name for name in names if name in scored))


def _board_row(row: dict) -> dict:
    model = row["model"]
    return {
        **row,
        "title": model_title(model),
        "is_baseline": model == HISTORICAL_AVERAGE,
    }


def _calibration(connection: duckdb.DuckDBPyConnection, area: str, models: list[str]) -> list[dict]:
    rows = records(connection, _CALIBRATION, [area, models])
    groups = in_rate_order(list({row["rate_group"] for row in rows}))
    rows.sort(key=lambda row: groups.index(row["rate_group"]))
    return _ranked(rows, models)


def _by_type(connection: duckdb.DuckDBPyConnection, area: str, models: list[str]) -> list[dict]:
    titles = offence_titles(connection, area)
    rows = records(connection, _BY_TYPE, [HISTORICAL_AVERAGE, area, models])
    rows.sort(key=lambda row: list(titles).index(row["offence_type"]))
    ranked = _ranked(rows, models, "offence_type")
    return [{**row, "title": titles[row["offence_type"]]} for row in ranked]


def _ranked(rows: list[dict], models: list[str], within: str | None = None) -> list[dict]:
    """Rows in the order of the models, within each value of another column if one is given."""
    groups = list(dict.fromkeys(row[within] for row in rows)) if within else []
    by_model = sorted(rows, key=lambda row: models.index(row["model"]))
    return sorted(by_model, key=lambda row: groups.index(row[within])) if within else by_model

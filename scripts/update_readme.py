"""Writes the results tables of README.md from the published release.

Usage: python scripts/update_readme.py [STUDY_AREA], after `make run` and
`make streets`; a branch that was not published keeps its table.
"""

import argparse
import sys
from pathlib import Path

from crime_platform.publication.release import open_release
from crime_platform.schema.policy import WHAT_IT_IS
from crime_platform.vocabulary.home import PlatformHome

STREET_BEGIN, STREET_END = "<!-- streets: begin -->", "<!-- streets: end -->"
STREET_QUERY = "select * from street_leaderboard where study_area = ? order by rank"
README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
QUERY = """
select model, is_champion, is_policy, deviance_skill, deviance_skill_low, deviance_skill_high,
    best_baseline, skill_over_best_baseline, skill_over_best_baseline_low,
    skill_over_best_baseline_high, reducible_gap_closed, rmse_skill,
    bias_share, hit_rate_20, deviance, rmse, mae, crps, coverage_80, coverage_95, n_origins,
    n_cases, as_of_month
from leaderboard where study_area = ? order by rank nulls last
"""


def results_table(rows: list[dict]) -> str:
    """The leaderboard as Markdown."""
    first = rows[0]
    lines = [
        f"{first['n_origins']} origins before {str(first['as_of_month'])[:7]}, one month ahead, "
        f"{first['n_cases']:,} cases (ever active cell x month x offence type). The champion, "
        "which is published, is in bold. The best single baseline, found in hindsight, is "
        f"`{first['best_baseline']}`. {WHAT_IT_IS} It is the last row.",
        "",
        "| model | deviance skill (95 % interval) | over the best baseline | RMSE skill | bias "
        "| hit rate 20 % | deviance | RMSE | MAE | CRPS | gap closed |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mark = "**" if row["is_champion"] else ""
        skill = _interval(row, "deviance_skill")
        over_best = _interval(row, "skill_over_best_baseline")
        lines.append(
            f"| {mark}{_name(row)}{mark} | {skill} | {over_best} | {row['rmse_skill']:+.1%} "
            f"| {row['bias_share']:+.1%} | {row['hit_rate_20']:.1%} | {row['deviance']:.4f} "
            f"| {row['rmse']:.4f} | {row['mae']:.4f} | {row['crps']:.4f} "
            f"| {row['reducible_gap_closed']:.0%} |"
        )
    return "\n".join(lines)


def _name(row: dict) -> str:
    return f"*{row['model']}*" if row["is_policy"] else f"`{row['model']}`"


def _interval(row: dict, name: str) -> str:
    return f"{row[name]:+.1%} ({row[f'{name}_low']:+.1%} to {row[f'{name}_high']:+.1%})"


def street_table(rows: list[dict]) -> str:
    """The street leaderboard as Markdown."""
    first = rows[0]
    lines = [
        f"{first['n_days']} test days through {str(first['as_of_day'])[:10]}, one day ahead, "
        f"{int(first['n_incidents']):,} incidents. The champion, which is published, is in bold.",
        "",
        "| model | deviance skill (95 % interval) | hit rate 1 / 5 / 10 / 20 % | PEI 20 % | bias "
        "| deviance |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        mark = "**" if row["is_champion"] else ""
        hits = " / ".join(f"{row[f'hit_rate_{percent}']:.3f}" for percent in (1, 5, 10, 20))
        lines.append(
            f"| {mark}`{row['model']}`{mark} | {_interval(row, 'deviance_skill')} | {hits} "
            f"| {row['pei_20']:.3f} | {row['bias_share']:+.1%} | {row['deviance']:.5f} |"
        )
    return "\n".join(lines)


def leaderboard_rows(home: PlatformHome, query: str, study_area: str) -> list[dict]:
    """Rows of a published leaderboard, best first."""
    with open_release(home) as connection:
        answer = connection.sql(query, params=[study_area])
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]


def main(study_area: str = "toronto") -> None:
    """Replace what stands between the marks of each branch that is published."""
    home = PlatformHome.from_environment()
    months = leaderboard_rows(home, QUERY, study_area)
    streets = leaderboard_rows(home, STREET_QUERY, study_area)
    if not months and not streets:
        sys.exit(f"the release has no leaderboard for {study_area}: make run publishes it")
    text = README.read_text(encoding="utf-8")
    if months:
        text = _replaced(text, BEGIN, END, results_table(months))
    if streets:
        text = _replaced(text, STREET_BEGIN, STREET_END, street_table(streets))
    README.write_text(text, encoding="utf-8")


def _replaced(text: str, begin: str, end: str, table: str) -> str:
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study_area", nargs="?", default="toronto")
    main(parser.parse_args().study_area)

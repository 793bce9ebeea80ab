"""Writes the results table of README.md from the published release.

Usage: python scripts/update_readme.py [STUDY_AREA], after `make run`.
"""

import sys
from pathlib import Path

from crime_platform.release import open_release
from crime_platform.vocabulary.home import PlatformHome

README = Path(__file__).resolve().parent.parent / "README.md"
BEGIN, END = "<!-- results: begin -->", "<!-- results: end -->"
QUERY = """
select model, is_champion, deviance_skill, deviance_skill_low, deviance_skill_high,
    best_baseline, skill_over_best_baseline, skill_over_best_baseline_low,
    skill_over_best_baseline_high, reducible_gap_closed, rmse_skill,
    bias_share, hit_rate_20, deviance, rmse, mae, crps, coverage_80, coverage_95, n_origins,
    n_cases, as_of_month
from leaderboard where study_area = ? order by rank
"""


def results_table(rows: list[dict]) -> str:
    """The leaderboard as Markdown."""
    first = rows[0]
    lines = [
        f"{first['n_origins']} origins before {str(first['as_of_month'])[:7]}, one month ahead, "
        f"{first['n_cases']:,} cases (ever active cell x month x offence type). The model that is "
        "published is in bold; `champion` is the policy that chose it, scored on months it had not "
        f"seen. The best single baseline, found in hindsight, is `{first['best_baseline']}`.",
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
            f"| {mark}`{row['model']}`{mark} | {skill} | {over_best} | {row['rmse_skill']:+.1%} "
            f"| {row['bias_share']:+.1%} | {row['hit_rate_20']:.1%} | {row['deviance']:.4f} "
            f"| {row['rmse']:.4f} | {row['mae']:.4f} | {row['crps']:.4f} "
            f"| {row['reducible_gap_closed']:.0%} |"
        )
    return "\n".join(lines)


def _interval(row: dict, name: str) -> str:
    return f"{row[name]:+.1%} ({row[f'{name}_low']:+.1%} to {row[f'{name}_high']:+.1%})"


def leaderboard_rows(home: PlatformHome, study_area: str) -> list[dict]:
    """Rows of the published leaderboard, best first."""
    with open_release(home) as connection:
        answer = connection.sql(QUERY, params=[study_area])
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]


def main(study_area: str = "toronto") -> None:
    """Replace what stands between the two marks."""
    rows = leaderboard_rows(PlatformHome.from_environment(), study_area)
    if not rows:
        sys.exit(f"the release has no leaderboard for {study_area}: make run publishes it")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n{results_table(rows)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

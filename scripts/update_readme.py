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
select model, is_champion, deviance_skill, deviance_skill_low, deviance_skill_high, rmse_skill,
    bias_share, hit_rate_20, deviance, rmse, mae, crps, coverage_80, coverage_95, n_origins,
    n_cases, as_of_month
from leaderboard where study_area = ? order by rank
"""


def results_table(rows: list[dict]) -> str:
    """The leaderboard as Markdown."""
    first = rows[0]
    lines = [
        f"{first['n_origins']} origins before {str(first['as_of_month'])[:7]}, one month ahead, "
        f"{first['n_cases']:,} cases (ever active cell x month x offence type). The champion is "
        "in bold.",
        "",
        "| model | deviance skill (95 % interval) | RMSE skill | bias | hit rate 20 % | deviance "
        "| RMSE | MAE | CRPS | in 80 % | in 95 % |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        mark = "**" if row["is_champion"] else ""
        skill = (
            f"{row['deviance_skill']:+.1%} ({row['deviance_skill_low']:+.1%} to "
            f"{row['deviance_skill_high']:+.1%})"
        )
        lines.append(
            f"| {mark}`{row['model']}`{mark} | {skill} | {row['rmse_skill']:+.1%} "
            f"| {row['bias_share']:+.1%} | {row['hit_rate_20']:.1%} | {row['deviance']:.4f} "
            f"| {row['rmse']:.4f} | {row['mae']:.4f} | {row['crps']:.4f} "
            f"| {row['coverage_80']:.1%} | {row['coverage_95']:.1%} |"
        )
    return "\n".join(lines)


def main(study_area: str = "toronto") -> None:
    """Replace what stands between the two marks."""
    with open_release(PlatformHome.from_environment()) as connection:
        answer = connection.sql(QUERY, params=[study_area])
        rows = [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]
    if not rows:
        sys.exit(f"the release has no leaderboard for {study_area}: make run publishes it")
    text = README.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    README.write_text(f"{before}{BEGIN}\n{results_table(rows)}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

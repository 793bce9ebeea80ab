"""What a search found, as a table, a dated config and a few lines."""

import io
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from crime_platform.metrics.significance import BLOCK_DAYS, BLOCK_ORIGINS, bootstrap_skill
from crime_platform.system.escape import write_csv
from crime_platform.tuning.findings import FIT, SearchReport, TrialRecord
from crime_platform.vocabulary.artifact import git_commit, write_json, written_aside

TABLE, BEST = "trials.csv", "best_config.json"


def trial_rows(report: SearchReport) -> tuple[list[str], list[list[object]]]:
    """The trial table: one row per trial, best first; skills after each rung, then parameters."""
    names = ["rank", "trial", "state", "is_default", f"n_{report.rung}s", "skill"]
    names += [f"skill_after_{rungs}" for rungs in range(1, report.n_rungs + 1)]
    names += [*report.ranges, "seconds", "code", "note"]
    return names, [_row(trial, report) for trial in report.trials]


def _row(trial: TrialRecord, report: SearchReport) -> list[object]:
    skills = [f"{skill:.6f}" for skill in trial.skills]
    return [
        trial.rank or "",
        trial.number,
        trial.state,
        str(trial.is_default).lower(),
        len(skills),
        skills[-1] if skills else "",
        *skills,
        *[""] * (report.n_rungs - len(skills)),
        *(trial.parameters.get(name, "") for name in report.ranges),
        "" if trial.seconds is None else f"{trial.seconds:.1f}",
        trial.code,
        trial.note,
    ]


def best_config(report: SearchReport, *, study_area: str) -> dict[str, Any]:
    """The best trial beside the default, dated, with what they were judged on and what it cost."""
    states = Counter(trial.state for trial in report.trials)
    described: dict[str, Any] = {
        "model": report.model,
        "study_area": study_area,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "git_commit": git_commit(),
        "judged_on": {name: value for name, value in report.facts.items() if name != "deviance"},
        "n_trials": dict(states),
        f"n_{report.rung}s": sum(len(trial.skills) for trial in report.trials),
        "seconds": round(sum(trial.seconds or 0.0 for trial in report.trials), 1),
        "code_versions": sorted({trial.code for trial in report.trials if trial.code}),
        "best": _described(report.best, report),
        "default": _described(report.default, report),
        "gain_over_default": gain_over_default(report),
        "ranges": {name: str(allowed) for name, allowed in report.ranges.items()},
        "borders": report.borders,
        "config": report.best.config if report.best else None,
    }
    return described


def _described(trial: TrialRecord | None, report: SearchReport) -> dict[str, Any] | None:
    if trial is None:
        return None
    deviance = sum(trial.deviance.values()) / report.facts["n_cases"]
    return {
        "trial": trial.number,
        "deviance_skill": trial.skill,
        "deviance": deviance,
        "parameters": trial.parameters,
    }


def gain_over_default(report: SearchReport) -> dict[str, Any] | None:
    """Skill of the best trial over the default, pooled, with its 95 % interval over targets."""
    best, default = report.best, report.default
    if best is None or default is None:
        return None
    ours, theirs = (
        np.array([each.deviance[at] for at in default.deviance]) for each in (best, default)
    )
    low = high = None
    block = BLOCK_ORIGINS if report.rung == FIT else BLOCK_DAYS
    if ours.size > block:
        low, high = bootstrap_skill(ours, theirs, block_origins=block)
    return {
        "deviance_skill": float(1 - ours.sum() / theirs.sum()),
        "deviance_skill_low": low,
        "deviance_skill_high": high,
        "caution": report.optimism,
    }


def write_search(report: SearchReport, folder: Path, *, study_area: str) -> None:
    """Store the trial table and the dated config, each whole or not at all."""
    write_table(report, folder / TABLE)
    write_json(folder / BEST, best_config(report, study_area=study_area))


def write_table(report: SearchReport, path: Path) -> None:
    """The trial table as CSV."""
    names, rows = trial_rows(report)
    text = io.StringIO(newline="")
    write_csv(text, names, rows)
    with written_aside(path) as aside:
        aside.write_text(text.getvalue(), encoding="utf-8")


def compared(report: SearchReport, n_best: int) -> tuple[list[str], list[Sequence[object]]]:
    """The default and the best trials side by side: a column each, parameters downwards."""
    best = [trial for trial in report.trials if trial.rank is not None][:n_best]
    shown = ([report.default] if report.default else []) + best
    names = ["rank", *(["default"] if report.default else []), *(str(each.rank) for each in best)]
    rows: list[Sequence[object]] = [
        ["trial", *(each.number for each in shown)],
        ["state", *(each.state for each in shown)],
        ["skill", *(f"{100 * (each.skill or 0.0):+.2f} %" for each in shown)],
        [f"{report.rung}s", *(len(each.skills) for each in shown)],
        ["seconds", *("" if each.seconds is None else f"{each.seconds:.0f}" for each in shown)],
    ]
    rows += [
        [name, *(_short(each.parameters.get(name)) for each in shown)] for name in report.ranges
    ]
    if report.borders:
        names.append("best lies")
        rows = [[*row, report.borders.get(str(row[0]), "")] for row in rows]
    return names, rows


def _short(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def summary(report: SearchReport) -> list[str]:
    """What to read off a search, in a few lines."""
    states = Counter(trial.state for trial in report.trials)
    lines = [
        f"{report.model}: trials {len(report.trials)} "
        f"({', '.join(f'{count} {state}' for state, count in sorted(states.items()))}), "
        f"{sum(len(trial.skills) for trial in report.trials)} {report.rung}s; {report.judged_on}"
    ]
    gain = gain_over_default(report)
    if gain is not None and report.best is not None:
        lines.append(_gain_line(report.best, gain))
    ends = [name for name, where in report.borders.items() if where in ("low", "high")]
    if ends:
        lines.append(f"at the border of its range: {', '.join(ends)}; widen it and search again")
    if len({trial.code for trial in report.trials if trial.code}) > 1:
        lines.append("the trials were made by different versions of the code; see the column code")
    failed = [trial for trial in report.trials if trial.note]
    if failed:
        lines.append(f"trials that failed: {len(failed)}, the first with: {failed[0].note}")
    return lines


def _gain_line(best: TrialRecord, gain: dict[str, Any]) -> str:
    if best.is_default:
        return "best: the default itself; nothing that was tried beats it"
    interval = ""
    if gain["deviance_skill_low"] is not None:
        low, high = 100 * gain["deviance_skill_low"], 100 * gain["deviance_skill_high"]
        interval = f" (95 % interval {low:+.2f} to {high:+.2f})"
    skill = f"skill {100 * gain['deviance_skill']:+.2f} % over the default"
    return f"best: trial {best.number}, {skill}{interval}; {gain['caution']}"

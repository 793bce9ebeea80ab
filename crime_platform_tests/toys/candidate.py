"""A small candidate folder with every published table, for tests of what reads one.

Six by five cells, two offence types, three selection and six test origins. Expected counts are the
true rates, off by a little per model; spreads and weights are made up.
"""

import json

import numpy as np
import pandas as pd

from crime_platform.metrics.errors import error_sums
from toys.made_up_tables import hotspot_table, spread_tables, walk_tables
from toys.world import (
    ACTIVE,
    AS_OF,
    CELL_IDS,
    HORIZON,
    MODELS,
    N_SELECTION,
    ORIGINS,
    SHAPE,
    TYPES,
    days,
    expected_counts,
    world,
)


def _scores(months, rates, counts, field):
    rows = []
    for model in MODELS:
        expected = expected_counts(model, rates, field)
        for place, origin in enumerate(ORIGINS):
            for lead in range(1, HORIZON + 1):
                if origin + lead > AS_OF:
                    continue
                observed = counts[int((origin + lead - months[0]).astype(int))].astype(float)
                for kind, name in enumerate(TYPES):
                    sums = error_sums(observed[kind][ACTIVE], expected[kind][ACTIVE])
                    n = int(ACTIVE.sum())
                    rows.append(
                        {
                            "model": model,
                            "origin_month": days(origin),
                            "target_month": days(origin + lead),
                            "lead": lead,
                            "offence_type": name,
                            "cell_set": "ever_active",
                            "is_selection": place < N_SELECTION,
                            "n": n,
                            "sum_observed": sums.sum_observed,
                            "sum_expected": sums.sum_expected,
                            "sum_deviance": sums.sum_deviance,
                            "sum_squared_error": sums.sum_squared_error,
                            "sum_absolute_error": sums.sum_absolute_error,
                            "sum_noise_deviance": sums.sum_noise_deviance,
                            "sum_crps": 0.6 * sums.sum_absolute_error,
                        }
                    )
    return pd.DataFrame(rows)


def _skills(scores):
    lead_one = scores[(scores["lead"] == 1) & ~scores["is_selection"]]
    sums = lead_one.groupby("model")["sum_deviance"].sum()
    skill, ahead = 1 - sums / sums["historical_average"], 1 - sums / sums["ewma"]
    return pd.DataFrame(
        {
            "model": sums.index,
            "lead": 1,
            "cell_set": "ever_active",
            "deviance_skill": skill.to_numpy(),
            "deviance_skill_low": skill.to_numpy() - 0.02,
            "deviance_skill_high": skill.to_numpy() + 0.02,
            "diebold_mariano_p": np.where(sums.index == "historical_average", np.nan, 0.0004),
            "best_baseline": "ewma",
            "skill_over_best_baseline": ahead.to_numpy(),
            "skill_over_best_baseline_low": ahead.to_numpy() - 0.02,
            "skill_over_best_baseline_high": ahead.to_numpy() + 0.02,
            "diebold_mariano_p_best_baseline": np.where(sums.index == "ewma", np.nan, 0.012),
        }
    )


def _cell_forecast(rates, field):
    parts = []
    for model in [name for name in MODELS if name != "policy"]:
        expected = expected_counts(model, rates, field)
        for lead in range(1, HORIZON + 1):
            for kind, name in enumerate(TYPES):
                parts.append(
                    pd.DataFrame(
                        {
                            "target_month": days(AS_OF + lead),
                            "lead": lead,
                            "cell_id": CELL_IDS,
                            "offence_type": name,
                            "model": model,
                            "is_champion": model == "ensemble",
                            "expected_count": expected[kind].astype(np.float32),
                            "p025": 0,
                            "p10": 0,
                            "p90": np.ceil(2 * expected[kind]).astype(int),
                            "p975": np.ceil(3 * expected[kind]).astype(int),
                        }
                    )
                )
    return pd.concat(parts, ignore_index=True)


def _backtest_forecast(rates, field):
    parts = [
        pd.DataFrame(
            {
                "origin_month": days(origin),
                "target_month": days(origin + 1),
                "lead": 1,
                "cell_id": CELL_IDS,
                "offence_type": name,
                "model": model,
                "expected_count": expected_counts(model, rates, field)[kind].astype(np.float32),
            }
        )
        for model in MODELS
        for origin in ORIGINS
        for kind, name in enumerate(TYPES)
    ]
    return pd.concat(parts, ignore_index=True)


def _ground_tables(months, counts):
    step, kind, cell = np.nonzero(counts)
    row, col = np.divmod(np.arange(len(CELL_IDS)), SHAPE[1])
    total = counts.sum(axis=2)
    fusion = [
        {
            "model": "st_resnet",
            "cell_id": name,
            "offence_type": offence,
            "branch": branch,
            "weight_share": share,
        }
        for name in CELL_IDS
        for offence in TYPES
        for branch, share in (("closeness", 0.4), ("period", 0.25), ("trend", 0.35))
    ]
    return {
        "cell": pd.DataFrame(
            {
                "cell_id": CELL_IDS,
                "row": row,
                "col": col,
                "area_km2": 0.25,
                "is_ever_active": ACTIVE,
            }
        ),
        "cell_month": pd.DataFrame(
            {
                "month": months[step].astype("datetime64[s]"),
                "cell_id": np.array(CELL_IDS)[cell],
                "offence_type": np.array(TYPES)[kind],
                "count": counts[step, kind, cell],
                "is_complete": True,
            }
        ),
        "month_count": pd.DataFrame(
            {
                "month": np.repeat(months, len(TYPES)).astype("datetime64[s]"),
                "offence_type": np.tile(TYPES, len(months)),
                "count": total.ravel() + 1,
                "n_ungeocoded": 1,
                "is_complete": True,
            }
        ),
        "fusion_weight": pd.DataFrame(fusion),
        "model_version": pd.DataFrame(
            {
                "model": [name for name in MODELS if name != "policy"],
                "model_version": "0123456789abcdef",
                "config": "{}",
                "parameters": [np.nan, np.nan, 310.0, 45_000.0, 51_000.0, np.nan],
                "training_seconds": [np.nan, np.nan, 4.2, 61.0, 75.0, np.nan],
            }
        ),
    }


def write_toy_candidate(folder, *, without=(), **manifest):
    """Write the toy candidate, leaving some tables out; `manifest` changes what it says of itself.

    Returns:
        The folder.
    """
    months, rates, counts, field = world()
    scores = _scores(months, rates, counts, field)
    tables = {
        "backtest_score": scores,
        "backtest_hotspot": hotspot_table(),
        "backtest_forecast": _backtest_forecast(rates, field),
        "cell_forecast": _cell_forecast(rates, field),
        "model_skill": _skills(scores),
        **spread_tables(),
        **walk_tables(),
        **_ground_tables(months, counts),
    }
    folder.mkdir(parents=True)
    for name, table in tables.items():
        if name not in without:
            labels = {"study_area": "toy", "as_of_month": days(AS_OF)}
            table.assign(**labels).to_parquet(folder / f"{name}.parquet")
    told = {
        "study_area": "toy",
        "title": "Toy city",
        "as_of_month": str(AS_OF),
        "champion": "ensemble",
        "lowest_deviance": "ensemble",
        "reason": "ensemble has the lowest deviance over 9 origins",
        "data_version": "feedfacecafebeef",
        "git_commit": None,
        "skipped": {},
    }
    (folder / "candidate.json").write_text(json.dumps(told | manifest), encoding="utf-8")
    return folder

"""A small candidate folder with every published table, for tests of what reads one.

Six by five cells, two offence types, three selection and six test origins. Expected counts are the
true rates, off by a little per model; spreads and weights are made up.
"""

import json

import numpy as np
import pandas as pd

from crime_platform.metrics.errors import error_sums

AS_OF = np.datetime64("2021-12", "M")
N_SELECTION, N_TEST, HORIZON = 3, 6, 3
ORIGINS = np.arange(AS_OF - N_SELECTION - N_TEST, AS_OF)
SHAPE = (6, 5)
TYPES = ("assault", "robbery")
# How far each model is off: the log rate moves by so many times a fixed random field.
MODELS = {
    "historical_average": 0.6,
    "ewma": 0.4,
    "lightgbm": 0.2,
    "st_resnet": 0.25,
    "convlstm": 0.3,
    "ensemble": 0.12,
    "champion": 0.15,
}
RATE_GROUPS = ("all", "below 0.5", "0.5 to 2", "2 or more")
CELL_IDS = [f"r{row:03d}c{col:03d}" for row in range(SHAPE[0]) for col in range(SHAPE[1])]
ACTIVE = np.arange(len(CELL_IDS)) >= 3  # the first three cells never had an incident


def _days(months):
    return np.asarray(months).astype("datetime64[D]").tolist()


def _world():
    random = np.random.default_rng(11)
    rates = random.gamma(1.0, 2.0, (len(TYPES), len(CELL_IDS))) * ACTIVE
    months = np.arange(np.datetime64("2019-01", "M"), AS_OF + 1)
    counts = random.poisson(rates, (len(months), *rates.shape))
    return months, rates, counts, random.normal(size=rates.shape)


def _expected(model, rates, field):
    return np.maximum(rates * np.exp(MODELS[model] * field), 0.001)


def _scores(months, rates, counts, field):
    rows = []
    for model in MODELS:
        expected = _expected(model, rates, field)
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
                            "origin_month": _days(origin),
                            "target_month": _days(origin + lead),
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


def _hotspots():
    share = np.array([0.01, 0.05, 0.1, 0.2])
    rows = [
        {
            "model": model,
            "origin_month": _days(origin),
            "target_month": _days(origin + 1),
            "lead": 1,
            "offence_type": kind,
            "coverage_share": coverage,
            "sum_hits": 100 * best * (1 - off / 2),
            "sum_best_hits": 100 * best,
            "sum_incidents": 100.0,
        }
        for model, off in MODELS.items()
        for origin in ORIGINS[N_SELECTION:]
        for kind in ("any", *TYPES)
        for coverage, best in zip(share, (0.06, 0.25, 0.4, 0.65), strict=True)
    ]
    return pd.DataFrame(rows)


def _cell_forecast(rates, field):
    parts = []
    for model in [name for name in MODELS if name != "champion"]:
        expected = _expected(model, rates, field)
        for lead in range(1, HORIZON + 1):
            for kind, name in enumerate(TYPES):
                parts.append(
                    pd.DataFrame(
                        {
                            "target_month": _days(AS_OF + lead),
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
                "origin_month": _days(origin),
                "target_month": _days(origin + 1),
                "lead": 1,
                "cell_id": CELL_IDS,
                "offence_type": name,
                "model": model,
                "expected_count": _expected(model, rates, field)[kind].astype(np.float32),
            }
        )
        for model in MODELS
        for origin in ORIGINS
        for kind, name in enumerate(TYPES)
    ]
    return pd.concat(parts, ignore_index=True)


def _spread_tables():
    random = np.random.default_rng(3)
    sizes = dict(zip(RATE_GROUPS, (600, 300, 200, 100), strict=True))
    pit_80 = dict(zip(RATE_GROUPS, (0.80, 0.81, 0.795, 0.75), strict=True))  # the last is off
    models = list(MODELS)
    calibration = [
        {
            "model": model,
            "lead": 1,
            "rate_group": group,
            "n": n,
            "sum_observed": 0.5 * n,
            "sum_expected": 0.52 * n,
            "n_inside_80": int(0.88 * n),
            "n_inside_95": int(0.97 * n),
            "sum_stated_80": 0.89 * n,
            "sum_stated_95": 0.97 * n,
            "n_pit_inside_80": round(pit_80[group] * n),
            "n_pit_inside_95": round(0.95 * n),
        }
        for model in models
        for group, n in sizes.items()
    ]
    pit = [
        {"model": model, "lead": 1, "rate_group": group, "bin": place, "n": int(count)}
        for model in models
        for group, n in sizes.items()
        for place, count in enumerate(random.multinomial(n, np.full(20, 0.05)))
    ]
    means = np.geomspace(0.05, 6, 10)
    reliability = [
        {
            "model": model,
            "lead": 1,
            "bin": place,
            "n": 120,
            "sum_expected": 120 * mean,
            "sum_observed": float(random.poisson(120 * mean)),
        }
        for model in models
        for place, mean in enumerate(means)
    ]
    choice = [
        {
            "model": model,
            "lead": 1,
            "distribution": name,
            "crps": 0.3 + 0.001 * place,
            "pit_shortfall": 1.5 - place,
            "is_chosen": place == 1,
        }
        for model in models
        for place, name in enumerate(
            ("poisson", "negative_binomial_type", "negative_binomial_rate")
        )
    ]
    frames = (calibration, pit, reliability, choice)
    names = ("calibration", "pit_histogram", "reliability", "distribution_choice")
    return {name: pd.DataFrame(rows) for name, rows in zip(names, frames, strict=True)}


def _walk_tables():
    members = ("lightgbm", "st_resnet", "convlstm")
    weights = [
        {
            "origin_month": _days(origin),
            "offence_type": kind,
            "member": member,
            "weight": weight,
            "level": 1.012,
        }
        for origin in ORIGINS
        for kind in TYPES
        for member, weight in zip(members, (0.5, 0.3, 0.2), strict=True)
    ]
    history = [
        {
            "origin_month": _days(origin),
            "champion": "lightgbm" if place < 4 else "ensemble",
            "lowest_deviance_model": "ensemble",
            "mean_gap": 1.5,
            "standard_error": 0.6,
            "is_switch": place == 4,
            "is_selection": place < N_SELECTION,
            "reason": "within one standard error" if place < 4 else "ensemble is ahead for good",
        }
        for place, origin in enumerate([*ORIGINS, AS_OF])
    ]
    history[0] |= {"lowest_deviance_model": None, "mean_gap": np.nan, "standard_error": np.nan}
    turn = [
        {"model": model, "n_turns": 2, "deviance_skill": 0.04, "share_right_direction": 0.5}
        | {"lag_months": 1 if model == "convlstm" else 0}
        for model in MODELS
    ]
    return {
        "ensemble_weight": pd.DataFrame(weights),
        "champion_history": pd.DataFrame(history),
        "model_turn": pd.DataFrame(turn),
        "turning_month": pd.DataFrame(
            {
                "target_month": _days(ORIGINS[[N_SELECTION + 1, N_SELECTION + 4]] + 1),
                "direction": ["trough", "peak"],
                "count": [90, 140],
            }
        ),
    }


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
                "model": [name for name in MODELS if name != "champion"],
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
    months, rates, counts, field = _world()
    scores = _scores(months, rates, counts, field)
    tables = {
        "backtest_score": scores,
        "backtest_hotspot": _hotspots(),
        "backtest_forecast": _backtest_forecast(rates, field),
        "cell_forecast": _cell_forecast(rates, field),
        "model_skill": _skills(scores),
        **_spread_tables(),
        **_walk_tables(),
        **_ground_tables(months, counts),
    }
    folder.mkdir(parents=True)
    for name, table in tables.items():
        if name not in without:
            labels = {"study_area": "toy", "as_of_month": _days(AS_OF)}
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

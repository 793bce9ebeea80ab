"""The toy candidate's tables whose figures are made up: hot spots, spreads and the walk."""

import numpy as np
import pandas as pd

from toys.world import AS_OF, MODELS, N_SELECTION, ORIGINS, TYPES, days

CASES = {"all": 600, "below 0.5": 300, "0.5 to 2": 200, "2 or more": 100}  # by rate group
PIT_80 = {"all": 0.80, "below 0.5": 0.81, "0.5 to 2": 0.795, "2 or more": 0.75}  # the last is off


def hotspot_table():
    share = np.array([0.01, 0.05, 0.1, 0.2])
    rows = [
        {
            "model": model,
            "origin_month": days(origin),
            "target_month": days(origin + 1),
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


def spread_tables():
    random = np.random.default_rng(3)
    rows = {
        "calibration": _calibration_rows(),
        "pit_histogram": _pit_rows(random),
        "reliability": _reliability_rows(random),
        "distribution_choice": _choice_rows(),
    }
    return {name: pd.DataFrame(of_table) for name, of_table in rows.items()}


def _calibration_rows():
    return [
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
            "n_pit_inside_80": round(PIT_80[group] * n),
            "n_pit_inside_95": round(0.95 * n),
        }
        for model in MODELS
        for group, n in CASES.items()
    ]


def _pit_rows(random):
    return [
        {"model": model, "lead": 1, "rate_group": group, "bin": place, "n": int(count)}
        for model in MODELS
        for group, n in CASES.items()
        for place, count in enumerate(random.multinomial(n, np.full(20, 0.05)))
    ]


def _reliability_rows(random):
    means = np.geomspace(0.05, 6, 10)
    return [
        {
            "model": model,
            "lead": 1,
            "bin": place,
            "n": 120,
            "sum_expected": 120 * mean,
            "sum_observed": float(random.poisson(120 * mean)),
        }
        for model in MODELS
        for place, mean in enumerate(means)
    ]


def _choice_rows():
    return [
        {
            "model": model,
            "lead": 1,
            "distribution": name,
            "crps": 0.3 + 0.001 * place,
            "pit_shortfall": 1.5 - place,
            "is_chosen": place == 1,
        }
        for model in MODELS
        for place, name in enumerate(
            ("poisson", "negative_binomial_type", "negative_binomial_rate")
        )
    ]


def walk_tables():
    members = ("lightgbm", "st_resnet", "convlstm")
    weights = [
        {
            "origin_month": days(origin),
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
            "origin_month": days(origin),
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
                "target_month": days(ORIGINS[[N_SELECTION + 1, N_SELECTION + 4]] + 1),
                "direction": ["trough", "peak"],
                "count": [90, 140],
            }
        ),
    }

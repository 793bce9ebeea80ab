import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from crime_platform.evaluation.ensemble import champion_walk, ensemble_forecasts, policy_forecasts
from crime_platform.models.combination import fit_linear_pool
from crime_platform.vocabulary.forecast import CountHistory, RollingForecasts
from crime_platform.vocabulary.timesteps import month_range

TYPES = ("assault", "robbery")
MONTHS = month_range(np.datetime64("2019-01", "M"), np.datetime64("2021-12", "M"))
ORIGINS = MONTHS[-19:]  # 18 origins and `as_of`, the last
RANDOM = np.random.default_rng(11)
RATES = RANDOM.gamma(1.0, 2.0, (2, 4, 3)) + 0.05
COUNTS = RANDOM.poisson(RATES, (36, 2, 4, 3)).astype(np.float32)
HISTORY = CountHistory(steps=MONTHS, counts=COUNTS)
SIMPLEST_FIRST = ("historical_average", "ewma", "st_resnet")


def wrong_by(factor, *, n_origins=19, seed=0):
    """Forecasts that miss the true rates by about a factor, differently at each origin."""
    noise = np.random.default_rng(seed).normal(0, 1, (19, 3, 2, 4, 3))[-n_origins:]
    expected = RATES * np.exp(np.log(factor) * noise)
    return RollingForecasts(
        origins=ORIGINS[-n_origins:], expected_count=expected, dispersion=0.1 * expected
    )


NEAR, FAR = wrong_by(1.2, seed=1), wrong_by(3.0, seed=2)
MODELS = {"historical_average": FAR, "ewma": wrong_by(1.6, seed=3), "st_resnet": NEAR}


def tampered(step):
    """The history with every count after one month overwritten."""
    counts = COUNTS.copy()
    counts[HISTORY.index_of(step) + 1 :] = 999.0
    return CountHistory(steps=MONTHS, counts=counts)


def flat(rate, *, origins=ORIGINS[-4:]):
    """The same rate in both cells of a one-type city, at every lead."""
    expected = np.full((len(origins), 2, 1, 2), rate)
    return RollingForecasts(origins=origins, expected_count=expected, dispersion=0 * expected)


def walk(models=MODELS, history=HISTORY, **options):
    return champion_walk(models, history, SIMPLEST_FIRST, **options)


def test_weights_are_equal_until_three_targets_are_known():
    _, weights = ensemble_forecasts({"near": NEAR, "far": FAR}, HISTORY, TYPES)

    by_origin = weights.pivot_table(index="origin_month", columns="member", values="weight")

    np.testing.assert_allclose(by_origin.iloc[:3], 0.5)
    assert (by_origin["near"].iloc[3:] > 0.5).all()
    assert (weights["level"].iloc[:12] == 1).all()


def test_weights_of_an_origin_and_a_type_are_shares():
    _, weights = ensemble_forecasts(MODELS, HISTORY, TYPES)
    totals = weights.groupby(["origin_month", "offence_type"])["weight"].sum()
    assert len(totals) == 19 * 2
    np.testing.assert_allclose(totals, 1)


def test_the_pool_by_hand():
    # With equal weights the rates 1 and 4 pool to 2. At the fourth origin three targets are known.
    # Both members are flat in time and space, so what is left is the level. Each earlier month
    # holds 2 + 2 incidents and was forecast 2 + 2: no miss, no level.
    history = CountHistory(steps=MONTHS, counts=np.full((36, 1, 2), 2.0))

    pooled, weights = ensemble_forecasts({"low": flat(1.0), "high": flat(4.0)}, history, ["theft"])

    np.testing.assert_allclose(pooled.expected_count, 2.0, rtol=1e-3)
    np.testing.assert_allclose(weights["weight"], 0.5, rtol=1e-3)


def test_the_level_of_lasting_misses_by_hand():
    # Both members say 10 + 10, and 35 + 35 happen: each miss is log((70 + 30) / (20 + 30)) = log 2.
    # Of four origins the last knows three misses m, so the share that lasts is
    # 2 m^2 / (2 m^2 + 0.1), and lead h is raised by 2 ** (share ** h).
    history = CountHistory(steps=MONTHS, counts=np.full((36, 1, 2), 35.0))

    pooled, weights = ensemble_forecasts({"a": flat(10.0), "b": flat(10.0)}, history, ["theft"])

    share = 2 * math.log(2) ** 2 / (2 * math.log(2) ** 2 + 0.1)
    np.testing.assert_allclose(pooled.expected_count[:3], 10.0)
    np.testing.assert_allclose(pooled.expected_count[3, 0], 10 * 2**share)
    np.testing.assert_allclose(pooled.expected_count[3, 1], 10 * 2 ** (share**2))
    assert weights["level"].iloc[-1] == pytest.approx(2**share)


def test_the_level_follows_the_last_miss_alone():
    counts = np.full((36, 1, 2), 35.0)
    counts[-1] = 10.0  # the target of the last origin but one: no miss, after two that were alike
    history = CountHistory(steps=MONTHS, counts=counts)

    pooled, _ = ensemble_forecasts({"a": flat(10.0), "b": flat(10.0)}, history, ["theft"])

    np.testing.assert_allclose(pooled.expected_count[3], 10.0)


def test_weights_are_judged_on_the_month_after_the_origin():
    here, after = COUNTS[-19:-1] + 0.1, COUNTS[-18:] + 0.1
    members = {
        name: RollingForecasts(
            origins=ORIGINS[:-1],
            expected_count=np.repeat(counts[:, None], 3, axis=1).astype(float),
            dispersion=np.zeros((18, 3, 2, 4, 3)),
        )
        for name, counts in (("repeats", here), ("knows", after))
    }

    _, weights = ensemble_forecasts(members, HISTORY, TYPES)

    last = weights[-4:].set_index(["member", "offence_type"])["weight"]
    assert last["knows"].min() > 0.9


def test_a_pool_of_equal_members_is_the_member_but_for_its_level():
    pooled, weights = ensemble_forecasts({"a": NEAR, "b": NEAR}, HISTORY, TYPES)

    level = weights[weights["member"] == "a"].pivot(
        index="origin_month", columns="offence_type", values="level"
    )
    expected = NEAR.expected_count[:, 0] * level.to_numpy()[:, :, None, None]

    np.testing.assert_allclose(pooled.expected_count[:, 0], expected)
    np.testing.assert_allclose(pooled.dispersion, NEAR.dispersion)


@pytest.mark.parametrize("position", [2, 5, 11])
def test_weights_and_pool_ignore_what_comes_after_the_origin(position):
    members = {"near": NEAR, "far": FAR}

    pooled, weights = ensemble_forecasts(members, HISTORY, TYPES)
    leaky, leaky_weights = ensemble_forecasts(members, tampered(ORIGINS[position]), TYPES)

    known = 4 * (position + 1)  # rows: two types and two members an origin
    pd.testing.assert_frame_equal(weights[:known], leaky_weights[:known])
    np.testing.assert_array_equal(
        pooled.expected_count[: position + 1], leaky.expected_count[: position + 1]
    )


def test_a_members_later_forecasts_change_no_earlier_weight():
    changed = NEAR.expected_count.copy()
    changed[6:] = 9.0  # the origin itself and later ones: only its forecast, no weight, is new
    late = dataclasses.replace(NEAR, expected_count=changed)

    _, weights = ensemble_forecasts({"near": NEAR, "far": FAR}, HISTORY, TYPES)
    _, other = ensemble_forecasts({"near": late, "far": FAR}, HISTORY, TYPES)

    pd.testing.assert_frame_equal(weights[: 4 * 7], other[: 4 * 7])
    assert not np.allclose(weights["weight"][4 * 7 :], other["weight"][4 * 7 :])


def test_a_member_joins_at_its_first_origin():
    members = {"near": NEAR, "far": FAR, "late": wrong_by(1.1, n_origins=9, seed=4)}

    _, weights = ensemble_forecasts(members, HISTORY, TYPES)

    firsts = weights.groupby("member")["origin_month"].min()
    assert firsts["late"] == ORIGINS[10].astype("datetime64[D]").item()
    assert firsts["near"] == ORIGINS[0].astype("datetime64[D]").item()


def test_origins_with_one_member_are_left_out():
    members = {"near": NEAR, "late": wrong_by(1.1, n_origins=9, seed=4)}
    pooled, _ = ensemble_forecasts(members, HISTORY, TYPES)
    np.testing.assert_array_equal(pooled.origins, ORIGINS[10:])


def test_one_member_is_no_ensemble():
    with pytest.raises(ValueError, match=r"2 members with a forecast .* are \['near'\]"):
        ensemble_forecasts({"near": NEAR}, HISTORY, TYPES)


def test_the_kind_of_pool_matters():
    geometric, _ = ensemble_forecasts({"near": NEAR, "far": FAR}, HISTORY, TYPES)
    linear, _ = ensemble_forecasts({"near": NEAR, "far": FAR}, HISTORY, TYPES, fit=fit_linear_pool)
    # means: a geometric one is never above the arithmetic one; at first the weights are equal
    assert (geometric.expected_count[:3] < linear.expected_count[:3] + 1e-12).all()


def test_the_champion_starts_as_the_historical_average_and_then_the_best_takes_over():
    decisions = walk()

    assert [d.origin for d in decisions] == list(ORIGINS)
    assert [d.champion for d in decisions[:3]] == ["historical_average"] * 3
    assert {d.champion for d in decisions[3:]} == {"st_resnet"}
    assert [d.is_switch for d in decisions] == [False, False, False, True, *[False] * 15]


def test_a_decision_by_hand():
    # Two cells, one incident a month in each. A rate r has deviance 2 (-log r - 1 + r) in each:
    # r = 1 has 0, r = 2 has 2 (1 - log 2), at every origin alike, so the gap has no error.
    history = CountHistory(steps=MONTHS, counts=np.ones((36, 1, 2)))
    models = {"historical_average": flat(2.0), "ewma": flat(1.0)}

    last = champion_walk(models, history, SIMPLEST_FIRST)[-1]

    assert (last.champion, last.lowest_deviance, last.mean_gap) == ("ewma", "ewma", 0.0)
    assert last.is_switch
    above = f"{2 * (1 - math.log(2)):.4f}"
    assert f"historical_average lies {above} above it, more than one" in last.reason


def test_only_cells_active_by_then_are_judged():
    # The second cell's first incident is in the last month, `as_of`. Until then ewma is right in
    # the first cell, and its 5 in the second, where nothing has happened, does not count.
    counts = np.ones((36, 1, 2))
    counts[:-1, :, 1] = 0
    history = CountHistory(steps=MONTHS, counts=counts)
    bold = flat(1.0, origins=ORIGINS[-5:])
    bold.expected_count[..., 1] = 5.0
    models = {"historical_average": flat(2.0, origins=ORIGINS[-5:]), "ewma": bold}

    *_, before, last = champion_walk(models, history, SIMPLEST_FIRST)

    assert (before.origin, before.champion) == (MONTHS[-2], "ewma")
    # Then both cells count: 5 * 2 (1 - log 2) + 3 * 2 * 2 = 15.1 of the historical average
    # against 3 * 2 * 5 + 2 (4 - log 5) = 34.8 of ewma, over the same four months.
    assert last.champion == "historical_average"


@pytest.mark.parametrize("position", [3, 8, 14])
def test_decisions_ignore_what_comes_after_the_origin(position):
    decisions = walk()[: position + 1]
    leaky = walk(history=tampered(ORIGINS[position]))[: position + 1]
    assert repr(decisions) == repr(leaky)  # compared as text, where NaN equals NaN


def test_a_model_that_misses_a_judged_origin_does_not_compete():
    late = {**MODELS, "st_resnet": wrong_by(1.2, n_origins=8, seed=1)}
    decisions = walk(late)
    # it starts at origin 11; the last 12 before `as_of`, origins 6 to 17, are not all its own
    assert {d.champion for d in decisions[3:]} == {"ewma"}


def test_only_the_last_year_is_judged():
    faded = NEAR.expected_count.copy()
    faded[:6] *= 20  # bad at origins 0 to 5; the last twelve before `as_of` are 6 to 17
    models = {**MODELS, "st_resnet": dataclasses.replace(NEAR, expected_count=faded)}
    decisions = walk(models)
    assert decisions[-2].champion != "st_resnet"
    assert decisions[-1].champion == "st_resnet"
    assert "over 12 origins" in decisions[-1].reason


ODD = (np.arange(19) % 2 == 1)[:, None, None, None, None]


def good_where(good):
    """Near the truth at some origins, farther off at the others."""
    fair = wrong_by(1.6, seed=3).expected_count
    return dataclasses.replace(NEAR, expected_count=np.where(good, NEAR.expected_count, fair))


# each of the two wins every other month: whoever leads, the other lies within noise
TWINS = {"historical_average": FAR, "ewma": good_where(ODD), "st_resnet": good_where(~ODD)}


@pytest.mark.parametrize("incumbent", ["ewma", "st_resnet"])
def test_the_published_champion_keeps_a_tie_at_as_of(incumbent):
    *before, last = walk(TWINS, incumbent=incumbent)

    assert last.champion == incumbent
    assert not last.is_switch
    assert last.reason.startswith(f"{incumbent} stays the champion")
    assert repr(before) == repr(list(walk(TWINS)[:-1]))


def test_a_published_champion_that_is_beaten_is_replaced():
    last = walk(incumbent="historical_average")[-1]
    assert (last.champion, last.is_switch) == ("st_resnet", True)
    assert "replaces historical_average" in last.reason


@pytest.mark.parametrize("incumbent", [None, "kriging"])
def test_a_published_champion_that_is_gone_is_ignored(incumbent):
    assert repr(walk(TWINS, incumbent=incumbent)) == repr(walk(TWINS))


def test_the_walk_needs_the_historical_average():
    with pytest.raises(ValueError, match=r"starts as historical_average.*\['ewma'\]"):
        walk({"ewma": NEAR})


def test_the_policy_row_is_the_champions_forecast_at_each_origin():
    policy = policy_forecasts(walk(), MODELS)

    np.testing.assert_array_equal(policy.origins, ORIGINS)
    np.testing.assert_array_equal(policy.expected_count[:3], FAR.expected_count[:3])
    np.testing.assert_array_equal(policy.expected_count[3:], NEAR.expected_count[3:])
    np.testing.assert_array_equal(policy.dispersion[3:], NEAR.dispersion[3:])


def test_the_policy_reads_a_model_that_started_late():
    decisions = [dataclasses.replace(d, champion="late") for d in walk()[-2:]]
    late = wrong_by(1.1, n_origins=4)

    policy = policy_forecasts(decisions, {"late": late})

    np.testing.assert_array_equal(policy.expected_count, late.expected_count[-2:])

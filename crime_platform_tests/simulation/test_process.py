"""The simulated counts: what is assumed can be found again in them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.simulation.offences import PROCESSES, WORDINGS, OffenceProcess
from crime_platform.simulation.places import invented_places, long_run_shares
from crime_platform.simulation.process import (
    Surface,
    monthly_profile,
    near_repeat_kernel,
    shift_month,
    simulate_counts,
)
from crime_platform.simulation.simulate import expected_levels
from crime_platform.simulation.victimisations import DIRT_SHARES, KNOWN_BY_AGE, rows_of

PLAIN = OffenceProcess(name="burglary", city_share=1.0)
YEARS = np.arange("2020-01", "2025-01", dtype="datetime64[M]")


def row_of_places(shares, *, apart_m=250.0, authority=None):
    """Places in a line, each its own district."""
    n = len(shares)
    return Surface(
        x_m=apart_m * np.arange(n),
        y_m=np.zeros(n),
        authority=np.zeros(n, dtype=int) if authority is None else np.array(authority),
        district=np.arange(n),
        share=np.array([shares]),
    )


def block_of_places(n_side):
    """A square of equal places 300 m apart, four by four in a district."""
    row, col = (index.ravel() for index in np.indices((n_side, n_side)))
    return Surface(
        x_m=300.0 * col,
        y_m=300.0 * row,
        authority=np.zeros(n_side**2, dtype=int),
        district=row // 4 * (n_side // 4) + col // 4,
        share=np.full((1, n_side**2), 1 / n_side**2),
    )


def level(per_month, n_months=60):
    return np.full((n_months, 1, 1), float(per_month))


def test_the_level_s_profile_by_hand():
    process = replace(PLAIN, season_amplitude=0.1, peak_month=12, level_shift=1.5)

    profile = monthly_profile(process, YEARS, shift_from=36)

    # December is the peak and June six months from it; January 2023 is the first month shifted.
    assert profile[11] / profile[5] == pytest.approx(1.1 / 0.9)
    assert profile[36] / profile[24] == pytest.approx(1.5)
    assert profile[23] / profile[11] == pytest.approx(1.0)
    assert profile.mean() == pytest.approx(1.0)


def test_a_trend_compounds_by_the_year():
    profile = monthly_profile(replace(PLAIN, growth_per_year=-0.5), YEARS, shift_from=60)

    assert profile[24] / profile[0] == pytest.approx(0.25)


def test_the_rate_of_two_places_by_hand():
    # 250 m apart the kernel's weights are 1 and exp(-0.5) = 0.6065: 0.6225 and 0.3775 of the whole.
    # Month 1: 0.5 * (1, 0) + 0.5 * (0.6225, 0.3775) = (0.8112, 0.1888).
    # Month 2: half of that and half of (1, 0) is remembered, (0.9056, 0.0944); the kernel makes
    # 0.5994 of it for the first place, and 0.5 * 1 + 0.5 * 0.5994 = 0.7997.
    process = replace(PLAIN, branching=0.5, memory=0.5)

    counts = simulate_counts(
        [process], row_of_places([1.0, 0.0]), level(1e9, n_months=2), np.random.default_rng(0)
    )

    assert counts[:, 0, 0] / 1e9 == pytest.approx([0.8112, 0.7997], abs=2e-4)
    assert counts.sum(axis=2)[:, 0] / 1e9 == pytest.approx([1.0, 1.0], abs=2e-4)


def test_what_a_place_sets_off_is_divided_and_stays_in_its_town():
    surface = row_of_places([0.25] * 4, apart_m=100.0, authority=[0, 0, 1, 1])

    kernel = near_repeat_kernel(surface).toarray()

    assert kernel.sum(axis=0) == pytest.approx([1.0] * 4)
    assert kernel[2:, :2] == pytest.approx(0.0)


def test_levels_hold_whatever_is_set_off():
    surface = block_of_places(12)

    counts = simulate_counts(
        [replace(PLAIN, branching=0.6, memory=0.5)], surface, level(500), np.random.default_rng(1)
    )

    # 30,000 are expected. Chance alone varies by sqrt(30,000) = 173, and what is set off follows:
    # 173 / (1 - 0.6) = 433 in all, of which two are allowed.
    assert counts.sum() == pytest.approx(30_000, abs=2 * 433)


def by_district(counts, surface):
    totals = np.zeros((len(counts), surface.district.max() + 1))
    np.add.at(totals.T, surface.district, counts[:, 0].T)
    return totals


@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_districts_vary_as_the_negative_binomial_says(alpha):
    surface = block_of_places(16)

    counts = simulate_counts(
        [replace(PLAIN, dispersion=alpha)],
        surface,
        level(640, n_months=200),
        np.random.default_rng(2),
    )

    # 16 districts of 40 a month: variance over mean is 1 + alpha * 40.
    totals = by_district(counts, surface)
    found = ((totals - 40) ** 2).mean() / 40
    assert found == pytest.approx(1 + 40 * alpha, rel=0.08)


def lagged_correlation(counts, surface):
    """Correlation of a month with what the neighbours, and not the place itself, had before."""
    others = near_repeat_kernel(surface).toarray()
    np.fill_diagonal(others, 0.0)
    before, after = counts[:-1, 0] @ others.T, counts[1:, 0]
    return np.corrcoef(
        (before - before.mean(axis=0)).ravel(), (after - after.mean(axis=0)).ravel()
    )[0, 1]


def test_near_repeats_raise_the_neighbours_next_month():
    surface = block_of_places(12)
    random = np.random.default_rng(3)

    alone, set_off = (
        simulate_counts([replace(PLAIN, branching=n)], surface, level(300, 120), random)
        for n in (0.0, 0.6)
    )

    assert abs(lagged_correlation(alone, surface)) < 0.03
    assert lagged_correlation(set_off, surface) > 0.1


def test_season_and_shift_are_found_again_in_the_counts():
    process = replace(PLAIN, season_amplitude=0.2, peak_month=7, level_shift=1.5)
    levels = expected_levels([process], YEARS, np.full((60, 1), 5_000.0), hold_totals=False)

    counts = simulate_counts(
        [process], row_of_places([0.5, 0.5]), levels, np.random.default_rng(4)
    ).sum(axis=(1, 2))

    whole_years = counts.reshape(5, 12)
    assert shift_month(60) == 36
    assert whole_years[:, 6].sum() / whole_years[:, 0].sum() == pytest.approx(1.2 / 0.8, rel=0.03)
    assert counts[36:].mean() / counts[:36].mean() == pytest.approx(1.5, rel=0.01)


def test_known_totals_are_held_month_by_month():
    totals = np.arange(120.0).reshape(60, 2)

    held = expected_levels(PROCESSES, YEARS, totals, hold_totals=True)
    moved = expected_levels(PROCESSES, YEARS, totals, hold_totals=False)

    np.testing.assert_allclose(held.sum(axis=1), totals)
    assert not np.allclose(moved.sum(axis=1), totals)
    assert sum(process.city_share for process in PROCESSES) == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"branching": 1.0}, "branching: expected a share from 0 to below 1, found 1"),
        ({"memory": -0.1}, r"memory: expected a share from 0 to below 1, found -0\.1"),
        ({"season_amplitude": 1.0}, "a month would be below nothing"),
    ],
)
def test_an_impossible_process_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **wrong)


def test_long_run_shares_sum_to_one_in_each_town_and_skip_water():
    density = np.array([1.0, 0.0, 3.0, 2.0, 0.0])
    towns = np.array([0, 0, 0, 1, 1])

    shares = long_run_shares(PROCESSES, density, towns, np.random.default_rng(5))

    np.testing.assert_allclose(shares[:, :3].sum(axis=1), 1.0)
    np.testing.assert_allclose(shares[:, 3:].sum(axis=1), 1.0)
    assert shares[:, [1, 4]].sum() == 0


def test_invented_places_have_a_code_a_district_and_a_point_of_their_own():
    places = invented_places(
        PROCESSES, np.random.default_rng(6), n_city=300, n_other=100, n_towns=4
    )

    surface = places.surface
    assert len(np.unique(places.code)) == 400
    assert len(np.unique(np.column_stack([surface.x_m, surface.y_m]), axis=0)) == 400
    towns_of_district = {*zip(surface.district.tolist(), surface.authority.tolist(), strict=True)}
    assert len(towns_of_district) == len(places.district_name)
    assert places.authority_share.sum() == pytest.approx(1.0)


@given(st.integers(0, 2**32), st.floats(0.1, 30))
def test_rows_stand_for_every_victimisation_and_for_one_place_each(seed, rate):
    random = np.random.default_rng(seed)
    counts = random.poisson(rate, (3, 6, 4)).astype(np.int32)

    rows = rows_of(counts, WORDINGS, random)

    again = np.zeros_like(counts)
    np.add.at(again, (rows.month, rows.offence, rows.place), rows.n_victimisations)
    np.testing.assert_array_equal(again, counts)


def test_a_later_download_knows_more_of_a_month_and_forgets_nothing():
    counts = np.full((6, 6, 1), 2_000, dtype=np.int32)
    rows = rows_of(counts, WORDINGS, np.random.default_rng(7))

    known = np.stack([rows.in_download(0, last) & (rows.month == 0) for last in range(6)])

    assert (known[1:] >= known[:-1]).all()
    share = known.sum(axis=1) / (rows.month == 0).sum()
    assert share == pytest.approx(KNOWN_BY_AGE, abs=0.01)
    assert np.bincount(rows.dirt) / len(rows) == pytest.approx(DIRT_SHARES, abs=0.001)

import numpy as np

from crime_platform.models.cells.baselines import BASELINES
from crime_platform.models.empirical_bayes import city_level
from crime_platform.training.base_rate import base_rates, choose_base
from crime_platform.vocabulary.forecast import CountHistory

SETTINGS = ((0.96, 2.0, 2.0), (0.98, 4.0, 1.0))


def history(counts):
    steps = np.datetime64("2018-01") + np.arange(len(counts))
    return CountHistory(steps=steps, counts=counts.astype(np.float32))


def random_counts():
    return np.random.default_rng(0).poisson(1.0, (30, 2, 6, 5))


def test_the_base_rate_is_what_the_baseline_of_that_name_forecasts():
    known = history(random_counts())
    origin = known.steps[-1]
    baseline = BASELINES["empirical_bayes"].fit(known, origin).forecast(known, origin, 2)

    rate = base_rates(known, choose_base(known), first=29, last=29, horizon=2)[0]

    # Every cell is active and far above the floor, which is where they might differ.
    np.testing.assert_allclose(rate, baseline.expected_count, rtol=1e-9)


def test_each_lead_has_the_level_of_the_city_in_its_month():
    known = history(random_counts())

    rate = base_rates(known, SETTINGS, first=29, last=29, horizon=3)[0]

    levels = [city_level(known, known.steps[-1] + lead) for lead in (1, 2, 3)]
    np.testing.assert_allclose(rate.sum(axis=(2, 3)), levels)


def test_the_base_rate_is_positive_for_a_type_that_was_never_recorded():
    counts = random_counts()
    counts[:, 1] = 0

    assert (base_rates(history(counts), SETTINGS, first=20, last=29, horizon=3) > 0).all()


def test_the_base_rate_ignores_everything_after_its_origin():
    counts = random_counts()
    tampered = counts.copy()
    tampered[26:] = 999

    known, leaked = (
        base_rates(history(array), SETTINGS, first=20, last=25, horizon=3)
        for array in (counts, tampered)
    )

    np.testing.assert_array_equal(known, leaked)

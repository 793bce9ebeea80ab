from dataclasses import replace

import numpy as np
import pytest

from crime_platform.evaluation.street_catalogue import street_forecasters
from crime_platform.evaluation.street_fits import known_at_anchor
from crime_platform.evaluation.street_runs import (
    read_days,
    read_latest,
    read_street_run,
    run_street_model,
)
from crime_platform.models.streets.daily_rates import daily_rate_floor
from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.tensors.street_counts import DayCovariates
from crime_platform.vocabulary.seal import DamagedArtifactError
from crime_platform.vocabulary.timesteps import IncompleteDataError
from toys.damage import cut_off, flip_a_bit
from toys.street_evidence import DAYS, FIRST, PLAN, overwritten, toy_counts, toy_forecasters

COUNTS = toy_counts()
EWMA = toy_forecasters(COUNTS, "ewma")["ewma"]
SPLIT = PLAN.split(FIRST)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("area")


@pytest.fixture(scope="module")
def run(root):
    return run_street_model(EWMA, COUNTS, PLAN, root)


def test_every_day_of_a_part_is_forecast_one_day_ahead(run):
    validation, test = read_days(run, "validation", 1), read_days(run, "test", 1)

    np.testing.assert_array_equal(validation.targets, SPLIT.validation_days)
    np.testing.assert_array_equal(test.targets, SPLIT.test_days)
    assert test.expected_count.shape == (len(SPLIT.test_days), 2, 8)


def test_a_longer_lead_starts_later_and_ends_with_the_anchor(run):
    test = read_days(run, "test", 3)

    np.testing.assert_array_equal(test.targets, SPLIT.test_days[2:])


def test_the_newest_forecast_starts_from_the_newest_day(run):
    latest = read_latest(run)

    assert latest.origin == DAYS[-1]
    assert latest.expected_count.shape == (3, 2, 8)
    assert (latest.dispersion >= 0).all()


def test_validation_forecasts_are_those_of_the_fit_that_saw_no_test_day(run):
    fitted = EWMA.fit(COUNTS.history, SPLIT)
    stated = fitted.rolling(COUNTS.history, SPLIT.validation_days - 1, 1).expected_count[:, 0]

    np.testing.assert_allclose(read_days(run, "validation", 1).expected_count, stated, rtol=1e-6)


def test_each_test_day_is_served_by_its_own_refit(run):
    refit = PLAN.refits(FIRST)[1]
    fitted = EWMA.fit(COUNTS.history, refit.split)
    stated = fitted.rolling(COUNTS.history, refit.origins, 1).expected_count[:, 0]

    served = read_days(run, "test", 1).expected_count[-len(refit.origins) :]

    np.testing.assert_allclose(served, stated, rtol=1e-6)


def test_every_model_stands_on_the_same_floor(root):
    never = replace(COUNTS.history, counts=np.where(np.arange(8) == 4, 0, COUNTS.history.counts))
    counts = replace(COUNTS, history=never)

    latest = read_latest(run_street_model(EWMA, counts, PLAN, root))

    floor = daily_rate_floor(never.counts).at(len(DAYS) - 1)
    np.testing.assert_allclose(latest.expected_count[0][:, 4], floor[:, 4], rtol=1e-6)


def test_the_same_run_is_not_made_twice(run, root):
    again = run_street_model(EWMA, COUNTS, PLAN, root)

    assert again.key == run.key
    assert len(list((root / "street_evidence" / "ewma").glob("*"))) <= 2


def test_a_finished_run_is_read(run, root):
    found = read_street_run(EWMA, COUNTS, PLAN, root)

    assert (found.key, found.description) == (run.key, run.description)


def test_a_run_that_was_not_made_is_not_made_by_reading(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"ewma has not run for .* materialise street_base"):
        read_street_run(EWMA, COUNTS, PLAN, tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_day_later_only_the_forecast_is_new(run, root):
    shorter = replace(PLAN, as_of=DAYS[-2])
    fits = sorted((root / "street_fits" / "ewma").iterdir())

    earlier = run_street_model(EWMA, COUNTS, shorter, root)

    assert earlier.evidence == run.evidence
    assert earlier.folder != run.folder
    assert sorted((root / "street_fits" / "ewma").iterdir()) == fits


def test_days_after_as_of_change_nothing(root):
    shorter = replace(PLAN, as_of=DAYS[-6])

    honest = run_street_model(EWMA, COUNTS, shorter, root)
    fooled = run_street_model(EWMA, overwritten(COUNTS, DAYS[-6]), shorter, root)

    assert fooled.key == honest.key


def test_days_after_the_anchor_change_no_fit_and_no_evidence(run, tmp_path):
    tampered = overwritten(COUNTS, PLAN.anchor)

    fooled = run_street_model(EWMA, tampered, PLAN, tmp_path)

    assert fooled.evidence.name == run.evidence.name
    assert [fit["settings"] for fit in fooled.fits] == [fit["settings"] for fit in run.fits]
    np.testing.assert_array_equal(
        read_days(fooled, "test", 3).expected_count, read_days(run, "test", 3).expected_count
    )


def test_counts_revised_before_the_anchor_make_everything_anew(run, tmp_path):
    revised = overwritten(COUNTS, PLAN.anchor - 30)

    assert run_street_model(EWMA, revised, PLAN, tmp_path).evidence.name != run.evidence.name


def test_what_is_known_of_days_ahead_makes_no_evidence_anew():
    days = FIRST + np.arange(500)
    values = np.random.default_rng(0).normal(size=(500, 1))
    ahead = DayCovariates(days=days, names=("temperature",), values=values)
    changed = replace(ahead, values=np.where(days[:, None] > PLAN.anchor, 0.0, values))

    versions = {
        known_at_anchor(replace(COUNTS, covariates=each), PLAN).data_version
        for each in (ahead, changed)
    }

    assert len(versions) == 1


def test_holidays_entered_for_next_year_make_no_evidence_anew():
    soon = np.array(["2021-02-01"], dtype="datetime64[D]")  # within reach of the anchor's forecasts
    later = np.append(soon, np.datetime64("2022-01-01"))

    versions = [
        known_at_anchor(
            replace(COUNTS, history=replace(COUNTS.history, holidays=days)), PLAN
        ).data_version
        for days in (soon, later, soon[:0])
    ]

    assert versions[0] == versions[1] != versions[2]


def test_another_neighbourhood_is_another_model(root):
    near = toy_forecasters(COUNTS, "network_smoothed")["network_smoothed"]
    other = replace(near, diffusion=near.diffusion * 0.5)

    first, second = (run_street_model(model, COUNTS, PLAN, root) for model in (near, other))

    assert first.key != second.key


def test_every_fit_is_described(run):
    roles = [fit["role"] for fit in run.fits]

    assert roles == ["validation", "test", "test", "production"]
    assert run.fits[-1]["through"] == str(PLAN.anchor)
    assert all(fit["seconds"] > 0 for fit in run.fits)


def test_a_model_that_needs_more_days_is_skipped_with_its_reason(root):
    picky = NeedsTenYears()

    run = run_street_model(picky, COUNTS, PLAN, root)

    assert run.skipped == "needs_ten_years needs 3650 days, found 337"
    assert run.fits == []


def test_too_few_days_for_any_model_stop_the_run(root):
    early = replace(PLAN, as_of=DAYS[100], anchor=DAYS[90])

    with pytest.raises(IncompleteDataError, match="add earlier days"):
        run_street_model(EWMA, COUNTS, early, root)


def test_a_lead_that_was_not_judged_is_refused(run):
    with pytest.raises(ValueError, match=r"test forecasts of leads \[1, 3\], not of lead 2"):
        read_days(run, "test", 2)


@pytest.fixture(scope="module")
def network():
    """The smallest GLDNet that learns from the toy streets."""
    config = GldnetConfig(seeds=1, epochs=1, burn_in_days=100)
    models = street_forecasters(COUNTS)
    return replace(models["gldnet"], config=config)


@pytest.fixture(scope="module")
def network_run(network, root):
    return run_street_model(network, COUNTS, PLAN, root)


def test_a_network_is_described_with_its_curves(network_run):
    production = network_run.fits[-1]

    assert network_run.is_network
    assert production["n_parameters"] > 0
    assert len(str(production["sha256"])) == 64
    assert [epoch["epoch"] for epoch in production["curves"]] == [1]
    assert network_run.fits[0]["curves"][0]["hit_rate_20"] > 0  # the one that held days back


def test_a_network_is_not_trained_again_for_the_next_day(network, network_run, root):
    fits = {path: path.stat().st_mtime_ns for path in (root / "street_fits" / "gldnet").iterdir()}

    earlier = run_street_model(network, COUNTS, replace(PLAN, as_of=DAYS[-2]), root)

    again = {path: path.stat().st_mtime_ns for path in (root / "street_fits" / "gldnet").iterdir()}
    assert again == fits
    assert earlier.evidence == network_run.evidence
    assert read_latest(earlier).origin == DAYS[-2]


def test_a_network_without_days_to_learn_from_is_skipped(root):
    default = street_forecasters(COUNTS)["gldnet"]  # its burn-in is a year

    assert "no day to learn from" in str(run_street_model(default, COUNTS, PLAN, root).skipped)


class NeedsTenYears:
    """A forecaster that no toy history satisfies."""

    name = "needs_ten_years"

    def fit(self, history, split, *, learn_from_validation=False):  # noqa: ARG002
        n_days = len(history.steps)
        raise IncompleteDataError(f"{self.name} needs 3650 days, found {n_days}")


@pytest.mark.parametrize("damage", [cut_off, flip_a_bit])
def test_damaged_evidence_fits_and_forecasts_are_made_anew_and_said(tmp_path, caplog, damage):
    made = run_street_model(EWMA, COUNTS, PLAN, tmp_path)
    expected = read_latest(made).expected_count
    damage(made.evidence / "test.parquet")
    damage(made.folder / "forecast.parquet")
    fit = next((tmp_path / "street_fits" / "ewma").glob("*/fitted/settings.json"))
    damage(fit)

    with pytest.raises(DamagedArtifactError, match=r"is damaged: test\.parquet has"):
        read_street_run(EWMA, COUNTS, PLAN, tmp_path)
    again = run_street_model(EWMA, COUNTS, PLAN, tmp_path)

    assert again.key == made.key
    np.testing.assert_array_equal(read_latest(again).expected_count, expected)
    assert read_days(again, "test", 1).expected_count.shape == (len(SPLIT.test_days), 2, 8)
    assert "test.parquet has" in caplog.text
    assert "forecast.parquet has" in caplog.text
    assert "settings.json has" in caplog.text

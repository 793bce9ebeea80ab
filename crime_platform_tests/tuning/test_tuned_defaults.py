"""The committed defaults and the searches that support them."""

import csv
import json

import pytest

from crime_platform.models.streets.gldnet import GldnetConfig
from crime_platform.tuning.search_spaces import TUNABLE, SearchSpace, search_space
from crime_platform.tuning.street_search_space import gldnet_space
from toys.paths import REPOSITORY
from toys.street_search import toy_counts

TABLES = REPOSITORY / "benchmarks" / "tuning"
WITHIN_NOISE = 0.001  # of deviance skill; below the best trial by more, a default has to go


SEARCHED_EPOCHS = 9


def space_of(model) -> SearchSpace:
    if model == "gldnet":
        return gldnet_space(toy_counts(), epochs=SEARCHED_EPOCHS)
    return search_space(model)


def trials(model):
    with (TABLES / f"{model}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def is_the_default(trial, model):
    """Whether a trial had the default's settings, which are rounded to three digits."""
    for name, value in space_of(model).default_parameters.items():
        if isinstance(value, bool | str):
            if trial[name].lower() != str(value).lower():
                return False
        elif float(trial[name]) != pytest.approx(value, rel=5e-3):
            return False
    return True


@pytest.mark.parametrize("model", [*TUNABLE, "gldnet"])
def test_the_default_is_among_the_trials_and_within_noise_of_the_best(model):
    tried = trials(model)
    best = max(float(trial["skill"]) for trial in tried if trial["state"] == "complete")

    (default,) = [trial for trial in tried if is_the_default(trial, model)]

    assert default["state"] == "complete"
    assert float(default["skill"]) >= best - WITHIN_NOISE


@pytest.mark.parametrize("model", TUNABLE)
def test_no_search_saw_a_scored_month(model):
    report = json.loads((TABLES / f"{model}.json").read_text(encoding="utf-8"))

    assert report["judged_on"]["first_test_origin"] == "2020-12"
    assert max(report["judged_on"]["fit_origins"]) < "2020-12"


def test_gldnets_search_saw_no_test_day():
    report = json.loads((TABLES / "gldnet.json").read_text(encoding="utf-8"))

    # 2,922 days in shares of 70, 15 and 15 %: the test days begin on 2020-10-20
    assert report["judged_on"]["last_validation_day"] == "2020-10-19"


def test_gldnet_is_published_with_the_epochs_it_was_searched_with():
    assert GldnetConfig().epochs == SEARCHED_EPOCHS

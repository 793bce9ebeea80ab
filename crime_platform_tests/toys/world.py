"""The toy candidate's world: its months, cells and true rates, and how far each model is off."""

import numpy as np

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
    "policy": 0.15,
}
CELL_IDS = [f"r{row:03d}c{col:03d}" for row in range(SHAPE[0]) for col in range(SHAPE[1])]
ACTIVE = np.arange(len(CELL_IDS)) >= 3  # the first three cells never had an incident


def days(months):
    return np.asarray(months).astype("datetime64[D]").tolist()


def world():
    random = np.random.default_rng(11)
    rates = random.gamma(1.0, 2.0, (len(TYPES), len(CELL_IDS))) * ACTIVE
    months = np.arange(np.datetime64("2019-01", "M"), AS_OF + 1)
    counts = random.poisson(rates, (len(months), *rates.shape))
    return months, rates, counts, random.normal(size=rates.shape)


def expected_counts(model, rates, field):
    return np.maximum(rates * np.exp(MODELS[model] * field), 0.001)

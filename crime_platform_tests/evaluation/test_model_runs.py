import json
from dataclasses import replace

import numpy as np
import pytest

from crime_platform.evaluation.model_catalogue import forecasters
from crime_platform.evaluation.runs import (
    FIT_CONFIG,
    FORECASTS,
    RUN,
    floored,
    read_forecasts,
    read_run,
    run_folder,
    run_model,
)
from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.models.cells.baselines import BASELINES
from crime_platform.tensors.grid_counts import GridCounts
from crime_platform.vocabulary.forecast import ForecastArray, Recount, Vintage
from crime_platform.vocabulary.seal import SEAL, DamagedArtifactError
from crime_platform.vocabulary.timesteps import month_range
from toys.damage import cut_off, flip_a_bit

DECEMBER = np.datetime64("2021-12", "M")
PLAN = BacktestPlan(as_of=DECEMBER, n_origins=3, n_selection=0, horizon=2)
EWMA = BASELINES["ewma"]


def tensor(first="2019-01", seed=0):
    months = month_range(np.datetime64(first, "M"), DECEMBER)
    counts = np.random.default_rng(seed).poisson(1.5, (len(months), 2, 4, 3)).astype(np.float32)
    counts[:, :, 0, 0] = 0
    return GridCounts(months=months, offence_types=("assault", "robbery"), counts=counts)


def test_a_run_gives_back_the_forecasts_of_the_model(tmp_path):
    run = run_model(EWMA, tensor(), PLAN, tmp_path)
    back = read_forecasts(run)

    history = tensor().history
    direct = EWMA.fit(history, DECEMBER).forecast(history, DECEMBER, 2)
    assert back.origins.astype(str).tolist() == ["2021-09", "2021-10", "2021-11", "2021-12"]
    assert back.expected_count.shape == (4, 2, 2, 4, 3)
    np.testing.assert_allclose(back.expected_count[-1], direct.expected_count, rtol=1e-6)
    np.testing.assert_allclose(back.dispersion[-1], direct.dispersion, rtol=1e-6)


def test_an_origin_is_forecast_from_what_was_known_then(tmp_path):
    october, known = np.datetime64("2021-10", "M"), tensor()
    then = known.counts.copy()
    then[-3, 0, 1, 1] += 6  # six incidents of October that were taken back later
    place = np.array([[known.counts.shape[0] - 3], [0], [1], [1]])
    recount = Recount(position=place, count=then[-3, 0, 1, 1].reshape(1).astype(np.float64))
    revised = replace(known, vintages={october: Vintage(counts=recount)})

    run = read_forecasts(run_model(EWMA, revised, PLAN, tmp_path / "revised"))
    today = read_forecasts(run_model(EWMA, known, PLAN, tmp_path / "today"))
    taught = read_forecasts(run_model(EWMA, replace(known, counts=then), PLAN, tmp_path / "then"))

    at_october = run.expected_count[1]
    np.testing.assert_array_equal(run.origins[[1]], [october])
    assert (at_october[:, 0, 1, 1] > today.expected_count[1, :, 0, 1, 1]).all()
    np.testing.assert_array_equal(at_october, taught.expected_count[1])
    np.testing.assert_array_equal(run.expected_count[2:], today.expected_count[2:])


def test_an_equal_run_is_reused(tmp_path):
    first = run_model(EWMA, tensor(), PLAN, tmp_path)
    written = (first.folder / FORECASTS).stat().st_mtime_ns
    again = run_model(EWMA, tensor(), PLAN, tmp_path)
    assert again.folder == first.folder
    assert (again.folder / FORECASTS).stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "changed",
    [
        (EWMA, tensor(seed=1), PLAN),
        (EWMA, tensor(), BacktestPlan(as_of=DECEMBER, n_origins=4, n_selection=0, horizon=2)),
        (BASELINES["rolling_mean_3"], tensor(), PLAN),
    ],
    ids=["data", "plan", "model"],
)
def test_other_data_plan_or_model_is_another_run(tmp_path, changed):
    assert run_folder(*changed, tmp_path) != run_folder(EWMA, tensor(), PLAN, tmp_path)


def test_a_model_that_needs_more_history_is_skipped_and_says_why(tmp_path):
    run = run_model(BASELINES["rolling_mean_24"], tensor(first="2020-06"), PLAN, tmp_path)
    assert run.skipped is not None
    assert "rolling_mean_24 back-test needs 25 months" in run.skipped
    assert "has 16" in run.skipped
    assert not (run.folder / FORECASTS).exists()


def test_a_run_that_was_not_made_names_its_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="ewma has not run for these counts and settings"):
        read_run("ewma", tmp_path)


def test_half_a_run_is_no_run(tmp_path):
    folder = run_folder(EWMA, tensor(), PLAN, tmp_path)
    folder.mkdir(parents=True)
    (folder / FORECASTS).write_text("half")

    run = run_model(EWMA, tensor(), PLAN, tmp_path)

    assert (run.folder / RUN).exists()
    assert read_forecasts(run).expected_count.shape == (4, 2, 2, 4, 3)


def test_every_model_is_held_to_the_same_floor():
    history = tensor().history
    zero = np.zeros((2, 2, 4, 3))
    forecast = floored(
        ForecastArray(origin=DECEMBER, expected_count=zero, dispersion=zero), history
    )
    assert forecast.expected_count[0, 0, 1, 1] == 0.5 / 36  # 36 months, half an incident
    assert forecast.expected_count[0, 0, 0, 0] == 1e-4  # never an incident


@pytest.mark.parametrize("damage", [cut_off, flip_a_bit])
@pytest.mark.parametrize("file", [FORECASTS, RUN])
def test_a_damaged_run_is_made_anew_and_said(tmp_path, caplog, damage, file):
    made = run_model(EWMA, tensor(), PLAN, tmp_path)
    expected = read_forecasts(made).expected_count
    damage(made.folder / file)

    with pytest.raises(DamagedArtifactError, match=f"{made.key} is damaged: {file} has"):
        read_run("ewma", made.folder)
    again = run_model(EWMA, tensor(), PLAN, tmp_path)

    np.testing.assert_array_equal(read_forecasts(again).expected_count, expected)
    assert f"It is kept as {made.key}.damaged-1 and made anew" in caplog.text


def test_a_fit_whose_config_was_changed_is_made_anew_and_said(tmp_path, caplog):
    trees = next(model for model in forecasters("boosted_trees") if model.name == "lightgbm")
    small = replace(trees, config=replace(trees.config, rounds=2, held_out_rounds=2))
    made = run_model(small, tensor(), PLAN, tmp_path)
    config = max((tmp_path / "fits").rglob(FIT_CONFIG))  # of the newest fit
    honest = json.loads(config.read_text())
    config.write_text(json.dumps(honest | {"dispersion": [9.0, 9.0]}))
    cut_off(made.folder / FORECASTS)

    again = run_model(small, tensor(), PLAN, tmp_path)

    assert json.loads(config.read_text())["dispersion"] == honest["dispersion"]
    assert (read_forecasts(again).dispersion < 9).all()
    assert "config.json has" in caplog.text


def test_a_run_of_a_version_without_seals_is_read(tmp_path):
    made = run_model(EWMA, tensor(), PLAN, tmp_path)
    (made.folder / SEAL).unlink()

    assert run_model(EWMA, tensor(), PLAN, tmp_path).folder == made.folder
    assert read_run("ewma", made.folder).key == made.key

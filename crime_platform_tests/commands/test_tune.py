import json
import shutil
from dataclasses import dataclass

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from crime_platform.commands.area_choice import only_counted_area
from crime_platform.commands.tune import tune
from crime_platform.geography.grid import Grid
from crime_platform.pipeline.cell_counts import tensor_path
from crime_platform.study_area.study_area import StudyAreaError
from crime_platform.tensors.grid_counts import GridCounts, as_dataset, write_tensor
from crime_platform.tuning import search_spaces
from crime_platform.tuning.cell_search import stored_search, tuning_folder
from crime_platform.tuning.search_spaces import SearchSpace
from crime_platform.vocabulary.forecast import ForecastArray
from toys.city import TOY_AREA

RUNNER = CliRunner()


@dataclass(frozen=True, kw_only=True)
class Lift:
    lift: float = 1.0


@dataclass(frozen=True)
class Lifted:
    """The mean of all months, lifted; whoever built it can stop it by hand."""

    name: str
    config: Lift
    min_history_months: int = 1
    stops_at: str = ""

    def fit(self, _history, _origin):
        if self.name == self.stops_at:
            raise KeyboardInterrupt
        return self

    def forecast(self, history, origin, horizon):
        mean = history.counts.mean(axis=0).astype(np.float64)
        expected = np.repeat(self.config.lift * mean[None], horizon, axis=0)
        return ForecastArray(
            origin=origin, expected_count=expected, dispersion=np.zeros_like(expected)
        )


def use_space(monkeypatch, **options):
    space = SearchSpace(
        model="st_resnet",
        default=Lift(),
        suggest=lambda trial: Lift(lift=trial.suggest_float("lift", 0.5, 2.0)),
        build=lambda name, config: Lifted(name, config, **options),
    )
    monkeypatch.setattr(search_spaces, "search_space", lambda _: space)


@pytest.fixture
def city(toy_city, monkeypatch):
    """The toy city with five years of counts, and a model that takes no time to fit."""
    home = toy_city()
    counts = np.random.default_rng(0).poisson(1.0, (60, 2, 6, 5)).astype(np.float32)
    months = np.datetime64("2019-01") + np.arange(60)
    tensor = GridCounts(months=months, offence_types=("assault", "robbery"), counts=counts)
    grid = Grid(crs="EPSG:26917", x_min=63e4, y_min=483e4, cell_size_m=500.0, n_rows=6, n_cols=5)
    write_tensor(as_dataset(tensor, grid, study_area="toy", title="Toy"), tensor_path(home, "toy"))
    use_space(monkeypatch)
    return home


def call(*arguments):
    app = typer.Typer()
    app.command()(tune)
    return RUNNER.invoke(app, list(arguments), env={"COLUMNS": "200"})


def test_a_search_prints_budget_trials_and_where_the_files_are(city):
    answer = call("--model", "st_resnet", "--trials", "3")

    folder = tuning_folder(city, "toy", "st_resnet")
    assert answer.exit_code == 0, answer.output
    assert "3 trials of up to 4 fits with one seed, at most 12" in " ".join(answer.stdout.split())
    assert "st_resnet search: 3/3" in answer.stdout
    assert "best lies" in answer.stdout
    assert str(folder) in answer.stdout.replace("\n", "")
    assert {"trials.csv", "best_config.json", "history.png"} <= {
        path.name for path in folder.iterdir()
    }


def test_the_test_origins_are_those_of_the_back_test(city):
    call("--model", "st_resnet", "--trials", "1")

    # counts up to 2023-12; the toy city scores 6 origins, 2023-06 to 2023-11
    report = stored_search(city, "toy", "st_resnet")
    assert report is not None
    assert report.facts["first_test_origin"] == "2023-06"


def test_another_month_moves_the_test_origins(city):
    answer = call("--model", "st_resnet", "--trials", "1", "--as-of", "2023-09")

    report = stored_search(city, "toy", "st_resnet")
    assert answer.exit_code == 0, answer.output
    assert report is not None
    assert report.facts["first_test_origin"] == "2023-03"


def test_the_table_is_kept_during_the_search(city, monkeypatch):
    use_space(monkeypatch, stops_at="st_resnet trial 1")

    answer = call("--model", "st_resnet", "--trials", "3")

    rows = (tuning_folder(city, "toy", "st_resnet") / "trials.csv").read_text().splitlines()
    assert answer.exit_code == 130
    assert "the same command goes on" in answer.stdout
    assert len(rows) == 3  # the header, the default, and the one that was stopped


@pytest.mark.usefixtures("city")
def test_show_prints_what_is_stored_and_tries_nothing():
    call("--model", "st_resnet", "--trials", "2")

    answer = call("--model", "st_resnet", "--trials", "9", "--show")

    assert answer.exit_code == 0, answer.output
    assert "st_resnet: trials 2" in answer.stdout


@pytest.mark.usefixtures("city")
def test_show_before_the_first_search_names_the_command():
    answer = call("--model", "convlstm", "--show")

    assert answer.exit_code == 2
    assert "tune --model convlstm" in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("city")
def test_show_of_a_mistyped_area_tells_those_there_are():
    answer = call("--model", "st_resnet", "--show", "--study-area", "tyo")

    assert answer.exit_code == 2
    assert "there is no such study area; there are toy" in " ".join(answer.stderr.split())


@pytest.mark.usefixtures("city")
def test_table_and_config_can_be_exported(tmp_path):
    answer = call("--model", "st_resnet", "--trials", "2", "--export", str(tmp_path / "tuning"))

    assert f"Exported: {tmp_path}/tuning/st_resnet.csv" in answer.stdout.replace("\n", "")
    assert json.loads((tmp_path / "tuning/st_resnet.json").read_text())["study_area"] == "toy"
    assert (tmp_path / "tuning/st_resnet.csv").read_text().startswith("rank,trial,state")


def test_show_writes_nothing_in_the_home(city):
    call("--model", "st_resnet", "--trials", "1")
    table = tuning_folder(city, "toy", "st_resnet") / "trials.csv"
    table.unlink()

    answer = call("--model", "st_resnet", "--show")

    assert answer.exit_code == 0, answer.output
    assert not table.exists()


@pytest.mark.parametrize(
    ("folder", "told"),
    [
        ("notes", "notes is a file; name a folder"),
        ("notes/tuning", "notes is a file, no folder"),
        ("mistyped/tuning", "there is no folder"),
        ("/proc/tuning", "--export /proc/tuning: cannot be written"),
    ],
)
def test_an_export_that_cannot_be_written_is_refused_before_the_search(
    city, tmp_path, folder, told
):
    (tmp_path / "notes").write_text("mine")

    answer = call("--model", "st_resnet", "--export", str(tmp_path / folder))

    assert answer.exit_code == 2
    assert told in " ".join(answer.stderr.split())
    assert not tuning_folder(city, "toy", "st_resnet").exists()


@pytest.mark.usefixtures("city")
def test_a_time_limit_is_printed():
    answer = call("--model", "st_resnet", "--trials", "1", "--timeout-minutes", "30")

    assert "no new trial after 30 minutes" in " ".join(answer.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--study-area", "atlantis"], "atlantis"),
        (["--as-of", "soon"], "--as-of: expected a month written YYYY-MM"),
        (["--as-of", "2024-03"], "the data end in 2023-12, before 2024-03"),
        (["--as-of", "2019-05"], "2018-11 is not in the history"),
        (["--timeout-minutes", "0"], "--timeout-minutes: expected a number above 0, found 0"),
        (["--timeout-minutes", "-1"], "--timeout-minutes: expected a number above 0, found -1"),
        (["--timeout-minutes", "nan"], "--timeout-minutes: expected a number above 0, found nan"),
        (["--timeout-minutes", "inf"], "--timeout-minutes: expected a number above 0, found inf"),
    ],
)
@pytest.mark.usefixtures("city")
def test_bad_input_is_named(arguments, told):
    answer = call("--model", "st_resnet", *arguments)

    assert answer.exit_code == 2
    assert told in " ".join(answer.stderr.split())


def test_without_counts_the_cure_is_named(toy_city):
    toy_city()

    answer = call("--model", "st_resnet")

    assert answer.exit_code == 2
    assert "crime-platform run" in " ".join(answer.stderr.split())


def test_of_several_areas_the_one_with_counts_is_tuned(city):
    (city.study_areas / "other.toml").write_text(TOY_AREA.format(last_month="2021-06"))

    assert only_counted_area(city) == "toy"


def test_without_an_area_there_is_nothing_to_tune(home):
    with pytest.raises(StudyAreaError, match="holds no study area yet: crime-platform new-area"):
        only_counted_area(home)


def test_a_simulated_area_is_tuned_only_where_it_is_alone_or_named(city):
    toml = TOY_AREA.format(last_month="2023-12").replace('"toy"', '"played"', 1)
    toml = toml.replace('title = "Toy city"', 'title = "Toy (simulated)"\nsimulated = true')
    (city.study_areas / "played.toml").write_text(toml)
    shutil.copytree(city.artifacts("toy"), city.artifacts("played"))

    assert only_counted_area(city) == "toy"

"""One area's search for a model's settings: which months it may see, where its files lie."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from crime_platform.evaluation.schedule import BacktestPlan
from crime_platform.pipeline.cell_counts import tensor_path
from crime_platform.study_area.study_area import load_study_area
from crime_platform.tensors.grid_counts import read_tensor
from crime_platform.tuning.findings import SearchReport, read_search
from crime_platform.tuning.plots import write_plots
from crime_platform.tuning.report import best_config, write_search, write_table
from crime_platform.vocabulary.artifact import write_json
from crime_platform.vocabulary.home import PlatformHome
from crime_platform.vocabulary.timesteps import IncompleteDataError, Month

TRIALS_FILE = "trials.sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningRequest:
    """What a person asks for."""

    study_area: str
    model: str
    n_trials: int | None = None  # as many as the model's budget has by default
    seconds: float | None = None
    workers: int | None = None
    as_of: Month | None = None  # whose test origins are kept out of sight; the newest by default

    def __post_init__(self) -> None:
        if self.seconds is not None and not 0 < self.seconds < math.inf:
            raise ValueError(
                f"--timeout-minutes: expected a number above 0, found {self.seconds / 60:g}; leave "
                "it out for no limit"
            )

    @property
    def given(self) -> dict[str, int]:
        """Fields of a budget that the person has chosen."""
        chosen = {"n_trials": self.n_trials, "workers": self.workers}
        return {name: number for name, number in chosen.items() if number is not None}


def tuning_folder(home: PlatformHome, study_area: str, model: str) -> Path:
    """Where one model's trials, table, config and pictures lie."""
    return home.artifacts(study_area) / "tuning" / model


def tune_area(
    home: PlatformHome,
    request: TuningRequest,
    *,
    announce: Callable[[str], None] = lambda _: None,
) -> SearchReport:
    """Go on with the search until the budget is spent; table and config are kept up to date.

    Args:
        home: where the area's data and files lie.
        request: area, model and budget.
        announce: told what will be done before it begins.

    Raises:
        IncompleteDataError: if `as_of` lies after the data, or they are too few.
        ValueError: if the model has no search space, its default cannot be fitted, or another
            search of it is under way.
        FileNotFoundError: if the area was never ingested.
    """
    from crime_platform.tuning.cell_folds import selection_history
    from crime_platform.tuning.cells import Budget, search
    from crime_platform.tuning.search_spaces import search_space

    space = search_space(request.model)
    area = load_study_area(home.study_areas / f"{request.study_area}.toml")
    tensor, _ = read_tensor(tensor_path(home, area.name))
    as_of = tensor.months[-1] if request.as_of is None else request.as_of
    if as_of > tensor.months[-1]:
        # Its test would begin later, and months of today's test would be seen.
        raise IncompleteDataError(
            f"{area.name}: the data end in {tensor.months[-1]}, before {as_of}; choose an earlier "
            "month with --as-of, or leave it out"
        )
    plan = BacktestPlan(
        as_of=as_of,
        n_origins=area.backtest.n_origins,
        refit_every=area.backtest.refit_every,
        horizon=area.backtest.horizon,
    )
    selection = selection_history(tensor.history, plan.first_test_origin)
    budget = Budget(refit_every=area.backtest.refit_every, seconds=request.seconds, **request.given)
    announce(f"{request.model} in {area.title}, counts up to {plan.first_test_origin}: {budget}")
    folder = tuning_folder(home, area.name, request.model)
    study = search(
        space,
        selection,
        budget,
        folder / TRIALS_FILE,
        on_trial=lambda study: write_search(read_search(study), folder, study_area=area.name),
    )
    return read_search(study)


def stored_search(home: PlatformHome, study_area: str, model: str) -> SearchReport | None:
    """What the newest search of a model has found so far; None before the first."""
    from crime_platform.tuning.study import stored_study

    study = stored_study(tuning_folder(home, study_area, model) / TRIALS_FILE)
    return None if study is None else read_search(study)


def write_report(report: SearchReport, home: PlatformHome, study_area: str) -> None:
    """Write table, config and pictures of a search into its folder."""
    folder = tuning_folder(home, study_area, report.model)
    write_search(report, folder, study_area=study_area)
    write_plots(report, folder)


def export_report(report: SearchReport, folder: Path, *, study_area: str) -> tuple[Path, Path]:
    """Write table and config, to be committed beside the default that they support.

    Returns:
        The files, `<model>.csv` and `<model>.json`.
    """
    table, config = folder / f"{report.model}.csv", folder / f"{report.model}.json"
    write_table(report, table)
    write_json(config, best_config(report, study_area=study_area))
    return table, config

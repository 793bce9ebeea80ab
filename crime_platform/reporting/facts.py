"""What the report states, taken from one candidate's tables: sums first, ratios last.

One month ahead over the ever active cells, test origins only: the numbers of the leaderboard.
Nothing here draws or writes sentences.
"""

import datetime as dt
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from crime_platform.evaluation.candidate import Candidate
from crime_platform.metrics.errors import reducible_gap_closed
from crime_platform.schema.values import ANY, EVER_ACTIVE, HISTORICAL_AVERAGE, POLICY
from crime_platform.study_area.study_area import StudyArea
from crime_platform.vocabulary.expiry import Expiry, expiry_of
from crime_platform.vocabulary.timesteps import Month, parse_month

if TYPE_CHECKING:
    import pandas as pd

FAMILIES = ("lightgbm", "st_resnet", "convlstm")  # the best of each is drawn beside the champion
HIT_COVERAGE = 0.2
SKILL_COLUMNS = (
    "deviance_skill",
    "deviance_skill_low",
    "deviance_skill_high",
    "diebold_mariano_p",
    "skill_over_best_baseline",
    "skill_over_best_baseline_low",
    "skill_over_best_baseline_high",
    "diebold_mariano_p_best_baseline",
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Facts:
    """What one candidate's tables say of its scores and forecast."""

    candidate: Candidate

    def has(self, name: str) -> bool:
        """Whether the candidate holds this table, with at least one row."""
        path = self.candidate.folder / f"{name}.parquet"
        if not path.exists():
            return False
        import pyarrow.parquet as pq

        return pq.read_metadata(path).num_rows > 0

    def read(self, name: str, columns: list[str], **wanted: list) -> "pd.DataFrame":
        """Some columns of a table, only the rows whose columns hold one of the wanted values."""
        import pyarrow.parquet as pq

        filters = [(column, "in", values) for column, values in wanted.items()]
        path = self.candidate.folder / f"{name}.parquet"
        return pq.read_table(path, columns=columns, filters=filters or None).to_pandas()

    @property
    def reason(self) -> str:
        """Why this model makes the forecast, without a full stop."""
        return str(self.candidate.manifest["reason"]).rstrip(".")

    @property
    def as_of(self) -> Month:
        return parse_month(str(self.candidate.manifest["as_of_month"]))

    @cached_property
    def horizon(self) -> int:
        """Largest lead that is forecast."""
        return int(self.read("cell_forecast", ["lead"])["lead"].max())

    @cached_property
    def scores(self) -> "pd.DataFrame":
        """Rows of `backtest_score` that the leaderboard pools."""
        scores = self.candidate.table("backtest_score")
        is_test = (scores["lead"] == 1) & (scores["cell_set"] == EVER_ACTIVE)
        if "is_selection" in scores:
            is_test &= ~scores["is_selection"].eq(True)  # NULL is no selection, as in the views
        return scores[is_test]

    @cached_property
    def skills(self) -> "pd.DataFrame":
        """Rows of `model_skill` for the leaderboard, by model; columns that are absent are NaN."""
        skills = self.candidate.table("model_skill")
        wanted = (skills["lead"] == 1) & (skills["cell_set"] == EVER_ACTIVE)
        return skills[wanted].set_index("model")

    @property
    def champion(self) -> str:
        """The model that is published."""
        return self.candidate.champion

    @cached_property
    def judged(self) -> str:
        """The row that the gate judges: the policy, or the champion where it has no rows."""
        scored = set(self.scores["model"])
        return POLICY if POLICY in scored else self.champion

    @cached_property
    def best_baseline(self) -> str:
        """The best single baseline; the historical average where none was compared."""
        if "best_baseline" in self.skills:
            named = self.skills["best_baseline"].dropna()
            if self.judged in named.index:
                return str(named.loc[self.judged])
        return HISTORICAL_AVERAGE

    @cached_property
    def test_targets(self) -> list[Month]:
        """Months the leaderboard is scored on."""
        return sorted({_month(value) for value in self.scores["target_month"]})

    @cached_property
    def board(self) -> "pd.DataFrame":
        """Every model with its figures, by model, lowest deviance first; the policy after them."""
        import pandas as pd

        sums = self.scores.groupby("model").sum(numeric_only=True)
        n = sums["n"]
        board = pd.DataFrame({"deviance": sums["sum_deviance"] / n})
        board["rmse"] = (sums["sum_squared_error"] / n) ** 0.5
        opponent = board.loc[[HISTORICAL_AVERAGE]].iloc[0]
        board["rmse_skill"] = 1 - board["rmse"] / opponent["rmse"]
        board["bias_share"] = sums["sum_expected"] / sums["sum_observed"] - 1
        board["crps"], board["mae"] = sums["sum_crps"] / n, sums["sum_absolute_error"] / n
        board["n_origins"] = self.scores.groupby("model")["origin_month"].nunique()
        board["hit_rate_20"] = self.hit_rates().reindex(board.index)[HIT_COVERAGE]
        board["gap_closed"] = [
            reducible_gap_closed(float(score), float(opponent["deviance"]), self.noise_floor)
            for score in board["deviance"]
        ]
        board = board.join(self.skills.reindex(columns=list(SKILL_COLUMNS)))
        # Of the same sums as the other columns, so that the row agrees with itself.
        board["deviance_skill"] = 1 - board["deviance"] / opponent["deviance"]
        versions = self.candidate.table("model_version").set_index("model")
        board = board.join(versions[["parameters", "training_seconds"]])
        board = board.sort_values("deviance")
        return pd.concat([board.drop(index=POLICY, errors="ignore"), board[board.index == POLICY]])

    @cached_property
    def noise_floor(self) -> float:
        """Mean deviance left if the best model's rates were the true ones, for all rows alike."""
        sums = self.scores.groupby("model")[["sum_deviance", "sum_noise_deviance", "n"]].sum()
        sums = sums.drop(index=POLICY, errors="ignore")
        best = sums.iloc[int((sums["sum_deviance"] / sums["n"]).argmin())]
        return float(best["sum_noise_deviance"] / best["n"])

    def value(self, column: str, model: str | None = None) -> float:
        """One figure of the leaderboard; that of what the gate judges by default."""
        name = self.judged if model is None else model
        return float(self.board[column].get(name, np.nan))

    @cached_property
    def shown(self) -> list[str]:
        """What pictures compare: champion, policy, best of each family, best baseline."""
        names = [self.champion, self.judged]
        for family in FAMILIES:
            names += [name for name in self.board.index if name.startswith(family)][:1]
        names += [self.best_baseline, HISTORICAL_AVERAGE]
        return list(dict.fromkeys(name for name in names if name in self.board.index))

    def skill_by(self, key: str) -> "pd.DataFrame":
        """Deviance skill over the historical average of every model, per value of a column."""
        sums = self.scores.groupby([key, "model"], observed=True)["sum_deviance"].sum()
        table = sums.unstack("model")
        return 1 - table.div(table[HISTORICAL_AVERAGE], axis=0)

    def weakest(self, key: str) -> tuple[str, float]:
        """Value of a column at which the champion's skill is lowest, and that skill."""
        skills = self.skill_by(key)[self.champion]
        return str(skills.idxmin()), float(skills.min())

    def hit_rates(self) -> "pd.DataFrame":
        """Share of incidents caught, all types ranked together: a row a model, a column a share."""
        sums = self._hotspot_sums
        return (sums["sum_hits"] / sums["sum_incidents"]).unstack("coverage_share")

    def hit_rate(self, model: str, share: float) -> float:
        """Share of incidents caught by flagging one share of the area."""
        return float(self.hit_rates().loc[[model], share].iloc[0])

    def best_hit_rates(self) -> "pd.Series":
        """Best possible hit rate at each share of the area."""
        sums = self._hotspot_sums.xs(HISTORICAL_AVERAGE, level="model")
        return sums["sum_best_hits"] / sums["sum_incidents"]

    @cached_property
    def _hotspot_sums(self) -> "pd.DataFrame":
        hotspots = self.candidate.table("backtest_hotspot")
        wanted = (hotspots["lead"] == 1) & (hotspots["offence_type"] == ANY)
        wanted &= hotspots["origin_month"].isin(set(self.scores["origin_month"]))
        return hotspots[wanted].groupby(["model", "coverage_share"]).sum(numeric_only=True)

    def turning_months(self) -> dict[Month, str]:
        """Months of the test at which the city total turns, each with its direction."""
        if not self.has("turning_month"):
            return {}
        table = self.candidate.table("turning_month")
        turns = zip(table["target_month"], table["direction"], strict=True)
        return {_month(when): str(way) for when, way in turns if _month(when) in self.test_targets}


@dataclass(frozen=True, kw_only=True, eq=False)
class SitedFacts(Facts, ABC):
    """The same beside what the study area declares, wherever that is read."""

    @property
    @abstractmethod
    def cell_size_m(self) -> float:
        """Side of a cell."""

    @property
    @abstractmethod
    def first_month(self) -> Month:
        """First month of the counts that models learn from."""

    @property
    @abstractmethod
    def offence_titles(self) -> dict[str, str]:
        """Title of every offence type by name, in the order of the area's file."""

    def title_of(self, offence_type: str) -> str:
        """Title of an offence type; `any` stands for all of them."""
        return self.offence_titles.get(
            offence_type, "All types" if offence_type == ANY else offence_type
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class LocalFacts(SitedFacts):
    """The same beside the study area, which knows titles, sources and projection."""

    area: StudyArea
    # A forecast may be expired by the time its report is written.
    written_at: dt.datetime = field(default_factory=lambda: dt.datetime.now(dt.UTC))

    @property
    def expiry(self) -> Expiry:
        """When the forecast expires."""
        return expiry_of(self.as_of + self.horizon, self.area.timezone)

    @property
    def cell_size_m(self) -> float:
        return float(self.area.grid.cell_size_m)

    @property
    def first_month(self) -> Month:
        return self.area.first_month

    @property
    def offence_titles(self) -> dict[str, str]:
        return {kind.name: kind.title for kind in self.area.offence_types}


def _month(value: object) -> Month:
    return np.datetime64(str(value)[:7], "M")

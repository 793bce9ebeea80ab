"""How often the gate passes: cities without signal, and cities with a signal of known size.

Both branches are judged by their own rule on made-up cities: Poisson counts, and forecasts that are
the true rates but for errors of a chosen size, which move slowly. In a city of pure noise forecast
and reference have errors of one size, so that neither is better and every pass is wrong. In a city
with signal the errors of the reference are larger. Cities are seeded by their number.

Usage: python benchmarks/gate_simulation.py [--seeds 100]    writes GATE_SIMULATION.md beside it
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from crime_platform.evaluation.selection import judge
from crime_platform.evaluation.street_gate import judge_streets
from crime_platform.schema.values import ANY, EVER_ACTIVE, POLICY, TEST
from crime_platform.schema.values import HISTORICAL_AVERAGE as AVERAGE
from crime_platform.schema.values import LONG_RUN_FREQUENCY as FREQUENCY
from crime_platform.vocabulary.verdict import Verdict

MODEL = "made_up"
ERROR = 0.25  # standard deviation of the logarithm of a forecast's rates about the true ones
CARRIED = 0.5  # share of an error that is still there a step later
COVERAGE = 0.2
MONTHS, DAYS = "months", "days"
LEADS = {MONTHS: (1, 2, 3), DAYS: (1, 7)}


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A made-up city, and how wrong the forecast to beat is."""

    branch: str
    n_steps: int  # origins or test days
    n_units: int  # cells or streets
    n_incidents: int  # expected in all steps together
    reference_error: float = ERROR

    def verdict(self, seed: int) -> Verdict:
        """The gate's verdict in one city of this kind."""
        rng = np.random.default_rng([seed, self.n_steps, self.n_incidents])
        leads = LEADS[self.branch]
        n_targets = self.n_steps + leads[-1] - 1
        rate = rng.lognormal(0, 1, self.n_units)
        rate *= self.n_incidents / self.n_steps / rate.sum()
        counts = rng.poisson(np.broadcast_to(rate, (n_targets, self.n_units)))
        parts = {
            (name, lead): _rows(
                counts[lead - 1 :][: self.n_steps], rate * _errors(rng, self, error)
            ).assign(model=name, lead=lead)
            for name, error in ((MODEL, ERROR), (self._reference, self.reference_error))
            for lead in leads
        }
        table = pd.concat(parts.values(), ignore_index=True)
        return self._judged(table, float(rate.sum()))

    @property
    def _reference(self) -> str:
        return AVERAGE if self.branch == MONTHS else FREQUENCY

    def _judged(self, table: pd.DataFrame, total: float) -> Verdict:
        totals = np.full(LEADS[self.branch][-1], total)
        if self.branch == MONTHS:
            table = table.assign(cell_set=EVER_ACTIVE, origin_month=table["step"])
            policy = table[table["model"] == MODEL].assign(model=POLICY)
            both = pd.concat([table, policy])
            return judge("made-up", MODEL, both, forecast_totals=totals, recent_totals=totals)
        table = table.assign(part=TEST, offence_group=ANY, target_day=table["step"])
        table["coverage_share"] = COVERAGE
        return judge_streets(
            "made-up", MODEL, table, table, forecast_totals=totals, recent_totals=totals
        )


def _errors(rng: np.random.Generator, city: City, size: float) -> np.ndarray:
    """Factors on the true rates, of mean 1, by step and unit."""
    log = np.empty((city.n_steps, city.n_units))
    fresh = rng.normal(0, size, log.shape)
    log[0] = fresh[0]
    for step in range(1, city.n_steps):
        log[step] = CARRIED * log[step - 1] + np.sqrt(1 - CARRIED**2) * fresh[step]
    return np.exp(log - size**2 / 2)


def _rows(counts: np.ndarray, forecast: np.ndarray) -> pd.DataFrame:
    """Score sums by step, and hits on the riskiest units, all of one extent."""
    per_unit = np.where(counts > 0, counts * np.log(np.maximum(counts, 1) / forecast), 0.0)
    n_flagged = round(COVERAGE * counts.shape[1])
    flagged = np.argsort(-forecast, axis=1)[:, :n_flagged]
    return pd.DataFrame(
        {
            "step": np.arange(len(counts)),
            "n": counts.shape[1],
            "sum_deviance": 2 * (per_unit - (counts - forecast)).sum(axis=1),
            "sum_squared_error": ((counts - forecast) ** 2).sum(axis=1),
            "sum_expected": forecast.sum(axis=1),
            "sum_observed": counts.sum(axis=1, dtype=np.float64),
            "sum_hits": np.take_along_axis(counts, flagged, axis=1).sum(axis=1, dtype=np.float64),
            "sum_incidents": counts.sum(axis=1, dtype=np.float64),
        }
    )


def pass_share(city: City, n_seeds: int) -> tuple[float, float, float]:
    """Share of seeds that pass, that have a clear deviance one step ahead, and the mean skill."""
    verdicts = [city.verdict(seed) for seed in range(n_seeds)]
    skill, low = (
        np.array([each.figures[f"deviance skill, lead 1{end}"] for each in verdicts])
        for end in ("", ", interval low")
    )
    passed = float(np.mean([each.passed for each in verdicts]))
    return passed, float(np.mean(low > 0)), float(np.mean(skill))


CITIES = (
    *(
        City(branch=MONTHS, n_steps=n_steps, n_units=n_units, n_incidents=n_incidents)
        for n_steps, n_units, n_incidents in (
            (4, 100, 120),
            (4, 400, 1600),
            (6, 400, 2400),
            (12, 100, 360),
            (12, 400, 4800),
            (12, 2000, 30_000),
            (24, 400, 9600),
            (24, 2000, 60_000),
        )
    ),
    *(
        City(branch=DAYS, n_steps=n_days, n_units=n_units, n_incidents=n_incidents)
        for n_days, n_units, n_incidents in (
            (28, 100, 200),
            (60, 200, 200),
            (180, 400, 500),
            (400, 1000, 1000),
            (400, 1000, 5000),
        )
    ),
)
SIGNALS = (0.25, 0.3, 0.5)  # error of the reference; the first is that of the forecast: no signal
TARGET = Path(__file__).with_name("GATE_SIMULATION.md")
HEADER = """# How often the gate passes

Written by `python benchmarks/gate_simulation.py`: {n_seeds} made-up cities a row. The forecast's
rates are wrong by a standard deviation of 0.25 of their logarithm, the reference's by the number in
the fourth column: 0.25 is a city of pure noise, where neither is better and every pass is wrong.
"Clear" is the share of cities whose deviance one step ahead has an interval above 0; the other
clauses (further leads, RMSE, hit rate, bias, evidence) take the rest.

| steps | units | incidents | error of the reference | mean skill | clear | passes |
|---|---|---|---|---|---|---|
"""


def main() -> None:
    """Judge every city and write the table after each row."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--seeds", type=int, default=100, help="cities a row")
    n_seeds = parser.parse_args().seeds
    table = HEADER.format(n_seeds=n_seeds)
    for error in SIGNALS:
        for city in CITIES:
            passed, clear, skill = pass_share(replace(city, reference_error=error), n_seeds)
            row = (
                f"| {city.n_steps} {city.branch} | {city.n_units:,} | {city.n_incidents:,} "
                f"| {error} | {skill:+.2%} | {clear:.0%} | {passed:.0%} |"
            )
            print(row, flush=True)
            table += f"{row}\n"
            TARGET.write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()

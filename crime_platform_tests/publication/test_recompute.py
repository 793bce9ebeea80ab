"""Scores of spread follow from the release alone: forecast, dispersion and what was recorded."""

import numpy as np
import pytest

from crime_platform.metrics.calibration import calibration_sums

pytestmark = pytest.mark.slow  # a toy city is run once

CASES = """
    select f.expected_count::double as expected, f.dispersion::double as dispersion,
        coalesce(a.count, 0)::double as observed, c.is_ever_active
    from backtest_forecast f
    join cell c using (study_area, cell_id)
    left join cell_month a on a.study_area = f.study_area and a.month = f.target_month
        and a.cell_id = f.cell_id and a.offence_type = f.offence_type
    where f.model = ?
"""
SCORES = """
    select sum(n), sum(sum_crps), sum(n_inside_80), sum(n_inside_95), sum(sum_stated_80),
        sum(sum_stated_95)
    from backtest_score where model = ? and lead = 1 and cell_set = 'ever_active'
        and is_selection is not true
"""
PIT = """
    select n_pit_inside_80, n_pit_inside_95 from calibration
    where model = ? and lead = 1 and rate_group = 'all'
"""


@pytest.mark.parametrize("model", ["historical_average", "lightgbm", "ensemble", "policy"])
def test_crps_coverage_and_pit_follow_from_the_release_alone(toy, model):
    cases = toy.execute(CASES, [model]).fetchnumpy()
    given = [np.asarray(cases[name], dtype=float) for name in ("observed", "expected")]
    spread = np.asarray(cases["dispersion"], dtype=float)

    sums = calibration_sums(*given, spread, mask=np.asarray(cases["is_ever_active"], dtype=bool))

    scores = toy.execute(SCORES, [model]).fetchone()
    pit = toy.execute(PIT, [model]).fetchone()
    found = (
        sums.n,
        sums.sum_crps,
        sums.inside_80,
        sums.inside_95,
        sums.stated_80,
        sums.stated_95,
        sums.pit_inside_80,
        sums.pit_inside_95,
    )
    # Forecasts are published in single precision.
    assert found == pytest.approx((*scores, *pit), rel=1e-5)

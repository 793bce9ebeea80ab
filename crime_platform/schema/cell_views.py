"""The views of a release: what most readers query, as SQL over the published tables."""

from crime_platform.schema.cell_tables import TABLES
from crime_platform.schema.columns import Table
from crime_platform.schema.error import ERROR_COMMENT, error_of
from crime_platform.schema.street_tables import STREET_TABLES
from crime_platform.schema.street_views import STREET_VIEW_COLUMN_COMMENTS, STREET_VIEWS
from crime_platform.schema.values import POLICY

_SCORE_RATIOS = """
    sum(s.n) as n_cases,
    sum(s.sum_deviance) / sum(s.n) as deviance,
    sqrt(sum(s.sum_squared_error) / sum(s.n)) as rmse,
    sum(s.sum_absolute_error) / sum(s.n) as mae,
    sum(s.sum_expected) / nullif(sum(s.sum_observed), 0) - 1 as bias_share,
    sum(s.sum_crps) / sum(s.n) as crps,
    sqrt(sum(s.sum_scaled_squared_error) / nullif(sum(s.n_scaled), 0)) as rmsse,
    sum(s.n_inside_80) / sum(s.n) as coverage_80,
    sum(s.n_inside_95) / sum(s.n) as coverage_95,
    sum(s.sum_stated_80) / sum(s.n) as stated_coverage_80,
    sum(s.sum_stated_95) / sum(s.n) as stated_coverage_95,
    sum(s.sum_noise_deviance) / sum(s.n) as noise_floor_deviance
"""

VIEWS = {
    "leaderboard_by_lead": (
        "Every model's pooled back-test scores per lead, ever active cells, newest month",
        f"""
        with latest as (select study_area, as_of_month, champion from release where is_latest),
        ratios as (
            select s.study_area, s.as_of_month, s.lead, s.model,
                count(distinct s.origin_month) as n_origins, {_SCORE_RATIOS}
            from backtest_score s join latest using (study_area, as_of_month)
            where s.cell_set = 'ever_active' and s.is_selection is not true group by all),
        hits as (
            select study_area, as_of_month, lead, model, sum(sum_hits) / sum(sum_incidents)
                as hit_rate_20, sum(sum_hits) / sum(sum_best_hits) as pei_20
            from backtest_hotspot join latest using (study_area, as_of_month)
            where offence_type = 'any' and coverage_share = 0.2 group by all),
        opponent as (
            select study_area, as_of_month, lead, deviance, rmse from ratios
            where model = 'historical_average'),
        made as (
            select study_area, as_of_month, model, any_value(parameters) as parameters,
                any_value(training_seconds) as training_seconds
            from model_version group by all)
        select r.study_area, r.as_of_month, r.lead,
            case when r.model <> '{POLICY}' then row_number() over (
                partition by r.study_area, r.lead, r.model = '{POLICY}' order by r.deviance)
            end as rank,
            r.model, r.model = l.champion as is_champion, r.model = '{POLICY}' as is_policy,
            1 - r.deviance / o.deviance as deviance_skill,
            k.deviance_skill_low, k.deviance_skill_high, k.diebold_mariano_p, k.best_baseline,
            k.skill_over_best_baseline, k.skill_over_best_baseline_low,
            k.skill_over_best_baseline_high, k.diebold_mariano_p_best_baseline,
            1 - r.rmse / o.rmse as rmse_skill, r.bias_share, h.hit_rate_20, h.pei_20,
            r.deviance, r.rmse, r.mae, r.crps, r.rmsse, r.coverage_80, r.coverage_95,
            r.stated_coverage_80, r.stated_coverage_95, n.floor as noise_floor_deviance,
            (o.deviance - r.deviance) / nullif(o.deviance - n.floor, 0) as reducible_gap_closed,
            m.parameters, m.training_seconds, r.n_origins, r.n_cases
        from ratios r
        join latest l using (study_area, as_of_month)
        join opponent o using (study_area, as_of_month, lead)
        join (select study_area, as_of_month, lead, min_by(noise_floor_deviance, deviance) as floor
            from ratios where model <> '{POLICY}' group by all) n
            using (study_area, as_of_month, lead)
        left join made m using (study_area, as_of_month, model)
        left join hits h using (study_area, as_of_month, lead, model)
        left join model_skill k on k.study_area = r.study_area
            and k.as_of_month = r.as_of_month and k.model = r.model and k.lead = r.lead
            and k.cell_set = 'ever_active'
        order by r.study_area, r.lead, rank nulls last
        """,
    ),
    "leaderboard": (
        "Models ranked by pooled Poisson deviance one month ahead, ever active cells; below them "
        "the policy, without a rank",
        "select * exclude (lead) from leaderboard_by_lead where lead = 1 "
        "order by study_area, rank nulls last",
    ),
    "leaderboard_by_offence_type": (
        "The leaderboard one month ahead, separately per offence type",
        f"""
        select s.study_area, s.as_of_month, s.offence_type, s.model, {_SCORE_RATIOS}
        from backtest_score s join release r using (study_area, as_of_month)
        where r.is_latest and s.cell_set = 'ever_active' and s.lead = 1
            and s.is_selection is not true
        group by all order by s.study_area, s.offence_type, deviance
        """,
    ),
    "forecast_latest": (
        "The newest published forecast of every model, with the baseline and the cell beside it",
        """
        select f.*, b.expected_count as historical_average_count, c.lon, c.lat, c.is_ever_active
        from cell_forecast f
        join release r using (study_area, as_of_month)
        join cell c using (study_area, cell_id)
        left join cell_forecast b on b.study_area = f.study_area
            and b.as_of_month = f.as_of_month and b.target_month = f.target_month
            and b.cell_id = f.cell_id and b.offence_type = f.offence_type
            and b.model = 'historical_average'
        where r.is_latest
        """,
    ),
    "forecast_vs_actual": (
        "Forecasts of months that have happened beside what was recorded; lead 1 of the back-test"
        " (is_backtest) and every published lead",
        f"""
        with known as (
            select study_area, month from month_count where is_complete group by all),
        forecast as (
            select study_area, origin_month as as_of_month, target_month, lead, cell_id,
                offence_type, model, expected_count, true as is_backtest
            from backtest_forecast
            union all by name
            select study_area, as_of_month, target_month, lead, cell_id, offence_type, model,
                expected_count, false as is_backtest
            from cell_forecast)
        select f.*, coalesce(a.count, 0) as count,
            {error_of("f.expected_count", "coalesce(a.count, 0)")}
        from forecast f
        join known k on k.study_area = f.study_area and k.month = f.target_month
        left join cell_month a on a.study_area = f.study_area and a.month = f.target_month
            and a.cell_id = f.cell_id and a.offence_type = f.offence_type
        """,
    ),
    "forecast_expiry": (
        "When the newest forecasts of each area expire: by month in cells, by day on streets",
        """
        select study_area, 'month' as step, as_of_month as as_of, last_target_month as last_target,
            (last_target_month + interval 1 month)::date as expires_on, expires_at,
            expires_at <= now() as is_expired
        from release where is_latest
        union all
        select study_area, 'day', as_of_day, last_target_day,
            (last_target_day + interval 1 day)::date, expires_at, expires_at <= now()
        from street_release where is_latest
        order by study_area, step desc
        """,
    ),
    **STREET_VIEWS,
}

VIEW_COLUMN_COMMENTS = {
    "rank": "1 is the lowest deviance; NULL for the policy, which stands outside the ranking",
    "is_champion": "True for the model that is published",
    "is_policy": "True for the policy, which is no model: it re-chooses its model at every origin",
    "deviance": "Mean Poisson deviance per cell, month and offence type; lower is better, decides",
    "deviance_skill": "1 - deviance / deviance of historical_average; above 0 beats it",
    "deviance_skill_low": "Lower end of the 95 % block-bootstrap interval over origins",
    "deviance_skill_high": "Upper end of the 95 % block-bootstrap interval over origins",
    "diebold_mariano_p": "Two-sided p value of equal deviance with historical_average",
    "rmse": "Root mean squared error, incidents per cell, month and offence type",
    "rmse_skill": "1 - RMSE / RMSE of historical_average",
    "mae": "Mean absolute error; shown, never decides: forecasting zero everywhere does well on it",
    "bias_share": "Expected / recorded - 1; below 0 the model forecasts too few",
    "crps": "Continuous ranked probability score, incidents; lower is better",
    "rmsse": "RMSE scaled by each series' in-sample one-step naive error",
    "coverage_80": "Share of counts inside the central 80 % interval",
    "coverage_95": "Share of counts inside the central 95 % interval",
    "stated_coverage_80": "Share the 80 % intervals promise: whole counts make it exceed 80 %",
    "stated_coverage_95": "Share the 95 % intervals promise: whole counts make it exceed 95 %",
    "noise_floor_deviance": "Deviance left if the best model's rates were exactly true",
    "reducible_gap_closed": "Share of the way from historical_average to the noise floor",
    "best_baseline": "Baseline with the lowest deviance, chosen in hindsight in its favour",
    "skill_over_best_baseline": "1 - deviance / best baseline's deviance",
    "skill_over_best_baseline_low": "Lower end of its 95 % block-bootstrap interval",
    "skill_over_best_baseline_high": "Upper end of its 95 % block-bootstrap interval",
    "diebold_mariano_p_best_baseline": "Two-sided p value of equal deviance with best_baseline",
    "parameters": "Trained parameters over all seeds; NULL where nothing is trained",
    "training_seconds": "Wall seconds of the newest fit; NULL where nothing is trained",
    "hit_rate_20": "Share of incidents in the riskiest 20 % of the ever active area",
    "pei_20": "Hit rate at 20 % over the best hit rate possible at 20 %",
    "n_origins": "Origins pooled",
    "n_cases": "Cells x months x offence types pooled",
    "historical_average_count": "Expected count of the historical average, the gate's opponent",
    "is_backtest": "True for back-test forecasts, false for forecasts that were published then",
    "error": ERROR_COMMENT,
    "step": "month: forecast by month in cells; day: forecast by day on streets",
    "as_of": "Last month (its first day) or day the forecast may use",
    "last_target": "Last month (its first day) or day the forecast describes",
    "expires_on": "First day of which the forecast says nothing",
    "is_expired": "True once the last step forecast has ended in the area's time zone",
}


def view_comments(view: str) -> dict[str, str]:
    """What the columns of one view mean, by name; a month's lead is not a day's."""
    if view in STREET_VIEWS:
        return _comments(STREET_TABLES) | STREET_VIEW_COLUMN_COMMENTS
    months = tuple(table for table in TABLES if table not in STREET_TABLES)
    return _comments(months) | VIEW_COLUMN_COMMENTS


def _comments(tables: tuple[Table, ...]) -> dict[str, str]:
    return {column.name: column.comment for table in tables for column in table.columns}

"""The views of a release over the tables of streets."""

from crime_platform.schema.error import ERROR_COMMENT, error_of

STREET_VIEWS = {
    "street_leaderboard": (
        "Street models ranked by pooled Poisson deviance one day ahead, all offence groups, on the "
        "test days of the newest release",
        """
        select s.study_area, s.as_of_day,
            row_number() over (partition by s.study_area order by s.deviance) as rank,
            s.model, s.model = r.champion as is_champion,
            s.deviance_skill, s.deviance_skill_low, s.deviance_skill_high,
            s.best_baseline, s.gain_over_best_baseline, s.gain_over_best_baseline_low,
            s.gain_over_best_baseline_high,
            s.hit_rate_1, s.hit_rate_5, s.hit_rate_10, s.hit_rate_20, s.pei_20,
            s.hit_rate_20_gain_over_long_run, s.hit_rate_20_gain_over_long_run_low,
            s.hit_rate_20_gain_over_long_run_high, s.bias_share, s.deviance, s.rmse,
            v.parameters, v.fit_seconds, s.n_days, s.n_incidents
        from street_skill s
        join street_release r using (study_area, as_of_day)
        left join street_model_version v using (study_area, as_of_day, model)
        where r.is_latest and s.part = 'test' and s.lead = 1 and s.offence_group = 'any'
        order by s.study_area, rank
        """,
    ),
    "street_forecast_latest": (
        "The champion's newest forecast per segment, offence group and day, with the plain "
        "frequency beside it and its place on the map",
        """
        select f.*, b.expected_count as long_run_count, g.kind, g.lon, g.lat, g.length_m,
            g.is_ever_active
        from segment_forecast f
        join street_release r using (study_area, as_of_day)
        join segment g using (study_area, segment_id)
        left join segment_forecast b on b.study_area = f.study_area
            and b.as_of_day = f.as_of_day and b.target_day = f.target_day
            and b.segment_id = f.segment_id and b.offence_group = f.offence_group
            and b.model = 'long_run_frequency'
        where r.is_latest and f.is_champion
        """,
    ),
    "street_forecast_vs_actual": (
        "Published street forecasts of days that have passed beside what was recorded then; "
        "segments that are no longer in the graph are left out",
        f"""
        select f.study_area, f.as_of_day, f.target_day, f.lead, f.segment_id, f.offence_group,
            f.model, f.expected_count, f.risk_rank, coalesce(a.count, 0) as count,
            {error_of("f.expected_count", "coalesce(a.count, 0)")}
        from segment_forecast f
        join segment g using (study_area, segment_id)
        join street_release r on r.study_area = f.study_area and r.is_latest
            and f.target_day <= r.as_of_day
        left join segment_day a on a.study_area = f.study_area and a.day = f.target_day
            and a.segment_id = f.segment_id and a.offence_group = f.offence_group
        where f.is_champion
        """,
    ),
}

STREET_VIEW_COLUMN_COMMENTS = {
    "rank": "1 is the lowest deviance",
    "is_champion": "True for the model that is published",
    "long_run_count": "Expected count of long_run_frequency, the gate's opponent",
    "error": ERROR_COMMENT,
}

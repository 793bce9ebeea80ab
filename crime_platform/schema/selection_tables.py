"""The published tables that let a sceptic check the champion: choice, spread, turning points."""

from crime_platform.schema.columns import (
    AREA,
    AS_OF,
    IS_SELECTION,
    LEAD,
    MODEL,
    RATE_GROUP,
    TARGET,
    Column,
    Table,
)

EVIDENCE_TABLES = (
    Table(
        "champion_history",
        "Which model the policy chose at each past month, from what was known then: it would have "
        "been the champion; the last row is the champion of this release",
        (
            AREA,
            AS_OF,
            Column("origin_month", "DATE", "Month in which the choice was made; as_of_month last"),
            Column("champion", "VARCHAR", "Model that would have been published"),
            Column("lowest_deviance_model", "VARCHAR", "Model with the lowest deviance until then"),
            Column("mean_gap", "DOUBLE", "Champion's mean deviance less the lowest one"),
            Column("standard_error", "DOUBLE", "Standard error of that gap: within it they tie"),
            Column("is_switch", "BOOLEAN", "True where the champion changed"),
            IS_SELECTION,
            Column("reason", "VARCHAR", "Why, in words"),
        ),
    ),
    Table(
        "ensemble_weight",
        "Weight of each member of the ensemble at each past month, fitted on earlier months only",
        (
            AREA,
            AS_OF,
            Column("origin_month", "DATE", "Month in which the weights were fitted"),
            Column("offence_type", "VARCHAR", "Offence type, or any: one weight for all types"),
            Column("member", "VARCHAR", "Model in the pool"),
            Column("weight", "DOUBLE", "Weight, 0 to 1; the members' weights sum to 1"),
            Column("level", "DOUBLE", "Factor on the pool, lead 1, from its last misses"),
        ),
    ),
    Table(
        "calibration",
        "Whether the intervals hold what they promise, by rate group, scored origins",
        (
            AREA,
            AS_OF,
            MODEL,
            LEAD,
            RATE_GROUP,
            Column("n", "BIGINT", "Cells x months x offence types"),
            Column("sum_observed", "DOUBLE", "Recorded incidents"),
            Column("sum_expected", "DOUBLE", "Expected incidents"),
            Column("n_inside_80", "BIGINT", "Counts inside the central 80 % interval"),
            Column("n_inside_95", "BIGINT", "Counts inside the central 95 % interval"),
            Column("sum_stated_80", "DOUBLE", "Counts the 80 % intervals promise to hold"),
            Column("sum_stated_95", "DOUBLE", "Counts the 95 % intervals promise to hold"),
            Column(
                "n_pit_inside_80", "DOUBLE", "Mean number of randomised PIT values in 0.1 to 0.9"
            ),
            Column("n_pit_inside_95", "DOUBLE", "The same in 0.025 to 0.975"),
        ),
    ),
    Table(
        "pit_histogram",
        "Randomised probability integral transform of the counts; flat where the spread is true",
        (
            AREA,
            AS_OF,
            MODEL,
            LEAD,
            RATE_GROUP,
            Column("bin", "TINYINT", "Twentieth of the unit interval, 0 to 19"),
            Column("n", "DOUBLE", "Mean number of values in the bin"),
        ),
    ),
    Table(
        "reliability",
        "Recorded against expected incidents by tenth of the expected count",
        (
            AREA,
            AS_OF,
            MODEL,
            LEAD,
            Column("bin", "TINYINT", "Tenth of all cases by expected count, 0 the lowest"),
            Column("n", "BIGINT", "Cells x months x offence types"),
            Column("sum_expected", "DOUBLE", "Expected incidents"),
            Column("sum_observed", "DOUBLE", "Recorded incidents"),
        ),
    ),
    Table(
        "distribution_choice",
        "Predictive distributions tried for each model: the lowest CRPS of those wide enough wins",
        (
            AREA,
            AS_OF,
            MODEL,
            LEAD,
            Column("distribution", "VARCHAR", "poisson, or which cases share a dispersion"),
            Column("crps", "DOUBLE", "Mean CRPS on months the fit did not see, incidents"),
            Column(
                "pit_shortfall",
                "DOUBLE",
                "Largest PIT shortfall in a rate group over the one allowed; wide enough up to 1",
            ),
            Column("is_chosen", "BOOLEAN", "True for the one the forecast uses"),
        ),
    ),
    Table(
        "turning_month",
        "Months in which the city's total turned",
        (
            AREA,
            AS_OF,
            TARGET,
            Column("direction", "VARCHAR", "peak or trough"),
            Column("count", "DOUBLE", "Recorded incidents of all types in the month"),
        ),
    ),
    Table(
        "model_turn",
        "How each model does one month ahead where the city's total turns",
        (
            AREA,
            AS_OF,
            MODEL,
            Column("n_turns", "INTEGER", "Turning months judged"),
            Column("deviance_skill", "DOUBLE", "Skill over historical_average at the turns"),
            Column("share_right_direction", "DOUBLE", "Share of months whose direction it foresaw"),
            Column("lag_months", "INTEGER", "Months by which its totals run behind: 0 is none"),
        ),
    ),
)

"""Values that stand in columns of published tables, each written here and nowhere else."""

HISTORICAL_AVERAGE = "historical_average"  # what every model of cells is asked to beat
LONG_RUN_FREQUENCY = "long_run_frequency"  # what every model of streets is asked to beat
ENSEMBLE = "ensemble"
"""The pool of several models: made of their forecasts, not fitted to counts."""
GLDNET = "gldnet"
EWMA = "ewma"

ANY = "any"  # all offence types, or groups, together
ALL_CELLS, EVER_ACTIVE, NEVER_ACTIVE = "all", "ever_active", "never_active"
ALL_RATES = "all"
VALIDATION, TEST = "validation", "test"

POLICY = "policy"
"""The rows of the score tables that re-choose their model at every origin.

The champion is the model that is published. The policy is the rule that chose it, scored on months
it had not seen: the gate judges it, it is never published itself, and it has no rank.
"""
EARLIER_POLICY = "champion"  # of the same rows, in candidates of earlier versions of the platform

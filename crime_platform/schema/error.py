"""The error of a forecast: one name, one sign, one expression."""

ERROR_MEANING = "expected minus recorded"  # as people read it; positive: the forecast was too high
ERROR_COMMENT = "Expected minus recorded, incidents; above 0 the forecast was too high, as in bias"


def error_of(expected: str, recorded: str) -> str:
    """SQL of the column `error`."""
    return f"{expected} - {recorded} as error"

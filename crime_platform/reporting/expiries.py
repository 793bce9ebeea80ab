"""When the published forecasts expire, read from the release."""

import datetime as dt
from typing import TypeAlias

import duckdb

from crime_platform.vocabulary.expiry import Expiry, from_release

Expiries: TypeAlias = dict[tuple[str, str], Expiry]  # by area and step, which is month or day

_QUERY = "select study_area, step, last_target, expires_at from forecast_expiry"
_FORECAST_OF = {"month": "months", "day": "days"}


def published_expiries(connection: duckdb.DuckDBPyConnection) -> Expiries:
    """Expiry of the newest forecasts, months before days.

    Empty for a release of an earlier version, which does not say it.
    """
    try:
        rows = connection.execute(_QUERY).fetchall()
    except duckdb.CatalogException:
        return {}
    return {
        (area, step): from_release(step, last, moment)
        for area, step, last, moment in rows
        if last is not None and moment is not None
    }


def expiry_words(expiries: Expiries, area: str, now: dt.datetime | None = None) -> str:
    """`months expired 2022-04-01, days expire 2022-01-08`; `none` where nothing is published."""
    moment = now or dt.datetime.now(dt.UTC)
    told = [
        f"{_FORECAST_OF[step]} {'expired' if expiry.is_past(moment) else 'expire'} {expiry.day}"
        for (name, step), expiry in expiries.items()
        if name == area
    ]
    return ", ".join(told) or "none"

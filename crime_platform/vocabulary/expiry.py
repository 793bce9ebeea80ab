"""When a forecast expires, by one rule, and the one sentence that says so.

A forecast is expired once the last step it describes has ended in the time zone of its area: also
where no newer data exist, and where the data set is closed.
"""

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np

from crime_platform.vocabulary.timesteps import Day, Month

UNKNOWN_ZONE = "UTC"  # of an area whose TOML is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Expiry:
    """The end of what a forecast describes."""

    last: Month | Day  # last step described; its unit says whether months or days are forecast
    at: dt.datetime  # the moment that step ends, aware

    @property
    def day(self) -> dt.date:
        """First day of which the forecast says nothing."""
        return (self.last + 1).astype("datetime64[D]").item()

    def is_past(self, now: dt.datetime) -> bool:
        """Whether the forecast is expired."""
        return now >= self.at

    def sentence(self, now: dt.datetime) -> str:
        """When the forecast expires or expired, and why."""
        return self.expired if self.is_past(now) else self.current

    @property
    def current(self) -> str:
        """The sentence until the moment."""
        what, step, last = self._words()
        return (
            f"{what} expires on {written_day(self.day)}, when {last}, the last {step} it "
            "describes, has ended: do not use it after that."
        )

    @property
    def expired(self) -> str:
        """The sentence from the moment on."""
        what, step, last = self._words()
        return (
            f"{what} expired on {written_day(self.day)}: {last}, the last {step} it describes, has "
            "ended. It says nothing about today."
        )

    def _words(self) -> tuple[str, str, str]:
        first = self.last.astype("datetime64[D]").item()
        if np.datetime_data(self.last)[0] == "M":
            return "The monthly forecast", "month", f"{first:%B %Y}"
        return "The daily forecast", "day", written_day(first)


def expiry_of(last: Month | Day, timezone: str | None) -> Expiry:
    """Expiry of a forecast by the last step it describes and the IANA name of its area's zone."""
    first_after = (last + 1).astype("datetime64[D]").item()
    midnight = dt.datetime.combine(first_after, dt.time(), ZoneInfo(timezone or UNKNOWN_ZONE))
    return Expiry(last=last, at=midnight.astimezone(dt.UTC))


def written_day(day: dt.date) -> str:
    """`1 April 2022`."""
    return f"{day.day} {day:%B %Y}"


def release_columns(expiry: Expiry) -> dict[str, object]:
    """What `release` or `street_release` says of it."""
    unit = "month" if np.datetime_data(expiry.last)[0] == "M" else "day"
    last = expiry.last.astype("datetime64[D]").item()
    return {f"last_target_{unit}": last, "expires_at": expiry.at}


def from_release(step: str, last_target: dt.date, expires_at: dt.datetime) -> Expiry:
    """Expiry as a row of the view `forecast_expiry` has it; `step` is month or day."""
    unit = {"month": "M", "day": "D"}[step]
    return Expiry(last=np.datetime64(last_target, unit), at=expires_at.astimezone(dt.UTC))

"""As of when a file holds what its publisher knew."""

import datetime as dt
from zoneinfo import ZoneInfo

MOST_DAYS_AHEAD = 31  # of incidents before the time of their file: some are entered in advance


def content_moment(
    changed_ns: int, last_day: dt.date | None, *, timezone: str, read_at: dt.datetime
) -> dt.datetime:
    """Moment by which a file's content was known: its own time, or else that of the reading.

    A file's own time is when its bytes were written here. A copy may be newer than what it holds,
    so this is the latest moment that is possible. A time long before the newest incident in the
    file, or in the future, is no time of its content: archives and wrong clocks give such times.

    Args:
        changed_ns: time of the file's last change, in nanoseconds since 1970.
        last_day: day of the newest incident in it, local.
        timezone: of the area.
        read_at: when the file was read.
    """
    zone = ZoneInfo(timezone)
    changed = dt.datetime.fromtimestamp(changed_ns / 1e9, dt.UTC)
    written_on = changed.astimezone(zone).date()
    is_too_old = last_day is not None and (last_day - written_on).days > MOST_DAYS_AHEAD
    return read_at if is_too_old or changed > read_at else changed

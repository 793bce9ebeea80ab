"""How numbers and months are written, the same in the report and in the model card."""

import math

import numpy as np

from crime_platform.vocabulary.timesteps import Month

Number = float | int | np.number
MISSING = "\u2013"
MINUS, NO_BREAK = "\u2212", "\u00a0"
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def decimal(value: Number | None, digits: int = 3) -> str:
    """`0.614`, with a true minus sign; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return MISSING
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")  # no minus zero
    return text.replace("-", MINUS)


def whole(value: Number | None) -> str:
    """`12,345`; a dash for what is not known."""
    return decimal(value, 0)


def percent(share: Number | None, digits: int = 1) -> str:
    """`5.3 %` for 0.053."""
    text = decimal(None if share is None else 100 * share, digits)
    return text if text == MISSING else f"{text}{NO_BREAK}%"


def signed_percent(share: Number | None, digits: int = 1) -> str:
    """`+5.3 %`; zero has no sign."""
    text = percent(share, digits)
    is_positive = text[0].isdigit() and any(digit in text for digit in "123456789")
    return f"+{text}" if is_positive else text


def interval(low: Number | None, high: Number | None) -> str:
    """`+4.1 to +6.2 %`, or a dash where there is none."""
    first, last = signed_percent(low), signed_percent(high)
    if MISSING in (first, last):
        return MISSING
    return f"{first.removesuffix(NO_BREAK + '%')} to {last}".replace(" ", NO_BREAK)


def p_value(value: Number | None) -> str:
    """`0.012`, or `< 0.001`."""
    if value is not None and value < 0.001:
        return f"<{NO_BREAK}0.001"
    return decimal(value)


def seconds(value: Number | None) -> str:
    """`12 s`, or `3.4 s` below ten."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{decimal(value, 0 if value >= 10 else 1)}{NO_BREAK}s"


def month_name(month: Month) -> str:
    """`December 2021`."""
    year, number = str(month).split("-")
    return f"{MONTHS[int(number) - 1]} {year}"


def short_month(month: Month) -> str:
    """`Dec 21`, for axes."""
    year, number = str(month).split("-")
    return f"{MONTHS[int(number) - 1][:3]} {year[2:]}"


def significant(value: Number | None, figures: int = 3) -> str:
    """A number of unknown size to three significant figures: `12.4`, `0.00123`."""
    if value is None or not math.isfinite(value) or value == 0:
        return decimal(value, 0)
    return decimal(value, max(0, figures - 1 - math.floor(math.log10(abs(value)))))


def in_sentence(title: str) -> str:
    """A title as it reads inside a sentence: `theft over 5,000 CAD`."""
    return title[:1].lower() + title[1:] if title[1:2].islower() else title


def listing(names: list[str]) -> str:
    """`a, b and c`; `none` for an empty list."""
    if not names:
        return "none"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

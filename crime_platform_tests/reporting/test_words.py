import math

import numpy as np
import pytest

from crime_platform.reporting import words


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (words.decimal(0.6144), "0.614"),
        (words.decimal(-0.0001), "0.000"),
        (words.decimal(-1234.5678, 2), "−1,234.57"),  # noqa: RUF001
        (words.decimal(None), "–"),  # noqa: RUF001
        (words.decimal(math.nan), "–"),  # noqa: RUF001
        (words.whole(np.int64(12345)), "12,345"),
        (words.percent(0.0534), "5.3\u00a0%"),
        (words.percent(0.2, 0), "20\u00a0%"),
        (words.signed_percent(0.0534), "+5.3\u00a0%"),
        (words.signed_percent(-0.0534), "−5.3\u00a0%"),  # noqa: RUF001
        (words.signed_percent(0.0004), "0.0\u00a0%"),
        (words.interval(0.041, 0.0624), "+4.1\u00a0to\u00a0+6.2\u00a0%"),
        (words.interval(math.nan, 0.1), "–"),  # noqa: RUF001
        (words.p_value(0.0123), "0.012"),
        (words.p_value(0.0001), "<\u00a00.001"),
        (words.p_value(math.nan), "–"),  # noqa: RUF001
        (words.seconds(3.41), "3.4\u00a0s"),
        (words.seconds(61.2), "61\u00a0s"),
        (words.significant(12.44), "12.4"),
        (words.significant(0.0012345), "0.00123"),
        (words.significant(0.0), "0"),
        (words.listing([]), "none"),
        (words.listing(["a"]), "a"),
        (words.listing(["a", "b", "c"]), "a, b and c"),
        (words.in_sentence("Theft over 5,000 CAD"), "theft over 5,000 CAD"),
        (words.in_sentence("DUI"), "DUI"),
        (words.month_name(np.datetime64("2021-12")), "December 2021"),
        (words.short_month(np.datetime64("2021-12")), "Dec 21"),
    ],
)
def test_numbers_and_months_are_written_alike_everywhere(written, expected):
    assert written == expected

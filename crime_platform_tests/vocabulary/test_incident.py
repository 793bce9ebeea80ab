"""The words of the incident table agree with each other and with what is published."""

import pytest

from crime_platform.vocabulary import incident
from crime_platform.vocabulary.incident import (
    INCIDENT_COLUMNS,
    REASONS,
    REJECTED_COLUMNS,
    CoordinateError,
    SourceFormatError,
)


def test_every_column_says_what_it_means():
    assert all(
        meaning.strip() for meaning in (*INCIDENT_COLUMNS.values(), *REJECTED_COLUMNS.values())
    )


def test_one_quantity_has_one_name():
    shared = INCIDENT_COLUMNS.keys() & REJECTED_COLUMNS.keys()

    assert shared == {"source_file", "source_row"}
    assert INCIDENT_COLUMNS["source_row"] == REJECTED_COLUMNS["source_row"]


def test_reasons_are_told_apart():
    assert len(set(REASONS)) == len(REASONS) == 11


@pytest.mark.parametrize("error", [SourceFormatError, CoordinateError])
def test_both_errors_are_mistakes_in_a_value(error):
    assert issubclass(error, ValueError)
    assert error.__module__ == incident.__name__

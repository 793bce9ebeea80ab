"""How dates are written is told by all of them together, or it is not known."""

import pytest

HEADER = "Date,Offense,Longitude,Latitude"


def dated(guess, *values):
    rows = "".join(
        f'"{value}",{what},-79.{n},43.{n}\n'
        for n, (value, what) in enumerate(
            zip(values, ["Theft", "Robbery"] * len(values), strict=False), start=1
        )
    )
    return guess(f"{HEADER}\n{rows}").dates


def test_one_day_above_twelve_tells_day_and_month_apart(guess):
    dates = dated(guess, "01/02/2020", "01/13/2020")

    assert dates.forms == ("%m/%d/%Y",)
    assert dates.rival is None


def test_without_one_the_file_does_not_tell_and_the_second_way_is_kept(guess):
    dates = dated(guess, "01/02/2020", "03/04/2020")

    assert (dates.rival.form, dates.rival.other) == ("%m/%d/%Y", "%d/%m/%Y")
    assert dates.rival.example == "01/02/2020"
    assert dates.rival.meanings == ("2020-01-02", "2020-02-01")
    assert not dates.rival.both_occur


def test_dates_that_are_alike_both_ways_say_nothing_of_those_to_come(guess):
    alike = dated(guess, "01/01/2021", "02/02/2021")
    year_first = dated(guess, "2021/01/01", "2021/02/02")

    assert (alike.rival.form, alike.rival.other) == ("%m/%d/%Y", "%d/%m/%Y")
    assert alike.rival.meanings == ("2021-01-01", "2021-01-01")
    assert year_first.rival is None


def test_rows_in_order_of_time_speak_for_one_way(guess):
    dates = dated(guess, "01/02/2020", "05/02/2020", "02/03/2020", "04/03/2020")

    assert dates.rival.in_order == "%d/%m/%Y"


def test_a_number_that_is_always_the_same_is_the_day(guess):
    values = [f"01/{month:02d}/{year}" for year in (2020, 2021) for month in range(1, 13)]

    dates = dated(guess, *values)

    assert (dates.forms, dates.rival) == (("%d/%m/%Y",), None)


def test_both_orders_in_one_column_cannot_be_told_apart(guess):
    dates = dated(guess, "13/02/2020", "02/13/2020", "05/06/2020")

    assert dates.rival.both_occur


def test_a_few_typing_errors_do_not_make_a_date_doubtful(guess):
    values = [f"{month:02d}/{day:02d}/2020" for month in range(1, 9) for day in range(1, 28)]

    dates = dated(guess, *values, "13/02/2020")

    assert (dates.forms, dates.rival) == (("%m/%d/%Y",), None)


def test_two_ways_in_one_column_become_a_list(guess):
    values = ["2020-01-31T04:05:00.000Z"] * 10 + ["01/31/21", "02/28/21"] * 5

    dates = dated(guess, *values)

    assert dates.forms == ("iso", "%m/%d/%y")
    assert dates.is_mixed_utc


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("31.01.2020 23:15", "%d.%m.%Y %H:%M"),
        ("1/31/2020 11:15:00 PM", "%m/%d/%Y %I:%M:%S %p"),
        ("202001", "%Y%m"),
        ("2020-01", "%Y-%m"),
        ("January 2020", "%B %Y"),
        ("1/31/20", "%m/%d/%y"),
        ("31/01/2020, 23:15", "%d/%m/%Y, %H:%M"),
        ("31-Jan-20", "%d-%b-%y"),
        ("January 31, 2020", "%B %d, %Y"),
        ("Fri 31 Jan 2020", "%a %d %b %Y"),
        ("31-01-2020 23.15.00", "%d-%m-%Y %H.%M.%S"),
        ("20200131", "%Y%m%d"),
        ("1580428800", "epoch"),
        ("1580475600000", "epoch_ms"),
    ],
)
def test_common_ways_to_write_a_date_are_told_apart(guess, value, form):
    assert dated(guess, value, value).forms == (form,)


def test_seconds_at_midnight_are_days_and_not_instants(guess):
    days = dated(guess, "1580428800", "1580515200")  # 31 January and 1 February 2020

    assert days.is_epoch_of_days
    assert not dated(guess, "1580428800", "1580475600").is_epoch_of_days


def test_slashes_behind_the_year_need_no_format(guess):
    assert dated(guess, "2020/01/31 23:15:00", "2020/02/28 01:15:00").forms == ()


def test_an_offset_makes_instants(guess):
    dates = dated(guess, "2020-01-31 04:59:00+00", "2020-01-31T04:59:00Z")

    assert (dates.forms, dates.is_utc) == ((), True)


@pytest.mark.parametrize(
    "offsets",
    [("+01:00", "+02:00"), (".000+01:00", ".500+01:00"), (" +0100", " +0200"), (" GMT", " Z")],
)
def test_an_offset_that_moves_the_day_leaves_no_doubt_about_day_and_month(guess, offsets):
    dates = dated(guess, *[f"2022-01-02T00:04:16{offset}" for offset in offsets])

    assert (dates.forms, dates.is_utc, dates.rival) == ((), True, None)


def test_a_word_among_dates_is_forgiven_and_a_column_of_words_is_none(guess):
    assert dated(guess, *["2020-01-31"] * 30, "unknown").forms == ()
    assert dated(guess, "yesterday", "today") is None


@pytest.mark.parametrize(
    ("values", "form"),
    [
        (
            ["Sun, 31 Jan 2021 13:44:00 +0000", "Mon, 1 Feb 2021 03:05:00 -0500"],
            "%a, %d %b %Y %H:%M:%S %z",
        ),
        (["Sun, 31 Jan 2021 13:44:00 GMT"], "%a, %d %b %Y %H:%M:%S GMT"),
        (["20210131T134400Z", "20210201T000000Z"], "%Y%m%dT%H%M%SZ"),
        (["20210131T1344+0100", "20210201T0000+01:00"], "%Y%m%dT%H%M%z"),
        (["31/01/2021 13:44+01:00", "01/02/2021 00:00+01:00"], "%d/%m/%Y %H:%M%z"),
        (["31.01.2021 13:44:00 UTC"], "%d.%m.%Y %H:%M:%S UTC"),
        (["Sun Jan 31 13:44:00 UTC 2021"], "%a %b %d %H:%M:%S UTC %Y"),
    ],
)
def test_dates_with_an_offset_are_instants(guess, values, form):
    dates = dated(guess, *values)

    assert (dates.forms, dates.is_utc, dates.has_clock) == ((form,), True, True)


def test_days_with_their_endings_become_a_list(guess):
    values = ["1st April 2021", "2nd May 2021", "3rd June 2021", "4th July 2021", "15th July 2021"]

    dates = dated(guess, *values)

    assert sorted(dates.forms) == [f"%d{end} %B %Y" for end in ("nd", "rd", "st", "th")]


@pytest.mark.parametrize(
    ("values", "form"),
    [(["2021001", "2021365"], "%Y%j"), (["2021-001", "2021-365"], "%Y-%j")],
)
def test_a_day_of_the_year_is_read(guess, values, form):
    assert dated(guess, *values).forms == (form,)


@pytest.mark.parametrize("filler", ["NULL", "N/A", "?", "unknown"])
def test_words_for_nothing_are_no_dates(guess, filler):
    assert dated(guess, "31/01/2021", filler, "01/02/2021", filler).forms == ("%d/%m/%Y",)


def test_a_year_of_two_digits_is_not_taken_for_one_of_the_first_century(guess):
    values = [f"{month:02d}/28/{year}" for year in (19, 20) for month in range(1, 13)]

    dates = dated(guess, *values * 2, "01/01/1900")

    assert (dates.forms, dates.rival) == (("%m/%d/%y",), None)


def test_a_column_of_which_some_dates_have_an_offset_is_said_to_be_mixed(guess):
    dates = dated(guess, *["31/01/2021 13:44+01:00", "31/01/2021 13:44"] * 4)

    assert dates.is_mixed_utc
    assert not dates.is_utc

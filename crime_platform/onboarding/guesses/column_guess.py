"""Which column of an unknown file holds what, by its name and by its values."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from crime_platform.onboarding.guesses.column_names import (
    is_later,
    is_reported,
    name_rank,
    words_of,
)
from crime_platform.onboarding.guesses.date_guess import DateReading, read_dates
from crime_platform.onboarding.guesses.half_days import half_day_column, hours_of, is_half_a_day
from crime_platform.onboarding.guesses.point_guess import (
    PointGuess,
    draft_source,
    guess_point,
    odd_values,
)
from crime_platform.onboarding.guesses.raw_table import Column, RawTable
from crime_platform.sources.scan.number_values import number_of
from crime_platform.sources.scan.typed_values import MAX_COUNT
from crime_platform.study_area.source import HHMM, THOUSANDS_MARKS, template_columns
from crime_platform.study_area.toml_table import did_you_mean
from crime_platform.vocabulary.incident import SourceFormatError

MIN_FIT = 0.95  # of filled values that must look like what the column is taken for
MAX_LABELS = 1000  # distinct offences; more is free text
MAX_PREMISES = 200
TELLING_RANK = 3  # of names that speak of a date
RARELY_FILLED = 0.5  # of the rows of the fullest column of dates
UNKNOWN_HOUR = 99
MAX_SHOWN = 60  # characters of a value in a message


@dataclass(slots=True, kw_only=True)
class Guess:
    """Columns by key, and what is to be said of them."""

    columns: dict[str, Column] = field(default_factory=dict)
    dates: DateReading | None = None
    place: PointGuess | None = None
    hour_format: str | None = None
    unread_parts: str | None = None  # a date put together from several columns, and not read
    remarks: dict[str, str] = field(default_factory=dict)  # by key, for its line in the TOML
    worth_a_look: list[str] = field(default_factory=list)  # for the terminal


def guess_columns(
    raw: RawTable,
    given: Mapping[str, str],
    *,
    date_formats: Sequence[str] = (),
    wants_offence: bool = True,
) -> Guess:
    """The column behind each key of `[source.columns]`, as far as the file tells.

    Args:
        raw: the file.
        given: columns that are known already, by key; they are never guessed.
        date_formats: how dates are written, where a person says so.
        wants_offence: False where every row is one offence, whatever the columns say.

    Raises:
        SourceFormatError: if a given column is not in the file or is never loaded, or the given
            formats do not fit.
    """
    guess = Guess(columns={key: called(name, raw) for key, name in given.items()})
    taken = [column.position for column in guess.columns.values()]
    free = [column for column in raw.columns() if column.position not in taken]
    guess.place = guess_point(raw, free, guess.columns)
    if guess.place is not None:
        guess.columns |= guess.place.columns
        _say_odd_points(raw, guess, guess.place)
    _guess_dates(raw, guess, _left(guess, free), date_formats)
    if wants_offence:
        _guess_offence(guess, _left(guess, free))
    has_clock = guess.dates is not None and guess.dates.has_clock
    if not has_clock:
        _take(guess, "hour", free, lambda c: _is_hour(raw, c))
    _take(
        guess, "premises", free, lambda c: c.number_share < 0.5 and 1 < c.n_distinct <= MAX_PREMISES
    )
    _take(guess, "id", free, lambda c: c.n_distinct > 0.5 * c.n_filled)
    _describe_hour(raw, guess)
    is_date_open = "occurred_at" not in given and not date_formats
    _find_half_days(
        raw, guess, _left(guess, free), is_date_open=is_date_open, is_hour_open="hour" not in given
    )
    _say_count(raw, guess, _left(guess, free))
    return guess


def _say_odd_points(raw: RawTable, guess: Guess, place: PointGuess) -> None:
    """Name the few coordinates that are written unlike the others."""
    for key, column in place.columns.items():
        odd = None if key == "point" else odd_values(raw, column, key)
        if odd is not None:
            share, example = odd
            guess.worth_a_look.append(
                f"{key}: {share:.2%} of the values in column {column.name!r}, e.g. "
                f"{example[:MAX_SHOWN]!r}, are no coordinates like the others; these rows count "
                "without a place"
            )


def _left(guess: Guess, free: Sequence[Column]) -> list[Column]:
    taken = {column.position for column in guess.columns.values()}
    return [column for column in free if column.position not in taken]


def called(name: str, raw: RawTable) -> Column:
    """The column of a name, or the one that a template of several makes.

    Raises:
        SourceFormatError: if the file has no such column, or it is never loaded.
    """
    columns = raw.columns()
    parts = template_columns(name)
    if parts and name not in raw.names.values():
        return raw.put_together(name, [called(part, raw) for part in parts])
    for column in columns:
        if column.name.strip().lower() == name.strip().lower():
            return column
    if name in raw.left_out:
        raise SourceFormatError(
            f"column {name!r} describes a person, an arrest or a patrol, and such columns are "
            "never loaded; name another"
        )
    found = [column.name for column in columns]
    raise SourceFormatError(
        f"the file has no column {name!r}{did_you_mean(name, found)} Columns found: "
        f"{', '.join(map(repr, found))}"
    )


def _take(guess: Guess, key: str, free: Sequence[Column], fits: Callable[[Column], bool]) -> None:
    """The fitting column with the most telling name, the first of equals."""
    if key in guess.columns:
        return
    date = guess.columns.get("occurred_at")
    same_words = set(words_of(date.name).split()) if key == "hour" and date else set()
    ranked = [
        (is_later(column.name) and key == "hour", -len(same_words & _words(column)), rank, at)
        for at, column in enumerate(free)
        if (rank := name_rank(key, column.name)) is not None
        and column in _left(guess, free)
        and fits(column)
    ]
    if ranked:
        guess.columns[key] = free[min(ranked)[-1]]


def _words(column: Column) -> set[str]:
    return set(words_of(column.name).split())


def _guess_offence(guess: Guess, free: Sequence[Column]) -> None:
    def fits(column: Column) -> bool:
        # A single label says nothing unless the name says that it is one.
        least = 1 if name_rank("offence", column.name) == 0 else 2
        return column.number_share < 0.5 and least <= column.n_distinct <= MAX_LABELS

    _take(guess, "offence", free, fits)
    if "offence" not in guess.columns:
        is_code = lambda c: (  # noqa: E731
            (name_rank("offence", c.name) or 0) <= 1 and 2 <= c.n_distinct <= MAX_LABELS
        )
        _take(guess, "offence", free, is_code)
        if "offence" in guess.columns:
            guess.worth_a_look.append(
                f"offence: column {guess.columns['offence'].name!r} holds codes, not words; give "
                "each offence type a title, or name a column of words with --column offence=NAME"
            )


def _is_hour(raw: RawTable, column: Column) -> bool:
    """Whether the values are clocks, hours of the day, or hours and minutes such as 2305."""
    if column.clock_share >= MIN_FIT:
        return True
    if column.number_share < MIN_FIT:
        return False
    number = f"try_cast({column.position} as double)"
    ((hours, minutes, most),) = raw.rows(
        f"select avg(({number} = floor({number}) and ({number} between 0 and 24 or {number} in "
        f"(-1, {UNKNOWN_HOUR})))::int), avg(({number} = floor({number}) and {number} between 0 and "
        f"2400 and {number} % 100 < 60)::int), max({number}) filter ({number} <> {UNKNOWN_HOUR}) "
        f"from raw where {number} is not null"
    )
    # Minutes that an officer needed rarely stop short of 60, and hhmm goes on to the evening.
    return hours >= MIN_FIT or (minutes >= MIN_FIT and (most or 0) >= 1000)


def _describe_hour(raw: RawTable, guess: Guess) -> None:
    hour = guess.columns.get("hour")
    if hour is None or hour.clock_share >= MIN_FIT:
        return
    number = f"try_cast({hour.position} as double)"
    ((above,),) = raw.rows(f"select avg(({number} > {UNKNOWN_HOUR})::int) from raw")
    if (above or 0) > 1 - MIN_FIT:
        guess.hour_format = HHMM


def _find_half_days(
    raw: RawTable, guess: Guess, free: Sequence[Column], *, is_date_open: bool, is_hour_open: bool
) -> None:
    """Join a clock of twelve hours with the column that says AM or PM, or leave its hours out."""
    date, hour, dates = guess.columns.get("occurred_at"), guess.columns.get("hour"), guess.dates
    if date is None or dates is None or not (hour or dates.has_clock):
        return
    half = half_day_column(raw, free)
    hours = f"select hour({dates.moment}) as hour from raw"
    hours = hours if hour is None else hours_of(hour, guess.hour_format)
    if not is_half_a_day(raw, hours, is_said_apart=half is not None):
        return
    parts = [column for column in (date, hour, half) if column is not None]
    if half is not None and is_date_open and is_hour_open and all(map(_has_no_brace, parts)):
        template = " ".join(f"{{{column.name}}}" for column in parts)
        joined = raw.put_together(template, parts)
        found = read_dates(raw, joined)
        if found is not None and found.has_clock:
            guess.columns.pop("hour", None)
            guess.columns["occurred_at"], guess.dates, guess.hour_format = joined, found, None
            return
    clock, why = (hour or date).name, "and nothing says which are after noon"
    if half is not None:
        why = f"and AM or PM stands in column {half.name!r}, which cannot be read with them"
    if hour is not None and is_hour_open:
        del guess.columns["hour"]
        guess.hour_format = None
        guess.worth_a_look.append(
            f"hour: column {clock!r} is not used: its hours run to 12 only, {why}"
        )
        return
    guess.worth_a_look.append(
        f"the hours in column {clock!r} run to 12 only, {why}: all are read as hours before noon"
    )


def _guess_dates(raw: RawTable, guess: Guess, free: Sequence[Column], told: Sequence[str]) -> None:
    given = guess.columns.get("occurred_at")
    if given is not None:
        guess.dates = read_dates(raw, given, told=told)
        return
    readings: dict[str, DateReading] = {}
    for column in sorted(free, key=_date_order):
        if column.clock_share >= MIN_FIT:
            continue
        is_named = (name_rank("occurred_at", column.name) or 0) <= TELLING_RANK
        found = read_dates(raw, column, told=told if not readings else (), is_named=is_named)
        if found is not None:
            readings[column.position] = found
    dated = [column for column in sorted(free, key=_date_order) if column.position in readings]
    most = max((column.n_filled for column in dated), default=0)
    full = [column for column in dated if column.n_filled >= RARELY_FILLED * most]
    parts = None if any(not _is_second_best(column) for column in full) else _date_parts(raw, free)
    if parts is not None:
        column = raw.put_together(*parts)
        found = read_dates(raw, column, told=told)
        if found is not None:
            guess.columns["occurred_at"], guess.dates = column, found
            return
        example = raw.rows(f"select min({column.position}) from raw")[0][0]
        guess.unread_parts = f"{column.name!r}, e.g. {example!r},"
    if full:
        guess.columns["occurred_at"] = full[0]
        guess.dates = readings[full[0].position]
        _say_dates(guess, full[0], [column for column in dated if column is not full[0]])


def _date_order(column: Column) -> tuple[bool, int]:
    return is_later(column.name), name_rank("occurred_at", column.name) or 0


def _is_second_best(column: Column) -> bool:
    """Whether a column holds dates of something else than the incident."""
    is_first = name_rank("occurred_at", column.name) == 0
    return is_later(column.name) or (is_reported(column.name) and not is_first)


def _say_dates(guess: Guess, chosen: Column, others: Sequence[Column]) -> None:
    if others:
        names = ", ".join(column.name for column in others)
        guess.remarks["occurred_at"] = f"other dates: {names}"
    if _is_second_best(chosen):
        guess.worth_a_look.append(
            f"occurred_at: no column says when an incident happened, so {chosen.name!r} is taken, "
            "whose name speaks of a report or a change; name another with --column "
            "occurred_at=NAME, or know that months are counted by it"
        )
    elif [column for column in others if not _is_second_best(column)]:
        guess.worth_a_look.append(
            f"occurred_at: {chosen.name!r} is taken for the date of the incident, not "
            f"{' or '.join(repr(column.name) for column in others)}; to choose another, write "
            "--column occurred_at=NAME"
        )


def _date_parts(raw: RawTable, free: Sequence[Column]) -> tuple[str, list[Column]] | None:
    """A template of the columns of year, month and day, or of year and month."""
    found: dict[str, Column] = {}
    for key, low, high in (("year", 1900, 2100), ("month", 1, 12), ("day", 1, 31)):
        for column in free:
            if name_rank(key, column.name) is None or column in found.values():
                continue
            if not _has_no_brace(column):
                continue
            if _is_whole_between(raw, column, low, high) or (
                key == "month" and column.word_share >= MIN_FIT and 1 < column.n_distinct <= 24
            ):
                found.setdefault(key, column)
    if not {"year", "month"} <= found.keys():
        return None
    columns = [found[key] for key in ("year", "month", "day") if key in found]
    return "-".join(f"{{{column.name}}}" for column in columns), columns


def _has_no_brace(column: Column) -> bool:
    """Whether a template can name the column."""
    return not set(column.name) & set("{}")


def _is_whole_between(raw: RawTable, column: Column, low: int, high: int) -> bool:
    number = f"try_cast({column.position} as double)"
    ((share,),) = raw.rows(
        f"select count(*) filter ({number} = floor({number}) and {number} between {low} and {high})"
        f" / greatest(count({column.position}), 1) from raw"
    )
    return column.n_filled > 0 and share >= MIN_FIT


def _say_count(raw: RawTable, guess: Guess, free: Sequence[Column]) -> None:
    """A column of numbers that may say how many incidents a row stands for is named, not taken."""
    if "count" in guess.columns:
        return
    for column in free:
        found = _least_and_most(raw, column) if name_rank("count", column.name) == 0 else None
        if found is not None and found[1] > 1:
            least, most = found
            zeros = "" if least else "remove the rows with 0, which hold no incident, and "
            guess.worth_a_look.append(
                f"column {column.name!r} holds whole numbers up to {most:.0f}: if a row stands for "
                f"so many incidents, {zeros}write --column 'count={column.name}'; now every row "
                "counts once"
            )
            return


def _least_and_most(raw: RawTable, column: Column) -> tuple[float, float] | None:
    """The smallest and the largest of counts, in whatever marks; None if they are no counts."""
    for thousands in (None, *THOUSANDS_MARKS):
        decimal = "," if thousands == "." else "."
        number = number_of(column.position, draft_source(decimal=decimal, thousands=thousands))
        is_count = f"{number} = floor({number}) and {number} between 0 and {MAX_COUNT}"
        ((n_counts, least, most),) = raw.rows(
            f"select count(*) filter ({is_count}), min({number}) filter ({is_count}), "
            f"max({number}) filter ({is_count}) from raw"
        )
        if n_counts and n_counts >= MIN_FIT * column.n_filled:
            return least, most
    return None

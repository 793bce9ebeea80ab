"""Which month or day, model and offence type a download is of, checked against the release."""

import re
from dataclasses import dataclass

import duckdb

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.rows import records

_MONTHS_RELEASED = """
    select study_area, title, strftime(as_of_month, '%Y-%m-%d') as as_of, champion
    from release where is_latest order by study_area
"""
_DAYS_RELEASED = """
    select study_area, title, strftime(as_of_day, '%Y-%m-%d') as as_of, champion
    from street_release where is_latest order by study_area
"""
_MONTHS_RECORDED = """
    select distinct strftime(month, '%Y-%m-%d') as step from month_count
    where study_area = ? order by step
"""
_MONTHS_AHEAD = """
    select distinct strftime(target_month, '%Y-%m-%d') as step from cell_forecast
    where study_area = ? and as_of_month = ?::date and model = ? order by step
"""
_MONTHS_TESTED = """
    select distinct strftime(f.target_month, '%Y-%m-%d') as step from backtest_forecast f
    join month_count t on t.study_area = f.study_area and t.month = f.target_month
    where f.study_area = ? and f.model = ? and t.is_complete order by step
"""
_DAYS_RECORDED = """
    select strftime(unnest(generate_series(min(day), ?::date, interval 1 day)), '%Y-%m-%d') as step
    from segment_day where study_area = ? having count(*) > 0
"""
_DAYS_AHEAD = """
    select distinct strftime(target_day, '%Y-%m-%d') as step from segment_forecast
    where study_area = ? and as_of_day = ?::date and model = ? order by step
"""
_MONTH, _DAY = re.compile(r"\d{4}-\d{2}"), re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What a download is of; every name in it is one that the release holds."""

    area: str
    title: str
    as_of: str  # YYYY-MM-DD; a month by its first day
    champion: str
    step: str  # YYYY-MM-DD; a month by its first day
    kind: str  # recorded, forecast or backtest
    kinds: tuple[str, ...]  # offence types or groups
    model: str | None  # None where counts are shown

    @property
    def is_recorded(self) -> bool:
        return self.kind == "recorded"


def cell_choice(
    connection: duckdb.DuckDBPyConnection,
    area: str,
    offence_type: str | None,
    model: str | None,
    month: str | None,
) -> Choice:
    """Cells of a recorded month or of one ahead; the first one ahead by default.

    Raises:
        PartError: if the release holds no such area, offence type, model or month.
    """
    released = _released(connection, _MONTHS_RELEASED, area, "forecast by month")
    as_of = released["as_of"]
    name = _model(connection, "cell_forecast", released, model, "as_of_month = ?::date", as_of)
    recorded = [step for step in _steps(connection, _MONTHS_RECORDED, area) if step <= as_of]
    ahead = _steps(connection, _MONTHS_AHEAD, area, as_of, name)
    return _choice(
        released,
        steps={"recorded": recorded, "forecast": ahead},
        step=_month(month, ahead[:1]),
        kinds=_kinds(connection, "month_count", "offence_type", area, offence_type),
        model=name,
    )


def backtest_choice(
    connection: duckdb.DuckDBPyConnection,
    area: str,
    offence_type: str | None,
    model: str | None,
    month: str | None,
) -> Choice:
    """Cells of a tested month; the newest one by default.

    Raises:
        PartError: if the release holds no such area, offence type, model or month.
    """
    released = _released(connection, _MONTHS_RELEASED, area, "forecast by month")
    name = _model(connection, "backtest_forecast", released, model)
    tested = _steps(connection, _MONTHS_TESTED, area, name)
    return _choice(
        released,
        steps={"backtest": tested},
        step=_month(month, tested[-1:]),
        kinds=_kinds(connection, "month_count", "offence_type", area, offence_type),
        model=name,
    )


def street_choice(
    connection: duckdb.DuckDBPyConnection,
    area: str,
    offence_group: str | None,
    model: str | None,
    day: str | None,
) -> Choice:
    """Streets of a recorded day or of one ahead; the first one ahead by default.

    Raises:
        PartError: if the release holds no such area, offence group, model or day.
    """
    released = _released(connection, _DAYS_RELEASED, area, "forecast by day on streets")
    as_of = released["as_of"]
    name = _model(connection, "segment_forecast", released, model, "as_of_day = ?::date", as_of)
    ahead = _steps(connection, _DAYS_AHEAD, area, as_of, name)
    return _choice(
        released,
        steps={
            "recorded": _steps(connection, _DAYS_RECORDED, as_of, area),
            "forecast": ahead,
        },
        step=_day(day, ahead[:1]),
        kinds=_kinds(connection, "segment_forecast", "offence_group", area, offence_group),
        model=name,
    )


def _released(
    connection: duckdb.DuckDBPyConnection, query: str, area: str, what: str
) -> dict[str, str]:
    rows = {row["study_area"]: row for row in records(connection, query, [])}
    if area not in rows:
        raise PartError(f"the release holds no {what} of {area!r}; it holds those of {list(rows)}")
    return rows[area]


def _model(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    released: dict[str, str],
    model: str | None,
    *condition: str,
) -> str:
    area, wanted = released["study_area"], model or released["champion"]
    where = " and ".join(["study_area = ?", *condition[:1]])
    query = f"select distinct model from {table} where {where} order by model"
    held = [row["model"] for row in records(connection, query, [area, *condition[1:]])]
    if wanted not in held:
        raise PartError(f"{table} of {area} has no model {wanted!r}; it has {held}")
    return wanted


def _kinds(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, area: str, wanted: str | None
) -> tuple[str, ...]:
    """The one kind asked for, or all of them."""
    query = f"select distinct {column} as kind from {table} where study_area = ? order by kind"
    held = tuple(row["kind"] for row in records(connection, query, [area]))
    if wanted is None:
        return held
    if wanted not in held:
        told = column.replace("_", " ")
        raise PartError(f"{area} has no {told} {wanted!r}; it has {list(held)}")
    return (wanted,)


def _steps(connection: duckdb.DuckDBPyConnection, query: str, *given: str) -> list[str]:
    return [row["step"] for row in records(connection, query, given)]


def _month(month: str | None, default: list[str]) -> str:
    """First day of the month asked for, or of the default one."""
    if month is None:
        return _only(default)
    if not _MONTH.fullmatch(month):
        raise PartError(f"a month is written YYYY-MM, got {month!r}")
    return f"{month}-01"


def _day(day: str | None, default: list[str]) -> str:
    if day is None:
        return _only(default)
    if not _DAY.fullmatch(day):
        raise PartError(f"a day is written YYYY-MM-DD, got {day!r}")
    return day


def _only(default: list[str]) -> str:
    if not default:
        raise PartError("the release holds no such forecast whose month is complete by now")
    return default[0]


def _choice(
    released: dict[str, str],
    *,
    steps: dict[str, list[str]],
    step: str,
    kinds: tuple[str, ...],
    model: str,
) -> Choice:
    kind = next((kind for kind, held in steps.items() if step in held), None)
    if kind is None:
        spans = [f"{kind} from {held[0]} to {held[-1]}" for kind, held in steps.items() if held]
        raise PartError(
            f"the release holds nothing of {released['study_area']} at {step} for {model}; it "
            f"holds {'; '.join(spans)}"
        )
    return Choice(
        area=released["study_area"],
        title=released["title"],
        as_of=released["as_of"],
        champion=released["champion"],
        step=step,
        kind=kind,
        kinds=kinds,
        model=None if kind == "recorded" else model,
    )

"""Part of an area's streets or places: where they lie, the last days, and the days forecast."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np

from crime_platform.dashboard.data.areas import PublishedArea, area_with_streets
from crime_platform.dashboard.data.binary_format import pack
from crime_platform.dashboard.data.dense import Axis, place_rows
from crime_platform.dashboard.data.queries import (
    Connection,
    first_column,
    one_row,
    read_columns,
    release_key,
)
from crime_platform.schema.model_titles import model_title
from crime_platform.schema.values import LONG_RUN_FREQUENCY
from crime_platform.vocabulary.projection import WGS84, project

DAYS_SHOWN = 60
EXPECTED = "expected_count"
_SHOWN = (EXPECTED, "p025", "p05", "p95", "p975", "risk_rank")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Axes:
    """What the axes of the part's arrays stand for."""

    study_area: str
    as_of_day: date
    groups: tuple[str, ...]  # in the order of the TOML
    days: tuple[date, ...]  # the last that were counted
    forecast_days: tuple[date, ...]
    segment_ids: tuple[str, ...]

    @property
    def keys(self) -> dict[str, object]:
        """Parameters of queries."""
        return {"area": self.study_area, "as_of": self.as_of_day}

    def of(self, step: str, steps: tuple[date, ...]) -> list[Axis]:
        """Axes group, step and segment."""
        group = Axis("offence_group", self.groups)
        return [group, Axis(step, steps), Axis("segment_id", self.segment_ids)]


def streets_part(connection: Connection, study_area: str) -> bytes:
    """Part `streets`: lines or points, counts of the last 60 days, forecast of every day ahead.

    Raises:
        PartError: if the release is of an earlier version, has no streets of such an area, or
            lacks rows.
    """
    area = area_with_streets(connection, study_area)
    axes = _read_axes(connection, area)
    release = _release(connection, axes)
    place, lines = _read_lines(connection, area)
    models = _models(connection, axes, release["champion"])
    others = [each["name"] for each in models if not (each["is_champion"] or each["is_baseline"])]
    header = {
        "area": {"name": study_area, "title": area.title, "crs": area.crs, **place},
        "release": release,
        **one_row(
            connection,
            "select any_value(kind) as kind from segment where study_area = $area",
            axes.keys,
        ),
        "groups": _groups(connection, axes),
        "days": [str(day) for day in axes.days],
        "forecast_days": [str(day) for day in axes.forecast_days],
        "models": models,
        "segment_ids": axes.segment_ids,
        **({"other_models": others} if others else {}),
    }
    champion = _forecast(connection, axes, release["champion"], _SHOWN)
    arrays = {
        **lines,
        **_recorded(connection, axes),
        "expected": champion.pop(EXPECTED),
        **champion,
        "risk_rank": champion["risk_rank"].astype(np.uint32),
        "baseline_expected": _forecast(connection, axes, LONG_RUN_FREQUENCY, (EXPECTED,))[EXPECTED],
    }
    if others:
        forecasts = [_forecast(connection, axes, name, (EXPECTED,)) for name in others]
        arrays["other_expected"] = np.stack([each[EXPECTED] for each in forecasts])
    return pack(header, arrays)


def _read_axes(connection: Connection, area: PublishedArea) -> _Axes:
    (last,) = first_column(
        connection,
        "select as_of_day from street_release where study_area = $area and is_latest",
        {"area": area.study_area},
    )
    keys = {"area": area.study_area, "as_of": last}

    def column(query: str) -> tuple[Any, ...]:
        return first_column(connection, query, keys)

    newest = "study_area = $area and as_of_day = $as_of"
    (first,) = column(
        f"select greatest(min(day), $as_of - {DAYS_SHOWN - 1}) from segment_day "
        "where study_area = $area"
    )
    return _Axes(
        study_area=area.study_area,
        as_of_day=last,
        groups=column(
            "select offence_group from (select distinct study_area, offence_group from "
            f"segment_forecast where {newest}) left join offence_group using "
            "(study_area, offence_group) order by position nulls last, offence_group"
        ),
        days=tuple(first + timedelta(days=n) for n in range((last - first).days + 1)),
        forecast_days=column(
            f"select distinct target_day from segment_forecast where {newest} order by 1"
        ),
        segment_ids=column("select segment_id from segment where study_area = $area order by 1"),
    )


def _read_lines(
    connection: Connection, area: PublishedArea
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Where the part's metres start, and the vertices, length and activity of every segment."""
    import shapely

    rows = read_columns(
        connection,
        "select geometry_wkb, coalesce(length_m, 'nan') as length_m, is_ever_active from segment "
        "where study_area = $area order by segment_id",
        {"area": area.study_area},
    )
    shapes = shapely.from_wkb([bytes(blob) for blob in rows["geometry_wkb"]])
    lonlat, owner = shapely.get_coordinates(shapes, return_index=True)
    xy = np.stack(project(*lonlat.T, source=WGS84, target=str(area.crs)), axis=1)
    west, south = xy.min(axis=0).tolist()
    if area.west_m is not None and area.south_m is not None:
        west, south = area.west_m, area.south_m
    middle = (lonlat.min(axis=0) + lonlat.max(axis=0)) / 2
    n_vertices = np.bincount(owner, minlength=len(shapes))
    arrays = {
        "start": np.r_[0, np.cumsum(n_vertices)].astype(np.uint32),
        "xy": (xy - [west, south]).astype(np.float32),
        "lonlat": lonlat,
        "length_m": rows["length_m"].astype(np.float32),
        "is_ever_active": rows["is_ever_active"].astype(np.uint8),
    }
    return {"west_m": west, "south_m": south, "center": middle.tolist()}, arrays


def _recorded(connection: Connection, axes: _Axes) -> dict[str, np.ndarray]:
    """Counts of the last days [group, day, segment] and of all days [group, segment]."""
    told = f"segment_day for {axes.study_area}"
    shown = place_rows(
        connection,
        "select * from segment_day where study_area = $area and day between $first and $as_of",
        axes.of("day", axes.days),
        columns=("count",),
        keys={**axes.keys, "first": axes.days[0]},
        told=told,
    )
    total = place_rows(
        connection,
        "select * from segment_day where study_area = $area",
        [axes.of("", ())[0], axes.of("", ())[2]],
        columns=("count",),
        keys=axes.keys,
        told=told,
    )
    return {
        "count": shown.sparse_counts("count"),
        "total": total.sparse_counts("count").astype(np.uint32),
    }


def _forecast(
    connection: Connection, axes: _Axes, model: str, columns: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Columns of one model's newest forecast [group, lead, segment]."""
    return place_rows(
        connection,
        "select * from segment_forecast where study_area = $area and as_of_day = $as_of "
        "and model = $model",
        axes.of("target_day", axes.forecast_days),
        columns=columns,
        keys={**axes.keys, "model": model},
        told=f"the street forecast of {model} for {axes.study_area}",
    ).whole()


def _release(connection: Connection, axes: _Axes) -> dict[str, Any]:
    told = one_row(
        connection,
        "select strftime(timezone('UTC', published_at), '%Y-%m-%dT%H:%M:%SZ') as published_at, "
        "champion, champion_reason, deviance_skill, hit_rate_20 "
        "from street_release where study_area = $area and is_latest",
        axes.keys,
    )
    key = release_key(connection)
    return {"key": key, "as_of_day": str(axes.as_of_day), "baseline": LONG_RUN_FREQUENCY, **told}


def _groups(connection: Connection, axes: _Axes) -> list[dict[str, str]]:
    rows = connection.execute(
        "select offence_group, title from offence_group where study_area = ?", [axes.study_area]
    ).fetchall()
    titles = dict(rows)
    return [{"name": name, "title": titles.get(name) or name} for name in axes.groups]


def _models(connection: Connection, axes: _Axes, champion: str) -> list[dict[str, Any]]:
    """Models with a forecast, by rank on the leaderboard; those without a rank last."""
    names = first_column(
        connection,
        "select model from (select distinct study_area, model from segment_forecast "
        "where study_area = $area and as_of_day = $as_of) left join street_leaderboard "
        'using (study_area, model) order by "rank" nulls last, model',
        axes.keys,
    )
    return [
        {
            "name": name,
            "title": model_title(name),
            "is_champion": name == champion,
            "is_baseline": name == LONG_RUN_FREQUENCY,
        }
        for name in names
    ]

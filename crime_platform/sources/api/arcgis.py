"""An ArcGIS layer asked through its REST query: FeatureServer or MapServer."""

import datetime as dt
import json
from collections.abc import Mapping

from crime_platform.sources.api.dataset import (
    ApiRow,
    Measure,
    Page,
    as_text,
    columns_of,
    require_columns,
)
from crime_platform.sources.api.http_client import BAD_REQUEST, Answer, RateLimitedClient
from crime_platform.study_area.source import Source
from crime_platform.study_area.source_api import SourceApi
from crime_platform.vocabulary.incident import SourceFormatError

TOKEN_HEADER = "X-Esri-Authorization"
GEOMETRY = ("geometry.x", "geometry.y")
DATE_TYPE = "esriFieldTypeDate"
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
PASSING_CODES = ("429", "500", "502", "503", "504")
LONGEST_ANSWER_SHOWN = 300


class ArcgisLayer:
    """One layer, read in the order of its object identifiers.

    Pages follow each other by `OBJECTID > the last one`: the way that works on layers that cannot
    page at all, and that no row is lost by when others come or go while we read. A layer gives at
    most as many rows at once as its owner allows, so a short page says nothing of the end.
    """

    def __init__(self, source: Source, api: SourceApi, url: str, client: RateLimitedClient) -> None:
        self.url = url
        self._source = source
        self._api = api
        self._client = client
        self._columns = columns_of(source)
        self._row_id = api.row_id_of(source.format)

    def measure(self, since: str | None) -> Measure:
        counted = self._ask({"returnCountOnly": "true"}, since, None)
        try:
            n_rows = int(str(counted["count"]))
        except (KeyError, ValueError) as error:
            raise self._surprise(counted) from error
        if self._api.updated_at is None:
            return Measure(n_rows=n_rows, newest=None)
        statistic = {
            "statisticType": "max",
            "onStatisticField": self._api.updated_at,
            "outStatisticFieldName": "newest",
        }
        found = self._features(self._ask({"outStatistics": json.dumps([statistic])}, since, None))
        newest = found[0]["attributes"].get("newest") if found else None
        return Measure(n_rows=n_rows, newest=None if newest is None else self._instant(newest))

    def page(self, since: str | None, after: str | None) -> Page:
        extra = [self._row_id, *([self._api.updated_at] if self._api.updated_at else [])]
        named = [column for column in self._columns if column not in GEOMETRY]
        has_geometry = len(named) < len(self._columns)
        fields = {
            "outFields": ",".join(dict.fromkeys((*extra, *named))),
            "returnGeometry": "true" if has_geometry else "false",
            "outSR": self._source.crs.removeprefix("EPSG:") if has_geometry else "",
            "orderByFields": self._row_id,
            "resultRecordCount": str(self._api.page_rows_of(self._source.format)),
        }
        answer = self._answer({key: text for key, text in fields.items() if text}, since, after)
        return Page(body=answer.body, rows=self.rows(answer.values))

    def rows(self, values: object) -> list[ApiRow]:
        """Every field asked for stands in every row of a layer, blank or not."""
        features = self._features(values)
        dates = self._date_fields(values)
        updated_at = self._api.updated_at
        keys = (self._row_id, *([updated_at] if updated_at else []), *self._columns)
        rows: list[ApiRow] = []
        for feature in features:
            place = feature.get("geometry") or {}
            found = {
                **feature["attributes"],
                **{f"geometry.{axis}": place.get(axis) for axis in ("x", "y")},
            }
            missing = [key for key in keys if key not in found]
            if missing or found[self._row_id] is None:
                raise SourceFormatError(
                    f"{self.url}: a row without {missing or self._row_id}; it has "
                    f"{list(feature['attributes'])}: correct [source.columns], or row_id under "
                    "[source.api]"
                )
            row = [
                self._instant(found[key]) if key in dates and found[key] else as_text(found[key])
                for key in keys
            ]
            rows.append(tuple(row if updated_at else [row[0], None, *row[1:]]))
        return rows

    def _ask(
        self, fields: Mapping[str, str], since: str | None, after: str | None
    ) -> dict[str, object]:
        values = self._answer(fields, since, after).values
        if not isinstance(values, dict):
            raise self._surprise(values)
        return values

    def _answer(self, fields: Mapping[str, str], since: str | None, after: str | None) -> Answer:
        conditions = [f"({self._api.where})"] if self._api.where else []
        if since is not None:
            moment = dt.datetime.fromisoformat(since).replace(tzinfo=None)
            conditions.append(
                f"{self._api.updated_at} >= TIMESTAMP '{moment.isoformat(' ', 'seconds')}'"
            )
        if after is not None:
            conditions.append(f"{self._row_id} > {int(after)}")
        where = " AND ".join(conditions) or "1=1"  # a layer answers no query without one
        answer = self._client.ask(f"{self.url}/query", {**fields, "where": where, "f": "json"})
        # A layer reports its mistakes with HTTP 200.
        error = answer.values.get("error") if isinstance(answer.values, dict) else None
        if error or answer.status == BAD_REQUEST:
            wanted = {"updated_at": self._api.updated_at, "row_id": self._row_id}
            named = {key: name for key, name in wanted.items() if name}
            require_columns(self.url, self._source, named, [*self._known_columns()], _told(error))
        return answer

    def _known_columns(self) -> list[str]:
        """The layer's fields as its description lists them; none where it does not say."""
        try:
            answer = self._client.ask(self.url, {"f": "json"})
        except SourceFormatError:
            return []  # the first refusal is what the person must see
        listed = answer.values.get("fields") if isinstance(answer.values, dict) else None
        columns = [str(each["name"]) for each in listed or [] if "name" in each]
        return [*columns, *GEOMETRY] if columns else []

    def _date_fields(self, values: object) -> set[str]:
        listed = values.get("fields") if isinstance(values, dict) else None
        fields = listed if isinstance(listed, list) else []
        return {str(each.get("name")) for each in fields if each.get("type") == DATE_TYPE}

    def _features(self, values: object) -> list[dict]:
        features = values.get("features") if isinstance(values, dict) else None
        is_right = isinstance(features, list) and all(
            isinstance(each, dict) and isinstance(each.get("attributes"), dict) for each in features
        )
        if not is_right or features is None:
            raise self._surprise(values)
        return features

    def _instant(self, milliseconds: object) -> str:
        """ISO 8601 in UTC of milliseconds since 1970; text that is none is left as it is."""
        try:
            moment = EPOCH + dt.timedelta(milliseconds=int(str(milliseconds)))
        except (ValueError, OverflowError):
            return str(milliseconds)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _surprise(self, values: object) -> SourceFormatError:
        return SourceFormatError(
            f"{self.url}: expected the rows of a layer, found "
            f"{str(values)[:LONGEST_ANSWER_SHOWN]}; check that url under [source.api] is a layer "
            "that may be queried"
        )


def passing_trouble(values: object) -> str:
    """What a layer says in an answer of HTTP 200 when it is only busy; else blank."""
    error = values.get("error") if isinstance(values, dict) else None
    code = str(error.get("code")) if isinstance(error, dict) else ""
    return f"{code} {_told(error)}" if code in PASSING_CODES else ""


def _told(error: object) -> str:
    if not isinstance(error, dict):
        return ""
    details = error.get("details")
    told = [error.get("message"), *(details if isinstance(details, list) else [])]
    return " ".join(str(each) for each in told if each)[:LONGEST_ANSWER_SHOWN]

"""A Socrata dataset asked through SODA 2.1: https://dev.socrata.com/docs/queries."""

import re
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

TOKEN_HEADER = "X-App-Token"
LONGEST_ANSWER_SHOWN = 300


class SocrataDataset:
    """One dataset, read in the order of its row identifiers.

    Pages follow each other by `:id > the last one`, never by `$offset`: rows that come or go while
    we read would move every later offset, so that rows are lost or come twice. SODA orders and
    compares identifiers by the same rule, which need not be that of the text.
    """

    def __init__(self, source: Source, api: SourceApi, url: str, client: RateLimitedClient) -> None:
        self.url = url
        self._source = source
        self._api = api
        self._client = client
        self._columns = columns_of(source)
        self._row_id = api.row_id_of(source.format)
        self._endpoint = url if url.endswith(".json") else f"{url}.json"

    def measure(self, since: str | None) -> Measure:
        newest = f", max({self._api.updated_at}) as newest" if self._api.updated_at else ""
        answer = self._ask({"$select": f"count(*) as n_rows{newest}"}, since, None)
        rows = self._listed(answer.values)
        try:
            return Measure(
                n_rows=int(str(rows[0]["n_rows"])), newest=as_text(rows[0].get("newest"))
            )
        except (IndexError, KeyError, ValueError) as error:
            raise self._surprise(answer.body) from error

    def page(self, since: str | None, after: str | None) -> Page:
        extra = [self._row_id, *([self._api.updated_at] if self._api.updated_at else [])]
        fields = {
            "$select": ", ".join(dict.fromkeys((*extra, *self._columns))),
            "$order": self._row_id,
            "$limit": str(self._api.page_rows_of(self._source.format)),
        }
        answer = self._ask(fields, since, after)
        return Page(body=answer.body, rows=self.rows(answer.values))

    def rows(self, values: object) -> list[ApiRow]:
        """A blank value is left out of a row by SODA, so an absent one is no mistake here."""
        found = self._listed(values)
        keys = (self._row_id, self._api.updated_at or "", *self._columns)
        rows = [tuple(as_text(record.get(key)) for key in keys) for record in found]
        if any(row[0] is None for row in rows):
            raise SourceFormatError(
                f"{self.url}: a row without {self._row_id!r}; it orders the rows, so every one "
                "needs it: correct row_id under [source.api]"
            )
        return rows

    def _ask(self, fields: Mapping[str, str], since: str | None, after: str | None) -> Answer:
        conditions = [f"({self._api.where})"] if self._api.where else []
        if since is not None:
            conditions.append(f"{self._api.updated_at} >= '{since}'")
        if after is not None:
            conditions.append(f"{self._row_id} > '{after.replace(chr(39), chr(39) * 2)}'")
        where = {"$where": " AND ".join(conditions)} if conditions else {}
        answer = self._client.ask(self._endpoint, {**fields, **where})
        if answer.status == BAD_REQUEST:
            wanted = {"updated_at": self._api.updated_at, "row_id": self._api.row_id}
            published = {key: name for key, name in wanted.items() if name and name[0] != ":"}
            require_columns(
                self.url, self._source, published, self._known_columns(), _told(answer.values)
            )
        return answer

    def _known_columns(self) -> list[str]:
        """The dataset's fields as its description lists them; none where it does not say."""
        described = re.sub(r"/resource/([^/.]+)(\.json)?$", r"/api/views/\1.json", self.url)
        try:
            answer = self._client.ask(described, {})
        except SourceFormatError:
            return []  # the first refusal is what the person must see
        listed = answer.values.get("columns") if isinstance(answer.values, dict) else None
        columns = listed if isinstance(listed, list) else []
        return [str(each["fieldName"]) for each in columns if "fieldName" in each]

    def _listed(self, values: object) -> list[dict[str, object]]:
        if isinstance(values, list) and all(isinstance(each, dict) for each in values):
            return values
        raise self._surprise(str(values).encode())

    def _surprise(self, body: bytes) -> SourceFormatError:
        shown = body[:LONGEST_ANSWER_SHOWN].decode(errors="replace")
        return SourceFormatError(
            f"{self.url}: expected a list of rows, found {shown}; check that url under "
            "[source.api] is a dataset, not a map, a story or a filtered view"
        )


def _told(values: object) -> str:
    message = values.get("message") if isinstance(values, dict) else None
    return str(message or "")[:LONGEST_ANSWER_SHOWN]

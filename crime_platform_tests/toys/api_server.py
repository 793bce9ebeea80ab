"""A publisher's API on the loopback interface: Socrata or ArcGIS, over one table, with faults.

Questions are answered by SQLite, so filters, order and paging are those of a real engine. Before
an answer one fault can be planted for a page: throttled, cut in the middle, or no answer at all.
"""

import gzip
import json
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

CUT, SILENT, GARBLED, PAUSED, BOMB = "cut", "silent", "garbled", "paused", "bomb"
THROTTLED, BUSY = 429, 503  # a fault that is a number is the HTTP status of a refusal
BUSY_LAYER = "busy layer"  # ArcGIS says so with HTTP 200
WELL = ""
MOVED = 301
SOCRATA_PATH = "/resource/abcd-1234"
ARCGIS_PATH = "/arcgis/rest/services/Crime/FeatureServer/0"
EPOCH_FIELDS = ("OCC_DATE", "EDITED")


class ToyApi:
    """The table, what is to go wrong, and what was asked."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.tables: dict[str, list[dict]] = {}  # rows by path
        self.faults: list[str | int] = []  # or HTTP statuses; one per page asked for, in turn
        self.asked: list[dict[str, str]] = []  # questions for pages
        self.counted: list[dict[str, str]] = []  # questions for counts
        self.headers: list[dict[str, str]] = []  # of every request
        self.largest_page = 1_000
        self.lost = 0  # rows that counts know and pages do not show
        self.is_described = True
        self.is_counted = True
        self.select_nothing_of = ""  # path of a table that looks empty
        self.arrange = list  # what is done to the rows of a page
        self.stop = lambda: None  # leave the port; whoever asks is refused from then on
        self.lock = threading.Lock()
        self.paused, self.released = threading.Event(), threading.Event()

    def url(self, path: str) -> str:
        return self.address + path

    def select(self, path: str, fields: str, where: str, order: str, limit: int) -> list[dict]:
        """Rows of a query; raises sqlite3.OperationalError for an unknown column."""
        rows = self.tables[path]
        names = list(dict.fromkeys(key for row in rows for key in row))
        rows = [] if path == self.select_nothing_of else rows
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute(f"create table t ({', '.join(f'[{name}]' for name in names)})")
            connection.executemany(
                f"insert into t values ({', '.join('?' * len(names))})",
                [[row.get(name) for name in names] for row in rows],
            )
            found = connection.execute(
                f"select {_quoted(fields)} from t where {_quoted(where or '1=1')} "
                f"order by {_quoted(order or '1')} limit {limit}"
            ).fetchall()
        return [dict(row) for row in found]


@contextmanager
def toy_api() -> Iterator[ToyApi]:
    """A server that lives as long as the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    api = ToyApi(f"http://127.0.0.1:{server.server_port}")
    server.api = api  # pyright: ignore[reportAttributeAccessIssue]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    api.stop = stop
    try:
        yield api
    finally:
        stop()


def _quoted(query: str) -> str:
    """SoQL's system fields and ArcGIS's time stamps in SQLite's words."""
    dated = re.sub(r"TIMESTAMP '([^']+)'", r"(cast(strftime('%s', '\1') as integer) * 1000)", query)
    return re.sub(r"(?<![\w':]):(id|updated_at)", r"[:\1]", dated)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body in one piece: else every answer waits for an acknowledgement

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    @property
    def api(self) -> ToyApi:
        return self.server.api  # pyright: ignore[reportAttributeAccessIssue]

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query))
        with self.api.lock:
            self.api.headers.append(dict(self.headers))
            if parts.path.startswith("/resource/"):
                status, answer, is_page = self._socrata(parts.path.removesuffix(".json"), asked)
            elif parts.path.startswith("/api/views/"):
                table = "/resource/" + parts.path.split("/")[-1].removesuffix(".json")
                status, answer, is_page = self._described(table)
            elif parts.path.endswith("/query"):
                status, answer, is_page = self._arcgis(parts.path.removesuffix("/query"), asked)
            else:
                status, answer, is_page = self._described(parts.path)
            (self.api.asked if is_page else self.api.counted).append(asked)
            fault = self.api.faults.pop(0) if is_page and self.api.faults else WELL
        self._send(status, answer, fault)

    def _socrata(self, path: str, asked: dict[str, str]) -> tuple[int, object, bool]:
        if path not in self.api.tables:
            return 404, {"message": "Not found"}, True
        where = asked.get("$where", "")
        try:
            if "count(*)" in asked["$select"]:
                (found,) = self.api.select(path, asked["$select"], where, "", 1)
                counted = {k: str(v) for k, v in found.items() if v is not None}
                return 200, [counted] if self.api.is_counted else [], False
            limit = min(int(asked["$limit"]), self.api.largest_page)
            rows = self.api.select(path, asked["$select"], where, asked["$order"], limit)
        except sqlite3.OperationalError as error:
            return 400, {"code": "query.soql.no-such-column", "message": str(error)}, True
        blankless = [{k: v for k, v in row.items() if v is not None} for row in rows]
        return 200, self.api.arrange(blankless[self.api.lost :]), True

    def _arcgis(self, path: str, asked: dict[str, str]) -> tuple[int, object, bool]:
        where = asked["where"]
        try:
            if asked.get("returnCountOnly"):
                found = self.api.select(path, "count(*) as n", where, "", 1)
                return 200, {"count": found[0]["n"]} if self.api.is_counted else {}, False
            if asked.get("outStatistics"):
                (wanted,) = json.loads(asked["outStatistics"])
                query = f"max({wanted['onStatisticField']}) as newest"
                (found,) = self.api.select(path, query, where, "", 1)
                return 200, {"features": [{"attributes": found}]}, False
            limit = min(int(asked["resultRecordCount"]), self.api.largest_page)
            fields = asked["outFields"]
            points = ", [geometry.x], [geometry.y]" if asked["returnGeometry"] == "true" else ""
            rows = self.api.select(path, fields + points, where, asked["orderByFields"], limit)
        except sqlite3.OperationalError as error:
            told = {"code": 400, "message": "Cannot perform query.", "details": [str(error)]}
            return 200, {"error": told}, True
        features = [
            {
                "attributes": {k: v for k, v in row.items() if not k.startswith("geometry")},
                "geometry": {axis: row.get(f"geometry.{axis}") for axis in ("x", "y")},
            }
            for row in self.api.arrange(rows[self.api.lost :])
        ]
        told = [each for each in self._fields(path) if each["name"] in fields.split(",")]
        return 200, {"fields": told, "features": features}, True

    def _fields(self, path: str) -> list[dict[str, str]]:
        names = dict.fromkeys(key for row in self.api.tables[path] for key in row)
        kinds = {
            name: "Date" if name in EPOCH_FIELDS else "String"
            for name in names
            if not name.startswith("geometry")
        }
        return [{"name": name, "type": f"esriFieldType{kind}"} for name, kind in kinds.items()]

    def _described(self, path: str) -> tuple[int, object, bool]:
        if not self.api.is_described:
            return 404, {}, False
        fields = self._fields(path)
        columns = [{"fieldName": field["name"]} for field in fields if field["name"][0] != ":"]
        return 200, {"columns": columns, "fields": fields}, False

    def _send(self, status: int, answer: object, fault: str | int) -> None:
        body = json.dumps(answer).encode()
        if fault == PAUSED:  # whoever asks is killed meanwhile
            self.api.paused.set()
            self.api.released.wait(60)
        if fault in (SILENT, PAUSED):
            self.close_connection = True
            self.connection.close()
            return
        if isinstance(fault, int):
            status, body = fault, b"{}"
        if fault == BUSY_LAYER:
            body = b'{"error": {"code": 503, "message": "Try later"}}'
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        if fault == BOMB:
            body = gzip.compress(b"[" + bytes(120_000_000))
            headers |= {"Content-Encoding": "gzip", "Content-Length": str(len(body))}
        if fault == GARBLED:  # no length: only the JSON shows that the end is missing
            headers = {"Connection": "close"}
        if fault == THROTTLED:
            headers |= {"Retry-After": "1"}
        if status == MOVED:
            headers |= {"Location": "https://elsewhere.example/resource/wxyz-9999"}
        self.send_response(status)
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        is_cut = fault in (CUT, GARBLED)
        self.wfile.write(body[: len(body) // 2] if is_cut else body)
        self.close_connection = self.close_connection or is_cut

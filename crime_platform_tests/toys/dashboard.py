"""A toy page: three small files, parts made of a few words, and a server of it on loopback."""

import gzip
import http.client
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import duckdb

from crime_platform.dashboard.data.part_error import PartError
from crime_platform.dashboard.data.parts import as_json
from crime_platform.dashboard.listening import listening_socket
from crime_platform.dashboard.server import build_app, server_of

INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Toy page</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="app.css">
<script src="vendor/deck.js"></script>
<script type="module" src="main.js"></script>
</head><body><p id="told">nothing yet</p></body></html>
"""
CSS = "body { color: rgb(1, 2, 3); }\n"
MAIN = """import { shout } from "./words.js";
const part = document.querySelector('script[data-part="about/toy"]');
document.getElementById("told").textContent = shout(`${typeof globalThis.deck} ${Boolean(part)}`);
"""
WORDS = """import * as scales from './scales.js';
export function shout(text) { return `${text}${scales.END}`; }
"""
SCALES = "export const END = '!';\n"
CELLS_HEADER = {
    "release": {"champion": "lightgbm", "baseline": "historical_average", "best_baseline": "ewma"},
    "models": [
        {"name": "lightgbm", "is_champion": True, "is_baseline": False},
        {"name": "ewma", "is_champion": False, "is_baseline": True},
        {"name": "st_resnet", "is_champion": False, "is_baseline": False},
        {"name": "convlstm", "is_champion": False, "is_baseline": False},
        {"name": "last_month", "is_champion": False, "is_baseline": True},
        {"name": "historical_average", "is_champion": False, "is_baseline": True},
    ],
    "backtest_models": ["lightgbm", "historical_average", "ewma"],
    "share_models": ["st_resnet"],
}
AREAS = [
    {"name": "toy", "title": "Toy city", "has_cells": True, "has_streets": False},
    {"name": "town", "title": "Toy town", "has_cells": False, "has_streets": True},
]


def container(header, tail=b""):
    """A binary part without arrays, its header padded as the contract says."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return b"CFP1" + len(text).to_bytes(4, "little") + text + tail


@dataclass
class ToyMakers:
    """Makers that note what they were asked, and whose parts carry the release they read."""

    asked: list = field(default_factory=list)
    areas: list = field(default_factory=lambda: AREAS)
    tail: bytes = b""

    def parts(self):
        kinds = ("model", "backtest", "shares", "corners", "streets")
        return {
            "areas": self.make_areas,
            "cells": self.make_cells,
            "accuracy": self.make_json("accuracy"),
            "about": self.make_json("about"),
            **{kind: self.make_binary(kind) for kind in kinds},
        }

    def make_areas(self, connection):
        self.asked.append("areas")
        return as_json({"release": release_in(connection), "areas": self.areas})

    def make_cells(self, connection, area):
        self.asked.append(f"cells/{area}")
        header = {**CELLS_HEADER, "area": {"name": area}, "key": release_in(connection)}
        return container(header, self.tail)

    def make_binary(self, kind):
        def make(_, *names):
            self.asked.append("/".join([kind, *names]))
            return container({"kind": kind, "names": names}, self.tail)

        return make

    def make_json(self, kind):
        def make(connection, area):
            self.asked.append(f"{kind}/{area}")
            return as_json({"kind": kind, "key": release_in(connection)})

        return make


def toy_download(connection, wish):
    """What was wished for, as text."""
    if wish.chosen["area"] != "toy":
        raise PartError("the release holds no such area; it holds ['toy']")
    return json.dumps([release_in(connection), wish.of, wish.form, dict(wish.chosen)]).encode()


def release_in(connection):
    return connection.execute("select key from toy_release").fetchone()[0]


def write_web(folder):
    """The page's own files."""
    folder.mkdir(parents=True)
    files = {"index.html": INDEX, "app.css": CSS, "main.js": MAIN, "words.js": WORDS}
    for name, text in {**files, "scales.js": SCALES, "notes.txt": "not served"}.items():
        (folder / name).write_text(text)
    return folder


def publish(home, key):
    """A release that holds its own key and nothing else."""
    home.releases.mkdir(parents=True, exist_ok=True)
    path = home.releases / f"forecasts-{key}.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table toy_release as select ? as key", [key])
    home.forecasts.unlink(missing_ok=True)
    home.forecasts.symlink_to(f"releases/{path.name}")


@dataclass(frozen=True)
class Answer:
    """What came back over the wire, as it came."""

    status: int
    headers: http.client.HTTPMessage
    raw: bytes

    @property
    def body(self):
        is_zipped = self.headers.get("Content-Encoding") == "gzip"
        return gzip.decompress(self.raw) if is_zipped else self.raw

    @property
    def json(self):
        return json.loads(self.body)


@dataclass(frozen=True)
class Client:
    """Asks one server; paths and headers go out exactly as they are given."""

    port: int

    def ask(self, path, *, method="GET", **headers):
        sent = {"Accept_Encoding": "gzip", **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, path, skip_host="Host" in sent, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()


@contextmanager
def serving(home, web, *, makers=None, download=toy_download, is_local=True):
    """A server of the toy page in a thread."""
    parts = (makers or ToyMakers()).parts()
    app = build_app(home, makers=parts, download=download, web=web, is_local=is_local)
    server = server_of(app)
    with listening_socket("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Client(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()

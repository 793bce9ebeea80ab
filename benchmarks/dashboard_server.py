"""The page's server over real HTTP on loopback, and the page as one file, of the published release.

Needs a release in $CRIME_PLATFORM_HOME (data/ by default); without one its rows are left out.

Usage: python benchmarks/dashboard_server.py
"""

import gzip
import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from timing import options, row

from crime_platform.dashboard.export import export_html
from crime_platform.dashboard.listening import listening_socket
from crime_platform.dashboard.server import build_app, server_of
from crime_platform.vocabulary.home import PlatformHome

REPEATS = 50


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    home = PlatformHome.from_environment()
    if not home.forecasts.exists():
        print(f"no release at {home.forecasts}: the dashboard is left out", file=sys.stderr)
        return []
    with _serving(home) as connection:
        try:
            areas = json.loads(gzip.decompress(_asked(connection, "/api/areas")))["areas"]
        except RuntimeError as error:  # a release of an earlier version
            print(f"the dashboard is left out: {error}", file=sys.stderr)
            return []
        names = [area["name"] for area in areas if area["has_cells"]]
        if not names:
            print("the release has no cells: the dashboard is left out", file=sys.stderr)
            return []
        path = f"/api/cells/{names[0]}"
        first = _seconds(connection, path, repeats=1)
        again = _seconds(connection, path, repeats=REPEATS)
        size = len(_asked(connection, path)) / 1e6
    return [
        row(f"dashboard: cells of {names[0]}, {size:.1f} MB gzipped, first asked", "2 s", first),
        row("- again, from the cache", "0.010 s", again, digits=4),
        _export_row(home, names[0]),
    ]


def _export_row(home: PlatformHome, area: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        size = export_html(home, area, Path(folder) / "page.html").stat().st_size / 1e6
        taken = time.perf_counter() - started
    return row(f"- the page of {area} as one file, {size:.1f} MB (at most 8)", "-", [taken])


@contextmanager
def _serving(home: PlatformHome) -> Iterator[http.client.HTTPConnection]:
    server = server_of(build_app(home))
    with listening_socket("127.0.0.1", 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        port = listener.getsockname()[1]
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
                yield connection
        finally:
            server.should_exit = True
            thread.join()


def _asked(connection: http.client.HTTPConnection, path: str) -> bytes:
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status} {body.decode()}")
    return body


def _seconds(connection: http.client.HTTPConnection, path: str, *, repeats: int) -> list[float]:
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        _asked(connection, path)
        taken.append(time.perf_counter() - started)
    return taken


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

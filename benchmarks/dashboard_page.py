"""The dashboard in Chromium with software GL: first 3D frame, slider, and the work of a frame.

A real server of the release in $CRIME_PLATFORM_HOME (data/ by default), a fresh browser each time.
The work of a frame is the processor time of the page's own process between two frames while it
plays: our JavaScript, deck.gl's, the upload and the rest of the page. Drawing the columns is left
out: it is another process's, and a GPU's where there is one.

Usage: python benchmarks/dashboard_page.py
"""

import shutil
import sys
import threading
import time

from timing import options, row

from crime_platform.dashboard.listening import listening_socket
from crime_platform.dashboard.server import build_app, server_of
from crime_platform.vocabulary.home import PlatformHome

LIMIT_FIRST, LIMIT_SLIDER, LIMIT_FRAME = 4, 40, 10
REPEATS, STEPS, FRAMES = 3, 15, 60
FLAGS = (
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-gl=angle --use-angle=swiftshader "
    "--enable-unsafe-swiftshader"
)
# Milliseconds of the slider's handler: a real input event, until it returns.
SLIDE = """(at) => {
  const slider = document.getElementById("step");
  slider.value = String(at);
  const started = performance.now();
  slider.dispatchEvent(new Event("input"));
  return performance.now() - started;
}"""

# Milliseconds of one drawing of ours, between two months: values, colours, columns, layers.
OWN = """() => {
  const started = performance.now();
  for (let at = 0; at < 20; at += 1) crimeDashboard.go(30.5 + at);
  return (performance.now() - started) / 20;
}"""
# Whether columns are on the screen: reading a row of pixels waits for them to be drawn.
DRAWN = """() => {
  const { now } = globalThis.crimeDashboard ?? {};
  if (!now?.drawn || !now.map.layers.some((layer) => layer.id === "columns")) return false;
  now.map.deck.redraw("benchmark");
  const gl = document.querySelector("#map canvas").getContext("webgl2");
  const pixels = new Uint8Array(4 * gl.drawingBufferWidth);
  const [width, middle] = [gl.drawingBufferWidth, gl.drawingBufferHeight >> 1];
  gl.readPixels(0, middle, width, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
  return pixels.some((value) => value > 0);
}"""


def measure() -> list[str]:
    """Rows of RESULTS.md."""
    home = PlatformHome.from_environment()
    chromium = shutil.which("chromium")
    if not home.forecasts.exists() or chromium is None:
        print("no release or no chromium here: the page is left out", file=sys.stderr)
        return []
    with listening_socket("127.0.0.1", 0) as listener:
        server = server_of(build_app(home))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
            return _rows([_looked_at(address, chromium) for _ in range(REPEATS)])
        finally:
            server.should_exit = True
            thread.join()


def _rows(found: list[dict]) -> list[str]:
    slides = [milliseconds for each in found for milliseconds in each["slides"]]
    return [
        row("the page: first 3D frame, software GL, s", f"{LIMIT_FIRST} s", _of(found, "first")),
        row("- slider moved by a month, handler, ms", f"{LIMIT_SLIDER} ms", slides),
        row("- a frame while playing, processor ms", f"{LIMIT_FRAME} ms", _of(found, "frame")),
        row("- of it our own drawing code, ms", "-", _of(found, "own")),
        row("- frames a second while playing, software GL", "-", _of(found, "rate")),
    ]


def _of(found: list[dict], name: str) -> list[float]:
    return [each[name] for each in found]


def _looked_at(address: str, chromium: str) -> dict:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        started = time.perf_counter()
        page.goto(f"{address}?view=3d&month=2015-01")
        while not page.evaluate(DRAWN):
            page.wait_for_timeout(10)
        first = time.perf_counter() - started
        page.wait_for_timeout(1000)
        slides = []
        for at in range(STEPS):
            slides.append(page.evaluate(SLIDE, 20 + at))
            page.wait_for_timeout(400)
        own = page.evaluate(OWN)
        session = browser.new_browser_cdp_session()
        page.evaluate("document.getElementById('play').click()")
        before = _spent(session, page)
        while page.evaluate("crimeDashboard.now.frames") < before["frames"] + FRAMES:
            page.wait_for_timeout(100)
        after = _spent(session, page)
        browser.close()
    frames = after["frames"] - before["frames"]
    return {
        "first": first,
        "slides": slides,
        "own": own,
        "frame": 1000 * (after["renderer_s"] - before["renderer_s"]) / frames,
        "rate": frames / (after["at"] - before["at"]),
    }


def _spent(session, page) -> dict[str, float]:
    listed = session.send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [each["cpuTime"] for each in listed if each["type"] == "renderer"]
    frames = page.evaluate("crimeDashboard.now.frames")
    return {"renderer_s": max(renderers), "frames": frames, "at": time.perf_counter()}


if __name__ == "__main__":
    options(__doc__).parse_args()
    for line in measure():
        print(line)

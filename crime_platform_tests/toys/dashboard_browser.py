"""Debian's Chromium, driven like a person would: what it takes to open the page and look at it."""

import io
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, Playwright

from crime_platform.dashboard.listening import listening_socket
from crime_platform.dashboard.server import build_app, server_of
from crime_platform.vocabulary.home import PlatformHome
from toys.paths import FIXTURES

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
# The explicit set draws WebGL in software; a later Chromium may not fall back by itself.
FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu-watchdog",  # a busy machine draws slowly, and is no reason to lose the map
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]
SIZE = {"width": 1100, "height": 720}
PATIENCE_S = 60.0
PROBES = FIXTURES / "dashboard_probes.js"


@contextmanager
def served(home: PlatformHome) -> Iterator[str]:
    """The address of a real server of a home, in a thread of this process."""
    with listening_socket("127.0.0.1", 0) as listener:
        server = server_of(build_app(home))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()


def launch(playwright: Playwright, *more: str) -> Browser:
    """A headless Chromium with the flags of this suite."""
    return playwright.chromium.launch(
        executable_path=CHROMIUM, headless=True, args=[*FLAGS, *more], timeout=PATIENCE_S * 1000
    )


class Watched:
    """A page, with what it asked for and complained about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE_S * 1000)
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._note)

    def _note(self, message: Any) -> None:
        # Chromium itself warns about slow reads of pixels that only these tests make.
        if message.type in ("error", "warning") and "GPU stall" not in message.text:
            self.complaints.append(message.text)

    def open(self, address: str) -> "Watched":
        self.page.goto(address)
        self.until(lambda: self.has_class("ready") or self.has_class("failed"))
        return self

    def has_class(self, name: str) -> bool:
        return self.page.evaluate("name => document.body?.classList.contains(name) ?? false", name)

    def until(self, holds: Callable[[], Any]) -> None:
        """Polls: waiting for an expression inside the page needs eval, which its policy forbids."""
        end = time.monotonic() + PATIENCE_S
        while not holds():
            assert time.monotonic() < end, "the page did not get there"
            self.page.wait_for_timeout(30)  # not sleep: the driver hears of the page meanwhile

    def rested(self) -> "Watched":
        """After the words have followed the slider, and the map has been drawn once more."""
        self.page.wait_for_timeout(250)
        self.until(lambda: not self.has_class("busy"))
        self.ask("redraw")
        return self

    def ask(self, name: str, given: Any = None) -> Any:
        """What one of the probes finds in the page."""
        source = PROBES.read_text(encoding="utf-8").strip().rstrip(";")
        return self.page.evaluate(f"given => {source}.{name}(given)", given)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def pixels(self, selector: str) -> np.ndarray:
        """What an element looks like, as RGB."""
        shot = self.page.locator(selector).screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

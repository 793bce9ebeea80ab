"""The answers of the server as it keeps them: gzipped, built once per release and part."""

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeAlias

from crime_platform.dashboard.data.parts import MAGIC, Maker, require_listed
from crime_platform.publication.release import open_release
from crime_platform.vocabulary.home import PlatformHome

GZIP_LEVEL = 6
MAX_BYTES = 64_000_000  # gzipped; every part of a dozen large cities
BINARY, JSON = "application/octet-stream", "application/json"

Release: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One answer: its bytes, gzipped, and the tag by which a browser asks whether it is current."""

    gzipped: bytes
    etag: str
    media_type: str

    @property
    def plain(self) -> bytes:
        return gzip.decompress(self.gzipped)


def packed(content: bytes, media_type: str) -> Payload:
    """An answer of these bytes. Equal bytes have equal tags, whichever release they are from."""
    # The tag is weak because the gzipped and the plain answer share it.
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    zipped = gzip.compress(content, GZIP_LEVEL, mtime=0)
    return Payload(gzipped=zipped, etag=etag, media_type=media_type)


def release_identity(home: PlatformHome) -> Release | None:
    """What tells the published file from any other: time of change, size, inode; None without."""
    try:
        found = home.forecasts.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


class PartCache:
    """Parts of the published release: each is built once, however many ask at the same time.

    When a new release is published, the parts of the old one are forgotten.
    """

    def __init__(
        self, home: PlatformHome, makers: Mapping[str, Maker], *, max_bytes: int = MAX_BYTES
    ) -> None:
        self.home = home
        self.makers = makers
        self.max_bytes = max_bytes
        self._lock = threading.Lock()
        self._release: Release | None = None
        self._parts: OrderedDict[str, Future[Payload]] = OrderedDict()  # longest unused first

    def payload(self, path: str) -> Payload:
        """The part at a path, built if it is not there.

        Raises:
            ReleaseError: if nothing is published.
            PartError: if the release has no such part.
        """
        release = release_identity(self.home)
        future, is_new = self._claim(path, release)
        if is_new:
            self._build(path, future, release)
        return future.result()

    def _claim(self, path: str, release: Release | None) -> tuple[Future[Payload], bool]:
        """The future of a part, and whether the caller is the one who must build it."""
        with self._lock:
            if release != self._release:
                self._parts.clear()
                self._release = release
            is_new = path not in self._parts
            future = self._parts.setdefault(path, Future())
            self._parts.move_to_end(path)
        return future, is_new

    def _build(self, path: str, future: Future[Payload], release: Release | None) -> None:
        try:
            payload = self._made(path)
        except BaseException as error:
            self._forget(path, future)  # whoever asks next tries again
            future.set_exception(error)
            return
        future.set_result(payload)
        # A release published meanwhile may be the one that was read: its parts belong elsewhere.
        if release_identity(self.home) != release:
            self._forget(path, future)
        self._keep_within_bounds()

    def _made(self, path: str) -> Payload:
        require_listed(path, lambda other: self.payload(other).plain)
        kind, *names = path.split("/")
        with open_release(self.home) as connection:
            content = self.makers[kind](connection, *names)
        return packed(content, BINARY if content.startswith(MAGIC) else JSON)

    def _forget(self, path: str, future: Future[Payload]) -> None:
        with self._lock:
            if self._parts.get(path) is future:
                del self._parts[path]

    def _keep_within_bounds(self) -> None:
        with self._lock:
            sizes = {path: _size(future) for path, future in self._parts.items()}
            total = sum(sizes.values())
            for path in list(sizes)[:-1]:  # the newest stays, however large
                if total <= self.max_bytes:
                    return
                if sizes[path]:  # one that is being built is waited for
                    total -= sizes[path]
                    del self._parts[path]


def _size(future: Future[Payload]) -> int:
    is_built = future.done() and future.exception() is None
    return len(future.result().gzipped) if is_built else 0

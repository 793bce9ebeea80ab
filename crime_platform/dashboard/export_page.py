"""One HTML file made of the page's own files: styles, modules, deck.gl and parts inside it.

A file opened from disk may load nothing beside itself, not even its own modules. They stand in an
import map as `data:` URLs under bare names (`cf/map/stage`), because a `data:` module knows no
folder that `./scales.js` could be in.
"""

import base64
import gzip
import hashlib
import html
import json
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from crime_platform.dashboard.deck_bundle import bundle_path, inlined_bundle
from crime_platform.dashboard.static_files import INDEX, WebError

STYLE = '<link rel="stylesheet" href="app.css">'
DECK = '<script src="vendor/deck.js"></script>'
MAIN = '<script type="module" src="main.js"></script>'
END = "</body>"
MARKERS = (STYLE, DECK, MAIN, END)
GZIP_LEVEL = 9
IMPORT = re.compile(r"""(\bfrom\s*|\bimport\s*\(?\s*)(["'])(\.[^"']*)\2""")
LOADER = """
const unpacked = (id) => {
  const text = document.getElementById(id).textContent.trim();
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
};
try {
  const source = new Blob([await unpacked("deck-bundle")], { type: "text/javascript" });
  const script = document.createElement("script");
  script.src = URL.createObjectURL(source);
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error("the browser did not run it"));
    document.head.append(script);
  });
  URL.revokeObjectURL(script.src);
} catch (error) {
  globalThis.deckError = `deck.gl could not be unpacked (${error.message}); the map is flat.`;
}
await import("cf/main");
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """From which release a file was made, and when."""

    release: str
    at: datetime  # UTC

    @property
    def sentence(self) -> str:
        """For the reader of the page."""
        return f"Made on {self.at:%Y-%m-%d at %H:%M} UTC from release {self.release}."


def page_with(parts: Mapping[str, bytes], *, web: Path, made: Made) -> str:
    """The page as one HTML text.

    Args:
        parts: what it shows: gzipped bytes by path.
        web: folder of the page's own files.
        made: told in its head.

    Raises:
        BundleError: if deck.gl's script is missing.
        WebError: if the page lacks a place to put something, or a module imports what is not there.
    """
    page = _marked_page(web)
    held = [_held(_zipped_bundle(bundle_path()), 'id="deck-bundle"')]
    held += [_held(content, f'data-part="{html.escape(path)}"') for path, content in parts.items()]
    modules = json.dumps({"imports": _modules(web)})
    style = _data_url("text/css", (web / "app.css").read_text(encoding="utf-8"))
    head = [
        f'<meta http-equiv="Content-Security-Policy" content="{_policy(modules, LOADER)}">',
        f'<meta name="crime-platform-release" content="{html.escape(made.release)}">',
        f'<meta name="crime-platform-made-at" content="{made.at:%Y-%m-%dT%H:%M:%SZ}">',
        f'<link rel="stylesheet" href="{style}">',
    ]
    scripts = [
        f'<script type="importmap">{modules}</script>',
        f'<script type="module">{LOADER}</script>',
    ]
    page = page.replace(DECK + "\n", "").replace(DECK, "")
    page = page.replace(STYLE, "\n".join(head)).replace(MAIN, "\n".join(scripts))
    return page.replace(END, "\n".join([*held, END]))


def zipped(content: bytes) -> bytes:
    """Gzipped; equal bytes stay equal."""
    return gzip.compress(content, GZIP_LEVEL, mtime=0)


@lru_cache(maxsize=1)
def _zipped_bundle(_: Path) -> bytes:
    """deck.gl's script; zipping it takes longer than the rest of the page."""
    return zipped(inlined_bundle().encode())


def held_size(path: str, content: bytes) -> int:
    """Bytes that a gzipped part takes in the page."""
    return len(_held(content, f'data-part="{html.escape(path)}"')) + 1


def _held(content: bytes, attribute: str) -> str:
    """Bytes that no browser runs or draws, in an element of their own."""
    text = base64.b64encode(content).decode("ascii")
    return f'<script type="text/plain" {attribute}>{text}</script>'


def _marked_page(web: Path) -> str:
    path = web / INDEX
    if not path.is_file():
        raise WebError(f"no {INDEX} in {web}: install crime-platform again")
    page = path.read_text(encoding="utf-8")
    for marker in MARKERS:
        if page.count(marker) != 1:
            raise WebError(
                f"{INDEX} must hold {marker!r} exactly once, where the exported file puts what "
                f"stands for it; found {page.count(marker)}"
            )
    return page


def _modules(web: Path) -> dict[str, str]:
    """The modules as `data:` URLs by bare name."""
    files = {
        path.relative_to(web).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(web.rglob("*.js"))
    }

    def with_bare_names(importer: str) -> str:
        def renamed(found: re.Match[str]) -> str:
            before, quote, name = found.groups()
            path = posixpath.normpath(posixpath.join(posixpath.dirname(importer), name))
            if path not in files:
                raise WebError(
                    f"{importer} imports {name!r}, which is not in {web}: {sorted(files)}"
                )
            return f"{before}{quote}{_bare(path)}{quote}"

        return IMPORT.sub(renamed, files[importer])

    return {_bare(path): _data_url("text/javascript", with_bare_names(path)) for path in files}


def _bare(name: str) -> str:
    return f"cf/{name.removesuffix('.js')}"


def _data_url(media_type: str, text: str) -> str:
    encoded = base64.b64encode(text.encode()).decode("ascii")
    return f"data:{media_type};charset=utf-8;base64,{encoded}"


def _policy(*scripts: str) -> str:
    """A policy under which the page may run what is in the file, and connect to nothing."""
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in scripts]
    allowed = " ".join(f"'sha256-{digest.decode('ascii')}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed} blob: data:; style-src data:; "
        "img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
    )

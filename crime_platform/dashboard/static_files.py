"""The page's own files and the script it draws with, as answers kept in memory."""

import json
from pathlib import Path

from crime_platform.dashboard.deck_bundle import BundleError, inlined_bundle
from crime_platform.dashboard.response_cache import Payload, packed

WEB = Path(__file__).resolve().parent / "web"
INDEX = "index.html"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
NOTHING_PUBLISHED = "Nothing is published yet: run `crime-platform run`, then load this page again."
NOTHING_PAGE = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>No release yet</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/app.css"></head>
<body><main><h1>No release yet</h1><p role="alert">{NOTHING_PUBLISHED}</p></main></body></html>
"""


class WebError(ValueError):
    """The page's own files are not as they must be."""


def web_files(folder: Path) -> dict[str, Payload]:
    """The page's files by path in the folder, read once: no other can be asked for.

    Raises:
        WebError: if the folder holds no page.
    """
    if not (folder / INDEX).is_file():
        raise WebError(
            f"no {INDEX} in {folder}: the page's files are part of the package. Install "
            "crime-platform again."
        )
    return {
        path.relative_to(folder).as_posix(): packed(path.read_bytes(), MEDIA_TYPES[path.suffix])
        for path in sorted(folder.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }


def deck_script() -> Payload:
    """deck.gl's script; where it is missing, one that says so and leaves `deck` undefined.

    The page then draws in 2D and can show `globalThis.deckError`.
    """
    try:
        text = inlined_bundle()
    except BundleError as error:
        told = json.dumps(str(error))
        text = f"globalThis.deckError = {told};\nconsole.error(globalThis.deckError);\n"
    return packed(text.encode(), MEDIA_TYPES[".js"])

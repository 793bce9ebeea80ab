"""deck.gl, the script that draws in 3D, from where the installed pydeck wheel carries it.

No third-party script is committed. The place inside the wheel is not an API of pydeck, so its
absence has an error of its own, and the page opens in 2D without it.
"""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

PACKAGE = "pydeck"
PLACE = "nbextension/static/index.js"  # inside the package
LEAST_BYTES = 2_000_000  # all of deck.gl is about 4 MB; a stub that loads it from a CDN is small
SOURCE_MAP = re.compile(r"^//[#@] sourceMappingURL=.*$\n?", re.MULTILINE)
END_OF_SCRIPT = re.compile("</(script)", re.IGNORECASE)
CURE = 'Install it again: pip install "pydeck>=0.9.3,<0.10". Until then the page opens in 2D.'


class BundleError(ValueError):
    """deck.gl's script is not where the installed pydeck should carry it."""


def bundle_path() -> Path:
    """The script in the installed pydeck.

    Raises:
        BundleError: if pydeck is missing, or carries no script of deck.gl's size at that place.
    """
    try:
        found = distribution(PACKAGE)
    except PackageNotFoundError:
        raise BundleError(f"{PACKAGE}, which carries deck.gl, is not installed. {CURE}") from None
    path = Path(str(found.locate_file(f"{PACKAGE}/{PLACE}")))
    n_bytes = path.stat().st_size if path.is_file() else 0
    if n_bytes < LEAST_BYTES:
        state = f"{n_bytes:,} bytes long" if n_bytes else "missing"
        raise BundleError(
            f"{PACKAGE} {found.version} was expected to carry deck.gl, more than {LEAST_BYTES:,} "
            f"bytes, in {PLACE}; the file is {state}. {CURE}"
        )
    return path


def inlined_bundle() -> str:
    """The script as it can stand inside an HTML page, licence comments included.

    `</script` would end the page's own element, and a source map would be asked for in vain.

    Raises:
        BundleError: if the script is not there.
    """
    text = bundle_path().read_text(encoding="utf-8")
    return END_OF_SCRIPT.sub(r"<\\/\1", SOURCE_MAP.sub("", text))

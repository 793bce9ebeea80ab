"""What a section of the About page is made of: text alone, laid out by the page."""

from collections.abc import Iterable, Sequence
from typing import Any

Section = dict[str, Any]  # JSON-able


def section(
    name: str,
    heading: str,
    *,
    paragraphs: Iterable[str] = (),
    items: Iterable[str] = (),
    head: Sequence[str] = (),
    rows: Iterable[Sequence[str]] = (),
) -> Section:
    """A heading with what stands below it; no table where no row is given."""
    lines = [list(row) for row in rows]
    return {
        "id": name,
        "heading": heading,
        "paragraphs": list(paragraphs),
        "items": list(items),
        "table": {"head": list(head), "rows": lines} if lines else None,
    }

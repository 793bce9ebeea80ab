"""How values and comments are written in a TOML."""

import json


def quoted(text: str) -> str:
    """A TOML string: the escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def on_one_line(text: str) -> str:
    """A text for a comment: whatever would end the line is escaped."""
    return quoted(text)[1:-1]

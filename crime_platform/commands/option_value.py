"""What a person wrote behind an option, read by a function that knows nothing of options."""

from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def named_value(option: str, read: Callable[[str], Value], text: str) -> Value:
    """The value of an option.

    Raises:
        ValueError: if it cannot be read; the message names the option.
    """
    try:
        return read(text)
    except ValueError as error:
        raise ValueError(f"{option}: {error}") from error

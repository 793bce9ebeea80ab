"""What may be asked of a download, and the name of the file that answers it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request

if TYPE_CHECKING:
    import duckdb

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "geojson": "application/geo+json"}
CHOICES = {
    "cells": ("area", "type", "model", "month"),
    "backtest": ("area", "type", "model", "month"),
    "streets": ("area", "group", "model", "day"),
}
WORD = re.compile(r"[A-Za-z0-9_-]{1,80}")  # safe in a file name, and all that names are made of
NOT_FOUND, BAD_REQUEST = 404, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One download as it was asked for: of what, in which form, and what was chosen."""

    of: str  # a key of CHOICES
    form: str  # a key of MEDIA_TYPES
    chosen: Mapping[str, str]  # some keys of CHOICES[of]

    @property
    def file_name(self) -> str:
        """Of letters, digits, `_` and `-`."""
        given = [self.chosen[key] for key in CHOICES[self.of] if key in self.chosen]
        return f"{'-'.join([self.of, *given])}.{self.form}"


Download: TypeAlias = "Callable[[duckdb.DuckDBPyConnection, Wish], bytes]"


def wish_of(request: Request) -> Wish:
    """What a request to `/download/<name>` asks for.

    Raises:
        HTTPException: 404 for another name; 400 for a choice that it does not have, that is
            given twice, or that is no plain word.
    """
    of, _, form = request.path_params["name"].partition(".")
    if of not in CHOICES or form not in MEDIA_TYPES:
        named = f"{', '.join(CHOICES)}, each as {' or '.join(MEDIA_TYPES)}"
        raise HTTPException(NOT_FOUND, f"there is no such download; there are {named}")
    items = request.query_params.multi_items()
    chosen = dict(items)
    if "area" not in chosen or len(chosen) < len(items) or set(chosen) - set(CHOICES[of]):
        told = f"{of} are chosen by {', '.join(CHOICES[of])}, each at most once; area is needed"
        raise HTTPException(BAD_REQUEST, told)
    if not all(WORD.fullmatch(value) for value in chosen.values()):
        told = "a choice is one word of letters, digits, _ and -, at most 80 of them"
        raise HTTPException(BAD_REQUEST, told)
    return Wish(of=of, form=form, chosen=chosen)

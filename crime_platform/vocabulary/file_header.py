"""What a publisher's file calls its columns: kept, so that a changed layout can be told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileHeader:
    """The columns of one table, those that are never read included."""

    member: str  # the file, or archive.zip/member.csv
    columns: tuple[str, ...]  # as the publisher writes them, in the order of the file
    types: tuple[str, ...] = ()  # of each column, where the format states them; text files do not

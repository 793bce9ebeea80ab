"""What a report is made of: paragraphs, lists, tables, pictures and code, in sections.

Words and numbers are final here; a template only lays them out.
"""

from dataclasses import dataclass, field

MUTED, OFF, STRONG = "muted", "off", "strong"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Some sentences; a notice stands out."""

    text: str
    is_notice: bool = False
    kind: str = field(default="paragraph", init=False)


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]
    kind: str = field(default="bullets", init=False)


@dataclass(frozen=True, slots=True)
class Code:
    """A query to copy."""

    text: str
    kind: str = field(default="code", init=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture with what it shows, for who cannot see it, and what to read from it."""

    source: str  # data URI
    alt: str
    caption: str
    kind: str = field(default="picture", init=False)


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a table, with a smaller line below it where there is more to say."""

    text: str
    note: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table; the first cell names it."""

    cells: tuple[Cell, ...]
    is_marked: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Headings and rows under a caption; every column but the first `n_text` holds numbers."""

    caption: str
    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    n_text: int = 1
    muted: tuple[str, ...] = ()  # headings of columns that are shown and decide nothing
    kind: str = field(default="table", init=False)

    def __post_init__(self) -> None:
        wrong = [len(row.cells) for row in self.rows if len(row.cells) != len(self.headings)]
        if wrong:
            raise ValueError(
                f"{self.caption!r}: a row has {wrong[0]} cells under {len(self.headings)} headings"
            )


Part = Paragraph | Bullets | Code | Picture | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    anchor: str
    title: str
    parts: tuple[Part, ...]

"""What a report is made of: sections of paragraphs, key figures, tables and charts, already in words. Plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from portal.printing.logos import PrintedLogo
from sites.colours import HOUSE_LIGHT


@dataclass(frozen=True, slots=True)
class Paragraph:
    text: str
    kind: str = "paragraph"


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number in large type, what it counts, and how it was before."""

    value: str
    name: str
    change: str


@dataclass(frozen=True, slots=True)
class KeyFigures:
    figures: Sequence[KeyFigure]
    kind: str = "figures"


@dataclass(frozen=True, slots=True)
class Table:
    """`texts` are the first columns, which hold words; all others hold numbers."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 1
    kind: str = "table"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing whose title says what was found. The table holds the same numbers for those who don't see it."""

    title: str
    svg: str
    alt: str
    table: Table
    kind: str = "chart"


@dataclass(frozen=True, slots=True)
class DefinitionList:
    """Words and what they mean."""

    items: Sequence[tuple[str, str]]
    kind: str = "terms"


Block = Paragraph | KeyFigures | Table | Chart | DefinitionList


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """`when` is the period in words, `about` the network or all of them. `colophon` says how to make it again."""

    language: str
    town: str
    title: str
    when: str
    about: str
    made: str
    sections: Sequence[Section]
    colophon: Sequence[str] = field(default_factory=tuple)
    # What the table of contents is called.
    contents: str = ""
    # On paper: the logo and colour of the network, and who answers questions.
    logo: PrintedLogo | None = None
    accent: str = HOUSE_LIGHT
    contact: str = ""
    # A report has a cover and a table of contents; a short document begins with its title.
    cover: bool = True

"""The report as plain text, for a terminal and for those who read with their ears."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from portal.reports.document import Block, Chart, DefinitionList, Document, KeyFigures, Paragraph, Table

WIDTH = 100


def write(document: Document) -> str:
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"{document.title} · {document.town}"
    yield f"{document.when} · {document.about} · {document.made}"
    for section in document.sections:
        yield ""
        yield section.title.upper()
        for block in section.blocks:
            yield ""
            yield from _block(block)
    yield ""
    yield from document.colophon


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph():
            yield from textwrap.wrap(block.text, WIDTH)
        case KeyFigures():
            yield from (f"{one.value:>16}  {one.name}  {one.change}".rstrip() for one in block.figures)
        case Chart():
            yield block.title
            yield from _table(block.table)
        case Table():
            yield from _table(block)
        case DefinitionList():
            for term, meaning in block.items:
                yield from textwrap.wrap(f"{term}: {meaning}", WIDTH, subsequent_indent="  ")


def _table(table: Table) -> Iterator[str]:
    yield table.caption
    lines = [list(table.head), *map(list, table.rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.head))]
    for line in lines:
        cells = [
            cell.ljust(width) if column < table.texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()

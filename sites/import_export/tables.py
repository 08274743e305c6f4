"""CSV (RFC 4180) as people make it: comma, semicolon or tab, with or without a byte order mark, notes on top.

Cells that a spreadsheet would run as a formula are written with an apostrophe before, and read without it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gateways.sentences import Sentence
from sites.errors import ImportFault, RefusedImport
from sites.import_export.rows import Cell, ParsedRows, Row, as_text, line

SEPARATORS = ",;\t"
# Apostrophes count too: an apostrophe that was in the cell all along must survive the way there and back.
_RISKY = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
# Text that a spreadsheet takes for a date or a number, and changes: a pass 12-7, a number 007, one of 16 digits.
_TAKEN = re.compile(
    r"'*(?!\d{4}-\d\d-\d\d$)(?:\d{1,4}[-/.]\d{1,4}(?:[-/.]\d{1,4})?|0\d+|\d{16,}|\d+([.,]\d+)?[eE]\d+)"
)
# What some programs write so that a spreadsheet leaves a cell alone: ="007".
_HELD = re.compile(r'="([^"]*)"')
_SEPARATOR = re.compile(r"sep=(.)\r?\n", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def defuse(cell: str, *, excel: bool = False) -> str:
    """Make a cell harmless to spreadsheets (CWE-1236); plain negative numbers stay numbers.

    With `excel` also what Excel would take for a date or a number gets its apostrophe.
    """
    if _TAKEN.fullmatch(cell) and (excel or cell.startswith("'")):
        return f"'{cell}"
    return f"'{cell}" if _RISKY.match(cell) and not _NUMBER.fullmatch(cell) else cell


def undefuse(cell: str) -> str:
    if cell.startswith("'") and _TAKEN.fullmatch(cell):
        return cell[1:]
    return cell[1:] if _DEFUSED.match(cell) else cell


def _written(cell: Cell, *, excel: bool) -> str:
    return defuse(as_text(cell), excel=excel and isinstance(cell, str))


def write_table(names: Sequence[str], records: Iterable[Mapping[str, Cell]], *, excel: bool = False) -> bytes:
    """Write CSV in UTF-8. `excel`: as a French Excel opens it by double click, with semicolons and a mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if excel else ",", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([_written(record[name], excel=excel) for name in names] for record in records)
    return out.getvalue().encode("utf-8-sig" if excel else "utf-8")


def stream_table(
    names: Sequence[str], records: Iterable[Mapping[str, Cell]], *, note: str, at_once: int = 500
) -> Iterator[bytes]:
    """The same as a French Excel opens it, piece by piece, for records without end. `note` stands on top, after a #."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    out.write(f"\ufeff# {' '.join(note.split())}\r\n")
    writer.writerow(names)
    for number, record in enumerate(records, start=1):
        writer.writerow([_written(record[name], excel=True) for name in names])
        if number % at_once == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def read_table(text: str, *, literal: bool = False) -> ParsedRows:
    """Read a table whose first line, after notes that begin with #, names the columns.

    Rows without anything in them are left out. A row that is shorter than the header says nothing of the columns at
    its end, as Excel leaves them out when they are empty. The apostrophes that `defuse` writes are taken away again,
    unless the cells are `literal`.
    """
    text, whole = text.removeprefix("\ufeff"), text.endswith(("\n", "\r"))
    notes = 0
    while text.startswith(("#", "\n", "\r\n")):
        notes, text = notes + 1, text.partition("\n")[2]
    said = _SEPARATOR.match(text)
    if said:
        notes, text = notes + 1, text[said.end() :]
    separator = said[1] if said else max(SEPARATORS, key=text.partition("\n")[0].count)
    records = _records(text, separator, notes)
    head, names = next(records, (notes + 1, []))
    names = [name.strip().lower() for name in names]
    while names and not names[-1]:
        names.pop()
    where = line(head)
    if not names:
        raise RefusedImport(
            [ImportFault(where, None, Sentence("the file is empty: the first line names the columns"))]
        )
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedImport(
            [ImportFault(where, name, Sentence("this column is there twice")) for name in twice]
        )
    rows: list[Row] = []
    faults: list[ImportFault] = []
    short: Row | None = None
    try:
        for number, cells in records:
            row = _take(names, number, [_released(cell, literal=literal) for cell in cells], faults)
            rows += [row] if row else []
            short = row if row and len(row.cells) < len(names) else None
    except _BrokenTable as broken:
        faults.append(
            ImportFault(
                line(broken.line), None, Sentence("cannot be read on from here: a quotation mark is missing")
            )
        )
    if short and not whole:
        faults.append(
            ImportFault(
                short.where,
                None,
                Sentence(
                    "the file is cut off here: %(count)s cells of %(columns)s",
                    count=len(short.cells),
                    columns=len(names),
                ),
            )
        )
    return ParsedRows(rows, faults, head=where, names=tuple(names))


class _BrokenTable(Exception):
    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def _records(text: str, separator: str, notes: int) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line it begins on: one with line breaks inside quotes covers several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    while True:
        line = notes + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _BrokenTable(line, str(error)) from error
        yield line, cells


def _take(names: list[str], number: int, cells: list[str], faults: list[ImportFault]) -> Row | None:
    if not any(cell.strip() for cell in cells):
        return None
    while len(cells) > len(names) and not cells[-1].strip():
        cells.pop()
    if len(cells) > len(names):
        faults.append(
            ImportFault(
                line(number),
                None,
                Sentence("%(count)s cells for %(columns)s columns", count=len(cells), columns=len(names)),
            )
        )
        return None
    return Row(line(number), dict(zip(names, cells, strict=False)))


def _released(cell: str, *, literal: bool) -> str:
    """Without what keeps a spreadsheet from taking the cell for something else: another program's way, or ours."""
    held = _HELD.fullmatch(cell)
    if held:
        return held[1]
    return cell if literal else undefuse(cell)

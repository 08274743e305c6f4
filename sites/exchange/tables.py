"""CSV (RFC 4180) as people make it: comma, semicolon or tab, with or without a byte order mark, notes on top.

Cells that a spreadsheet would run as a formula are written with an apostrophe before, and read without it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sites.errors import Fault, RefusedImport
from sites.exchange.rows import Cell, Row, Rows, as_text

SEPARATORS = ",;\t"
# Apostrophes count too: an apostrophe that was in the cell all along must survive the way there and back.
_RISKY = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r\n＝＋－＠]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def defuse(cell: str) -> str:
    """Make a cell harmless to spreadsheets (CWE-1236); plain negative numbers stay numbers."""
    return f"'{cell}" if _RISKY.match(cell) and not _NUMBER.fullmatch(cell) else cell


def undefuse(cell: str) -> str:
    return cell[1:] if _DEFUSED.match(cell) else cell


def write_table(names: Sequence[str], records: Iterable[Mapping[str, Cell]], *, excel: bool = False) -> bytes:
    """Write CSV in UTF-8. `excel`: as a French Excel opens it by double click, with semicolons and a mark."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if excel else ",", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([defuse(as_text(record[name])) for name in names] for record in records)
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
        writer.writerow([defuse(as_text(record[name])) for name in names])
        if number % at_once == 0:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def read_table(text: str) -> Rows:
    """Read a table whose first line, after notes that begin with #, names the columns."""
    notes = 0
    while text.startswith(("#", "\n", "\r\n")):
        notes, text = notes + 1, text.partition("\n")[2]
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    records = _records(text, separator, notes)
    head, names = next(records, (notes + 1, []))
    names = [name.strip().lower() for name in names]
    while names and not names[-1]:
        names.pop()
    where = f"line {head}"
    if not names:
        raise RefusedImport([Fault(where, None, "the file is empty: the first line names the columns")])
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise RefusedImport([Fault(where, name, "this column is there twice") for name in twice])
    rows: list[Row] = []
    faults: list[Fault] = []
    try:
        for line, cells in records:
            _take(names, line, cells, rows, faults)
    except _BrokenTable as broken:
        faults.append(Fault(f"line {broken.line}", None, f"cannot be read on from here: {broken}"))
    return Rows(rows, faults, head=where)


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


def _take(names: list[str], line: int, cells: list[str], rows: list[Row], faults: list[Fault]) -> None:
    if not any(cells):
        return
    while len(cells) > len(names) and not cells[-1]:
        cells.pop()
    if len(cells) != len(names):
        faults.append(Fault(f"line {line}", None, f"{len(cells)} cells for {len(names)} columns"))
        return
    rows.append(Row(f"line {line}", dict(zip(names, map(undefuse, cells), strict=True))))

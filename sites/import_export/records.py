"""One way in and one way out for every kind of record: read all, judge all, and only then write anything."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from gateways.sentences import Sentence, reason_of
from sites.errors import ImportFault, RefusedImport
from sites.import_export import history
from sites.import_export.features import read_features, write_features
from sites.import_export.history import Cells
from sites.import_export.rows import FILE, ParsedRows, Row, as_cell, as_text, decode
from sites.import_export.spoiled import check_cell
from sites.import_export.tables import read_table, write_table

REQUIRED: Final = object()
MOST_ALIKE = 3
# What QGIS, PostGIS and ArcGIS add to a layer by themselves: the number of a row in that program.
NUMBERS_OF_PROGRAMS = frozenset({"fid", "ogc_fid", "gid", "objectid"})

Values = dict[str, Any]


class FileFormat(enum.StrEnum):
    """`EXCEL` is CSV as a French Excel opens it by double click."""

    CSV = "csv"
    EXCEL = "excel"
    GEOJSON = "geojson"


@dataclass(frozen=True, slots=True)
class Column:
    """`read` raises ValueError with the reason. A new record without this column has `default`."""

    read: Callable[[str], Any]
    default: Any = REQUIRED


@dataclass(frozen=True, slots=True)
class Change:
    """What a row makes of a record: its values before (None: there is none yet) and after."""

    where: str
    key: str
    before: Values | None
    after: Values

    @property
    def columns(self) -> list[str]:
        """The columns in which a record differs afterwards; of a new one, those that are not empty."""
        before = self.before or {}
        return [name for name in self.after if cell_of(self.after, name) != cell_of(before, name)]

    @property
    def cells_before(self) -> Cells | None:
        """What those columns held before, as cells of a table; None for a new record."""
        if self.before is None:
            return None
        return {name: cell_of(self.before, name) for name in self.columns}

    @property
    def cells_after(self) -> Cells:
        return {name: cell_of(self.after, name) for name in self.columns}


@dataclass(frozen=True, slots=True)
class Records:
    """A kind of record: its key, its columns, how it is read from the database, judged, and written.

    `name` is what its history, its pages and its commands call it: "networks".
    """

    name: str
    key: str
    column: Callable[[str], Column | None]
    names: Callable[[Mapping[str, Values]], Sequence[str]]
    current: Callable[[Session], dict[str, Values]]
    judge: Callable[[Session, Sequence[Change]], Iterator[ImportFault]]
    # Gives the credentials it had to make, by key.
    write: Callable[[Session, Sequence[Change]], dict[str, str]]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The keys of what an import did. `credentials`, of new gateways, can be shown only now."""

    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        return len(self.created) + len(self.changed) + len(self.unchanged)


def import_records(
    db: Session,
    records: Records,
    content: bytes | Sequence[Row],
    *,
    by: str,
    now: datetime,
    only_new: bool = False,
    undoes: int | None = None,
) -> ImportResult:
    """Take a CSV or GeoJSON file in, or the rows of a form, by their records' keys. Columns that are left out stay.

    Nothing is written unless everything is right: raises RefusedImport with all faults. `only_new` leaves
    records that exist as they are. What has changed is in the history then, as done by `by`; `undoes` is the change
    there that this one takes back.
    """
    rows = read_rows(content)
    changes = judge_rows(db, records, rows, only_new=only_new)
    work = [change for change in changes if change.before != change.after]
    credentials = records.write(db, work)
    db.flush()
    for change in work:
        before, after = change.cells_before, change.cells_after
        history.add(db, records.name, change.key, before, after, by=by, now=now, undoes=undoes)
    created = tuple(change.key for change in work if change.before is None)
    changed = tuple(change.key for change in work if change.before is not None)
    touched = {*created, *changed}
    seen = [row.cells[records.key].strip() for row in rows.rows]
    unchanged = tuple(key for key in seen if key not in touched)
    return ImportResult(created, changed, unchanged, credentials)


def judge_rows(
    db: Session, records: Records, content: bytes | ParsedRows | Sequence[Row], *, only_new: bool = False
) -> list[Change]:
    """What these rows would do, those that change nothing included. Raises RefusedImport with all faults."""
    rows = content if isinstance(content, ParsedRows) else read_rows(content)
    current = records.current(db)
    faults = list(rows.faults)
    changes = _changes(records, rows, current, faults)
    if only_new:
        changes = [change for change in changes if change.before is None]
    faults.extend(records.judge(db, changes))
    if faults:
        raise RefusedImport(told_once(sorted(faults, key=_place)))
    return changes


def current_cells(db: Session, records: Records) -> dict[str, Cells]:
    """Every record as the cells of a table, by its key, in order of the keys."""
    current = records.current(db)
    return {key: {name: cell_of(current[key], name) for name in current[key]} for key in sorted(current)}


def values_of(records: Records, cells: Cells) -> Values | None:
    """The values of one record with these cells, others at their defaults; None where a cell makes no sense."""
    values = _defaults(records, {"": dict(cells)})
    try:
        for name, text in cells.items():
            column = records.column(name)
            if column is not None:
                is_empty = not text.strip() and column.default is not REQUIRED
                values[name] = column.default if is_empty else column.read(text)
    except ValueError:
        return None
    return None if REQUIRED in values.values() else values


def cell_of(values: Mapping[str, Any], name: str) -> str:
    """The text of one cell."""
    return as_text(as_cell(values.get(name)))


def export_records(db: Session, records: Records, form: FileFormat = FileFormat.CSV) -> bytes:
    """Write all records of a kind, in order of their keys, as one that `import_records` takes unchanged."""
    current = records.current(db)
    names = records.names(current)
    cells = [{name: as_cell(current[key].get(name)) for name in names} for key in sorted(current)]
    if form is FileFormat.GEOJSON:
        return write_features(cells)
    return write_table(names, cells, excel=form is FileFormat.EXCEL)


def read_rows(content: bytes | Sequence[Row]) -> ParsedRows:
    """The rows of a file, or those of a form as they are. Raises RefusedImport."""
    if not isinstance(content, bytes):
        return ParsedRows(content)
    text = decode(content)
    return read_features(text) if text.lstrip().startswith(("{", "[")) else read_table(text)


def _changes(
    records: Records, rows: ParsedRows, current: Mapping[str, Values], faults: list[ImportFault]
) -> list[Change]:
    columns = _columns(records, rows, current, faults)
    if rows.names and records.key not in rows.names:
        faults.append(
            ImportFault(
                rows.head or FILE,
                records.key,
                no_column((), records.names(current)),
            )
        )
    # A text in a language that a record does not have is no change from an empty cell.
    absent = {name: column.default for name, column in columns.items() if column.default is not REQUIRED}
    first: dict[str, str] = {}
    changes = []
    for row in rows.rows:
        values = _values(row, columns, faults)
        if records.key not in row.cells:
            if not rows.names or records.key in rows.names:
                faults.append(ImportFault(row.where, records.key, Sentence("is missing")))
            continue
        key = values.get(records.key, REQUIRED)
        if key is REQUIRED:
            continue
        if key in first:
            faults.append(
                ImportFault(
                    row.where,
                    records.key,
                    Sentence("%(key)s is already on %(first)s", key=key, first=first[key]),
                )
            )
            continue
        first[key] = row.where
        before = absent | current[key] if key in current else None
        start = _defaults(records, current) if before is None else before
        after = start | values
        missing = [name for name, value in after.items() if value is REQUIRED and name not in row.cells]
        faults.extend(ImportFault(row.where, name, Sentence("is missing")) for name in missing)
        if REQUIRED not in after.values():
            changes.append(Change(row.where, key, before, after))
    return changes


def _columns(
    records: Records, rows: ParsedRows, current: Mapping[str, Values], faults: list[ImportFault]
) -> dict[str, Column]:
    """The columns that the file uses; a name nobody knows is a fault, once."""
    columns = {}
    unknown: dict[str, str] = {}
    for row in rows.rows or [Row(rows.head or FILE, dict.fromkeys(rows.names, ""))]:
        for name in row.cells:
            if name in columns or name in unknown:
                continue
            column = records.column(name)
            if column is not None:
                columns[name] = column
            elif name not in NUMBERS_OF_PROGRAMS:
                unknown[name] = rows.head or row.where
    known = records.names(current)
    if len(unknown) > MOST_ALIKE:
        names = ", ".join(name[:40] for name in unknown)
        where = next(iter(unknown.values()))
        faults.append(
            ImportFault(
                where,
                None,
                Sentence(
                    "there are no columns %(names)s; the columns are %(known)s",
                    names=names,
                    known=", ".join(known),
                ),
            )
        )
        return columns
    for name, where in unknown.items():
        near = difflib.get_close_matches(name, known, n=1)
        faults.append(ImportFault(where, name[:40], no_column(near)))
    return columns


def _values(row: Row, columns: Mapping[str, Column], faults: list[ImportFault]) -> Values:
    values = {}
    for name, text in row.cells.items():
        if name not in columns:
            continue
        try:
            # Half a surrogate pair, or a NUL that JSON smuggled in, can be stored by no database.
            if "\0" in text or not _is_text(text):
                raise ValueError(Sentence("holds what is no character"))
            check_cell(text)
            default = columns[name].default
            empty = not text.strip() and default is not REQUIRED
            values[name] = default if empty else columns[name].read(text)
        except ValueError as error:
            faults.append(ImportFault(row.where, name, reason_of(error)))
            # The row goes no further, but its key still counts against a second one.
            values[name] = REQUIRED
    return values


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _defaults(records: Records, current: Mapping[str, Values]) -> Values:
    columns = {name: records.column(name) for name in records.names(current)}
    return {name: column.default for name, column in columns.items() if column is not None}


def no_column(near: Sequence[str], known: Sequence[str] = ()) -> Sentence:
    """What is wrong with the name of a column that nobody knows: with the one it is `near` to, else all there are."""
    if near:
        return Sentence("there is no such column; is it %(near)s?", near=near[0])
    if known:
        return Sentence("there is no such column; the columns are %(known)s", known=", ".join(known))
    return Sentence("there is no such column")


def told_once(faults: Sequence[ImportFault]) -> list[ImportFault]:
    """What is wrong in the same way in many rows is said once, with how many."""
    alike: dict[tuple[str | None, str], list[ImportFault]] = {}
    for fault in faults:
        alike.setdefault((fault.column, fault.reason), []).append(fault)
    condensed = []
    for same in alike.values():
        first = same[0]
        if len(same) > MOST_ALIKE:
            where = Sentence("%(where)s and %(count)s more", where=first.where, count=len(same) - 1)
            condensed.append(ImportFault(where, first.column, first.reason))
        else:
            condensed += same
    return sorted(condensed, key=_place)


def _place(fault: ImportFault) -> tuple[int, str]:
    number = fault.where.removesuffix(" more").partition(" and ")[0].rpartition(" ")[2]
    return (int(number) if number.isdigit() else 0, fault.where)

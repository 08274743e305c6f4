"""Read a library's list of cards (CSV) into the local patron table: all of it, or nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.credentials import check_login, check_secret, normalise_login
from auth.errors import WrongCredentials
from auth.patrons import PatronRecord, hash_secret, opens

COLUMNS = ("card", "pin", "category", "expires_on", "blocked")
_REQUIRED = ("card", "pin")
_YES, _NO = frozenset({"true", "yes", "1", "oui"}), frozenset({"", "false", "no", "0", "non"})


@dataclass(frozen=True, slots=True)
class BadRow:
    """`line` is the line of the file, counted from 1; `reason` never holds a PIN."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class RefusedImport(Exception):
    """Nothing was imported. `faults` names every bad row."""

    def __init__(self, faults: tuple[BadRow, ...]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Row:
    card: str
    pin: str
    category: str | None
    expires_on: date | None
    blocked: bool


def import_patrons(db: Session, text: str) -> Imported:
    """Add the cards of `text` and update those that are there; cards that it does not name stay as they are.

    The header names the columns ``card,pin,category,expires_on,blocked`` (comma or semicolon; the last
    three may be missing). Idempotent. Raises `RefusedImport` before anything is written. Takes about 20 ms
    for each card, because each PIN is hashed or compared.
    """
    rows = _read(text)
    known = {record.card: record for record in db.scalars(select(PatronRecord))}
    added = changed = 0
    for row in rows:
        record = known.get(row.card)
        if record is None:
            db.add(_record(row))
            added += 1
        elif _update(record, row):
            changed += 1
    db.flush()
    return Imported(added, changed, len(rows) - added - changed)


def _record(row: _Row) -> PatronRecord:
    return PatronRecord(
        card=row.card,
        secret_hash=hash_secret(row.pin),
        category=row.category,
        expires_on=row.expires_on,
        blocked=row.blocked,
    )


def _update(record: PatronRecord, row: _Row) -> bool:
    """Bring the record up to the row; True if it differed."""
    same_pin = opens(record.secret_hash, row.pin)
    before = (record.category, record.expires_on, record.blocked)
    after = (row.category, row.expires_on, row.blocked)
    if same_pin and before == after:
        return False
    if not same_pin:
        record.secret_hash = hash_secret(row.pin)
    record.category, record.expires_on, record.blocked = after
    return True


def _read(text: str) -> list[_Row]:
    faults: list[BadRow] = []
    rows: list[_Row] = []
    lines: dict[str, int] = {}
    for line, cells in _cells(text):
        reasons, row = _row(cells) if "" not in cells else (["it has more cells than the header"], None)
        if row is not None and row.card in lines:
            reasons.append(f"the card is on line {lines[row.card]} already")
        faults += [BadRow(line, reason) for reason in reasons]
        if row is not None:
            lines.setdefault(row.card, line)
            rows.append(row)
    if faults:
        raise RefusedImport(tuple(faults))
    return rows


def _cells(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows with their line numbers. Raises `RefusedImport` if the file has not the form of one."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    # French spreadsheets write semicolons.
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, restkey="")
    try:
        reader.fieldnames = names = [name.strip().lower() for name in reader.fieldnames or ()]
        if fault := _header_fault(names):
            raise RefusedImport((BadRow(1, fault),))
        for cells in reader:
            # Cells beyond the header stand under the empty name, as a list.
            yield reader.line_num, {name: str(value or "").strip() for name, value in cells.items()}
    except csv.Error as error:
        raise RefusedImport((BadRow(reader.line_num, f"it is not CSV: {error}"),)) from error


def _header_fault(names: list[str]) -> str | None:
    if unknown := [name for name in names if name not in COLUMNS]:
        return f"the header holds {', '.join(map(repr, unknown))}; it may hold {','.join(COLUMNS)}"
    if missing := [name for name in _REQUIRED if name not in names]:
        return f"the header lacks {' and '.join(missing)}"
    return "the header names a column twice" if len(set(names)) != len(names) else None


def _row(cells: dict[str, str]) -> tuple[list[str], _Row | None]:
    """What is wrong with the row, and the row if nothing is."""
    reasons = []
    card, pin = cells["card"], cells["pin"]
    for check, value, name in ((check_login, card, "card"), (check_secret, pin, "pin")):
        try:
            check(value)
        except WrongCredentials:
            reasons.append(f"the {name} is empty, too long or holds invisible characters")
    ends, blocked = cells.get("expires_on", ""), cells.get("blocked", "").lower()
    try:
        expires_on = date.fromisoformat(ends) if ends else None
    except ValueError:
        expires_on = None
        reasons.append(f"expires_on is {ends[:20]!r}, not a date such as 2027-08-31")
    if blocked not in _YES | _NO:
        reasons.append(f"blocked is {blocked[:20]!r}, neither true nor false")
    category = cells.get("category") or None
    if category is not None and len(category) > 64:
        reasons.append("the category is longer than 64 characters")
    if reasons:
        return reasons, None
    return [], _Row(normalise_login(card), pin, category, expires_on, blocked in _YES)

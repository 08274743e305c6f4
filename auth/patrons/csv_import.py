"""Read a library's list of cards (CSV) into the local patron table: all of it, or nothing."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.errors import WrongCredentials
from auth.patrons.local import PatronRecord, hash_secret, opens
from auth.patrons.login_names import check_login, check_secret, normalise_login
from gateways.sentences import Sentence, reason_of
from sites.errors import ImportFault, RefusedImport
from sites.import_export import cells, spoiled
from sites.import_export.records import no_column, told_once
from sites.import_export.rows import ParsedRows, Row
from sites.import_export.tables import read_table

COLUMNS = ("card", "pin", "category", "expires_on", "blocked")
_REQUIRED = ("card", "pin")
# How long the numbers of a column are at least before a shorter one is suspected of having lost its zeros.
_LENGTHS = {"card": 6, "pin": 4}
# An apostrophe that somebody typed so that a spreadsheet keeps the number as text, and that another program kept.
_HELD = re.compile(r"'(?=\d)")


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Row:
    card: str
    pin: str = field(repr=False)
    category: str | None
    expires_on: date | None
    blocked: bool


@dataclass(frozen=True, slots=True)
class PreparedCard:
    """A row, and the hash of its PIN: None where the card has that PIN already."""

    row: _Row
    secret_hash: str | None = field(repr=False)


def import_patrons(db: Session, text: str, *, allow_short: bool = False) -> Imported:
    """Add the cards of `text` and update those that are there; cards that it does not name stay as they are.

    The header names the columns ``card,pin,category,expires_on,blocked`` (comma, semicolon or tab; the last three may
    be missing). `allow_short` takes numbers that look as if a spreadsheet had dropped their first zeros. Idempotent.
    Raises `RefusedImport` before anything is written; no fault holds a PIN. Takes about 20 ms for each card, because
    each PIN is hashed or compared.
    """
    return write(db, prepare(db, text, allow_short=allow_short))


def prepare(db: Session, text: str, *, allow_short: bool = False) -> list[PreparedCard]:
    """The slow half of `import_patrons`, which only reads: each PIN is hashed or compared."""
    rows = _read(text, allow_short=allow_short)
    known = {record.card: record.secret_hash for record in db.scalars(select(PatronRecord))}
    return [PreparedCard(row, _new_hash(known.get(row.card), row.pin)) for row in rows]


def _new_hash(known: str | None, pin: str) -> str | None:
    return None if known is not None and opens(known, pin) else hash_secret(pin)


def write(db: Session, cards: Sequence[PreparedCard]) -> Imported:
    """The other half, which takes no time."""
    known = {record.card: record for record in db.scalars(select(PatronRecord))}
    added = changed = 0
    for card in cards:
        record = known.get(card.row.card)
        if record is None:
            db.add(_record(card))
            added += 1
        elif _update(record, card):
            changed += 1
    db.flush()
    return Imported(added, changed, len(cards) - added - changed)


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a file would do, as far as can be told without trying a PIN: cards that are new, those that are there with
    other particulars, and those whose PIN alone may be another."""

    added: int
    changed: int
    known: int

    @property
    def cards(self) -> int:
        return self.added + self.changed + self.known


def foresee(db: Session, text: str, *, allow_short: bool = False) -> Foreseen:
    """What `import_patrons` would do with the same arguments. Nothing is written and nothing hashed."""
    rows = _read(text, allow_short=allow_short)
    known = {record.card: record for record in db.scalars(select(PatronRecord))}
    there = [(known[row.card], row) for row in rows if row.card in known]
    changed = sum(_particulars(record) != _particulars(row) for record, row in there)
    return Foreseen(len(rows) - len(there), changed, len(there) - changed)


def _particulars(card: PatronRecord | _Row) -> tuple[str | None, date | None, bool]:
    return card.category, card.expires_on, card.blocked


def _record(card: PreparedCard) -> PatronRecord:
    row = card.row
    return PatronRecord(
        card=row.card,
        # One that was deleted since it was prepared has no hash: made here then.
        secret_hash=card.secret_hash or hash_secret(row.pin),
        category=row.category,
        expires_on=row.expires_on,
        blocked=row.blocked,
    )


def _update(record: PatronRecord, card: PreparedCard) -> bool:
    """Bring the record up to the row; True if it differed."""
    before, after = _particulars(record), _particulars(card.row)
    if card.secret_hash is None and before == after:
        return False
    if card.secret_hash is not None:
        record.secret_hash = card.secret_hash
    record.category, record.expires_on, record.blocked = after
    return True


def _read(text: str, *, allow_short: bool) -> list[_Row]:
    # A PIN may well begin with an apostrophe and a sign: nothing is taken away from it.
    table = read_table(text, literal=True)
    faults = [*_header_faults(table), *table.faults]
    if any(fault.where == table.head for fault in faults):
        raise RefusedImport(faults)
    rows: list[_Row] = []
    lines: dict[str, str] = {}
    for found in table.rows:
        row = _row(found, faults)
        if row is not None and (first := lines.setdefault(row.card, found.where)) != found.where:
            faults.append(ImportFault(found.where, "card", Sentence("is on %(first)s already", first=first)))
        rows += [row] if row is not None else []
    faults += _lost(table.rows, allow_short=allow_short)
    if faults:
        raise RefusedImport(told_once(faults))
    return rows


def _header_faults(table: ParsedRows) -> Iterator[ImportFault]:
    head = table.head or Sentence("file")
    for name in table.names:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, n=1)
            yield ImportFault(head, name[:40], no_column(near, COLUMNS))
    for name in _REQUIRED:
        if name not in table.names:
            hint = (
                Sentence("this column is missing: put commas, semicolons or tabs between the columns")
                if len(table.names) == 1
                else Sentence("this column is missing, and it is needed")
            )
            yield ImportFault(head, name, hint)


def _row(found: Row, faults: list[ImportFault]) -> _Row | None:
    """The row, or None and its faults."""
    before = len(faults)

    def read(name: str, reading: Callable[[str], object]) -> object:
        text = found.cells.get(name, "").strip()
        try:
            spoiled.check_cell(text)
            return reading(text)
        except ValueError as error:
            faults.append(ImportFault(found.where, name, reason_of(error)))
            return None

    card, pin = read("card", _card), read("pin", _pin)
    category = read("category", cells.line_of_text(64))
    expires_on, blocked = read("expires_on", cells.day), read("blocked", cells.yes_or_no)
    if len(faults) > before:
        return None
    assert isinstance(card, str) and isinstance(pin, str)
    assert expires_on is None or isinstance(expires_on, date)
    return _Row(card, pin, str(category or "") or None, expires_on, bool(blocked))


def _card(text: str) -> str:
    text = _HELD.sub("", text, count=1) if text.startswith("'") else text
    spoiled.check_identifier(text)
    try:
        return normalise_login(check_login(text))
    except WrongCredentials:
        raise ValueError(Sentence("is empty, too long or holds invisible characters")) from None


def _pin(text: str) -> str:
    spoiled.check_secret(text)
    try:
        return check_secret(text)
    except WrongCredentials:
        raise ValueError(Sentence("is empty, too long or holds invisible characters")) from None


def _lost(rows: Sequence[Row], *, allow_short: bool) -> Iterator[ImportFault]:
    """Numbers that a spreadsheet made shorter, or rounded, as only the whole column shows."""
    for name, least in _LENGTHS.items():
        texts = [row.cells.get(name, "").strip() for row in rows]
        if reason := spoiled.lost_digits(texts):
            yield ImportFault(Sentence("file"), name, reason)
        found = None if allow_short else spoiled.lost_zeros(texts, least_length=least)
        if found is None:
            continue
        usual, short = found
        for place in sorted(short):
            reason = Sentence(
                "is shorter than the %(usual)s digits of nearly all others: zeros at its beginning were lost",
                usual=usual,
            )
            yield ImportFault(
                rows[place].where,
                name,
                Sentence("%(reason)s; if it is right, import with --allow-short", reason=reason),
            )

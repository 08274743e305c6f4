"""What somebody does to the audit log who has the database and knows how it is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from auth.audit import chain, log, signatures
from auth.audit.log import AuditEntry
from auth.audit.signatures import AuditSeals
from config import Secret
from db.engine import SessionMaker
from tests.actors import enter
from tests.clock import NOON

TRIGGERS = (
    "trail_no_update",
    "trail_salt_once",
    "trail_no_delete",
    "trail_links_no_update",
    "trail_links_no_delete",
    "trail_seals_no_update",
    "trail_seals_no_delete",
)


SECRET = Secret("a secret of the installation, long enough")


def sealed(make_session: SessionMaker) -> SessionMaker:
    """The sessions of a portal: their entries bear seals, and they can check them."""
    make_session.configure(info={signatures.INFO: AuditSeals(SECRET)})
    return make_session


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """A transaction without the triggers."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for name in TRIGGERS:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        yield connection


def write(make_session: SessionMaker, count: int, *, at: datetime = NOON) -> None:
    for _ in range(count):
        with make_session.begin() as db:
            deed(db, at=at)


def deed(db: Session, *, at: datetime = NOON, actor: str = "cem") -> AuditEntry:
    last = db.scalar(text("SELECT last FROM trail_head")) or 0
    return enter(db, actor=actor, action="issued", object=f"batch:{last + 1}", detail={"count": last}, now=at)


def renumber(connection: Connection, table: str, *, above: int, by: int) -> None:
    """Move the numbers above one of them up or down, in the order that no two ever meet."""
    order = "DESC" if by > 0 else "ASC"
    numbers = connection.scalars(
        text(f"SELECT number FROM {table} WHERE number > :above ORDER BY number {order}"), {"above": above}
    ).all()
    for number in numbers:
        connection.execute(
            text(f"UPDATE {table} SET number = :new WHERE number = :old"), {"new": number + by, "old": number}
        )


def forge(engine: Engine, *, start: int) -> None:
    """Compute the chain anew from one entry on, as the program itself would: nothing in it shows."""
    with unguarded(engine) as connection, Session(connection) as db:
        before = chain.NOTHING
        for entry in db.query(AuditEntry).order_by(AuditEntry.number):
            link = db.get_one(chain.AuditLink, entry.number)
            if entry.number >= start:
                entry.canonical = log.canonical(entry)
                link.content_digest = chain.content_digest(entry.salt or b"", entry.canonical)
                link.entry_hash = chain.entry_hash(before, entry.number, link.content_digest)
            before = link.entry_hash
        db.execute(text("UPDATE trail_head SET hash = :hash"), {"hash": before})
        db.commit()

"""The audit log: who did what to what, and when, written in the same transaction as the deed itself.

Rows are only ever added. The numbers have no gaps, because they are drawn from one row that stays locked until the
deed is committed: a missing number is a missing row. Each entry's link (`auth.audit.chain`) covers its canonical
bytes and the link before, so that nothing can be changed, taken out or put in without a trace
(`auth.audit.verification`); its seal (`auth.audit.signatures`) can be made only with the installation's secret.

Triggers in the database refuse every other statement, but one: what is older than its term may be deleted, once the
trail itself says so (`auth.audit.purge`). Its link stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from sqlalchemy import LargeBinary, Row, String, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from auth.audit import actions, chain, signatures
from auth.audit.actions import AuditAction
from auth.audit.actor import Actor
from auth.audit.append_only import ABORT, REFUSE, run_after_create
from auth.audit.chain import AuditLink
from db.base import Base, Json

Plain = str | int | bool | None
Detail = Mapping[str, Plain | Sequence[Plain]]

# Entries about purges are kept for ever: they name no person, and without them the rest proves nothing. So are entries
# about changes of retention periods: a shortened period must not delete the record of its own shortening.
KEPT = tuple(action.key for action in actions.ACTIONS.values() if action.stays)


class AuditEntry(Base):
    """One deed. `object` names what it was done to, as "batch:12" or "staff:3"."""

    __tablename__ = "trail"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str] = mapped_column(String(80), index=True)
    action: Mapped[str] = mapped_column(String(40))
    object: Mapped[str] = mapped_column(String(80), index=True)
    # The network it concerns, so that staff of one network read their own part; empty where it concerns none.
    network: Mapped[str | None] = mapped_column(String(64), index=True)
    detail: Mapped[dict[str, Plain | list[Plain]]] = mapped_column(Json)
    canonical: Mapped[bytes] = mapped_column(LargeBinary)
    # Deleted with the content: without it, guesses cannot be tested against the digest that stays.
    salt: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class AuditHead(Base):
    """The last number given, up to where the chain goes and its last hash, up to where it may be purged. One row."""

    __tablename__ = "trail_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]
    linked: Mapped[int] = mapped_column(server_default="0")
    hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    purged_to: Mapped[int] = mapped_column(server_default="0")


_CONTENT = "number, at, actor, action, object, network, detail, canonical"
_KEPT = f"OLD.action IN {KEPT!r} OR OLD.number > COALESCE((SELECT purged_to FROM trail_head WHERE id = 1), 0)"
APPEND_ONLY = {
    "sqlite": (
        f"CREATE TRIGGER trail_no_update BEFORE UPDATE OF {_CONTENT} ON trail {ABORT}",
        f"CREATE TRIGGER trail_salt_once BEFORE UPDATE OF salt ON trail WHEN OLD.salt IS NOT NULL {ABORT}",
        f"CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail WHEN {_KEPT} {ABORT}",
    ),
    "postgresql": (
        REFUSE,
        "CREATE FUNCTION trail_purge_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {_KEPT} THEN RAISE EXCEPTION 'the trail is append-only'; END IF; RETURN OLD; END $$",
        f"CREATE TRIGGER trail_no_update BEFORE UPDATE OF {_CONTENT} ON trail "
        "FOR EACH ROW EXECUTE FUNCTION trail_append_only()",
        "CREATE TRIGGER trail_salt_once BEFORE UPDATE OF salt ON trail "
        "FOR EACH ROW WHEN (OLD.salt IS NOT NULL) EXECUTE FUNCTION trail_append_only()",
        "CREATE TRIGGER trail_no_delete BEFORE DELETE ON trail FOR EACH ROW EXECUTE FUNCTION trail_purge_only()",
    ),
}
run_after_create(AuditEntry, APPEND_ONLY)


def append(
    db: Session,
    action: AuditAction,
    object: str,
    *,
    actor: Actor,
    now: datetime,
    detail: Detail | None = None,
    network: str | None = None,
) -> AuditEntry:
    """Write an entry, in the caller's transaction; raises `ValueError` where the action is not done to such an object.

    Services call it last: the lock on the numbers is held from here to the commit.
    """
    if actions.kind_of(object) not in action.objects:
        raise ValueError(f"{action.key!r} is not done to {object!r}")
    return _write(
        db, actor=actor.name, action=action.key, object=object, now=now, detail=detail, network=network
    )


def _write(
    db: Session,
    *,
    actor: str,
    action: str,
    object: str,
    now: datetime,
    detail: Detail | None = None,
    network: str | None = None,
) -> AuditEntry:
    head = _next_number(db)
    facts = {key: list(value) if isinstance(value, tuple) else value for key, value in (detail or {}).items()}
    entry = AuditEntry(
        number=head.last,
        at=now.astimezone(UTC),
        actor=actor,
        action=action,
        object=object,
        network=network,
        detail=facts,
        canonical=b"",
        salt=chain.new_salt(),
    )
    entry.canonical = canonical(entry)
    db.add(entry)
    db.flush()
    entry_hash = _link(db, head, entry)
    if (seals := signatures.of_session(db)) is not None:
        db.add(seals.sign(entry.number, entry_hash, at=entry.at, kept=action in KEPT))
        db.flush()
    return entry


def canonical(entry: AuditEntry) -> bytes:
    """The entry as one line of JSON with sorted keys and no spaces: equal entries give equal bytes (after RFC 8785)."""
    facts = {
        "number": entry.number,
        "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "actor": entry.actor,
        "action": entry.action,
        "object": entry.object,
        "network": entry.network,
        "detail": entry.detail,
    }
    return json.dumps(facts, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _next_number(db: Session) -> Row[int, int, bytes | None]:
    """Draw a number; the head as it is then, locked until the commit: `last` is the number, the rest is as it was."""
    insert_head = postgresql.insert if db.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert_head(AuditHead)
        .values(id=1, last=1, linked=0, purged_to=0)
        .on_conflict_do_update(index_elements=[AuditHead.id], set_={"last": AuditHead.last + 1})
        .returning(AuditHead.last, AuditHead.linked, AuditHead.hash)
    )
    return db.execute(statement).one()


def _link(db: Session, head: Row[int, int, bytes | None], entry: AuditEntry) -> bytes:
    """Add the link of the newest entry, and of those before it that a portal of an older version left without one; the
    hash of the newest. Those others get no seal: nobody knows who wrote them."""
    waiting = [entry]
    if head.linked < entry.number - 1:
        waiting = list(
            db.scalars(select(AuditEntry).where(AuditEntry.number > head.linked).order_by(AuditEntry.number))
        )
    before = head.hash or chain.NOTHING
    for one in waiting:
        if one.salt is None:
            one.salt = chain.new_salt()
        digest = chain.content_digest(one.salt, one.canonical)
        before = chain.entry_hash(before, one.number, digest)
        db.execute(insert(AuditLink).values(number=one.number, content_digest=digest, entry_hash=before))
    db.execute(update(AuditHead).values(linked=entry.number, hash=before))
    return before

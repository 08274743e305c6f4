"""After an older state of the database was put back: what was taken away since is taken away again.

Where the database as it was can still be read, what it says of passes, accounts, tokens, gateways, cards and holds is
carried over. Where it cannot, everything that may have been spent or revoked since is closed until a person has looked.
In either case every browser of staff is signed out, and nothing that was under way between two people goes on.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, insert, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from auth.api_tokens.models import ApiToken
from auth.audit.chain import AuditLink
from auth.audit.log import AuditEntry, AuditHead
from auth.audit.signatures import AuditSeal
from auth.patrons.local import PatronRecord
from auth.staff.models import RecoveryCode, Staff, StaffRequest, StaffSession
from auth.vouchers.models import Batch, Voucher
from db.base import Base
from sessions import end
from sessions.models import AccessSession, EndReason, Lease
from sessions.retention.models import LegalHold, RetentionRule, TermChange
from sites.models import Feed, Gateway

Column = InstrumentedAttribute[Any]
# More than an account's sign-ins are ever ended between a backup and its return.
AHEAD = 1_000
# A digest that no credential has.
CLOSED = "closed:"
CARRIED: Sequence[tuple[str, type[Base], Column, tuple[Column, ...]]] = (
    (
        "passes",
        Voucher,
        Voucher.digest,
        (Voucher.used_at, Voucher.until, Voucher.voided_at, Voucher.void_reason, Voucher.voided_by),
    ),
    ("batches", Batch, Batch.id, (Batch.suspended_at, Batch.starts_at, Batch.ends_at)),
    (
        "accounts",
        Staff,
        Staff.login,
        (
            *(
                Staff.roles,
                Staff.networks,
                Staff.all_networks,
                Staff.home_site,
                Staff.password_hash,
                Staff.totp_seed,
                Staff.totp_step,
            ),
            *(Staff.setup_digest, Staff.setup_until, Staff.setup_word_digest, Staff.handed_by),
            *(Staff.session_version, Staff.disabled_at),
        ),
    ),
    ("tokens", ApiToken, ApiToken.digest, (ApiToken.revoked_at, ApiToken.expires_at)),
    ("gateways", Gateway, Gateway.identity, (Gateway.credential_digest,)),
    (
        "cards",
        PatronRecord,
        PatronRecord.card,
        (PatronRecord.secret_hash, PatronRecord.expires_on, PatronRecord.blocked),
    ),
    (
        "holds",
        LegalHold,
        LegalHold.id,
        (LegalHold.confirmed_at, LegalHold.confirmed_by, LegalHold.expires_at, LegalHold.lifted_at),
    ),
)


@dataclass
class Restored:
    """What was done. `changed` counts, by kind, what was carried over or closed; `missing` is what the database as it
    was has and the restored one has not."""

    changed: dict[str, int] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=dict)
    audit_entries: int = 0


def carry_over(db: Session, before: Session, *, now: datetime) -> Restored:
    """Take over from `before`, the database as it was, what was taken away since `db` was copied from it."""
    done = Restored()
    for name, model, key, columns in CARRIED:
        done.changed[name], done.missing[name] = _carry(db, before, model, key, columns)
    done.changed["gateways"] += _close_gateways(db, present=set(before.scalars(select(Gateway.identity))))
    _carry_recovery_codes(db, before)
    done.changed["holds"] += _add_holds(db, before)
    _carry_terms(db, before)
    ended = {
        row.id: row
        for row in before.execute(
            select(AccessSession.id, AccessSession.ended_at, AccessSession.end_reason).where(
                AccessSession.ended_at.is_not(None)
            )
        )
    }
    was_open = db.scalars(select(AccessSession.id).where(AccessSession.ended_at.is_(None))).all()
    done.changed["sessions"] = sum(
        end.end(db, one, reason=ended[one].end_reason, now=ended[one].ended_at)
        for one in was_open
        if one in ended
    )
    done.audit_entries = _carry_audit_log(db, before)
    _begin_anew(db, now=now)
    return done


def close_all(db: Session, *, gateways_too: bool, now: datetime) -> Restored:
    """Close what may have been revoked since the backup, which is unknown, until a person opens it again."""
    done = Restored()
    unspent = select(func.count()).where(
        Voucher.voided_at.is_(None),
        Voucher.batch_id.in_(select(Batch.id).where(Batch.suspended_at.is_(None))),
    )
    done.changed["passes"] = db.scalar(unspent) or 0
    done.changed["batches"] = _set(db, Batch, Batch.suspended_at.is_(None), suspended_at=now)
    done.changed["accounts"] = _set(
        db,
        Staff,
        Staff.disabled_at.is_(None),
        disabled_at=now,
        setup_digest=None,
        setup_until=None,
        setup_word_digest=None,
    )
    done.changed["tokens"] = _set(db, ApiToken, ApiToken.revoked_at.is_(None), revoked_at=now)
    if gateways_too:
        done.changed["gateways"] = _close_gateways(db, present=set())
    open_ones = db.scalars(select(AccessSession.id).where(AccessSession.ended_at.is_(None))).all()
    done.changed["sessions"] = sum(end.end(db, one, reason=EndReason.POLICY, now=now) for one in open_ones)
    _begin_anew(db, now=now)
    return done


def _carry(
    db: Session, before: Session, model: type[Base], key: Column, columns: tuple[Column, ...]
) -> tuple[int, int]:
    """Take these columns over, row by row; how many rows changed, and how many are missing here."""
    wanted = select(key, *columns)
    here = {row[0]: tuple(row)[1:] for row in db.execute(wanted)}
    changed = missing = 0
    for row in before.execute(wanted.execution_options(yield_per=1000)):
        name, values = row[0], tuple(row)[1:]
        if name not in here:
            missing += 1
        elif values != here[name]:
            new = {column.key: value for column, value in zip(columns, values, strict=True)}
            changed += _set(db, model, key == name, **new)
    return changed, missing


def _close_gateways(db: Session, *, present: set[str]) -> int:
    """Revoke the credentials of gateways that are not `present` any more."""
    closed = 0
    for identity in db.scalars(select(Gateway.identity).where(Gateway.identity.not_in(present))).all():
        closed += _set(
            db, Gateway, Gateway.identity == identity, credential_digest=f"{CLOSED}{secrets.token_hex(24)}"
        )
    return closed


def _carry_recovery_codes(db: Session, before: Session) -> None:
    db.execute(delete(RecoveryCode))
    ids = {login: staff_id for staff_id, login in db.execute(select(Staff.id, Staff.login))}
    rows = before.execute(
        select(Staff.login, RecoveryCode.digest, RecoveryCode.used_at).join(
            Staff, Staff.id == RecoveryCode.staff_id
        )
    )
    db.add_all(
        RecoveryCode(staff_id=ids[login], digest=digest, used_at=used_at)
        for login, digest, used_at in rows
        if login in ids
    )
    db.flush()


def _add_holds(db: Session, before: Session) -> int:
    """The holds that were placed since."""
    last = db.scalar(select(func.max(LegalHold.id))) or 0
    since = before.execute(select(*_columns(LegalHold)).where(LegalHold.id > last)).mappings().all()
    for row in since:
        db.add(LegalHold(**{name: value for name, value in row.items() if name != "id"}))
    db.flush()
    return len(since)


def _carry_terms(db: Session, before: Session) -> None:
    """Terms, and what waits, as they were last."""
    for model in (TermChange, RetentionRule):
        rows = before.execute(select(*_columns(model)).order_by(model.id)).mappings().all()
        db.execute(delete(model))
        db.add_all(model(**{name: value for name, value in row.items() if name != "id"}) for row in rows)
        db.flush()


def _carry_audit_log(db: Session, before: Session) -> int:
    """The entries that were written since, where the audit log here is the beginning of that one; how many."""
    here, there = db.get(AuditHead, 1), before.get(AuditHead, 1)
    if there is None or (here is not None and here.last >= there.last):
        return 0
    last = here.last if here is not None else 0
    if here is not None:
        link = before.get(AuditLink, here.linked)
        if link is None or here.last != here.linked or link.entry_hash != here.hash:
            return 0
    for model in (AuditEntry, AuditLink, AuditSeal):
        rows = before.execute(select(*_columns(model)).where(model.number > last)).mappings().all()
        if rows:
            db.execute(insert(model), [dict(row) for row in rows])
    head = {name: getattr(there, name) for name in ("last", "linked", "hash", "purged_to")}
    if here is None:
        db.add(AuditHead(id=1, **head))
    else:
        db.execute(update(AuditHead).values(**head))
    db.flush()
    db.expire_all()
    return there.last - last


def _begin_anew(db: Session, *, now: datetime) -> None:
    """No sign-in, no question between two people and no gateway's feed goes on from the state that was put back."""
    db.execute(delete(StaffSession))
    db.execute(update(Staff).values(session_version=Staff.session_version + AHEAD))
    db.execute(
        update(StaffRequest)
        .where(StaffRequest.decided_at.is_(None))
        .values(decided_at=now, decided_by="restore", granted=False)
    )
    # A follower that has a later version than the feed gets a full answer.
    db.execute(update(Feed).values(version=1, confirmed_version=1))
    db.execute(update(Lease).values(version=1))
    db.flush()


def _columns(model: type[Base]) -> list[Any]:
    return [getattr(model, attribute.key) for attribute in model.__mapper__.column_attrs]


def _set(db: Session, model: type[Base], which: Any, **values: Any) -> int:
    done = db.execute(
        update(model).where(which).values(**values).execution_options(synchronize_session=False)
    )
    return cast(CursorResult[Any], done).rowcount

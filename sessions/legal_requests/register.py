"""The register: who asked what by which right. Only through an entry of it can legal data leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from auth.audit import log
from auth.audit.actions import (
    BASIS_CHANGED,
    REQUISITION_CLOSED,
    REQUISITION_REGISTERED,
    AuditAction,
    ObjectKind,
)
from auth.audit.actor import Actor
from auth.staff.roles import Authority
from sessions.legal_requests.errors import ClosedRequisition, UnreadableEntry
from sessions.legal_requests.models import Requisition, RequisitionBasis
from sessions.legal_requests.scopes import ScopeKind, read_scope
from sites.models import Site

LENGTHS = {"authority": 200, "signer": 120, "reference": 120}


def set_basis(
    db: Session, *, name: str, text: str, retired: bool = False, actor: Actor, now: datetime
) -> RequisitionBasis:
    """Add a basis, or change what it says; `retired` takes it out of the list, and leaves it to old entries."""
    basis = find_basis(db, name)
    if basis is None:
        basis = RequisitionBasis(name=name)
        db.add(basis)
    basis.text, basis.retired_at = text or basis.text, now if retired else None
    db.flush()
    detail: log.Detail = {"basis": name, "text": text, "retired": retired}
    log.append(db, BASIS_CHANGED, ObjectKind.REQUISITIONS, actor=actor, detail=detail, now=now)
    return basis


def find_basis(db: Session, name: str) -> RequisitionBasis | None:
    return db.scalars(select(RequisitionBasis).where(RequisitionBasis.name == name)).first()


def every_basis(db: Session) -> list[RequisitionBasis]:
    """All bases, the retired ones too, in the order in which they were added."""
    return list(db.scalars(select(RequisitionBasis).order_by(RequisitionBasis.id)))


def bases(db: Session) -> list[RequisitionBasis]:
    """The bases that may be chosen."""
    chosen = select(RequisitionBasis).where(RequisitionBasis.retired_at.is_(None))
    return list(db.scalars(chosen.order_by(RequisitionBasis.id)))


def add(
    db: Session,
    words: Mapping[str, str],
    *,
    networks: frozenset[str] = frozenset(),
    zone: ZoneInfo,
    actor: Actor,
    now: datetime,
) -> Requisition:
    """Register what came in. Raises `UnreadableEntry` with the field that is missing or wrong."""
    texts = {name: _text(words, name, most) for name, most in LENGTHS.items()}
    basis = db.scalars(
        select(RequisitionBasis).where(
            RequisitionBasis.name == words.get("basis", ""), RequisitionBasis.retired_at.is_(None)
        )
    ).first()
    if basis is None:
        raise UnreadableEntry("basis")
    basis_text = " ".join(words.get("basis_text", "").split())[:300]
    if basis.needs_text and not basis_text:
        raise UnreadableEntry("basis_text")
    scope = read_scope(words, zone=zone)
    if (
        scope.kind is ScopeKind.SITE
        and not db.scalars(select(Site.id).where(Site.slug == scope.value)).first()
    ):
        raise UnreadableEntry("value")
    entry = Requisition(
        **texts,
        basis=basis,
        basis_text=basis_text,
        scope=scope.plain(),
        networks=sorted(networks),
        received_at=now,
        registered_at=now,
        registered_by=actor.name,
    )
    db.add(entry)
    db.flush()
    _append(db, REQUISITION_REGISTERED, entry, actor=actor, now=now)
    return entry


def find(db: Session, number: int, authority: Authority) -> Requisition | None:
    """The entry with this number, where it is this person's to see."""
    whole = joinedload(Requisition.basis), selectinload(Requisition.answers)
    entry = db.get(Requisition, number, options=whole)
    return entry if entry is not None and is_theirs(entry, authority) else None


def newest(db: Session, authority: Authority, *, most: int = 200) -> list[Requisition]:
    """The entries that are this person's to see, the newest first."""
    whole = joinedload(Requisition.basis), selectinload(Requisition.answers)
    found = db.scalars(select(Requisition).options(*whole).order_by(Requisition.id.desc()))
    return [entry for entry in found if is_theirs(entry, authority)][:most]


def is_theirs(entry: Requisition, authority: Authority) -> bool:
    """Staff of some networks see what was asked of those alone."""
    return not authority.networks or (bool(entry.networks) and set(entry.networks) <= authority.networks)


def close(db: Session, entry: Requisition, *, actor: Actor, now: datetime) -> None:
    """Nothing more leaves by this entry. Raises `ClosedRequisition` the second time."""
    if entry.closed_at is not None:
        raise ClosedRequisition
    entry.closed_at, entry.closed_by = now, actor.name
    _append(db, REQUISITION_CLOSED, entry, actor=actor, now=now)


def _append(db: Session, action: AuditAction, entry: Requisition, *, actor: Actor, now: datetime) -> None:
    """The audit log is read by more people than the register: it says that there was one, and nothing of what it
    asks."""
    network = network_of(entry)
    log.append(db, action, ObjectKind.REQUISITION.named(entry.id), actor=actor, network=network, now=now)


def network_of(entry: Requisition) -> str | None:
    return entry.networks[0] if len(entry.networks) == 1 else None


def _text(words: Mapping[str, str], name: str, most: int) -> str:
    text = " ".join(words.get(name, "").split())
    if not text or len(text) > most or not text.isprintable():
        raise UnreadableEntry(name)
    return text

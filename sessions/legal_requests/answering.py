"""An answer: found, written into the audit log, signed, and only then given. No line in the audit log, no data."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from auth.audit import anchors, log
from auth.audit.actions import (
    REQUISITION_ANSWERED,
    REQUISITION_BEING_ANSWERED,
    ObjectKind,
)
from auth.audit.actor import Actor
from sessions.legal_requests.errors import ClosedRequisition
from sessions.legal_requests.finding import Identification, Stretch, find
from sessions.legal_requests.models import Requisition, RequisitionAnswer
from sessions.legal_requests.note import LegalNote
from sessions.legal_requests.package import make_package
from sessions.legal_requests.register import network_of
from sessions.legal_requests.scopes import RequestScope
from sessions.legal_requests.signing import Signer
from sites.import_export.tables import write_table

COLUMNS = (
    *("session", "subject", "method", "mac", "address", "public_address", "port_first", "port_last"),
    *(
        "begins_utc",
        "ends_utc",
        "begins_local",
        "ends_local",
        "session_began_utc",
        "session_ended_utc",
        "end_reason",
    ),
    *("at_the_instant", "site", "network", "gateway"),
)


@dataclass(frozen=True, slots=True)
class Package:
    """What is handed over, and under which name."""

    name: str
    content: bytes
    digest: str
    finding: Identification


def look(db: Session, entry: Requisition, *, zone: ZoneInfo, now: datetime) -> Identification:
    """What an answer would hold."""
    return find(db, RequestScope.of(entry.scope), networks=entry.networks, zone=zone, now=now)


def answer(
    db: Session,
    entry: Requisition,
    *,
    signer: Signer,
    portal: str,
    note: LegalNote,
    actor: Actor,
    now: datetime,
) -> Package:
    """Make the package for `entry`, in the caller's transaction: it may be given once that is committed.

    Raises `ClosedRequisition`.
    """
    if entry.closed_at is not None:
        raise ClosedRequisition
    finding = look(db, entry, zone=note.zone, now=now)
    object, network = ObjectKind.REQUISITION.named(entry.id), network_of(entry)
    outcome = {"exactness": finding.exactness.value, "sessions": finding.sessions}
    log.append(
        db,
        REQUISITION_BEING_ANSWERED,
        object,
        actor=actor,
        network=network,
        detail=outcome,
        now=now,
    )
    head = anchors.present(db, portal=portal, now=now)
    assert head is not None, "the line above is in the audit log"
    facts = {
        "portal": portal,
        "requisition": _query(entry),
        "answer": {
            **outcome,
            "why": finding.why.value,
            "doubts": [doubt.value for doubt in finding.doubts],
        },
        "answered_by": actor.name,
        "trail": {"entry": head.number, "hash": head.hash.hex()},
    }
    content = make_package(_files(entry, finding, facts, note, now), facts, signer=signer, now=now)
    digest = hashlib.sha256(content).hexdigest()
    db.add(
        RequisitionAnswer(
            requisition_id=entry.id,
            answered_at=now,
            answered_by=actor.name,
            sessions=finding.sessions,
            digest=digest,
        )
    )
    db.flush()
    log.append(
        db,
        REQUISITION_ANSWERED,
        object,
        actor=actor,
        network=network,
        detail={**outcome, "sha256": digest},
        now=now,
    )
    name = f"requisition-{entry.id}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}.zip"
    return Package(name, content, digest, finding)


def _query(entry: Requisition) -> dict[str, Any]:
    return {
        "number": entry.id,
        "authority": entry.authority,
        "signer": entry.signer,
        "reference": entry.reference,
        "basis": entry.basis.name,
        "basis_text": entry.basis_text,
        "received_at": _utc(entry.received_at),
        "scope": entry.scope,
        "networks": entry.networks or "all",
    }


def _files(
    entry: Requisition, finding: Identification, facts: dict[str, Any], note: LegalNote, now: datetime
) -> dict[str, bytes]:
    rows = [_row(stretch, note.zone) for stretch in finding.stretches]
    return {
        note.file_name("note"): note.whole(entry, finding, now=now).encode(),
        note.file_name("request"): _json(_query(entry)),
        f"{note.file_name('answer')}.json": _json({**facts["answer"], "stretches": rows}),
        f"{note.file_name('answer')}.csv": write_table(COLUMNS, rows),
    }


def _row(stretch: Stretch, zone: ZoneInfo) -> dict[str, Any]:
    origin = stretch.origin
    return {
        "session": stretch.access_id,
        "subject": stretch.subject,
        "method": stretch.method.value,
        "mac": stretch.mac,
        "address": stretch.address,
        "public_address": origin.address,
        "port_first": origin.first,
        "port_last": origin.last,
        "begins_utc": _utc(stretch.begins),
        "ends_utc": _utc(stretch.ends),
        "begins_local": _local(stretch.begins, zone),
        "ends_local": _local(stretch.ends, zone),
        "session_began_utc": _utc(stretch.began),
        "session_ended_utc": _utc(stretch.ended) if stretch.ended else None,
        "end_reason": stretch.end_reason.value if stretch.end_reason else None,
        "at_the_instant": stretch.at_instant,
        "site": stretch.site,
        "network": stretch.network,
        "gateway": stretch.gateway,
    }


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="milliseconds")

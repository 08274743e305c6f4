"""Leases and entries of the register for tests, written as they are found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from sessions.legal_requests import register
from sessions.legal_requests.models import Requisition, RequisitionBasis
from sessions.models import AccessSession, Lease
from sessions.port_blocks import PortBlock
from sites.models import Gateway
from tests.actors import person
from tests.clock import NOON
from tests.sessions.log.rows import add_session

PUBLIC = "203.0.113.10"
HALF_HOUR = timedelta(minutes=30)
PARIS = ZoneInfo("Europe/Paris")
ASKED = {
    "authority": "Commissariat de police, Besançon",
    "signer": "Capitaine A. Martin, OPJ",
    "reference": "PV 2026/4711",
    "basis": "CPP 77-1-1",
    "kind": "origin",
    "public_address": PUBLIC,
}


def online(
    db: Session,
    gateway: Gateway,
    number: int,
    origin: PortBlock,
    *,
    begins: datetime = NOON,
    length: timedelta = HALF_HOUR,
    **fields: Any,
) -> AccessSession:
    """Somebody online behind `origin`."""
    mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
    address = f"10.66.{number >> 8}.{number & 255}"
    access = add_session(
        db, gateway, begins, mac=mac, address=address, subject=f"{number:032x}", until=begins + length
    )
    lend(db, gateway, access, origin, begins=begins, ends=begins + length, **fields)
    return access


def lend(
    db: Session,
    gateway: Gateway,
    access: AccessSession,
    origin: PortBlock,
    *,
    begins: datetime,
    ends: datetime,
    **fields: Any,
) -> None:
    values: dict[str, Any] = {
        "access_id": access.id,
        "gateway_id": gateway.id,
        "site_id": gateway.site_id,
        "mac": access.mac,
        "address": access.address,
        "created_at": begins,
        "starts_at": begins,
        "until": ends,
        "rate_down_kbps": 0,
        "rate_up_kbps": 0,
        "version": 2,
        "public_address": origin.address,
        "port_first": origin.first,
        "port_last": origin.last,
    }
    db.add(Lease(**{**values, **fields}))
    db.flush()


def add_first_bases(db: Session) -> None:
    """The bases that an installation begins with, where they are not there yet."""
    first: Sequence[tuple[str, str, bool]] = import_module("migrations.versions.0013_requisitions").BASES
    known = set(db.scalars(select(RequisitionBasis.name)))
    db.add_all(
        RequisitionBasis(name=name, text=text, needs_text=needs)
        for name, text, needs in first
        if name not in known
    )
    db.flush()


def registered(
    db: Session, *, now: datetime = NOON, networks: frozenset[str] = frozenset(), **words: str
) -> Requisition:
    """An entry for the first minute after noon, unless `words` say otherwise."""
    add_first_bases(db)
    asked = {**ASKED, "port": "5200", "at": (NOON + timedelta(minutes=1)).isoformat(), **words}
    return register.add(db, asked, networks=networks, zone=PARIS, actor=person("pat"), now=now)

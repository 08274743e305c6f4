"""Rows of the past: sessions with all that hangs on them, refusals, accounts, deeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads.models import Impression
from auth.models import Attempt, Entitlement
from auth.patrons.local import PatronRecord
from db.base import Base
from db.engine import SessionMaker
from sessions.models import AccessSession, Decision, EndReason, Lease, Usage
from sessions.retention import holds
from sessions.retention.holds import HoldScope
from sessions.retention.law import Term
from sessions.retention.models import LegalHold, TermUnit
from sites.models import Gateway, SigninMethod
from tests.actors import enter, person
from tests.clock import NOON
from tests.town import Town

YEAR = Term(1, TermUnit.YEARS)
YEAR_AGO = NOON.replace(year=2025)
QUARTER_AGO = NOON.replace(month=8)
DAY = timedelta(days=1)
OLD = YEAR_AGO - 10 * DAY
HOUR = timedelta(hours=1)


@dataclass
class Past:
    """Writes what once happened in the town."""

    db: Session
    town: Town
    made: int = field(default=0)

    def stay(self, at: datetime, **fields: Any) -> AccessSession:
        """A session of one hour with a lease, counters, and an accepted ad."""
        self.made += 1
        gateway: Gateway = fields.pop("gateway", self.town.station)
        subject = fields.pop("subject", f"subject-{self.made}")
        entitlement = fields.pop("entitlement", None) or self.entitlement(subject, since=at - HOUR, until=at)
        values: dict[str, Any] = {
            "entitlement_id": entitlement.id,
            "subject": subject,
            "method": SigninMethod.FREE,
            "network_id": gateway.network_id,
            "gateway_id": gateway.id,
            "site_id": gateway.site_id,
            "mac": f"02:00:00:00:{self.made // 256:02x}:{self.made % 256:02x}",
            "address": f"10.66.{self.made // 250}.{self.made % 250 + 1}",
            "started_at": at - HOUR,
            "until": at,
            "last_seen_at": at,
            "ended_at": at,
            "end_reason": EndReason.EXPIRED,
            "terms_version": "1",
            "terms_language": "fr",
            "terms_digest": "0" * 64,
        }
        access = AccessSession(**{**values, **fields})
        self.db.add(access)
        self.db.flush()
        lease = Lease(
            access_id=access.id,
            gateway_id=gateway.id,
            site_id=gateway.site_id,
            mac=access.mac,
            address=access.address,
            created_at=access.started_at,
            starts_at=access.started_at,
            until=access.until,
            rate_down_kbps=1000,
            rate_up_kbps=1000,
            version=self.made,
            public_address="198.51.100.7",
        )
        self.db.add(lease)
        self.db.flush()
        self.db.add_all(
            [
                Usage(
                    access_id=access.id,
                    gateway_id=gateway.id,
                    epoch="1",
                    bytes_up=1,
                    bytes_down=1,
                    packets_up=1,
                    packets_down=1,
                    updated_at=at,
                ),
                Impression(
                    nonce=f"nonce-{self.made}",
                    network_id=gateway.network_id,
                    site_id=gateway.site_id,
                    access_id=access.id,
                    lease_id=lease.id,
                    language="fr",
                    shown_at=access.started_at,
                    accepted_at=access.started_at,
                ),
            ]
        )
        self.db.flush()
        return access

    def entitlement(self, subject: str, *, since: datetime, until: datetime | None) -> Entitlement:
        made = Entitlement(
            subject=subject,
            network_id=self.town.free.id,
            method=SigninMethod.FREE,
            since=since,
            until=until,
            devices=1,
        )
        self.db.add(made)
        self.db.flush()
        return made

    def refusal(self, at: datetime, **fields: Any) -> Decision:
        self.made += 1
        decision = Decision(
            code=f"C{self.made:06}", at=at, rule="wrong_credentials", step="signin", detail={}, **fields
        )
        self.db.add(decision)
        self.db.flush()
        return decision

    def attempt(self, last_at: datetime) -> Attempt:
        self.made += 1
        attempt = Attempt(key=f"key-{self.made}", count=1, last_at=last_at)
        self.db.add(attempt)
        return attempt

    def card(self, expires_on: Any) -> PatronRecord:
        self.made += 1
        card = PatronRecord(card=f"card-{self.made}", secret_hash="", expires_on=expires_on)
        self.db.add(card)
        self.db.flush()
        return card

    def deed(self, at: datetime) -> None:
        enter(self.db, actor="cem", action="issued", object="batch:1", now=at)


def rows(make_session: SessionMaker, model: type[Base]) -> int:
    with make_session() as db:
        return db.scalar(select(func.count()).select_from(model)) or 0


def hold(past: Past, network_id: int | None = None, **scope: Any) -> LegalHold:
    return holds.place(
        past.db,
        HoldScope(**scope),
        reference="Réq. 12",
        reason="ordonnée",
        expires_at=NOON + 5 * DAY,
        actor=person("pia"),
        now=NOON - HOUR,
        network_id=network_id,
    )


def many_refusals(past: Past, count: int, at: datetime) -> None:
    past.db.add_all(
        Decision(code=f"M{n:06}", at=at, rule="wrong_credentials", step="signin", detail={})
        for n in range(count)
    )

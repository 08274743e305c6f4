"""The portal of the contract: the real application and services over SQLite, with one gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.entitlements import Allowance
from config import Secret, Settings
from gateways.landing_token import credential_digest
from gateways.registry import kind_of
from gateways.set_up import Finding, SetUp
from gateways.types import Client, MacAddress
from portal.app import create_app, make_services
from portal.gateway_api import notify_gateway, reconcile
from portal.gateway_api.endpoints import endpoint_of
from portal.gateway_api.self_tests import self_test
from portal.services import Clock
from portal.tables import METADATA
from sessions import accounting, end, present, renewal, start
from sessions.arrival import Acceptance, Arrival
from sessions.gateway_health import dialogues
from sessions.models import AccessSession, EndReason, Lease
from sessions.sweep import sweep
from sites.models import Gateway, Network, SigninMethod
from tests.town import make_gateway, make_network, make_site

IDENTITY = "gate-0"
TERMS = Acceptance("2026-1", "fr", "0" * 64)
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"


class ContractPortal:
    """What a portal does to a gateway, one act after the other; each commits, then notifies as a request does."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        *,
        clock: Clock,
        credential: str,
        url: str,
        options: Mapping[str, str] | None = None,
    ) -> None:
        database_url = f"sqlite:///{folder / 'contract.sqlite3'}"
        settings = Settings(secret_key=Secret(SECRET), portal_url=url, database_url=database_url)
        self.clock, self.url, self.credential = clock, url, credential
        self.subject_of: Callable[[MacAddress], str] = lambda mac: f"person of {mac}"
        self.services = make_services(settings, clock=clock)
        METADATA.create_all(self.services.engine)
        network = make_network(idle_seconds=0, rate_down_kbps=0, rate_up_kbps=0, ads=False)
        with self.services.make_session.begin() as db:
            digest = credential_digest(credential)
            record = make_gateway(
                IDENTITY,
                make_site("gare-viotte", network),
                network,
                kind=kind,
                credential_digest=digest,
                client_prefixes=["10.66.0.0/24", "fd66::/64"],
                options=dict(options or {}),
            )
            db.add(record)
            # As a gateway that has been in service: it spoke a moment ago.
            record.seen_at = clock()
        self.app: Flask = create_app(self.services)

    def close(self) -> None:
        self.services.wake.close()
        self.services.engine.dispose()

    def restart(self) -> None:
        """Lose what the process held in memory."""
        self.app = create_app(self.services)

    @property
    def gateway(self) -> Gateway:
        found = self.services.places.by_identity(IDENTITY)
        assert found is not None
        return found

    def rules(self, **fields: int) -> None:
        """Change the network's rules."""
        with self.services.make_session.begin() as db:
            network = db.scalars(select(Network)).one()
            for name, value in fields.items():
                setattr(network, name, value)
        self.services.places.forget()

    def set_options(self, options: dict[str, str]) -> None:
        """Set what the operator sets at the gateway's record."""
        with self.services.make_session.begin() as db:
            record = self._record(db)
            record.options = kind_of(record.kind).read_options(options)
        self.services.places.forget()

    def allow(self, method: SigninMethod) -> None:
        """Have the network take this way of signing in too."""
        with self.services.make_session.begin() as db:
            network = db.scalars(select(Network)).one()
            network.signin_methods = [*network.signin_methods, method]
        self.services.places.forget()

    def let_in(self, client: Client, *, seconds: int, notify: bool = True) -> AccessSession:
        """Let a client in for so long."""
        self.rules(lease_seconds=seconds)
        with self.services.make_session.begin() as db:
            opened = start.open_access(
                db,
                Arrival(self._record(db), client, TERMS),
                allowance=Allowance(self.subject_of(client.mac), SigninMethod.FREE, None, devices=1),
                now=self.clock(),
            )
            access = opened.access
        assert opened.lease_id is not None
        if notify:
            self.notify()
        return access

    def renew(self, access: AccessSession, client: Client) -> int | None:
        """Renew a session that is open; the lease's id."""
        with self.services.make_session.begin() as db:
            gateway, open_one = self._record(db), db.get_one(AccessSession, access.id)
            lease = renewal.renew(db, present.of(open_one), gateway=gateway, client=client, now=self.clock())
            lease_id: int | None = None if lease is None else lease.scalar()
        self.notify()
        return lease_id

    def end(self, access: AccessSession) -> None:
        """End a session as staff does."""
        with self.services.make_session.begin() as db:
            end.end(db, access.id, reason=EndReason.STAFF, now=self.clock())
        self.notify()

    def sweep(self, *, later: timedelta = timedelta(0)) -> None:
        """One round of `flask sweep`."""
        with self.services.make_session.begin() as db:
            sweep(db, now=self.clock() + later)
        with self.app.app_context():
            reconcile()

    def notify(self) -> None:
        with self.app.app_context():
            notify_gateway(self.gateway)

    def findings(self) -> list[Finding]:
        """What the self-test finds missing, as staff reads it."""
        with self.services.make_session() as db, self.app.app_context():
            record = self._record(db)
            assert record.network
            return self_test(record)

    def lines(self) -> SetUp:
        """What staff is to paste into the box."""
        with self.app.app_context():
            return endpoint_of(self.gateway.kind).set_up(self.gateway)

    def lease(self, access: AccessSession) -> Lease:
        """The last lease of a session, as the database has it now."""
        latest = select(Lease).where(Lease.access_id == access.id).order_by(Lease.id.desc()).limit(1)
        with self.services.make_session() as db:
            return db.scalars(latest).one()

    def numbers_of(self, client: Client) -> list[int]:
        """The numbers of all sessions that this client has had."""
        with self.services.make_session() as db:
            return list(db.scalars(select(AccessSession.id).where(AccessSession.mac == client.mac)))

    def session(self, access: AccessSession) -> AccessSession:
        with self.services.make_session() as db:
            return db.get_one(AccessSession, access.id)

    def downloaded(self, access: AccessSession) -> int:
        """The bytes that the gateway says went to this session's client."""
        with self.services.make_session() as db:
            return accounting.usage(db, access.id).bytes_down

    def dialogue(self) -> list[str]:
        """The last exchanges with the gateway, the newest first."""
        with self.services.make_session() as db:
            kept = dialogues.recent(db, gateway_id=self.gateway.id)
        return [f"{one.said}: {one.answered}" for one in kept]

    def is_confirmed(self, access: AccessSession) -> bool:
        return self.lease(access).confirmed_at is not None

    def _record(self, db: Session) -> Gateway:
        return db.scalars(select(Gateway).where(Gateway.identity == IDENTITY)).one()

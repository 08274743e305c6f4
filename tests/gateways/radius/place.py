"""A town with three gateways that speak RADIUS, the portal over HTTP, and Debian's FreeRADIUS between them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.serving import WSGIRequestHandler, make_server

from gateways.landing_token import credential_digest
from gateways.radius.credentials import Credentials
from gateways.types import Client
from lab.ports import free_ports
from portal.cli.radius_config import SHARED_SECRET, Certificates, nas_of
from portal.gateway_api.radius_credentials import credentials_of
from portal.gateway_api.secrets import secret_of
from sessions.gateway_health import dialogues
from sessions.models import AccessSession, NasSession
from sites.models import Gateway, Network
from tests.clock import MovingClock
from tests.gateways.contract.portal import IDENTITY, ContractPortal
from tests.services.certificates import Authority
from tests.services.freeradius import FreeRadius, running_freeradius
from tests.services.nas import RadiusNas
from tests.town import credential_of, make_client, make_gateway, make_site

# By identity: where it sends from, and the name that it gives itself.
SENDERS = {IDENTITY: ("127.0.0.1", "box-0"), "gate-1": ("127.0.0.2", "box-1"), "gate-tls": ("127.0.0.3", "")}


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


@dataclass
class Place:
    """Everything that runs. The clock is the portal's, and stands still but for the test."""

    portal: ContractPortal
    clock: MovingClock
    server: FreeRadius
    authority: Authority
    port: int
    http: Any = None
    boxes: list[RadiusNas] = field(default_factory=list)

    def start_portal(self) -> None:
        self.http = make_server(
            "127.0.0.1", self.port, self.portal.app, threaded=True, request_handler=_Quiet
        )
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()

    def stop_portal(self) -> None:
        self.http.shutdown()
        self.http.server_close()

    def gateway(self, identity: str = IDENTITY) -> Gateway:
        found = self.portal.services.places.by_identity(identity)
        assert found is not None
        return found

    def nas(self, identity: str = IDENTITY, **changes: Any) -> RadiusNas:
        """The box of a gateway. `secret` in the changes is another than its own."""
        with self.portal.app.app_context():
            secret = changes.pop("secret", secret_of(self.gateway(identity), SHARED_SECRET))
        self.boxes.append(RadiusNas(self.server, secret, **{"address": SENDERS[identity][0], **changes}))
        return self.boxes[-1]

    def enter(self, number: int, *, seconds: int = 1800) -> tuple[AccessSession, Client, Credentials]:
        """Somebody signs in at the first gateway; what the browser then carries to it."""
        client = make_client(f"02:00:00:00:00:{number:02x}", f"10.66.0.{number}")
        access = self.portal.let_in(client, seconds=seconds, notify=False)
        with self.portal.app.app_context():
            return access, client, credentials_of(self.gateway(), access)

    def told(self, identity: str = IDENTITY) -> list[str]:
        """What staff reads of the last exchanges with this gateway, the newest first."""
        with self.portal.services.make_session() as db:
            found = dialogues.recent(db, gateway_id=self.gateway(identity).id)
        return [f"{one.said}: {one.answered}" for one in found]

    def accounted(self, session_id: str) -> NasSession:
        with self.portal.services.make_session() as db:
            return db.scalars(select(NasSession).where(NasSession.acct_session_id == session_id)).one()


@contextmanager
def opened(folder: Path) -> Iterator[Place]:
    (port,) = free_ports(1)
    clock = MovingClock()
    address, name = SENDERS[IDENTITY]
    portal = ContractPortal(
        folder,
        "coovachilli",
        clock=clock,
        credential=credential_of(IDENTITY),
        url=f"http://127.0.0.1:{port}",
        options={"nas_address": address, "nas_identifier": name},
    )
    _add_others(portal)
    authority = Authority(folder)
    own = authority.issue("radius.example.org", label="freeradius")
    certificates = Certificates(own.certificate_file, own.key_file, authority.ca_file)
    with portal.app.app_context():
        nas = nas_of(portal.services.places.gateways())
    with running_freeradius(folder / "radius", portal=portal.url, nas=nas, radsec=certificates) as server:
        place = Place(portal, clock, server, authority, port)
        place.start_portal()
        try:
            yield place
        finally:
            for box in place.boxes:
                box.close()
            place.stop_portal()
            portal.close()


def _add_others(portal: ContractPortal) -> None:
    with portal.services.make_session.begin() as db:
        network = db.scalars(select(Network)).one()
        for count, identity in enumerate(("gate-1", "gate-tls"), 1):
            address, name = SENDERS[identity]
            options = {"nas_address": address, "nas_identifier": name}
            db.add(
                make_gateway(
                    identity,
                    make_site(f"site-{count}", network),
                    network,
                    kind="coovachilli",
                    client_prefixes=[f"10.{66 + count}.0.0/24"],
                    credential_digest=credential_digest(credential_of(identity)),
                    options=options | ({"transport": "radsec"} if identity == "gate-tls" else {}),
                )
            )
    portal.services.places.forget()

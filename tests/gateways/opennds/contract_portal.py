"""The contract's portal over https in a town of namespaces, with the real openNDS asking it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select
from werkzeug.serving import ThreadedWSGIServer

from db.engine import reading
from gateways.types import Client, MacAddress
from lab.authority import issue, make_authority
from lab.network import Phone, Town
from lab.opennds import FasPortal, OpenNds, Seen
from portal.app import system_clock
from portal.gateway_api.endpoints import endpoint_of
from sessions.models import AccessSession, Lease
from sites.models import Gateway
from tests.gateways.contract.driver import Download
from tests.gateways.contract.portal import IDENTITY, ContractPortal
from tests.gateways.opennds.download import download
from tests.gateways.traffic import outside

HOST, PORT = "portal.example.org", 8443
CREDENTIAL = "credential-of-gate-0-0123456789abcdef"
# The payload "none": authmon asks for the list.
ASKS_FOR_LIST = b"payload=bm9uZQ"
ROUND_SECONDS = 15.0
LEAD_SECONDS = 6.0
MOST_ROUNDS = 6


class Rounds:
    """WSGI middleware that knows when authmon has last asked, and been told, and said who is in."""

    def __init__(self) -> None:
        self.app: Any = None
        self._news = threading.Condition()
        self._asked = self._done = 0.0

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or "/gateways/" not in environ["PATH_INFO"]:
            answer: Iterable[bytes] = self.app(environ, start)
            return answer
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))
        environ["wsgi.input"] = _Body(body)
        began = time.monotonic()
        parts = list(self.app(environ, start))
        with self._news:
            if ASKS_FOR_LIST in body and b"auth_get=view" in body:
                self._asked = began
            elif b"auth_get=view" in body:
                self._done = self._asked
            self._news.notify_all()
        return parts

    def await_round(self) -> None:
        """Until a round is over that has begun after now."""
        now = time.monotonic()
        with self._news:
            assert self._news.wait_for(lambda: self._done > now, ROUND_SECONDS), "authmon does not ask"


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        end = len(self._data) if size < 0 else size
        part, self._data = self._data[:end], self._data[end:]
        return part

    def readline(self, size: int = -1) -> bytes:
        return self.read(size)


class _Server(ThreadedWSGIServer):
    def log(self, type: str, message: str, *args: Any) -> None:
        """Quiet."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A line that was cut is what the contract is about."""


class OpenNdsDriver:
    """What the contract asks of openNDS: the phones behind it look for their captive page by themselves."""

    def __init__(
        self, net: Town, folder: Path, kind: str, options: dict[str, str], *, scheme: str = "https"
    ) -> None:
        self.net, self._ahead, self._is_https = net, timedelta(0), scheme == "https"
        authority = make_authority(folder)
        self._certificate = issue(authority, folder, "portal", [HOST])
        self.portal = ContractPortal(
            folder, kind, clock=self.clock, credential=CREDENTIAL, url=f"{scheme}://{HOST}:{PORT}"
        )
        with self.portal.services.make_session.begin() as db:
            record = db.scalars(select(Gateway)).one()
            record.options = {
                "interface": net.gateway.clients,
                "portal_address": str(net.portal_address(4)),
            } | options
            record.public_addresses = ["203.0.113.10"]
        self.portal.services.places.forget()
        self.box = OpenNds(
            net,
            net.gateway,
            portal=FasPortal(HOST, net.portal_address(4), PORT, authority.certificate),
        )
        self.rounds = Rounds()
        self._server: _Server | None = None
        self._unused = iter(net.phone)
        self.phones: dict[MacAddress, Phone] = {}

    def clock(self) -> datetime:
        return system_clock() + self._ahead

    def set_up(self) -> None:
        """Paste the lines that an operator is shown."""
        with self.portal.app.app_context():
            self.box.set_up(endpoint_of(self.portal.gateway.kind).set_up(self.portal.gateway).lines)

    def newcomer(self) -> Client:
        phone = next(self._unused)
        self.phones[phone.mac] = phone
        self.look(phone)
        return Client(phone.mac, (phone.address(4),))

    def look(self, phone: Phone) -> Seen:
        """A phone finds itself without Internet: its browser comes as far as the landing at the portal."""
        return self.box.browse(phone, self.anywhere, redirects=1)

    @property
    def anywhere(self) -> str:
        """What a phone asks for, to find out whether it has Internet."""
        return f"http://{outside(self.net, 4)}/generate_204"

    def passes(self, client: Client) -> bool:
        return client.mac in self.box.let_pass()

    def end_of(self, client: Client) -> float | None:
        end = str(self.box.client(client.mac).get("session_end", ""))
        return float(end) if end.isdecimal() and self.passes(client) else None

    def learn(self) -> None:
        """Phones that wait look once more, and the box asks: of many it takes four in a round, and passes over one now
        and then."""
        for _ in range(MOST_ROUNDS if self._server is not None else 0):
            outside = [self.phones[MacAddress(mac)] for mac in self.waiting() - self.box.let_pass()]
            with ThreadPoolExecutor(4) as phones:
                list(phones.map(self.look, outside))
            self.await_word()
            if self.waiting() <= self.box.let_pass():
                return
        # Shown where the test fails.
        print(self.portal.dialogue(), self.box.log()[-3000:])

    def await_word(self) -> None:
        """Until the box has asked the portal once more."""
        self.rounds.await_round()

    def waiting(self) -> set[str]:
        """Whose browsers wait for the gateway, or would if they asked."""
        open_ones = select(Lease.mac).join(AccessSession, AccessSession.id == Lease.access_id)
        running = Lease.until > self.clock(), AccessSession.ended_at.is_(None)
        with reading(self.portal.services.make_session) as db:
            return set(db.scalars(open_ones.where(*running)))

    def wait(self, seconds: float) -> None:
        self._ahead += timedelta(seconds=seconds)
        self.box.move_clock(seconds)

    def power_cut(self) -> None:
        self.box.kill()
        self.box.start()

    def portal_away(self) -> None:
        server, self._server = self._server, None
        assert server is not None
        server.shutdown()
        server.server_close()

    def portal_back(self) -> None:
        self.portal.restart()
        self.rounds.app = self.portal.app
        pair = (str(self._certificate.certificate), str(self._certificate.key)) if self._is_https else None
        self._server = self.net.portal.call(
            lambda: _Server("0.0.0.0", PORT, self.rounds, ssl_context=pair)  # type: ignore[arg-type]
        )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def download(self, client: Client, *, bytes_sent: int) -> Download:
        """openNDS looks at how fast each client is every few seconds, and limits from then on."""
        return download(self.net, self.phones[client.mac], bytes_sent=bytes_sent, lead_seconds=LEAD_SECONDS)

    def close(self) -> None:
        self.box.kill()
        if self._server is not None:
            self.portal_away()
        self.portal.close()


__all__ = ["IDENTITY", "OpenNdsDriver"]

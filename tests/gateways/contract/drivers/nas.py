"""What all kinds that speak RADIUS have in common as drivers: a NAS of thin air behind the real FreeRADIUS.

The NAS sends the packets that such a box sends, and keeps what it is answered: who passes, until when and at what
rates. Its clock is the test's.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyrad import packet
from werkzeug.serving import WSGIRequestHandler, make_server

from gateways.radius.live_sessions import DynamicAuthorization
from gateways.registry import kind_of
from gateways.types import Client, MacAddress
from lab.ports import free_ports
from portal.cli.radius_config import SHARED_SECRET, SecureFiles, nas_of
from portal.gateway_api.radius_credentials import credentials_of
from portal.gateway_api.secrets import secret_of
from sessions import clients
from tests import radius_nas
from tests.clock import MovingClock
from tests.gateways.contract.driver import Download
from tests.gateways.contract.drivers.in_memory import CREDENTIAL, InMemory
from tests.gateways.contract.portal import ContractPortal
from tests.services.freeradius import FreeRadius, running_freeradius
from tests.services.nas import RadiusNas, Silence

SERVER_ADDRESS = "127.0.0.1"
# A bucket that the gateway lets through at once.
BURST_BYTES = 65_536
LINE_BYTES_A_SECOND = 10_000_000


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Nothing."""


@dataclass
class Passing:
    """What the gateway holds of one client."""

    user: str
    session_id: str
    since: float
    until: float
    class_: bytes
    down_bps: int
    up_bps: int
    bytes_down: int = 0


class NasDriver(InMemory):
    """A gateway of a kind that speaks RADIUS."""

    def __init__(
        self, folder: Path, kind: str, server_port: int, *, options: Mapping[str, str] | None = None
    ) -> None:
        self.clock = MovingClock()
        url = f"http://{SERVER_ADDRESS}:{server_port}"
        self.options = {"nas_address": SERVER_ADDRESS, **_own_options(kind), **(options or {})}
        self.portal = ContractPortal(
            folder,
            kind,
            clock=self.clock,
            credential=CREDENTIAL,
            url=url,
            options=self.options,
        )
        self.is_portal_there = False
        self._newcomers = 0
        self._port = server_port
        self._clients: dict[MacAddress, Client] = {}
        self._passing: dict[MacAddress, Passing] = {}
        self._sessions = 0
        self.nas: RadiusNas
        # What takes Disconnect-Request and CoA-Request, where boxes of the kind listen (RFC 5176).
        self.listener: radius_nas.Nas | None = None

    def connect(self, server: FreeRadius) -> None:
        with self.portal.app.app_context():
            self.secret = secret_of(self.portal.gateway, SHARED_SECRET)
        self.nas = RadiusNas(server, self.secret, patience=4.0)

    def listen(self, listener: radius_nas.Nas) -> None:
        with self.portal.app.app_context():
            listener.secret = secret_of(self.portal.gateway, SHARED_SECRET).encode()
        listener.clock = lambda: self.clock().timestamp()
        self.listener = listener
        self.portal.set_options({**self.options, "coa_port": str(listener.port)})

    def newcomer(self) -> Client:
        client = super().newcomer()
        self._clients[client.mac] = client
        return client

    def passes(self, client: Client) -> bool:
        return self.end_of(client) is not None

    def end_of(self, client: Client) -> float | None:
        held = self._passing.get(client.mac)
        if held is None or self._is_disconnected(held):
            return None
        until = self._until(held)
        return until if self.clock().timestamp() < until else None

    def _is_disconnected(self, held: Passing) -> bool:
        return self.listener is not None and held.session_id not in self.listener.sessions

    def _until(self, held: Passing) -> float:
        """As told with the Access-Accept, or by the last CoA-Request."""
        told = self.listener.sessions.get(held.session_id) if self.listener is not None else None
        if told is None or not told.timeout:
            return held.until
        how = dynauth_of(self.portal.gateway.kind)
        return (held.since if how is not None and how.counts_from_start else told.told_at) + told.timeout

    def learn(self) -> None:
        """Each guest who has a session and does not pass brings the credentials, and the gateway asks."""
        self.end_what_is_over()
        for client in self._clients.values():
            if not self.passes(client) and self.is_portal_there:
                self.sign_in(client)

    def sign_in(self, client: Client) -> bool:
        """What happens when the guest's browser has brought user and secret to the gateway."""
        carried = self._carried(client)
        if carried is None:
            return False
        user, secret = carried
        self._sessions += 1
        session_id = f"{int(self.clock().timestamp())}{self._sessions:08d}"
        try:
            reply = self.nas.ask(user, secret, **self.names(client, session_id), Service_Type="Login-User")
        except Silence:
            return False
        if reply.code != packet.AccessAccept:
            return False
        now = self.clock().timestamp()
        until = now + reply["Session-Timeout"][0]
        self.let_pass(client, Passing(user, session_id, now, until, reply["Class"][0], *self.rates_in(reply)))
        return True

    def let_pass(self, client: Client, held: Passing) -> None:
        self._passing[client.mac] = held
        if self.listener is not None:
            self.listener.hold(held.session_id, held.user)
        self.began(client, held)

    def rates_in(self, reply: packet.Packet) -> tuple[int, int]:
        """Down and up in bit/s, as this vendor says them; 0 is none."""
        down, up = "WISPr-Bandwidth-Max-Down", "WISPr-Bandwidth-Max-Up"
        return (reply[down][0], reply[up][0]) if down in reply else (0, 0)

    def names(self, client: Client, session_id: str) -> dict[str, str]:
        """The attributes by which this vendor's box names client and session."""
        return {
            "Calling_Station_Id": client.mac.upper().replace(":", "-"),
            "Framed_IP_Address": str(client.addresses[0]),
            "Acct_Session_Id": session_id,
        }

    def began(self, client: Client, held: Passing) -> None:
        """The client passes from now on."""
        self.account("Start", client, held)

    def account(self, status: str, client: Client, held: Passing, **more: object) -> None:
        """Send a record; a portal that is away is asked again, which a box does for longer than this test lasts."""
        counted = self.counters_of(held) if status != "Start" else {}
        age = int(self.clock().timestamp() - held.since)
        names = {**self.names(client, held.session_id), "User_Name": held.user}
        with contextlib.suppress(Silence):
            self.nas.account(
                status,
                **names,
                Class=held.class_,
                Acct_Session_Time=age,
                **self.now(),
                **counted,
                **more,
            )

    def now(self) -> dict[str, int]:
        """The time by the box's own clock."""
        return {"Event_Timestamp": int(self.clock().timestamp())}

    def counters_of(self, held: Passing) -> dict[str, int]:
        """RFC 2866 section 5.3: Input is what came from the client."""
        high, low = divmod(held.bytes_down, 2**32)
        return {
            "Acct_Input_Octets": 0,
            "Acct_Output_Octets": low,
            "Acct_Output_Gigawords": high,
            "Acct_Output_Packets": held.bytes_down // 1000,
        }

    def end_what_is_over(self) -> None:
        """Session-Timeout has run out for some, and some were disconnected."""
        now = self.clock().timestamp()
        for mac, held in list(self._passing.items()):
            if self._is_disconnected(held):
                cause = "Admin-Reset"
            elif self._until(held) <= now:
                cause = "Session-Timeout"
            else:
                continue
            del self._passing[mac]
            if self.listener is not None:
                self.listener.sessions.pop(held.session_id, None)
            self.account("Stop", self._clients[mac], held, Acct_Terminate_Cause=cause)

    def power_cut(self) -> None:
        self._passing.clear()
        if self.listener is not None:
            self.listener.sessions.clear()
        self.nas.account("Accounting-On", **self.now())

    def portal_away(self) -> None:
        self.is_portal_there = False
        self._server.shutdown()
        self._server.server_close()

    def portal_back(self) -> None:
        self.portal.restart()
        self._server = make_server(
            SERVER_ADDRESS, self._port, self.portal.app, threaded=True, request_handler=Quiet
        )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.is_portal_there = True

    def download(self, client: Client, *, bytes_sent: int) -> Download:
        """What this gateway would let through of it within a second, by the rates that it was told."""
        held = self._passing[client.mac]
        room = LINE_BYTES_A_SECOND if not held.down_bps else BURST_BYTES + held.down_bps // 8
        size = min(bytes_sent, room)
        held.bytes_down += size
        self.counted(client, held)
        return Download(size, 1.0)

    def counted(self, client: Client, held: Passing) -> None:
        """Traffic has passed."""
        self.account("Interim-Update", client, held)

    def close(self) -> None:
        self.nas.close()
        if self.is_portal_there:
            self.portal_away()
        self.portal.close()

    def _carried(self, client: Client) -> tuple[str, str] | None:
        """What the guest's browser has in the form that leads to the gateway."""
        gateway = self.portal.gateway
        with self.portal.services.make_session() as db:
            now = self.clock()
            access = clients.online(db, network_id=gateway.network_id, mac=client.mac, now=now)
        if access is None:
            return None
        with self.portal.app.app_context():
            made = credentials_of(gateway, access)
        return made.user, made.secret


@contextmanager
def opened_nas(driver: NasDriver, folder: Path, *, secure: SecureFiles | None = None) -> Iterator[NasDriver]:
    """The driver with its portal over HTTP and its FreeRADIUS."""
    with ExitStack() as stack:
        driver.portal_back()
        with driver.portal.app.app_context():
            nas = nas_of([driver.portal.gateway])
        server = stack.enter_context(
            running_freeradius(folder / "radius", portal=driver.portal.url, nas=nas, secure=secure)
        )
        driver.connect(server)
        if dynauth_of(driver.portal.gateway.kind) is not None:
            driver.listen(stack.enter_context(radius_nas.listening()))
        stack.callback(driver.close)
        yield driver


def dynauth_of(kind: str) -> DynamicAuthorization | None:
    profile = kind_of(kind).radius
    return None if profile is None else profile.dynauth


def _own_options(kind: str) -> dict[str, str]:
    """What must be set at a record of this kind besides."""
    return {one.name: "10.66.0.1" for one in kind_of(kind).options if one.name == "login_hosts"}


def free_port() -> int:
    return free_ports(1)[0]

"""RADIUS, from the packet to FreeRADIUS over the portal's lease and back: who may pass, and what has passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from pyrad.client import Client as Pyrad
from pyrad.packet import AccessAccept, AccountingResponse
from sqlalchemy import func, select, text, update

from auth.entitlements import Allowance
from gateways.types import Client, parse_mac
from lab.bench.figures import Figure, percentile
from lab.bench.load import SpoiltRun, demand
from lab.bench.packets import Exchanged, exchange, identifier
from lab.bench.portal import HOST, RunningPortal, database, running_portal
from lab.doors import STATION, Door
from lab.hotspot import now
from lab.uam_radius import dictionary
from portal.app import create_app
from portal.cli.radius_config import SHARED_SECRET, nas_of
from portal.gateway_api.radius_credentials import credentials_of
from portal.gateway_api.secrets import secret_of
from sessions import start
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, Lease
from sites.models import Gateway, SigninMethod
from tests.services.freeradius import FreeRadius, running_freeradius

KIND = "coovachilli"
DOOR = Door("radius-viotte", STATION.site, STATION.network, KIND, {"nas_address": HOST})
WARMING = 50
# Each device has an address of its own.
CLIENTS = ip_network("10.80.0.0/16")


@dataclass(frozen=True, slots=True)
class Device:
    """A client with an open session, and what its guest's browser carries."""

    access: AccessSession
    user: str
    secret: str

    @property
    def names(self) -> dict[str, str]:
        return {
            "Calling_Station_Id": self.access.mac.upper().replace(":", "-"),
            "Framed_IP_Address": self.access.address,
            "Acct_Session_Id": f"{self.access.id:016d}",
            "NAS_Identifier": DOOR.identity,
        }


def measure(folder: Path, *, sessions: int) -> Iterator[Figure]:
    """On either database, with the configuration that the portal makes for FreeRADIUS."""
    demand("freeradius")
    for kind in ("sqlite", "postgresql"):
        with (
            database(kind, folder) as url,
            running_portal(folder / kind, url, doors=(STATION, DOOR), server="gateways") as portal,
        ):
            yield from _through(portal, folder / f"radius-{kind}", kind, sessions)


def _through(portal: RunningPortal, folder: Path, kind: str, sessions: int) -> Iterator[Figure]:
    gateway = _gateway(portal)
    with create_app(portal.services).app_context():
        nas, secret = nas_of([gateway]), secret_of(gateway, SHARED_SECRET)
        devices = _let_in(portal, gateway, sessions + WARMING)
    if kind == "postgresql":
        # As autovacuum does within a minute.
        with portal.services.engine.begin() as connection:
            connection.execute(text("ANALYZE"))
    with running_freeradius(folder, portal=f"http://{portal.gateways}", nas=nas) as server:
        line = Pyrad(HOST, secret=secret.encode(), dict=dictionary())
        warm, devices = devices[:WARMING], devices[WARMING:]
        _ask(server, _requests(line, warm))
        yield from _figures(f"Access-Requests, {kind}", _ask(server, _requests(line, devices)), 1200)
        _count_confirmed(portal, sessions + WARMING)
        again = _ask(server, _requests(line, devices))
        yield from _figures(f"Access-Requests that come again, {kind}", again, 1200)
        for status, name in (("Start", "starts"), ("Interim-Update", "interim updates"), ("Stop", "stops")):
            reported = exchange(
                _reports(line, devices, status), to=(HOST, server.server.acct_port), address=HOST
            )
            demand_code(reported, AccountingResponse)
            yield from _figures(f"accounting {name}, {kind}", reported, 1800)


def _gateway(portal: RunningPortal) -> Gateway:
    """Its record, as the portal has it by the time that FreeRADIUS has started."""
    with portal.services.make_session.begin() as db:
        mine = update(Gateway).where(Gateway.identity == DOOR.identity)
        db.execute(mine.values(client_prefixes=[str(CLIENTS)]))
    portal.services.places.forget()
    gateway = portal.services.places.by_identity(DOOR.identity)
    assert gateway is not None
    return gateway


def _ask(server: FreeRadius, packets: Sequence[bytes]) -> Exchanged:
    answered = exchange(packets, to=(HOST, server.server.auth_port), address=HOST)
    demand_code(answered, AccessAccept)
    return answered


def demand_code(answered: Exchanged, code: int) -> None:
    """Raise `SpoiltRun` unless every packet was answered by this code."""
    others = sum(one != code for one in answered.codes)
    if others or answered.lost:
        raise SpoiltRun(f"{others} answers of another code, {answered.lost} packets without an answer")


def _figures(name: str, answered: Exchanged, aim: int) -> Iterator[Figure]:
    yield Figure(name, len(answered.codes) / answered.seconds, "1/s", f"at least {aim:,}", REFERENCE)
    yield Figure(f"{name}, p99", percentile(answered.waits, 99) * 1000, "ms")


REFERENCE = "openwisp-radius: 84/s by MAC, 7.5/s by password"


def _requests(line: Pyrad, devices: Sequence[Device]) -> list[bytes]:
    made = []
    for number, device in enumerate(devices):
        request = line.CreateAuthPacket(
            User_Name=device.user, Service_Type="Login-User", message_authenticator=True, **device.names
        )
        request.id = identifier(number)
        request["User-Password"] = request.PwCrypt(device.secret)
        made.append(request.RequestPacket())
    return made


def _reports(line: Pyrad, devices: Sequence[Device], status: str) -> list[bytes]:
    counted = {"Start": 0, "Interim-Update": 1_000_000, "Stop": 2_000_000}[status]
    made = []
    for number, device in enumerate(devices):
        fields: dict[str, Any] = {
            "User_Name": device.user,
            "Acct_Status_Type": status,
            "Class": str(device.access.id).encode(),
            "Acct_Session_Time": counted // 10_000,
            "Acct_Input_Octets": counted,
            "Acct_Output_Octets": counted // 10,
        }
        if status == "Stop":
            fields["Acct_Terminate_Cause"] = "User-Request"
        request = line.CreateAcctPacket(**fields, **device.names)
        request.id = identifier(number)
        made.append(request.RequestPacket())
    return made


def _let_in(portal: RunningPortal, gateway: Gateway, count: int) -> list[Device]:
    """Sessions that have just been opened, and that no gateway has asked about."""
    at = now()
    with portal.services.make_session.begin() as db:
        opened = [_open(db, gateway, number, at) for number in range(count)]
    made = [(access, credentials_of(gateway, access)) for access in opened]
    return [Device(access, known.user, known.secret) for access, known in made]


def _open(db: Any, gateway: Gateway, number: int, at: datetime) -> AccessSession:
    mac = parse_mac(f"02:bb:00:00:{number >> 8:02x}:{number & 255:02x}")
    client = Client(mac, (CLIENTS[2 + number],))
    acceptance = Acceptance(gateway.network.terms_version, "fr", "0" * 64)
    allowance = Allowance(f"bench-{number}", SigninMethod.FREE, None, 1)
    return start.open_access(db, Arrival(gateway, client, acceptance), allowance=allowance, now=at).access


def _count_confirmed(portal: RunningPortal, wanted: int) -> None:
    with portal.services.make_session() as db:
        held = db.scalar(select(func.count(Lease.id)).where(Lease.confirmed_at.is_not(None))) or 0
    if held != wanted:
        raise SpoiltRun(f"{held} leases are confirmed, where {wanted} devices were let in")

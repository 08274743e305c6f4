"""Gateways of several kinds on real packets: from sign-in to open, and from the end in the books to the last byte."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path

from sqlalchemy import update

from db.engine import reading
from lab import freeradius, opennds
from lab.bench.figures import Figure, percentile
from lab.bench.load import SpoiltRun
from lab.doors import STATION, Door
from lab.flows import echo
from lab.guest import Guest
from lab.hotspot import now
from lab.journeys import PROBE, is_online
from lab.many_kinds import ManyKinds, many_kinds, opennds_door, uam_door
from lab.namespace import demand_namespaces
from lab.network import Gateway
from lab.report import until
from lab.three_kinds import PATIENCE_SECONDS, VIEWING_SECONDS, ended_at
from sessions import clients
from sites.demo.town import load_demo
from sites.models import Network
from tests.gateways.contract.drivers import unifi

# Each is measured with guests of its own: who is in at an openNDS cannot be sent out.
NETWORK = STATION.network
DOORS: tuple[tuple[str, Door], ...] = (
    ("nftables", STATION),
    ("openNDS level 3", opennds_door("battant-opennds", "battant", NETWORK)),
    ("UAM and RADIUS", uam_door(2, "granvelle-uam", "place-granvelle", NETWORK)),
)
# In a hotspot of its own: it serves free access alone, because its token can be guessed.
CARRIED = (("openNDS level 2", opennds_door("battant-opennds", "battant", NETWORK, level="2")),)
REFERENCE = "openNDS levels 0 to 2: under 200 ms, level 3: 1.8 to 9.8 s"
HOUR_SECONDS = 3600
END = "end in the books to the last byte"
MOST_TO_END = 30.0


def measure(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """One portal, a gateway of each kind; openNDS asks once a second, which is the least that it can."""
    demand_namespaces("dnsmasq", "openssl", "nginx", *opennds.NEEDED, *freeradius.NEEDED)
    for number, doors in enumerate((DOORS, CARRIED)):
        yield from _measure(folder / str(number), doors, rounds)
    yield Figure(
        "UniFi, end in the books to the controller's word", _seconds_to_unifi(folder), "s", "at most 5"
    )


def _measure(folder: Path, doors: Sequence[tuple[str, Door]], rounds: int) -> Iterator[Figure]:
    with many_kinds(folder, [door for _, door in doors], phones=rounds * len(doors)) as place:
        with place.services.make_session.begin() as db:
            load_demo(db, now=now())
            rules = {"lease_seconds": HOUR_SECONDS, "viewing_seconds": VIEWING_SECONDS}
            db.execute(update(Network).where(Network.slug == NETWORK).values(**rules))
        place.start()
        phones = iter(place.net.phone)
        for (name, _), gateway in zip(doors, place.net.gateways, strict=True):
            guests = [place.guest(next(phones)) for _ in range(rounds)]
            yield from _sign_in(place, name, gateway, guests)
            if place.record(gateway).capabilities.revokes:
                seconds = [_seconds_to_end(place, guest) for guest in guests]
                yield Figure(f"{name}, {END}", max(seconds), "s", "at most 5")


def _sign_in(place: ManyKinds, name: str, gateway: Gateway, guests: list[Guest]) -> Iterator[Figure]:
    """The message of the free network: from the button to the first byte of the Internet."""
    waits = []
    for guest in guests:
        place.join(guest, gateway)
        _await_known(guest)
        landing = guest.get(PROBE)
        time.sleep(VIEWING_SECONDS + 0.1)
        pressed = time.perf_counter()
        guest.submit(landing, "/pause")
        _await_online(guest)
        waits.append(time.perf_counter() - pressed)
    yield Figure(f"{name}, sign-in to open, p50", percentile(waits, 50) * 1000, "ms", "", REFERENCE)
    yield Figure(f"{name}, sign-in to open, longest of {len(waits)}", max(waits) * 1000, "ms", "", REFERENCE)


def _await_known(guest: Guest) -> None:
    """openNDS reads the list of DHCP's leases a moment later, and forbids everything until then."""
    until(lambda: guest.fetch("GET", PROBE).status != HTTPStatus.FORBIDDEN, PATIENCE_SECONDS)


def _await_online(guest: Guest) -> None:
    until(lambda: is_online(guest), PATIENCE_SECONDS, every=0.005)


def _seconds_to_end(place: ManyKinds, guest: Guest) -> float:
    """Staff's end of a session, by the command; from its commit to the last byte."""
    flow = echo(guest.phone, str(place.net.internet_address(4)))
    with reading(place.services.make_session) as db:
        access = clients.last(db, network_id=place.record(place.net.gateway).network_id, mac=guest.phone.mac)
    if access is None:
        raise SpoiltRun("the books have no session of a guest who is online")
    place.flask("sessions", "end", guest.phone.mac)
    if not flow.until_silent(MOST_TO_END):
        raise SpoiltRun("a session that was ended goes on at its gateway")
    return flow.last_at - ended_at(place, access.id)


def _seconds_to_unifi(folder: Path) -> float:
    """From a session's end to the controller's having unauthorized its client."""
    place = folder / "unifi"
    place.mkdir()
    with unifi.opened(place) as driver:
        client = driver.newcomer()
        access = driver.portal.let_in(client, seconds=600)
        until(lambda: driver.passes(client), PATIENCE_SECONDS)
        began = time.monotonic()
        driver.portal.end(access)
        until(lambda: not driver.passes(client), MOST_TO_END)
        return time.monotonic() - began

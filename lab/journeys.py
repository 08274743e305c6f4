"""Journeys of the tour: the patron, the passer-by and the network's staff; the visitor has `lab.visitor`.

Time is compressed: what takes minutes in town takes seconds here.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass

from sqlalchemy import select

from db.engine import reading
from lab import internet
from lab.flows import Flow, download, echo
from lab.guest import Guest, Page
from lab.hotspot import PORTAL_URL, Hotspot
from lab.network import Phone
from lab.report import Report, StepFailed, until
from sessions import accounting
from sessions.models import AccessSession

PROBE = "http://captive.apple.com/hotspot-detect.html"
CARD, PIN = "20000001", "4711"
LEASE_SECONDS, RENEWAL_SECONDS, VIEWING_SECONDS = 30, 5, 1
# The library's stay of four hours becomes four minutes.
STAY_SECONDS = 240
DOWNLOAD_BYTES = 4_000_000
MOST_AFTER_DEADLINE, MOST_AFTER_STAFF = 2.0, 5.0
LIBRARY, STATION, BATTANT, SCHOOL = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Tour:
    """Who walks: a patron, a passer-by, a visitor, a stranger who never signs in, a school's tablets; and where."""

    place: Hotspot
    report: Report
    patron: Guest
    passer_by: Guest
    visitor: Guest
    stranger: Phone
    tablets: tuple[Guest, ...] = ()

    def arrive(self, guest: Guest, number: int) -> str:
        """Join a site's wifi; gives the RFC 8908 address that was announced."""
        return self.place.join(guest, self.place.net.gateways[number])

    def access(self, guest: Guest) -> AccessSession:
        """The guest's open access session, as the portal's books have it."""
        with reading(self.place.services.make_session) as db:
            return db.scalars(
                select(AccessSession).where(
                    AccessSession.mac == guest.phone.mac, AccessSession.ended_at.is_(None)
                )
            ).one()

    def ended_at(self, access: AccessSession) -> float:
        """When the session ended by the portal's books, in seconds since the epoch."""
        with reading(self.place.services.make_session) as db:
            ended = db.get_one(AccessSession, access.id).ended_at
        if ended is None:
            raise StepFailed("the books say that the session goes on")
        return ended.timestamp()

    def bytes_down(self, access: AccessSession) -> int:
        with reading(self.place.services.make_session) as db:
            return accounting.usage(db, access.id).bytes_down

    @property
    def outside(self) -> str:
        return str(self.place.net.internet_address(4))


def is_online(guest: Guest) -> bool:
    """Whether the phone's own probe finds the Internet."""
    page = guest.fetch("GET", PROBE)
    return page.status == 200 and b"Success" in page.body


def seconds_told(guest: Guest, url: str) -> int:
    """The seconds that the RFC 8908 answer gives the phone, once the gateway's confirmation has reached the portal."""
    answer, _ = until(lambda: guest.capport(url).get("seconds-remaining"), 5)
    return int(answer or 0)


def is_reachable(phone: Phone, address: str, port: int, family: int = socket.AF_INET) -> bool:
    """Whether a TCP connection comes about."""
    with phone.ns.socket(family) as line:
        line.settimeout(1)
        try:
            line.connect((address, port))
        except OSError:
            return False
    return True


def sign_in(tour: Tour, guest: Guest) -> tuple[Page, float]:
    """Patron's way in; gives the last page and the seconds from the button to the first byte of the Internet."""
    landing = guest.get(PROBE)
    pressed = time.monotonic()
    page = guest.submit(landing, "/signin", login=CARD, secret=PIN)
    until(lambda: is_online(guest), 5, every=0.005)
    return page, time.monotonic() - pressed


def accept(guest: Guest) -> Page:
    """Passer-by's way in: read the message for as long as it takes, then press the button."""
    landing = guest.get(PROBE)
    time.sleep(VIEWING_SECONDS + 0.1)
    return guest.submit(landing, "/pause")


def patron_signs_in(tour: Tour) -> None:
    report, guest = tour.report, tour.patron
    report.journey("1. A patron signs in at a library")
    url = tour.arrive(guest, LIBRARY)
    identity = tour.place.doors[LIBRARY].identity
    report.step("DHCP announces the portal (option 114)", url == f"{PORTAL_URL}/capport/{identity}", url)
    report.step("the RFC 8908 answer says captive", guest.capport(url)["captive"] is True)
    probe = guest.fetch("GET", PROBE)
    report.step(
        "the phone's probe is shown the way", probe.status == 302, probe.headers["Location"][:48] + "…"
    )
    blocked = [port for port in (443, internet.STREAM) if not is_reachable(guest.phone, tour.outside, port)]
    report.step("nothing else comes through yet", len(blocked) == 2)
    refused = guest.submit(guest.get(PROBE), "/signin", login=CARD, secret="0000")
    report.step("a wrong PIN is refused", refused.status >= 400 and not is_online(guest), str(refused.status))
    page, took = sign_in(tour, guest)
    report.step("card and PIN open the status page", page.shows_session, page.path)
    report.step("from the button to the first byte of the Internet", True, f"{took * 1000:.0f} ms")
    left = seconds_told(guest, url)
    report.step("the RFC 8908 answer is true", 0 < left <= STAY_SECONDS, f"{left} s left")
    _, took = until(lambda: is_reachable(guest.phone, outside6(tour), internet.WEB, socket.AF_INET6), 10)
    report.step("IPv6 is open too", True, f"{took:.1f} s later")
    _account(tour, guest)


def outside6(tour: Tour) -> str:
    return str(tour.place.net.internet_address(6))


def _account(tour: Tour, guest: Guest) -> None:
    access = tour.access(guest)
    before = tour.bytes_down(access)
    page = guest.fetch("GET", f"http://www.example.org/bytes/{DOWNLOAD_BYTES}")
    until(lambda: tour.bytes_down(access) - before >= DOWNLOAD_BYTES, 10, every=0.1)
    counted = tour.bytes_down(access) - before
    share = counted / len(page.body)
    claim = "bytes accounted against bytes sent, headers included"
    tour.report.step(claim, 1 <= share < 1.1, f"{counted} / {len(page.body)} = {share:.3f}")


def passer_by_renews_and_is_cut(tour: Tour) -> None:
    report, guest = tour.report, tour.passer_by
    report.journey(
        "2. A passer-by accepts the message, renews, and is cut at the deadline with the portal dead"
    )
    url = tour.arrive(guest, STATION)
    early = guest.submit(guest.get(PROBE), "/pause")
    report.step(
        "the button does not work before the message could be read",
        early.path == "/pause/pressed" and not is_online(guest),
        early.path,
    )
    page = accept(guest)
    report.step("then it opens the status page", page.shows_session, page.path)
    until(lambda: is_online(guest), 5)
    first = tour.access(guest).until
    left = seconds_told(guest, url)
    report.step("30 'minutes' are granted", LEASE_SECONDS - 4 <= left <= LEASE_SECONDS, f"{left} s left")
    flows = [download(guest.phone, tour.outside), echo(guest.phone, tour.outside)]
    early_page = guest.get(f"{PORTAL_URL}/status")
    report.step(
        "no renewal is offered yet", not early_page.has_form("/pause") and "/pause" not in early_page.text
    )
    time.sleep(max(0.0, first.timestamp() - RENEWAL_SECONDS + 0.5 - time.time()))
    offer = guest.get(f"{PORTAL_URL}/pause")
    time.sleep(VIEWING_SECONDS + 0.1)
    guest.submit(offer, "/pause")
    second = tour.access(guest).until
    gained = (second - first).total_seconds()
    report.step("renewed from the old deadline, nothing lost", gained == LEASE_SECONDS, f"+{gained:g} s")
    time.sleep(max(0.0, first.timestamp() + 1 - time.time()))
    report.step(
        "running flows never noticed", _widest(flows) < 1, f"longest gap {_widest(flows) * 1000:.0f} ms"
    )
    tour.place.kill_portal()
    try:
        cut_at(report, flows, second.timestamp(), "deadline", MOST_AFTER_DEADLINE)
    finally:
        tour.place.start_portal()
    report.step("the phone is captive again", not is_online(guest))


def _widest(flows: list[Flow]) -> float:
    return max(flow.longest_gap for flow in flows)


def cut_at(report: Report, flows: list[Flow], instant: float, name: str, most: float) -> None:
    """See each flow end, at most `most` seconds after `instant` (in seconds since the epoch), called `name`."""
    for flow in flows:
        ended = flow.until_silent(max(0.0, instant - time.time()) + most + 8)
        after = flow.last_at - instant
        claim = f"last byte of the {flow.name} after the {name}"
        report.step(claim, ended and -1 < after <= most, f"{after:+.3f} s")


def walks_to_another_site(tour: Tour) -> None:
    report, guest = tour.report, tour.passer_by
    report.journey("3. The same passer-by walks to another site of the network")
    page = guest.get(PROBE)
    if not page.shows_session:
        page = accept(guest)
    until(lambda: is_online(guest), 5)
    report.step("a new message, 30 new 'minutes'", page.shows_session, page.path)
    access = tour.access(guest)
    url = tour.arrive(guest, BATTANT)
    _, took = until(lambda: is_online(guest), 10)
    report.step("online at the other site without a page", True, f"{took:.2f} s after its DHCP lease")
    same = tour.access(guest)
    report.step(
        "it is the same session, with no added time", (same.id, same.until) == (access.id, access.until)
    )
    # The kernel lets packets through a moment before the portal has read the gateway's confirmation.
    until(lambda: not guest.capport(url)["captive"], 2)
    answer = guest.capport(url)
    report.step(
        "the RFC 8908 answer there is true", not answer["captive"], f"{answer['seconds-remaining']} s left"
    )


def staff_ends_a_session(tour: Tour) -> None:
    report, guest = tour.report, tour.passer_by
    report.journey("4. Network staff end a session")
    flows = [download(guest.phone, tour.outside), echo(guest.phone, tour.outside)]
    access = tour.access(guest)
    answer = tour.place.flask("sessions", "end", guest.phone.mac)
    report.step("flask --app wsgi sessions end", "Ended 1" in answer, answer.strip())
    cut_at(report, flows, tour.ended_at(access), "end in the books", MOST_AFTER_STAFF)
    report.step("the phone is captive again", not is_online(guest))


def agent_is_killed(tour: Tour) -> None:
    report, guest = tour.report, tour.patron
    report.journey("5. The agent is killed in the middle of a session")
    if not is_online(guest):
        sign_in(tour, guest)
    before, gateway = tour.access(guest).until, tour.place.net.gateways[LIBRARY]
    flow = echo(guest.phone, tour.outside)
    tour.stranger.walk(gateway)
    leaked = 0
    for _ in range(3):
        tour.place.kill_agent(gateway)
        leaked += _leaks(tour)
        tour.place.start_agent(gateway)
        leaked += _leaks(tour)
    flow.stop()
    report.step(
        "kill -9, three times: the patron's flow",
        flow.longest_gap < 1,
        f"longest gap {flow.longest_gap * 1000:.0f} ms",
    )
    report.step("datagrams lost", flow.lost == 0, f"{flow.lost} of {flow.sent}")
    report.step("time lost", tour.access(guest).until == before, "none")
    report.step("packets of a stranger that came through meanwhile", leaked == 0, str(leaked))


def _leaks(tour: Tour) -> int:
    """How many datagrams of a phone without a session are answered from the Internet."""
    answered = 0
    with tour.stranger.ns.socket(kind=socket.SOCK_DGRAM) as line:
        line.settimeout(0.02)
        line.connect((tour.outside, internet.ECHO))
        for _ in range(20):
            try:
                line.send(b"leak")
                answered += bool(line.recv(64))
            except OSError:
                continue
    return answered

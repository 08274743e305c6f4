"""Three times the same: patron, day pass and message on gateways of three kinds, and a phone that walks between them.

All three serve one network, which lets people in by card, by pass and by a message. What each kind does is printed as
one table. Time is compressed as far as the coarsest of them can keep it: openNDS knows whole minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import select, update

from auth.vouchers.models import Plan
from db.engine import reading
from gateways.registry import kind_of
from lab import staff
from lab.clerk import Clerk
from lab.flows import PING, Flow, echo
from lab.guest import Guest, Page
from lab.hotspot import now
from lab.journeys import CARD, MOST_AFTER_STAFF, PIN, PROBE, is_online
from lab.many_kinds import ManyKinds
from lab.network import Gateway
from lab.report import Report, StepFailed, until
from lab.visitor import PLAN
from sessions import accounting
from sessions.models import AccessSession, Lease
from sites.demo.town import load_demo
from sites.models import Network, SigninMethod

# openNDS needs a minute more than it can keep, and the card's stay has begun at the gateway before.
STAY_SECONDS, VIEWING_SECONDS = 190, 1
WALK_SECONDS = 400
DOWNLOAD_BYTES = 1_000_000
# To open: openNDS asks once a second, and its own tools take their time.
PATIENCE_SECONDS = 20.0
# After the end, beside the gateway's own step: the clocks of the kernel, and openNDS's look at its clients.
MOST_AFTER = 4.0
# A datagram of the echo with its headers (RFC 791, RFC 768).
ECHO_BYTES = 32
# What the last report may lack, and what headers of TCP add.
LEAST_OF_DOWNLOAD, MOST_OF_DOWNLOAD = 0.97, 1.1


Press = Callable[[], Page]


class Way(NamedTuple):
    """A way in: what its guests do with the first page, up to the button, which they press then."""

    name: str
    enter: Callable[[ThreeKinds, Guest], Press]


@dataclass
class Line:
    """A line of the table: what one guest met at one gateway."""

    gateway: Gateway
    way: str
    access: AccessSession
    lease: Lease
    opened_ms: float
    flow: Flow
    body_bytes: int
    after: float | None = None
    share: float | None = None


@dataclass
class ThreeKinds:
    place: ManyKinds
    report: Report
    clerk: Clerk
    lines: list[Line]

    def kind(self, gateway: Gateway) -> str:
        return self.place.door(gateway).kind

    @property
    def outside(self) -> str:
        return str(self.place.net.internet_address(4))

    def code(self, *, seconds: int) -> str:
        """A day pass from the desk, of a day that ends in so many seconds."""
        with self.place.services.make_session.begin() as db:
            db.execute(
                update(Plan).where(Plan.slug == PLAN).values(ends_at=now() + timedelta(seconds=seconds))
            )
        desk = self.clerk.open_door()
        if desk.path == "/staff/signin":
            desk = self.clerk.give_digits(self.clerk.give_password(desk))
        return self.clerk.issue(desk, plan=PLAN, site=self.place.doors[0].site)

    def lease(self, guest: Guest, gateway: Gateway) -> tuple[AccessSession, Lease]:
        """The open session of a guest, and its lease at a gateway, as the portal's books have them."""
        with reading(self.place.services.make_session) as db:
            row = db.execute(
                select(AccessSession, Lease)
                .join(Lease, Lease.access_id == AccessSession.id)
                .where(
                    AccessSession.mac == guest.phone.mac,
                    AccessSession.ended_at.is_(None),
                    Lease.gateway_id == self.place.record(gateway).id,
                )
                .order_by(Lease.id.desc())
            ).first()
        if row is None:
            raise StepFailed("the books have no lease of this guest here")
        return row[0], row[1]


def by_card(tour: ThreeKinds, guest: Guest) -> Press:
    landing = guest.get(PROBE)
    return lambda: guest.submit(landing, "/signin", login=CARD, secret=PIN)


def by_pass(tour: ThreeKinds, guest: Guest) -> Press:
    landing, code = guest.get(PROBE), tour.code(seconds=STAY_SECONDS)
    return lambda: guest.submit(landing, "/pass", code=code)


def by_message(tour: ThreeKinds, guest: Guest) -> Press:
    landing = guest.get(PROBE)
    time.sleep(VIEWING_SECONDS + 0.1)
    return lambda: guest.submit(landing, "/pause")


WAYS = (Way("patron", by_card), Way("day pass", by_pass), Way("interstitial", by_message))


def prepare(place: ManyKinds) -> None:
    """One network for all three ways in, and short stays."""
    with place.services.make_session.begin() as db:
        load_demo(db, now=now())
        rules = {
            "signin_methods": [SigninMethod.PATRON, SigninMethod.PASS, SigninMethod.FREE],
            "lease_seconds": STAY_SECONDS,
            "renewal_seconds": 5,
            "viewing_seconds": VIEWING_SECONDS,
            "devices_per_person": len(place.doors),
        }
        db.execute(update(Network).where(Network.slug == place.doors[0].network).values(**rules))


def three_times(place: ManyKinds, report: Report) -> None:
    """Everybody comes in, everybody is seen out, the table, the walk."""
    staff.hire(place.services, at=now())
    tour = ThreeKinds(place, report, Clerk(place), [])
    guests = iter(map(place.guest, place.net.phone))
    for gateway in place.net.gateways:
        report.journey(f"On {product(tour, gateway)}")
        for way in WAYS:
            try:
                tour.lines.append(come_in(tour, next(guests), gateway, way))
            except StepFailed:
                continue
            except Exception as error:
                report.broke(error)
    report.journey("All of them, until their end")
    for line in tour.lines:
        try:
            see_out(tour, line)
        except StepFailed:
            continue
    print_table(tour)
    try:
        walk_between(tour, next(guests))
    except StepFailed:
        return
    except Exception as error:
        report.broke(error)


def product(tour: ThreeKinds, gateway: Gateway) -> str:
    return kind_of(tour.kind(gateway)).product


def come_in(tour: ThreeKinds, guest: Guest, gateway: Gateway, way: Way) -> Line:
    """Join the gateway's wifi, and come in this way."""
    report = tour.report
    tour.place.join(guest, gateway)
    report.step(f"{way.name}: captive at first", not is_online(guest))
    press = way.enter(tour, guest)
    pressed = time.monotonic()
    press()
    until(lambda: is_online(guest), PATIENCE_SECONDS, every=0.005)
    took = (time.monotonic() - pressed) * 1000
    report.step(f"{way.name}: from the button to the first byte of the Internet", True, f"{took:.0f} ms")
    access, lease = tour.lease(guest, gateway)
    flow = echo(guest.phone, tour.outside)
    body = guest.fetch("GET", f"http://www.example.org/bytes/{DOWNLOAD_BYTES}").body
    return Line(gateway, way.name, access, lease, took, flow, len(body))


def see_out(tour: ThreeKinds, line: Line) -> None:
    """Wait for the end that the lease says, and see what was kept of it and what was counted."""
    can = kind_of(tour.kind(line.gateway)).capabilities
    end = line.lease.until.timestamp()
    ended = line.flow.until_silent(max(0.0, end - time.time()) + MOST_AFTER + 10)
    line.after = line.flow.last_at - end
    name = f"{tour.kind(line.gateway)}, {line.way}"
    earliest = -1.0 if can.finest_seconds == 1 else -float(can.finest_seconds) - MOST_AFTER
    tour.report.step(
        f"{name}: last byte after the end",
        ended and earliest <= line.after <= MOST_AFTER,
        f"{line.after:+.2f} s",
    )
    # A kind that does not report while a stay lasts may do so at its end.
    sent = line.body_bytes + line.flow.received // len(PING) * ECHO_BYTES
    until(lambda: counted(tour, line) >= LEAST_OF_DOWNLOAD * sent, 15, every=0.2)
    line.share = counted(tour, line) / sent
    claim = f"{name}: bytes accounted against bytes sent"
    tour.report.step(claim, line.share < MOST_OF_DOWNLOAD, f"{line.share:.3f}")


def counted(tour: ThreeKinds, line: Line) -> int:
    with reading(tour.place.services.make_session) as db:
        return accounting.usage(db, line.access.id).bytes_down


def print_table(tour: ThreeKinds) -> None:
    """One line for each gateway and way in."""
    print(f"\n  {'gateway':<28}{'way in':<14}{'sign-in to open':>20}{'end kept':>12}{'accounting':>12}")
    for line in tour.lines:
        after = "" if line.after is None else f"{line.after:+.2f} s"
        share = "none" if line.share is None else f"{line.share:.3f}"
        print(
            f"  {product(tour, line.gateway):<28}{line.way:<14}{line.opened_ms:>17.0f} ms{after:>12}{share:>12}",
            flush=True,
        )


def walk_between(tour: ThreeKinds, guest: Guest) -> None:
    """One phone, from kind to kind with one day pass, until staff ends it."""
    report, gateways = tour.report, tour.place.net.gateways
    report.journey("A phone walks from one kind to another, with one day pass")
    tour.place.join(guest, gateways[0])
    code = tour.code(seconds=WALK_SECONDS)
    guest.submit(guest.get(PROBE), "/pass", code=code)
    until(lambda: is_online(guest), PATIENCE_SECONDS, every=0.02)
    first, lease = tour.lease(guest, gateways[0])
    for gateway in gateways[1:]:
        tour.place.join(guest, gateway)
        arrived = time.monotonic()
        pages = _asks(guest)
        took = time.monotonic() - arrived
        report.step(
            f"online at {product(tour, gateway)} without a page to fill", not pages, pages or f"{took:.2f} s"
        )
        access, here = tour.lease(guest, gateway)
        added = (here.until - lease.until).total_seconds()
        same = access.id == first.id and access.until == first.until
        report.step("the same session, with no added time", same and added <= 0, f"{added:+.0f} s")
    _end_everywhere(tour, guest, first)


def _asks(guest: Guest) -> str:
    """Use the phone until it is online; the page that asked for something on the way, if any did."""

    def look() -> str:
        page = guest.get(PROBE)
        if page.status == 200 and b"Success" in page.body:
            return "online"
        filled = [path for path in ("/signin", "/pass", "/pause") if page.has_form(path)]
        return f"{page.path} asks for {', '.join(filled)}" if filled else ""

    met, _ = until(look, PATIENCE_SECONDS, every=0.2)
    return "" if met == "online" else met


def _end_everywhere(tour: ThreeKinds, guest: Guest, access: AccessSession) -> None:
    """Staff ends the session; it ends at each gateway that can take it back, and nowhere later than its lease says."""
    report, gateways = tour.report, tour.place.net.gateways
    flow = echo(guest.phone, tour.outside)
    answer = tour.place.flask("sessions", "end", guest.phone.mac)
    report.step("flask --app wsgi sessions end", "Ended 1" in answer, answer.strip())
    here = gateways[-1]
    if kind_of(tour.kind(here)).capabilities.revokes:
        ended = flow.until_silent(20)
        after = flow.last_at - ended_at(tour.place, access.id)
        claim = f"last byte at {product(tour, here)} after the end in the books"
        report.step(claim, ended and after < MOST_AFTER_STAFF, f"{after:+.2f} s")
    else:
        flow.stop()
        report.step(f"{product(tour, here)} cannot take it back, and says so", True)
    for gateway in gateways[:-1]:
        can = kind_of(tour.kind(gateway)).capabilities
        tour.place.join(guest, gateway)
        if can.revokes:
            report.step(f"captive again at {product(tour, gateway)}", not is_online(guest))
        else:
            report.step(
                f"{product(tour, gateway)} cannot take it back: it passes there until its lease ends",
                _is_held(tour, gateway, access) and is_online(guest),
            )


def ended_at(place: ManyKinds, access_id: int) -> float:
    """When a session ended by the portal's books, in seconds since the epoch. Raises `StepFailed` where it did not."""
    with reading(place.services.make_session) as db:
        ended = db.get_one(AccessSession, access_id).ended_at
    if ended is None:
        raise StepFailed("the books say that the session goes on")
    return ended.timestamp()


def _is_held(tour: ThreeKinds, gateway: Gateway, access: AccessSession) -> bool:
    """Whether the books say that the session's lease at this gateway runs on."""
    with reading(tour.place.services.make_session) as db:
        lease = db.scalars(
            select(Lease).where(
                Lease.access_id == access.id, Lease.gateway_id == tour.place.record(gateway).id
            )
        ).one()
    return lease.released_at is None and lease.until > now()

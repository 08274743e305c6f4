"""What a UniFi controller holds, compared with the leases: after each change, and once a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Set
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask import Flask, current_app, has_request_context

from db.engine import reading
from gateways.faults import Fault, FaultCode
from gateways.types import Client, Grant, MacAddress
from gateways.unifi import reconciliation
from gateways.unifi.answers import Guest, Rejected, Station
from gateways.unifi.controller import Account, Controller, Controllers, Listed
from gateways.unifi.errors import ControllerError
from gateways.unifi.kind import KIND
from gateways.unifi.reconciliation import Plan
from gateways.unifi.transport import Address, read_url
from portal.gateway_api import exchanges
from portal.gateway_api.confirmation import confirm, confirm_some
from portal.services import services
from sessions import accounting, feed, roaming
from sites.models import Gateway

HELD = "arobase.unifi"
# How often, and with what pause, an authorization is tried that the controller confirms and does not list.
TRIES, PAUSE_SECONDS = 3, 0.4
# How long one round goes on with telling. A guest's request waits for no more; what is left is told in the next round.
IN_REQUEST_SECONDS, IN_SWEEP_SECONDS = 4.0, 8.0
REPORT_EVERY = timedelta(seconds=10)
# Many guests land at once where a tram stops: they are looked up in one answer.
LOOK_SECONDS = 1.0
# Behind a gateway that was silent for longer than a report takes: gone, for all that roaming wants to know.
GONE_SECONDS = 90.0
TOO_SHORT = "less than a minute is left, and the controller counts whole minutes"
# A controller whose clock is off by less is taken to have ours.
CLOCK_SECONDS = 5.0


@dataclass(slots=True)
class Desk:
    """What this process keeps of one gateway."""

    turn: threading.Lock = field(default_factory=threading.Lock)
    wanted: threading.Event = field(default_factory=threading.Event)
    reported_at: datetime | None = None
    noted: str = ""
    # Devices that are away and whose access was taken back, with the ends that are listed of them all the same.
    taken: dict[MacAddress, float] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    # Who was connected when somebody landed last, and when that was asked (monotonic seconds).
    looked: tuple[float, tuple[Station, ...]] = (float("-inf"), ())
    looking: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class Held:
    """What this process keeps of all."""

    controllers: Controllers = field(default_factory=Controllers)
    desks: dict[int, Desk] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class View:
    """Who is connected and who is authorized at a site of a controller, with ends by our clock."""

    stations: dict[MacAddress, Station]
    guests: dict[MacAddress, Guest]
    now: float
    clock: float

    @property
    def let_pass(self) -> frozenset[MacAddress]:
        """The connected guests that the controller says it lets pass."""
        return frozenset(one.mac for one in self.stations.values() if one.is_guest and one.is_authorized)

    @property
    def stopped(self) -> frozenset[MacAddress]:
        """The connected guests that it says it does not let pass, whatever it lists of them."""
        said = self.stations.values()
        return frozenset(one.mac for one in said if one.is_guest and one.is_authorized is False)

    @property
    def passing(self) -> frozenset[MacAddress]:
        """Who passes, or will on coming back, for all that the controller says."""
        return (frozenset(self.guests) | self.let_pass) - self.stopped


def controller_of(gateway: Gateway) -> Controller:
    """The session with this gateway's controller, shared by all sites of it."""
    host, port = read_url(gateway.option("url"))
    address = Address(host, port, gateway.option("certificate_sha256"), gateway.option("ca_file"))
    return _held().controllers.of(address, account_of(gateway))


def account_of(gateway: Gateway) -> Account:
    """Who signs in there, and the file with the password or key."""
    return Account(gateway.option("username"), gateway.option("credential_file"))


def desk_of(gateway: Gateway) -> Desk:
    """What this process keeps of this gateway."""
    return _held().desks.setdefault(gateway.id, Desk())


def stations_now(gateway: Gateway) -> tuple[Station, ...]:
    """Who is connected, asked of the controller at most once in `LOOK_SECONDS`. Raises `ControllerError`."""
    desk = desk_of(gateway)
    with desk.looking:
        if time.monotonic() - desk.looked[0] >= LOOK_SECONDS:
            found = controller_of(gateway).stations(gateway.option("site"))
            desk.looked = time.monotonic(), found
        return desk.looked[1]


def close(app: Flask) -> None:
    """End this application's lines to controllers."""
    held: Held | None = app.extensions.pop(HELD, None)
    if held is not None:
        held.controllers.close()


def notify(gateway: Gateway) -> None:
    """Have the controller hold what the leases say.

    One thread of a process does it for a gateway; the others leave it their news and go on, so that nobody waits for a
    slow controller on behalf of somebody else.
    """
    desk, until = desk_of(gateway), time.monotonic() + _patience()
    desk.wanted.set()
    # What comes in for longer than that is the next one's, or the sweep's.
    while desk.wanted.is_set() and time.monotonic() < until and desk.turn.acquire(blocking=False):
        try:
            desk.wanted.clear()
            Round(gateway, desk).go()
        except ControllerError:
            # It is noted; the sweep comes again.
            return
        finally:
            desk.turn.release()


class Round:
    """One comparison of a controller's site with the leases, and what follows from it."""

    def __init__(self, gateway: Gateway, desk: Desk) -> None:
        self._gateway, self._desk = gateway, desk
        self._site = gateway.option("site")
        self._controller = controller_of(gateway)
        self._deadline = time.monotonic() + _patience()

    def go(self) -> None:
        """Raises `ControllerError`, after noting it."""
        now = services().clock()
        with reading(services().make_session) as db:
            news = feed.read(db, gateway_id=self._gateway.id, since=0, now=now)
            began = feed.oldest_stay(db, gateway_id=self._gateway.id, now=now)
        self._hours = 24 + int((now - began).total_seconds() // 3600) if began is not None else 24
        others = _clients_elsewhere(self._gateway, now)
        view = self._look()
        plan = self._plan(news.grants, view, others)
        told: set[MacAddress] = set()
        for attempt in range(TRIES):
            if not (plan.give or plan.take) or self._is_over:
                break
            if attempt:
                time.sleep(PAUSE_SECONDS)
            # One that is listed by now and does not pass yet is on its way to the access point: it is not begun anew.
            told |= self._tell(plan, view, but=view.stopped & view.guests.keys() & told)
            view = self._look()
            plan = self._plan(news.grants, view, others)
        self._take_in(news.version, plan, view, news.grants)

    def _look(self) -> View:
        now = services().clock().timestamp()
        listed = self._controller.guests(self._site, self._note_fault, hours=self._hours, now=now)
        stations = self._controller.stations(self._site, self._note_fault)
        return View({one.mac: one for one in stations}, _by_our_clock(listed, now), now, listed.now)

    def _plan(self, grants: Iterable[Grant], view: View, others: frozenset[MacAddress]) -> Plan:
        taken = {mac for mac, end in self._desk.taken.items() if _end(view, mac) == end}
        self._desk.taken = {mac: self._desk.taken[mac] for mac in taken}
        passing = view.passing - (taken - view.let_pass - {grant.client.mac for grant in grants})
        return reconciliation.plan(grants, view.guests, passing=passing, others=others, now=view.now)

    def _tell(self, plan: Plan, view: View, *, but: Set[MacAddress]) -> set[MacAddress]:
        """Take back first, then authorize those who came last first; who was told of, until the time is over."""
        told: set[MacAddress] = set()
        for mac in plan.take:
            if self._is_over:
                return told
            # A word against one device is noted and stops nothing: it stays unconfirmed.
            with suppress(Rejected):
                self._take(mac)
                if mac not in view.let_pass and mac in view.guests:
                    # Nothing else will show whether it did: it is not here, and some list it on until its end.
                    self._desk.taken[mac] = view.guests[mac].end
            told.add(mac)
        for each in sorted(plan.give, key=lambda one: -one.grant.number):
            mac = each.grant.client.mac
            if self._is_over:
                return told
            if mac not in but:
                with suppress(Rejected):
                    self._give(each)
                told.add(mac)
        return told

    def _give(self, each: reconciliation.Authorization) -> None:
        grant = each.grant
        self._controller.authorize(
            self._site,
            grant.client.mac,
            minutes=each.minutes,
            up_kbps=grant.rate_up_kbps,
            down_kbps=grant.rate_down_kbps,
            note=self._note,
        )

    def _take(self, mac: MacAddress) -> None:
        self._controller.unauthorize(self._site, mac, self._note)
        if self._gateway.option("kick") == "yes":
            self._controller.kick(self._site, mac, self._note)

    @property
    def _is_over(self) -> bool:
        return time.monotonic() > self._deadline

    def _take_in(self, version: int, plan: Plan, view: View, grants: tuple[Grant, ...]) -> None:
        """Confirm what the controller holds, and nothing else; report what it says of its guests."""
        service, gateway = services(), self._gateway
        now = service.clock()
        is_all = not (plan.give or plan.take)
        faults = () if is_all else (_not_authorized(plan),)
        with service.make_session.begin() as db:
            if is_all:
                refused = dict.fromkeys(plan.too_short, TOO_SHORT)
                confirm(db, gateway_id=gateway.id, version=version, refused=refused, now=now)
            else:
                # Of the others, what was done is done: one that it does not let pass keeps nobody else waiting.
                ends = feed.unconfirmed_ends(db, gateway_id=gateway.id, now=now)
                ended = [end.number for end in ends if end.mac not in view.passing]
                confirm_some(db, gateway_id=gateway.id, numbers=plan.kept, ended=ended, now=now)
        exchanges.heard(gateway)
        self._desk.noted = ""
        due = self._desk.reported_at is None or now - self._desk.reported_at >= REPORT_EVERY
        if due or faults != self._desk.faults:
            self._report(plan, view, grants, faults, now)
        if is_all and _feed_version(gateway.id) != version:
            # Somebody else may have told it an older truth meanwhile.
            self._desk.wanted.set()

    def _report(
        self, plan: Plan, view: View, grants: tuple[Grant, ...], faults: tuple[Fault, ...], now: datetime
    ) -> None:
        kept = frozenset(plan.kept)
        report = accounting.UsageReport(
            epoch=KIND.name,
            sequence=int(now.timestamp() * 1000),
            clock=view.clock,
            counts=tuple(_count(grant, view) for grant in grants if grant.number in kept),
            held=tuple(sorted(kept)),
            refused={},
            faults=faults,
        )
        arrived = [
            Client(one.mac, (one.address,))
            for one in view.stations.values()
            if one.is_guest and one.is_authorized is False and one.address is not None
        ]
        with services().make_session.begin() as db:
            accounting.record(db, gateway=self._gateway, report=report, now=now)
            if roaming.arrive(db, gateway=self._gateway, clients=arrived, now=now):
                self._desk.wanted.set()
        self._desk.reported_at, self._desk.faults = now, faults

    def _note(self, said: str, heard: str) -> None:
        exchanges.note(self._gateway, said, heard)

    def _note_fault(self, said: str, heard: str) -> None:
        """Of a question, what is new about it being refused: one that is away is asked every few seconds."""
        if heard[:3].isdigit() or heard == self._desk.noted:
            return
        self._desk.noted = heard
        exchanges.note(self._gateway, said, heard)


def _patience() -> float:
    """For how many seconds this thread may go on."""
    return IN_REQUEST_SECONDS if has_request_context() else IN_SWEEP_SECONDS


def _held() -> Held:
    held: Held = current_app.extensions.setdefault(HELD, Held())
    return held


def _by_our_clock(listed: Listed, now: float) -> dict[MacAddress, Guest]:
    """The guests with their ends by our clock, where the controller's is another."""
    off = now - listed.now
    if abs(off) < CLOCK_SECONDS:
        return listed.guests
    return {
        mac: Guest(mac, guest.end + off, guest.bytes_up, guest.bytes_down)
        for mac, guest in listed.guests.items()
    }


def _clients_elsewhere(gateway: Gateway, now: datetime) -> frozenset[MacAddress]:
    """The clients of other records at the same site of the same controller, as two networks of one place have."""
    same = [
        other.id
        for other in services().places.gateways()
        if other.kind == KIND.name
        and other.id != gateway.id
        and (other.option("url"), other.option("site")) == (gateway.option("url"), gateway.option("site"))
    ]
    with reading(services().make_session) as db:
        return frozenset(
            grant.client.mac
            for other in same
            for grant in feed.read(db, gateway_id=other, since=0, now=now).grants
        )


def _end(view: View, mac: MacAddress) -> float | None:
    return view.guests[mac].end if mac in view.guests else None


def _feed_version(gateway_id: int) -> int:
    with reading(services().make_session) as db:
        return feed.read(db, gateway_id=gateway_id, since=2**62, now=services().clock()).version


def _not_authorized(plan: Plan) -> Fault:
    parts = [f"{len(plan.give)} not let in"] if plan.give else []
    parts += [f"{len(plan.take)} not turned out"] if plan.take else []
    return Fault(FaultCode.NOT_AUTHORIZED, ", ".join(parts))


def _count(grant: Grant, view: View) -> accounting.Counters:
    mac = grant.client.mac
    guest, station = view.guests[mac], view.stations.get(mac)
    address = station.address if station is not None else None
    return accounting.Counters(
        number=grant.number,
        bytes_up=guest.bytes_up,
        bytes_down=guest.bytes_down,
        packets_up=0,
        packets_down=0,
        idle_seconds=0.0 if station is not None else GONE_SECONDS,
        addresses=(address,) if address is not None else (),
    )

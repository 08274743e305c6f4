"""A phone walks between gateways of different kinds in one network: no page, no added time, and an end at both."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Protocol

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from gateways import registry
from portal.app import create_app
from portal.gateway_api import reconcile
from portal.gateway_api.landings import to_first_page
from portal.services import Services
from sessions import end
from sessions.models import AccessSession, EndReason, Lease
from sites.models import Gateway
from tests.clock import MovingClock
from tests.gateways.contract import made_up
from tests.portal.conftest import PORTAL, Agent, Phone, shows_session
from tests.town import ADA_PHONE, Town, credential_of, make_client


class Door(Protocol):
    """A gateway in the field, as far as a walk goes."""

    def learn(self) -> None:
        """What it does by itself to learn of changes."""

    def passes(self, mac: str) -> bool: ...


class Followed(Agent):
    def learn(self) -> None:
        self.follow()

    def passes(self, mac: str) -> bool:
        return mac in self.macs


@dataclass
class Pulled:
    """An hourglass, which asks, and cannot take back."""

    phone: Phone
    clock: MovingClock

    def __post_init__(self) -> None:
        self.box: Any = importlib.import_module("gateways.hourglass.box").Hourglass()
        self.browser = self.phone.app.test_client()
        self.headers = {"Authorization": f"Bearer {credential_of(self.phone.gateway.identity)}"}

    def learn(self) -> None:
        path, asked = "/gateways/hourglass", {"base_url": PORTAL, "headers": self.headers}
        answer = self.browser.get(f"{path}/list", **asked).get_json()
        for mac, minutes in answer["minutes"].items():
            self.box.turn(mac, minutes, now=self.clock().timestamp())
        self.browser.post(f"{path}/taken", json={"version": answer["version"]}, **asked)

    def passes(self, mac: str) -> bool:
        return bool(self.clock().timestamp() < self.box.ends.get(mac, 0.0))


@dataclass
class Pushed:
    """A doorman, who is called."""

    box: Any

    def learn(self) -> None:
        """It was told when it happened."""

    def passes(self, mac: str) -> bool:
        return mac in self.box.inside


KINDS = ("nftables", "hourglass", "doorman")


@pytest.fixture(autouse=True)
def _made_up_kinds() -> Iterator[None]:
    with made_up.added():
        yield


class Walk:
    """One phone, and the two gateways that it walks between."""

    def __init__(self, services: Services, town: Town, clock: MovingClock, kinds: tuple[str, str]) -> None:
        with services.make_session.begin() as db:
            for gateway, kind in zip((town.station, town.battant), kinds, strict=True):
                db.get_one(Gateway, gateway.id).kind = kind
        services.places.forget()
        self.services, self.clock, self.app = services, clock, create_app(services)
        self.phones = [
            Phone(self.app, gateway, ADA_PHONE, address, keeps_cookies=False)
            for gateway, address in ((town.station, "10.66.0.5"), (town.battant, "10.67.0.5"))
        ]
        self.doors = [self._door(kind, phone) for kind, phone in zip(kinds, self.phones, strict=True)]

    def _door(self, kind: str, phone: Phone) -> Door:
        if kind == "nftables":
            return Followed(self.app, phone.gateway)
        if kind == "hourglass":
            return Pulled(phone, self.clock)
        box = importlib.import_module("gateways.doorman.box")
        return Pushed(box.DOORMEN.setdefault(phone.gateway.identity, box.Doorman()))

    def begin(self) -> None:
        """Accept the message at the first gateway, and walk to the second five minutes later."""
        first, second = self.phones
        first.land()
        self.clock.advance(seconds=6)
        first.press("/pause")
        self.doors[0].learn()
        assert self.doors[0].passes(ADA_PHONE)
        self.clock.advance(minutes=5)
        second.land()
        self.doors[1].learn()
        second.get("/opening?landing=" + second.landing_token())

    def end(self) -> None:
        with self.services.make_session.begin() as db:
            access = db.scalars(select(AccessSession)).one()
            end.end(db, access.id, reason=EndReason.STAFF, now=self.clock())
        self.sweep()

    def sweep(self) -> None:
        with self.app.app_context():
            reconcile()
        for door in self.doors:
            door.learn()


@pytest.mark.parametrize("kinds", list(permutations(KINDS, 2)), ids="-".join)
def test_a_phone_walks_without_a_page_or_added_time_and_is_ended_at_both(
    services: Services, town: Town, clock: MovingClock, kinds: tuple[str, str], db: Session
) -> None:
    walk = Walk(services, town, clock, kinds)
    walk.begin()
    assert shows_session(walk.phones[1].page)
    assert [door.passes(ADA_PHONE) for door in walk.doors] == [True, True]
    access = db.scalars(select(AccessSession)).one()
    here, there = db.scalars(select(Lease).order_by(Lease.id))
    assert there.until <= here.until == access.until
    assert access.gateway_id == town.station.id
    walk.end()
    db.rollback()
    for kind, door, lease in zip(kinds, walk.doors, (here, there), strict=True):
        revokes = registry.kind_of(kind).capabilities.revokes
        db.refresh(lease)
        assert door.passes(ADA_PHONE) is not revokes
        assert (lease.released_at is not None) is revokes
    walk.clock.advance(minutes=31)
    assert not any(door.passes(ADA_PHONE) for door in walk.doors if isinstance(door, Pulled))


def test_an_end_waits_for_the_gateway_that_is_away(
    services: Services, town: Town, clock: MovingClock, db: Session
) -> None:
    walk = Walk(services, town, clock, ("doorman", "nftables"))
    walk.begin()
    doorman = walk.doors[0]
    assert isinstance(doorman, Pushed)
    doorman.box.is_there = False
    walk.end()
    assert [door.passes(ADA_PHONE) for door in walk.doors] == [True, False]
    record = db.get_one(Gateway, town.station.id)
    assert record.confirmed_version < record.feed_version
    doorman.box.is_there = True
    walk.sweep()
    db.rollback()
    assert not doorman.passes(ADA_PHONE) and record.confirmed_version == record.feed_version


@pytest.mark.parametrize("by", ["staff's command", "the guest"])
def test_an_end_is_told_at_once_to_the_gateway_that_is_called_wherever_the_guest_is(
    services: Services, town: Town, clock: MovingClock, by: str
) -> None:
    walk = Walk(services, town, clock, ("doorman", "nftables"))
    walk.begin()
    if by == "the guest":
        # The session is where it walked to, and so is its guest.
        with services.make_session.begin() as db:
            access = db.scalars(select(AccessSession)).one()
            access.gateway_id, access.site_id = town.battant.id, town.battant.site_id
        phone = walk.phones[1]
        phone.post("/leave?landing=" + phone.landing_token())
    else:
        done = walk.app.test_cli_runner().invoke(args=["sessions", "end", ADA_PHONE])
        assert done.output == "Ended 1 session.\n"
    assert not walk.doors[0].passes(ADA_PHONE)


def test_the_gateway_says_that_it_has_let_go_and_the_landing_lets_pass_anew(
    services: Services, town: Town, clock: MovingClock, db: Session
) -> None:
    """A box that has lost its memory shows the client the way once more, with something that it has never told."""
    walk = Walk(services, town, clock, ("hourglass", "nftables"))
    walk.begin()
    phone, door = walk.phones[0], walk.doors[0]
    assert isinstance(door, Pulled)

    def shown(told: dict[str, str]) -> str:
        with walk.app.test_request_context(base_url=PORTAL):
            gateway = services.places.by_identity(phone.gateway.identity)
            assert gateway is not None
            return str(to_first_page(gateway, make_client(), told=told).location)

    def confirmed() -> list[bool]:
        db.rollback()
        leases = db.scalars(select(Lease).where(Lease.gateway_id == town.station.id))
        return [lease.confirmed_at is not None for lease in leases]

    phone.get(shown({"hid": "1"}).removeprefix(PORTAL))
    assert confirmed() == [False] and phone.page.request.path == "/opening"
    door.box.ends.clear()
    door.learn()
    assert confirmed() == [True] and door.passes(ADA_PHONE)
    # Back to an old link: the box has not said anything new.
    phone.get(shown({"hid": "1"}).removeprefix(PORTAL))
    assert confirmed() == [True] and shows_session(phone.page)
    phone.get(shown({"hid": "2"}).removeprefix(PORTAL))
    assert confirmed() == [False]

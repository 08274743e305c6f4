"""What the agent of a gateway asks while phones come, each as one request to the application in this process."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import IPv4Address
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from auth.entitlements import Allowance
from gateways.types import Client, parse_mac
from lab.bench.phones import mac_of
from lab.costs.calls import answered
from lab.doors import STATION, Door
from lab.hotspot import now
from portal.gateway_api.nftables import LONG_POLL, LongPoll
from portal.services import Services
from sessions import start
from sessions.arrival import Acceptance, Arrival
from sites import gateways
from sites.models import SigninMethod

DOORS = tuple(Door(f"agent-{name}", STATION.site, STATION.network) for name in ("of-one", "of-another"))
# Phones of pages are counted from 1, those of RADIUS from 50,000.
FIRST, APART = 60_000, 1000
REPORTED = 100


def acts(app: Flask, services: Services) -> dict[str, Callable[[], Callable[[], int]]]:
    """By name, what prepares a call of an agent and gives the call itself: the answer's length.

    Two agents take turns, so that a call may be prepared before another one was made, and finds its own change.
    """
    agents = [Agent(app, services, door, FIRST + APART * at) for at, door in enumerate(DOORS)]
    turns = itertools.cycle(agents)
    return {
        "feed, nothing new": lambda: next(turns).wait(),
        "feed, a new lease": lambda: next(turns).follow(),
        "feed, which confirms": lambda: next(turns).confirm(),
        f"report of {REPORTED}": lambda: next(turns).report(),
    }


@dataclass(slots=True)
class Agent:
    """The agent of a gateway of its own, and those it lets pass."""

    app: Flask
    services: Services
    door: Door
    first: int
    _credential: str = ""
    _numbers: list[int] = field(default_factory=list)
    _reports: int = 0

    def wait(self) -> Callable[[], int]:
        return self._asking("GET", f"feed?since={self._version()}&wait=25", None, HTTPStatus.OK)

    def follow(self) -> Callable[[], int]:
        """The second look of a question that waited."""
        poll = LongPoll()
        self._asking("GET", f"feed?since={self._version()}&wait=25", None, HTTPStatus.OK, poll)()
        self._let_in()
        question = poll.question
        assert question is not None
        return lambda: len(question.again(is_last=False) or b"")

    def confirm(self) -> Callable[[], int]:
        self._let_in()
        return self._asking("GET", f"feed?since={self._version()}&wait=25&confirmed=1", None, HTTPStatus.OK)

    def report(self) -> Callable[[], int]:
        while len(self._numbers) < REPORTED:
            self._let_in()
        self._reports += 1
        told = {
            "epoch": "costs",
            "sequence": self._reports,
            "now": now().timestamp(),
            "held": self._numbers,
            "refused": {},
            "faults": [],
            "clients": [self._row(place) for place in range(REPORTED)],
        }
        return self._asking("POST", "report", told, HTTPStatus.NO_CONTENT)

    def _row(self, place: int) -> dict[str, Any]:
        names = ("bytes_up", "bytes_down", "packets_up", "packets_down")
        return {
            "number": self._numbers[place],
            **dict.fromkeys(names, 1000 * self._reports),
            "idle_seconds": 1,
            "addresses": [str(self._address(place))],
        }

    def _let_in(self) -> None:
        place = len(self._numbers)
        gateway = self.services.places.by_identity(self.door.identity)
        assert gateway is not None
        client = Client(parse_mac(mac_of(self.first + place)), (self._address(place),))
        acceptance = Acceptance(gateway.network.terms_version, "fr", "0" * 64)
        allowance = Allowance(f"{self.door.identity} {place}", SigninMethod.FREE, None, 1)
        with self.services.make_session.begin() as db:
            arrival = Arrival(gateway, client, acceptance)
            self._numbers.append(start.open_access(db, arrival, allowance=allowance, now=now()).access_id)

    def _address(self, place: int) -> IPv4Address:
        """One of the gateway's, and no other phone's."""
        return IPv4Address("10.80.0.0") + self.first + place

    def _version(self) -> int:
        with self.services.make_session.begin() as db:
            gateway = gateways.by_identity(db, self.door.identity)
            assert gateway is not None
            if not self._credential:
                self._credential = gateways.rotate_credential(db, gateway)
                self.services.places.forget()
            return gateway.feed_version

    def _asking(
        self, method: str, path: str, told: object, expected: HTTPStatus, poll: LongPoll | None = None
    ) -> Callable[[], int]:
        """A call as the agent makes it. AssertionError is for another status."""
        headers = Headers({"Authorization": f"Bearer {self._credential}"})
        if told is not None:
            headers["Content-Type"] = "application/json"
        text = "" if told is None else json.dumps(told)

        def call() -> int:
            builder = EnvironBuilder(f"/gateways/nftables/{path}", method=method, data=text, headers=headers)
            environ = builder.get_environ() | {LONG_POLL: poll or LongPoll()}
            return answered(self.app, environ, expected)

        return call

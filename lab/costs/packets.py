"""What a gateway that speaks RADIUS asks, each as one request of FreeRADIUS to the application in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from ipaddress import IPv4Address
from typing import Any

from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from auth.entitlements import Allowance
from gateways.radius.credentials import Credentials
from gateways.radius.replies import class_of
from gateways.types import Client, parse_mac
from lab.bench.phones import mac_of
from lab.costs.calls import answered
from lab.doors import STATION, Door
from lab.hotspot import now
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.radius_credentials import credentials_of
from portal.services import Services
from sessions import start
from sessions.arrival import Acceptance, Arrival
from sites.models import Gateway, SigninMethod

DOOR = Door("radius-viotte", STATION.site, STATION.network, "coovachilli", {"nas_address": "127.0.0.1"})
# Phones of pages are counted from 1.
FIRST = 50_000


@dataclass(slots=True)
class Packets:
    """Devices with a session each that their guests' browsers have brought to the gateway, and its packets of them."""

    app: Flask
    services: Services
    _next: int = FIRST

    def acts(self) -> dict[str, Callable[[], Callable[[], int]]]:
        """By name, what prepares a packet of another device and gives the call that answers it: the answer's length."""
        return {
            "RADIUS authorize": lambda: self._authorize()[-1],
            "authorize again": self._again,
            "accounting Start": lambda: self._accounting("Start"),
            "interim update": lambda: self._accounting("Start", "Interim-Update"),
            "accounting Stop": lambda: self._accounting("Start", "Interim-Update", "Stop"),
        }

    def _again(self) -> Callable[[], int]:
        *_, call = self._authorize()
        call()
        return call

    def _accounting(self, *statuses: str) -> Callable[[], int]:
        number, user, call = self._authorize()
        call()
        *before, last = (self._report(number, user, status) for status in statuses)
        for earlier in before:
            earlier()
        return last

    def _authorize(self) -> tuple[int, str, Callable[[], int]]:
        """A device's session, its User-Name, and its Access-Request."""
        self._next += 1
        number, known = self._open()
        asked = self._names(number) | {
            "User-Name": known.user,
            "User-Password": known.secret,
            "Service-Type": "Login-User",
        }
        return number, known.user, self._asking("authorize", asked, HTTPStatus.OK)

    def _report(self, number: int, user: str, status: str) -> Callable[[], int]:
        counted = {"Start": 0, "Interim-Update": 1_000_000, "Stop": 2_000_000}[status]
        told: dict[str, int | str] = self._names(number) | {
            "User-Name": user,
            "Acct-Status-Type": status,
            "Class": "0x" + class_of(number).encode().hex(),
            "Acct-Session-Time": counted // 10_000,
            "Acct-Input-Octets": counted,
            "Acct-Output-Octets": counted // 10,
        }
        return self._asking("accounting", told, HTTPStatus.NO_CONTENT)

    def _names(self, number: int) -> dict[str, int | str]:
        return {
            "Calling-Station-Id": mac_of(self._next).upper().replace(":", "-"),
            "Framed-IP-Address": str(self._address()),
            "Acct-Session-Id": f"{number:016d}",
            "NAS-Identifier": DOOR.identity,
        }

    def _address(self) -> IPv4Address:
        """One of the phones' (`lab.costs.acts`)."""
        return IPv4Address(f"10.80.{self._next >> 8 & 255}.{self._next & 255}")

    def _open(self) -> tuple[int, Credentials]:
        gateway, at = self._gateway(), now()
        client = Client(parse_mac(mac_of(self._next)), (self._address(),))
        acceptance = Acceptance(gateway.network.terms_version, "fr", "0" * 64)
        allowance = Allowance(f"costs-{self._next}", SigninMethod.FREE, None, 1)
        with self.services.make_session.begin() as db:
            arrival = Arrival(gateway, client, acceptance)
            access = start.open_access(db, arrival, allowance=allowance, now=at).access
        with self.app.app_context():
            return access.id, credentials_of(gateway, access)

    def _gateway(self) -> Gateway:
        gateway = self.services.places.by_identity(DOOR.identity)
        assert gateway is not None
        return gateway

    def _asking(self, name: str, told: dict[str, int | str], expected: HTTPStatus) -> Callable[[], int]:
        """A packet as rlm_rest writes it, and the call that answers it. AssertionError is for another status."""
        body: dict[str, Any] = {
            attribute: {"type": "string" if isinstance(value, str) else "integer", "value": [value]}
            for attribute, value in told.items()
        }
        gateway = self._gateway()
        # That it speaks is written down every fifteen seconds, and with none of these packets.
        self.app.extensions.setdefault("arobase.gateways_heard", {})[gateway.id] = now()
        with self.app.app_context():
            token = token_of(gateway)
        headers = Headers(
            {
                "Authorization": f"Bearer {token}",
                "X-FreeRADIUS-Server": "arobase",
                "Content-Type": "application/json",
            }
        )
        path, text = f"/gateways/radius/v1/{name}", json.dumps(body)

        def call() -> int:
            environ = EnvironBuilder(path, method="POST", data=text, headers=headers).get_environ()
            return answered(self.app, environ, expected)

        return call

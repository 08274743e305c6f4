"""What a gateway that speaks RADIUS asks, as packets that FreeRADIUS brings to the portal in this process together."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address

from flask import Flask

from auth.entitlements import Allowance
from gateways.radius.credentials import Credentials
from gateways.radius.replies import class_of
from gateways.types import Client, parse_mac
from lab.bench.phones import mac_of
from lab.doors import STATION, Door
from lab.hotspot import now
from portal.gateway_api import radius_together
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.radius_credentials import credentials_of
from portal.gateway_api.radius_together import ACCOUNTING, AUTHORIZE, Call
from portal.services import Services
from sessions import start
from sessions.arrival import Acceptance, Arrival
from sites.models import Gateway, SigninMethod

DOOR = Door("radius-viotte", STATION.site, STATION.network, "coovachilli", {"nas_address": "127.0.0.1"})
# Phones of pages are counted from 1.
FIRST = 50_000
# FreeRADIUS has more under way at its busiest (`portal.cli.radius_config`): then a packet costs less.
TOGETHER = 16
Told = dict[str, int | str]


@dataclass(slots=True)
class Packets:
    """Devices with a session each that their guests' browsers have brought to the gateway, and its packets of them, of
    one moment."""

    app: Flask
    services: Services
    _next: int = FIRST

    def acts(self) -> dict[str, Callable[[], Callable[[], int]]]:
        """By name, what prepares packets of other devices and gives the call that answers them: the answers' length."""
        return {
            f"{TOGETHER} RADIUS authorize": lambda: self._authorize()[-1],
            f"{TOGETHER} authorize again": self._again,
            f"{TOGETHER} accounting Start": lambda: self._accounting("Start"),
            f"{TOGETHER} interim update": lambda: self._accounting("Start", "Interim-Update"),
            f"{TOGETHER} accounting Stop": lambda: self._accounting("Start", "Interim-Update", "Stop"),
        }

    def _again(self) -> Callable[[], int]:
        *_, call = self._authorize()
        call()
        return call

    def _accounting(self, *statuses: str) -> Callable[[], int]:
        users, call = self._authorize()
        call()
        *before, last = (
            self._asking(ACCOUNTING, [self._report(names, status) for names in users]) for status in statuses
        )
        for earlier in before:
            earlier()
        return last

    def _authorize(self) -> tuple[list[Told], Callable[[], int]]:
        """What the gateway knows of devices with a session, and its Access-Requests for them."""
        users, asked = [], []
        for _ in range(TOGETHER):
            self._next += 1
            number, known = self._open()
            users.append(
                self._names(number)
                | {"User-Name": known.user, "Class": "0x" + class_of(number).encode().hex()}
            )
            asked.append(
                self._names(number)
                | {
                    "User-Name": known.user,
                    "User-Password": known.secret,
                    "Service-Type": "Login-User",
                }
            )
        return users, self._asking(AUTHORIZE, asked)

    def _report(self, names: Told, status: str) -> Told:
        counted = {"Start": 0, "Interim-Update": 1_000_000, "Stop": 2_000_000}[status]
        return names | {
            "Acct-Status-Type": status,
            "Acct-Session-Time": counted // 10_000,
            "Acct-Input-Octets": counted,
            "Acct-Output-Octets": counted // 10,
        }

    def _names(self, number: int) -> Told:
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

    def _asking(self, path: str, told: list[Told]) -> Callable[[], int]:
        """Packets as rlm_rest writes them, and the call that answers them. AssertionError is for one without answer."""
        gateway = self._gateway()
        # That it speaks is written down every fifteen seconds, and with none of these packets.
        self.app.extensions.setdefault("arobase.gateways_heard", {})[gateway.id] = now()
        with self.app.app_context():
            token = f"Bearer {token_of(gateway)}"
        calls = [Call(path, token, _body(one)) for one in told]

        def call() -> int:
            with self.app.app_context():
                answers = radius_together.answer(calls)
            return sum(len(self._answered(answer)) for answer in answers)

        return call

    def _answered(self, answer: bytes | None) -> bytes:
        assert answer is not None
        return answer


def _body(told: Told) -> bytes:
    body = {
        attribute: {"type": "string" if isinstance(value, str) else "integer", "value": [value]}
        for attribute, value in told.items()
    }
    return json.dumps(body).encode()

"""The main acts, each as one request of a phone to the application in this process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import Flask
from sqlalchemy import delete, select, update
from werkzeug.test import EnvironBuilder

from ads.demo import load_announcements
from ads.models import Creative
from auth.audit.actor import SYSTEM
from auth.vouchers import issuing, plans
from lab.bench.phones import mac_of
from lab.doors import LIBRARY, STATION
from lab.hotspot import now
from portal.gateway_api.confirmation import confirm
from portal.http.clients import COOKIE_LIFE, VISIT_LIFE
from portal.services import Services
from sites.models import Gateway, Network

Card = tuple[str, str]


@dataclass(slots=True)
class Phones:
    """Phones of a town, each with its own card, pass or message, and the requests that they make."""

    app: Flask
    services: Services
    cards: list[Card]
    codes: list[str]
    creative_id: int
    _next: int = 0

    def acts(self) -> dict[str, Callable[[], Callable[[], int]]]:
        """By name, what prepares a request of another phone and gives the call that makes it: its answer's length."""
        return {
            "first page": self._first_page,
            "patron's sign-in": self._sign_in,
            "pass redeemed": self._redeem,
            "message accepted": self._accept,
            "renewal": self._renew,
            "connected": self._connected,
            "status page": self._status,
            "leaving": self._leave,
            "page after it": self._left,
            "RFC 8908": self._capport,
        }

    def _first_page(self) -> Callable[[], int]:
        phone = self._phone(LIBRARY.identity)
        return phone.asking("GET", "/", expected=HTTPStatus.OK)

    def _sign_in(self) -> Callable[[], int]:
        phone = self._phone(LIBRARY.identity)
        login, secret = self.cards[phone.number]
        return phone.asking("POST", "/signin", {"login": login, "secret": secret})

    def _redeem(self) -> Callable[[], int]:
        phone = self._phone(LIBRARY.identity)
        return phone.asking("POST", "/pass", {"code": self.codes[phone.number]})

    def _accept(self) -> Callable[[], int]:
        phone = self._phone(STATION.identity)
        ticket = phone.ticket(self.creative_id)
        return phone.asking("POST", "/pause", {"ticket": ticket})

    def _renew(self) -> Callable[[], int]:
        phone = self._online()
        return phone.asking("POST", "/pause", {"ticket": phone.ticket(self.creative_id)})

    def _connected(self) -> Callable[[], int]:
        return self._online().asking("GET", "/opening", expected=HTTPStatus.OK)

    def _status(self) -> Callable[[], int]:
        return self._online().asking("GET", "/status", expected=HTTPStatus.OK)

    def _leave(self) -> Callable[[], int]:
        return self._online().asking("POST", "/leave")

    def _left(self) -> Callable[[], int]:
        phone = self._online()
        phone.asking("POST", "/leave")()
        return phone.asking("GET", "/status", expected=HTTPStatus.OK)

    def _capport(self) -> Callable[[], int]:
        phone = self._online()
        return phone.asking("GET", f"/capport/{phone.gateway}", expected=HTTPStatus.OK)

    def _online(self) -> Phone:
        """A phone that has accepted a message, and that its gateway lets pass."""
        phone = self._phone(STATION.identity)
        phone.asking("POST", "/pause", {"ticket": phone.ticket(self.creative_id)})()
        with self.services.make_session.begin() as db:
            gateway = db.scalars(select(Gateway).where(Gateway.identity == phone.gateway)).one()
            confirm(db, gateway_id=gateway.id, version=gateway.feed_version, refused={}, now=now())
        return phone

    def _phone(self, gateway: str) -> Phone:
        self._next += 1
        return Phone(self.services, self.app, gateway, self._next)


@dataclass(frozen=True, slots=True)
class Phone:
    """One phone behind a gateway, with the tokens that an earlier page gave it."""

    services: Services
    app: Flask
    gateway: str
    number: int

    @property
    def address(self) -> str:
        return f"10.80.{self.number >> 8 & 255}.{self.number & 255}"

    def asking(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        *,
        expected: int = HTTPStatus.SEE_OTHER,
    ) -> Callable[[], int]:
        """A request, and the call that has the application answer it: the length of the answer's body.

        That raises AssertionError for another answer than expected.
        """
        url = self.services.settings.own_url
        data = {"visit": self._visit()} | (fields or {})
        builder = EnvironBuilder(
            path,
            url,
            method=method,
            query_string=data if method == "GET" else None,
            data=data if method == "POST" else None,
            headers=[
                ("Accept", "text/html" if method == "POST" or path == "/" else "*/*"),
                ("Accept-Language", "fr-FR,fr;q=0.9,en;q=0.5"),
                ("Cookie", f"__Host-arobase={self._cookie()}"),
                ("Origin", url),
                ("Sec-Fetch-Site", "same-origin"),
            ],
            environ_overrides={"REMOTE_ADDR": self.address},
        )
        environ, told = builder.get_environ(), list[str]()

        def begin(status: str, _headers: object, _error: object = None) -> Callable[[bytes], None]:
            told.append(status)
            return lambda _octets: None

        def call() -> int:
            answer = self.app.wsgi_app(environ, begin)
            length = sum(map(len, answer))
            close = getattr(answer, "close", None)
            if close is not None:
                close()
            assert told == [f"{int(expected)} {HTTPStatus(expected).phrase.upper()}"], (path, told)
            return length

        return call

    def ticket(self, creative_id: int) -> str:
        """As the page had it that this phone was shown a minute ago."""
        shown = now() - timedelta(minutes=1)
        claims = {
            "gw": self.gateway,
            "mac": mac_of(self.number),
            "creative": creative_id,
            "lang": "fr",
            "shown": shown.timestamp(),
            "why": (None, None, None),
        }
        sign = self.services.tokens.sign
        return sign("ticket", claims, now=now(), life=timedelta(minutes=30), not_before=shown)

    def _visit(self) -> str:
        claims: dict[str, Any] = {
            "gw": self.gateway,
            "mac": mac_of(self.number),
            "ip": self.address,
            "browser": f"browser-{self.number}",
            "proven": True,
            "stay": None,
            "made": now().timestamp(),
        }
        return self.services.tokens.sign("visit", claims, now=now(), life=VISIT_LIFE)

    def _cookie(self) -> str:
        claims = {"browser": f"browser-{self.number}", "access": None}
        return self.services.tokens.sign("browser", claims, now=now(), life=COOKIE_LIFE)


def phones_of(app: Flask, services: Services, cards: list[Card]) -> Phones:
    """Phones for as many acts as there are cards, with what each of them may need."""
    with services.make_session.begin() as db:
        load_announcements(db, now=now())
        plans.add_first_plans(db)
        # So that whoever is online may renew at once, by a message of a minute ago.
        db.execute(update(Network).values(renewal_seconds=Network.lease_seconds + 120))
        # So that every phone has an address of its gateway's.
        db.execute(update(Gateway).values(client_prefixes=["10.80.0.0/16"]))
    with services.make_session.begin() as db:
        creative_id = db.scalars(select(Creative.id).order_by(Creative.id)).first() or 0
        # One message, so that the page which phones have together is the same each time.
        db.execute(delete(Creative).where(Creative.id != creative_id))
        order = issuing.Order(len(cards), LIBRARY.site)
        plan = plans.by_slug(db, "day")
        batch = issuing.issue(db, keys=services.voucher_keys, plan=plan, order=order, actor=SYSTEM, now=now())
    return Phones(app, services, cards, batch.codes, creative_id)

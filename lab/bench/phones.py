"""Many phones that post a form each: every one on its own visit, with its own device and cookie."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import func, select

from db.engine import SessionMaker
from lab.bench.load import SpoiltRun
from lab.bench.portal import HOST, RunningPortal
from lab.bench.posts import post, send
from lab.doors import LIBRARY
from lab.hotspot import now
from portal.http.clients import COOKIE_LIFE, VISIT_LIFE
from sessions.models import Lease

CLIENTS = 16


@dataclass(frozen=True, slots=True)
class LetIn:
    """How many seconds all took, how many each took that was let in, and how many were not."""

    seconds: float
    waits: list[float]
    errors: int


def mac_of(number: int) -> str:
    """The address of the phone with this number."""
    return f"02:00:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"


def form(
    portal: RunningPortal, path: str, number: int, fields: dict[str, str], *, gateway: str = LIBRARY.identity
) -> bytes:
    """What the phone with this number, behind a gateway, posts to `path` besides its visit."""
    seal, at, mac = portal.services.tokens.sign, now(), mac_of(number)
    address = f"10.80.{number >> 8 & 255}.{number & 255}"
    browser = f"browser-{number}"
    claims: dict[str, Any] = {"gw": gateway, "mac": mac, "ip": address, "browser": browser}
    claims |= {"proven": True, "stay": None, "made": at.timestamp()}
    visit = seal("visit", claims, now=at, life=VISIT_LIFE)
    cookie = seal("browser", {"browser": browser, "access": None}, now=at, life=COOKIE_LIFE)
    filled = urlencode({"visit": visit} | fields).encode()
    cookie = f"__Host-arobase={cookie}"
    return post(path, host=f"{HOST}:{portal.port}", form=filled, cookie=cookie, address=address)


def let_in(portal: RunningPortal, forms: list[bytes]) -> LetIn:
    """Post all of them, sixteen at a time. Raises `SpoiltRun` where nobody is let in."""
    sent = send(forms, host=HOST, port=portal.port, ca_file=portal.ca_file, clients=CLIENTS)
    good = [each.seconds for each in sent.answers if each.status == HTTPStatus.SEE_OTHER]
    if not good:
        raise SpoiltRun(f"nobody was let in: {sent.answers[0].status}")
    return LetIn(sent.seconds, good, len(sent.answers) - len(good))


def count_leases(make_session: SessionMaker, expected: int) -> None:
    """Raise `SpoiltRun` where the database has not as many leases as were told of."""
    with make_session() as db:
        leases = db.scalar(select(func.count()).select_from(Lease)) or 0
    if leases != expected:
        raise SpoiltRun(f"{leases} leases in the database, where {expected} were told of")

"""The browser's side of openNDS: its landing, decoded and verified, becomes one like all others."""

from __future__ import annotations

import hashlib
import logging
import re
import socket
import unicodedata
from collections.abc import Mapping
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Response, abort, request
from werkzeug.wrappers import Response as AnyResponse

from db.engine import reading
from gateways.opennds.configuration import OpenNdsSettings, set_up
from gateways.opennds.landing import BadLanding, FasLanding, read_landing
from gateways.registry import kind_of
from gateways.set_up import Finding, Lines, SetUp
from gateways.types import Client
from portal.gateway_api.exchanges import note
from portal.gateway_api.landings import to_first_page
from portal.gateway_api.secrets import secret_of, secrets_of
from portal.services import services
from sessions import landings
from sites.gateway_limits import guessing_fault
from sites.models import Gateway

log = logging.getLogger(__name__)
# The purpose of the secret that openNDS calls the faskey.
FASKEY = "opennds faskey"
ENCRYPTED_LEVELS = ("2", "3")
# How many stays of one card before its present one are told apart from a new one.
FORMER = 4
# What somebody reads whose gateway is not set up as the portal believes. Nothing that they do could help.
MISCONFIGURED = (
    "Ce point d’accès n’est pas bien réglé : son exploitant trouve la raison sur la page de la passerelle.\n"
    "This access point is not set up properly: whoever runs it finds the reason on the gateway’s page.\n"
)


class Misconfigured(Exception):
    """The gateway is not set up as its record says. The text tells the operator what differs."""


def known_gateway(identity: str, kind: str) -> Gateway:
    """The gateway of this kind whose address was asked for; answers 404 where there is none."""
    gateway = services().places.by_identity(identity)
    if gateway is None or gateway.kind != kind:
        abort(HTTPStatus.NOT_FOUND)
    return gateway


def land(gateway: Gateway, *, refused_path: str = "") -> AnyResponse:
    """Send a browser that the gateway has sent on to the first page.

    With `refused_path`, a browser that wanted to go there has carried a word that the gateway refused: that is counted.
    """
    try:
        landing, told = _read(gateway)
    except Misconfigured as fault:
        log.error("gateway %s: a browser came with a landing that is not good: %s", gateway.identity, fault)
        note(gateway, "a browser's landing", f"refused: {fault}")
        return Response(MISCONFIGURED, HTTPStatus.BAD_REQUEST, content_type="text/plain; charset=utf-8")
    client = Client(landing.mac, (landing.address,))
    told = _remembered(gateway, landing, told)
    if refused_path and refused_path in landing.origin_url:
        told = told | {"tries": told.get("tries", 0) + 1}
    return to_first_page(gateway, client, told=told)


def faskey_of(gateway: Gateway, told: Mapping[str, Any]) -> tuple[str, ...]:
    """The faskeys under which the gateway may have made a landing: one where that is known."""
    good = secrets_of(gateway, FASKEY)
    return tuple(key for key in good if _name(key) == told.get("key")) or good


def _read(gateway: Gateway) -> tuple[FasLanding, dict[str, Any]]:
    """The landing, and what is to be kept of it. Raises `Misconfigured`."""
    landing, faskey = _decoded(gateway)
    if not gateway.holds(landing.address):
        raise Misconfigured(f"its client's address {landing.address} is in none of the record's prefixes")
    if fault := _guessing(gateway):
        raise Misconfigured(fault)
    told = {
        "hid": landing.hid,
        "hash": landing.gateway_hash,
        "key": _name(faskey) if faskey else None,
        "address": landing.gateway_address,
        "auth": landing.auth_folder,
        "type": landing.client_type,
        "interface": landing.client_interface,
        "version": landing.version,
        "origin": landing.origin_url,
    }
    return landing, told


def _decoded(gateway: Gateway) -> tuple[FasLanding, str | None]:
    """The landing, and the faskey that it was encrypted with. Raises `Misconfigured`."""
    fas, iv = request.args.get("fas", ""), request.args.get("iv")
    level = gateway.option("level")
    if (level in ENCRYPTED_LEVELS) is not (iv is not None):
        state = "encrypted" if iv is not None else "not encrypted"
        raise Misconfigured(f"it is {state}, unlike those of fas_secure_enabled {level}")
    if iv is None:
        try:
            return read_landing(fas, None, ""), None
        except BadLanding as error:
            raise Misconfigured(str(error)) from error
    faults: list[str] = []
    for faskey in secrets_of(gateway, FASKEY):
        try:
            return read_landing(fas, iv, faskey), faskey
        except BadLanding as error:
            faults.append(str(error))
    raise Misconfigured(faults[0])


def _remembered(gateway: Gateway, landing: FasLanding, told: dict[str, Any]) -> dict[str, Any]:
    """What is kept of the client now: with another hid than before, it is new.

    The gateway makes a hid anew for each stay before sign-in, so that a new one says that it does not let the client
    pass, whatever it has confirmed. An address of before that a browser opens once more says nothing.
    """
    with reading(services().make_session) as db:
        known = landings.of(db, gateway_id=gateway.id, mac=landing.mac)
    former = known.get("former", [])
    if landing.hid in (known.get("hid"), *former):
        return known
    return told | {"former": [*former, known["hid"]][-FORMER:]} if known else told


def _name(faskey: str) -> str:
    """How a row names a faskey, without saying it."""
    return hashlib.sha256(faskey.encode()).hexdigest()[:12]


def lines(gateway: Gateway, *more: Lines, binauth: str, level: str, poll_seconds: str = "5") -> SetUp:
    """What to paste into this openNDS, and `more` files that go with it."""
    url = services().settings.portal_url
    host = urlsplit(url).hostname or ""
    longest = max(gateway.lease_length, timedelta(minutes=1))
    settings = OpenNdsSettings(
        name=re.sub(r"[^A-Za-z0-9 -]", "", unicodedata.normalize("NFKD", gateway.site.name))[:40].strip(),
        interface=gateway.option("interface"),
        fas_url=f"{url}/gateways/{gateway.kind}/{gateway.identity}/",
        portal_address=gateway.option("portal_address") or _looked_up(host),
        faskey=secret_of(gateway, FASKEY),
        level=level,
        poll_seconds=poll_seconds,
        longest_minutes=int(longest.total_seconds()) // 60,
        binauth=binauth,
    )
    return set_up(settings, *more)


def missing(gateway: Gateway) -> list[Finding]:
    """What a record lacks, whatever the box is told."""
    found = []
    if not gateway.public_addresses:
        found.append(Finding("no_public_address"))
    if not gateway.redirector_url:
        found.append(Finding("no_status_page"))
    return found


def _guessing(gateway: Gateway) -> str | None:
    """Why the record may not serve its network, which may have changed since it was made."""
    return guessing_fault(kind_of(gateway.kind), gateway.options, gateway.network.signin_methods)


def _looked_up(host: str) -> str:
    """The IPv4 address of the portal's name, where it has just one."""
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(host, None, socket.AF_INET)}
    except OSError:
        return ""
    return found.pop() if len(found) == 1 else ""

"""openNDS at FAS levels 3 and 4: one address that browsers land on and that the gateway's authmon asks.

Nobody proves to be authmon: whoever is on the wifi may ask what it asks. So a list holds nothing that lets anybody else
in, an acknowledgement is only of what was handed out, and is not believed at once; the end of a stay is believed with
the token alone, which the gateway has told nobody before; and a restart is believed when a guest lands again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from db.engine import reading
from gateways.opennds import authmon
from gateways.opennds.authmon import Asked, AuthmonRequest, BadRequest, EndReport, Entry
from gateways.opennds.kind import KIND
from gateways.opennds.landing import rhid
from gateways.set_up import SetUp
from gateways.types import Grant
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.endpoints import Endpoint
from portal.gateway_api.exchanges import heard, note
from portal.gateway_api.fas import faskey_of, known_gateway, land, lines, missing
from portal.services import services
from sessions import ends_at_gateways, feed, landings, late_starts
from sessions.ends_at_gateways import EndAtGateway
from sessions.models import EndReason
from sites.models import Gateway

blueprint = Blueprint(KIND.name, __name__, url_prefix=f"/gateways/{KIND.name}")
# An acknowledgement may be a stranger's: for so long the entry is offered all the same. openNDS ignores who is in.
DOUBT = timedelta(seconds=30)
# After so long without an answer, an entry gives way to newer ones: its client's token is most likely gone.
FRESH = timedelta(seconds=60)
LARGEST_BODY = 16 * 1024
# Why openNDS ended a stay. A shutdown ends none: whoever comes back to the portal goes on.
REASONS = {
    "timeout_deauth": EndReason.EXPIRED,
    "idle_deauth": EndReason.IDLE,
    "client_deauth": EndReason.LEFT,
    "ndsctl_deauth": EndReason.STAFF,
    "downquota_deauth": EndReason.POLICY,
    "upquota_deauth": EndReason.POLICY,
}


@dataclass(frozen=True, slots=True)
class Offer:
    """A client to let in: the entry for authmon, and what is kept of the client's landing."""

    entry: Entry
    grant: Grant
    told: dict[str, Any]

    @property
    def mark(self) -> dict[str, int]:
        """What is kept of having handed it out."""
        return {"handed": self.grant.number, "minutes": self.entry.minutes}

    @property
    def is_told(self) -> bool:
        """Whether it has been handed out, and for as long as this."""
        return self.mark.items() <= self.told.items()


@blueprint.route("/<identity>/", methods=["GET", "POST"])
def fas(identity: str) -> AnyResponse:
    request.max_content_length = LARGEST_BODY
    gateway = known_gateway(identity, KIND.name)
    asking = request.form if request.method == "POST" else request.args
    if "auth_get" not in asking:
        return land(gateway)
    if request.method == "GET" and gateway.option("level") != "4":
        return _said("at level 3, authmon asks by POST", HTTPStatus.METHOD_NOT_ALLOWED)
    try:
        asked = authmon.read_request(asking)
        return _said(answer(gateway, asked))
    except BadRequest as fault:
        return _said(f"{authmon.REFUSED}: {fault}", HTTPStatus.BAD_REQUEST)


def answer(gateway: Gateway, asked: AuthmonRequest) -> str:
    """What authmon hears. Raises `BadRequest`."""
    heard(gateway)
    match asked.asked:
        case Asked.VIEW | Asked.LIST:
            acknowledged = asked.acknowledged
            if acknowledged is None:
                return hand_out(gateway, asked.gateway_hash)
            if acknowledged:
                acknowledge(gateway, asked.gateway_hash, acknowledged)
        case Asked.DEAUTHED:
            end(gateway, asked.gateway_hash, authmon.read_end(asked.payload))
        case Asked.CLEAR | Asked.CUSTOM:
            # What was for the gateway's life before is refused by it, and goes with the lease.
            pass
    return authmon.ACK


def hand_out(gateway: Gateway, gateway_hash: str) -> str:
    """The list of those to let in. Written down is only who is in it for the first time."""
    offers = _offers(gateway, gateway_hash)
    entries = authmon.fitting(offer.entry for offer in offers)
    told = authmon.answer(entries)
    news = [offer for offer in offers if offer.entry in entries and not offer.is_told]
    if news:
        service = services()
        at = service.clock()
        with service.make_session.begin() as db:
            for offer in news:
                mark = {"handed_at": at.timestamp(), **offer.told, **offer.mark}
                landings.keep(db, gateway_id=gateway.id, mac=offer.grant.client.mac, told=mark, now=at)
        note(gateway, "authmon: view", told, secrets=tuple(entry.rhid for entry in entries))
    return told


def acknowledge(gateway: Gateway, gateway_hash: str, rhids: tuple[str, ...]) -> None:
    """These are in, says authmon: true of those alone that were handed out to it and are waited for."""
    service = services()
    now = service.clock()
    let_in = {
        offer.grant.number: offer
        for offer in _offers(gateway, gateway_hash, is_doubted=False)
        if offer.entry.rhid in rhids and offer.told.get("handed") == offer.grant.number
    }
    if not let_in:
        return
    with service.make_session.begin() as db:
        confirm_some(db, gateway_id=gateway.id, numbers=let_in, now=now)
        for number, offer in let_in.items():
            length = timedelta(minutes=offer.told["minutes"])
            late_starts.begin(db, number, gateway=gateway, length=length, now=now)
            told = offer.told | {"let_in": number}
            landings.keep(db, gateway_id=gateway.id, mac=offer.grant.client.mac, told=told, now=now)
    note(gateway, f"authmon: {len(let_in)} let in", authmon.ACK)


def end(gateway: Gateway, gateway_hash: str, report: EndReport) -> None:
    """A stay is over at the gateway, which counted its bytes. Believed where the token is of this client's landing."""
    service = services()
    with service.make_session.begin() as db:
        told = landings.of(db, gateway_id=gateway.id, mac=report.mac)
        if told.get("hash") != gateway_hash:
            return
        is_last = report.is_of(told["hid"])
        if not is_last and not any(map(report.is_of, told.get("former", []))):
            return
        # What ended before the client's last landing has ended nothing that was granted after it.
        over = EndAtGateway(
            number=report.number,
            mac=report.mac,
            bytes_up=report.bytes_up,
            bytes_down=report.bytes_down,
            life=f"opennds {report.began}",
            reason=REASONS.get(report.method) if is_last else None,
        )
        is_ours = ends_at_gateways.take(db, gateway=gateway, report=over, now=service.clock())
    if is_ours:
        note(gateway, f"authmon: {report.method} of session {report.number}", authmon.ACK)


def _offers(gateway: Gateway, gateway_hash: str, *, is_doubted: bool = True) -> list[Offer]:
    """Who is to be let in by the box that calls itself so: new ones, then those of whom it has heard in vain, and last
    those whose acknowledgement is doubted."""
    now = services().clock()
    with reading(services().make_session) as db:
        since = now - DOUBT if is_doubted else None
        grants = feed.unconfirmed(db, gateway_id=gateway.id, now=now, or_since=since)
        if not grants:
            return []
        told = landings.of_all(db, gateway_id=gateway.id, macs=[grant.client.mac for grant in grants])
        here = [grant for grant in grants if told.get(grant.client.mac, {}).get("hash") == gateway_hash]
        lengths = {grant.number: _minutes(db, gateway, grant, now=now) for grant in here}
    found = [
        offer
        for grant in here
        if lengths[grant.number] > 0
        for offer in _of(gateway, grant, told[grant.client.mac], lengths[grant.number])
    ]
    services().rng.shuffle(found)
    stale = (now - FRESH).timestamp()

    def rank(offer: Offer) -> tuple[bool, bool]:
        is_let_in = offer.told.get("let_in") == offer.grant.number
        return is_let_in, offer.told.get("handed_at", now.timestamp()) < stale

    return sorted(found, key=rank)


def _of(gateway: Gateway, grant: Grant, told: dict[str, Any], minutes: int) -> Iterator[Offer]:
    """The offer of one client; one for each faskey that the box may have."""
    for faskey in faskey_of(gateway, told):
        entry = Entry(
            rhid(told["hid"], faskey), minutes, grant.rate_up_kbps, grant.rate_down_kbps, grant.number
        )
        yield Offer(entry, grant, told)


def _minutes(db: Session, gateway: Gateway, grant: Grant, *, now: datetime) -> int:
    """The whole minutes that the client is let in for, down; 0, which openNDS takes for a day, where it is not."""
    until = late_starts.end_if_let_in(db, grant.number, gateway=gateway, now=now)
    return 0 if until is None else int((until - now).total_seconds()) // 60


def _said(text: str, status: HTTPStatus = HTTPStatus.OK) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")


def lines_for(gateway: Gateway) -> SetUp:
    """The packaged BinAuth script, for it is what sends the ends of stays."""
    interval, level = gateway.option("poll_interval"), gateway.option("level")
    return lines(gateway, binauth="/usr/lib/opennds/binauth_log.sh", level=level, poll_seconds=interval)


ENDPOINT = Endpoint(blueprint, set_up=lines_for, self_test=missing)

"""openNDS at FAS levels 1 and 2: guests' browsers bring its landings, and carry the portal's word back to it."""

from __future__ import annotations

import hmac
import logging
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Blueprint, abort, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from db.engine import reading
from gateways.carriage import Carriage
from gateways.opennds.landing import rhid
from gateways.opennds_carried.kind import KIND
from gateways.opennds_carried.word import SCRIPT, custom, script
from gateways.set_up import SetUp
from gateways.types import Grant
from portal.gateway_api.confirmation import confirm_some
from portal.gateway_api.endpoints import Departure, Endpoint
from portal.gateway_api.exchanges import note
from portal.gateway_api.fas import FASKEY, faskey_of, known_gateway, land, lines, missing
from portal.gateway_api.secrets import secret_of
from portal.services import services
from sessions import feed
from sites.models import Gateway

log = logging.getLogger(__name__)
blueprint = Blueprint(KIND.name, __name__, url_prefix=f"/gateways/{KIND.name}")
# How often a browser may bring the word for one token. A box that refuses it shows the way back to us each time.
MOST_TRIES = 2
SEAL = "opennds carried"


@blueprint.get("/<identity>/")
def fas(identity: str) -> AnyResponse:
    gateway = known_gateway(identity, KIND.name)
    if request.args.get("status") == "authenticated":
        # The word came twice, as by a second press of the button: the box sends the browser here, and it is in.
        back = request.args.get("redir", "")
        is_ours = back.startswith(f"{services().settings.own_url}{_opened_path(gateway)}")
        return redirect(back if is_ours else f"{services().settings.own_url}/", HTTPStatus.SEE_OTHER)
    return land(gateway, refused_path=_opened_path(gateway))


@blueprint.get("/<identity>/opened/<int:number>/<seal>")
def opened(identity: str, number: int, seal: str) -> AnyResponse:
    """Where the box sends the browser once it has let the client in."""
    gateway = known_gateway(identity, KIND.name)
    if not hmac.compare_digest(seal.encode(), _seal(gateway, number).encode()):
        abort(HTTPStatus.NOT_FOUND)
    service = services()
    with service.make_session.begin() as db:
        confirm_some(db, gateway_id=gateway.id, numbers=[number], now=service.clock())
    query = urlencode({"visit": request.args.get("visit", ""), "carried": "1"})
    return redirect(f"{service.settings.own_url}/opening?{query}", HTTPStatus.SEE_OTHER)


def carry(departure: Departure) -> Carriage | None:
    """The word for the browser of this guest; None where the box would not take it."""
    gateway, told = departure.gateway, departure.told
    tries, keys = told.get("tries", 0), faskey_of(gateway, told)
    grant = _grant(departure)
    if grant is None or not told:
        return None
    if told["address"] != gateway.option("gateway_address"):
        log.error(
            "gateway %s: its landing names %s, its record another address", gateway.identity, told["address"]
        )
        return None
    if tries >= MOST_TRIES:
        note(
            gateway,
            "a browser that carried the word came back",
            "refused there: is its faskey the one in the lines?",
        )
        return None
    faskey = keys[min(tries, len(keys) - 1)]
    let_in = rhid(told["hid"], faskey)
    seconds = int(grant.until - services().clock().timestamp())
    if seconds < 1:
        return None
    # Flat, for openNDS takes the encoding off more than once.
    back = (
        f"{services().settings.own_url}{_opened_path(gateway)}{grant.number}/{_seal(gateway, grant.number)}"
    )
    visit = parse_qs(urlsplit(departure.back).query)["visit"][0]
    granted = custom(
        seconds=seconds,
        up_kbps=grant.rate_up_kbps,
        down_kbps=grant.rate_down_kbps,
        rhid=let_in,
        faskey=faskey,
    )
    # All three, always: 9.10 dies where one is missing.
    return Carriage(
        f"http://{told['address']}/{told['auth']}/",
        {"tok": let_in, "redir": f"{back}?visit={visit}", "custom": granted},
    )


def _grant(departure: Departure) -> Grant | None:
    """What is granted there to the guest and not confirmed."""
    service = services()
    with reading(service.make_session) as db:
        waiting = feed.unconfirmed(db, gateway_id=departure.gateway.id, now=service.clock())
    return next((grant for grant in waiting if grant.number == departure.access.id), None)


def _opened_path(gateway: Gateway) -> str:
    return f"/gateways/{KIND.name}/{gateway.identity}/opened/"


def _seal(gateway: Gateway, number: int) -> str:
    """What the browser brings back: only who has carried this session's word to the box could know it."""
    return hmac.digest(secret_of(gateway, SEAL).encode(), str(number).encode(), "sha256").hex()[:32]


def lines_for(gateway: Gateway) -> SetUp:
    """With the script that keeps each guest's time and rates, which levels 1 and 2 have no words for."""
    level = gateway.option("level")
    return lines(gateway, script(secret_of(gateway, FASKEY)), binauth=SCRIPT, level=level)


ENDPOINT = Endpoint(blueprint, carry=carry, set_up=lines_for, self_test=missing)

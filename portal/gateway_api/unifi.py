"""UniFi: where its guests land, what its operator sets up, and what is found missing.

The redirect of an access point is not signed, and all of it is the browser's to change. What binds a landing is the
controller: it lists its connected devices with their addresses, and only the one that has this request's address, or
behind a translated one a guest that waits there, is believed to be who lands.
"""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus

from flask import Blueprint, abort, make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from gateways.set_up import Finding, Lines, SetUp
from gateways.types import Client, InvalidMac, IpAddress, MacAddress, parse_mac
from gateways.unifi.answers import Rejected, Station
from gateways.unifi.errors import ControllerError
from gateways.unifi.kind import KIND
from portal.gateway_api import exchanges
from portal.gateway_api.endpoints import Endpoint
from portal.gateway_api.landings import to_first_page, to_page
from portal.gateway_api.unifi_rounds import account_of, controller_of, desk_of, notify, stations_now
from portal.http.clients import remote_address
from portal.services import services
from sites.models import Gateway

blueprint = Blueprint(KIND.name, __name__)
AGAIN_SECONDS = "3"
REDIRECT_SECONDS = 60
# A locally administered address that no device is given: what is told of it changes nothing.
NOBODY = MacAddress("02:00:00:00:00:00")


@blueprint.get(f"/gateways/{KIND.name}/<identity>/")
@blueprint.get(f"/gateways/{KIND.name}/<identity>/guest/s/<site>/")
def landed(identity: str, site: str = "") -> AnyResponse:
    """A guest who comes by an access point's redirect, or from our own first page for the controller's word."""
    gateway = services().places.by_identity(identity)
    if gateway is None or gateway.kind != KIND.name or site not in ("", gateway.option("site")):
        abort(HTTPStatus.NOT_FOUND)
    return _to_first_page(gateway, is_redirected=bool(site))


@blueprint.get("/guest/s/<site>/")
def landed_where_the_product_says(site: str) -> AnyResponse:
    """The same at the only path that a UniFi redirect has: the gateway is the one whose clients come from there."""
    address = remote_address()
    found = [
        gateway
        for gateway in services().places.gateways()
        if gateway.kind == KIND.name
        and gateway.option("site") == site
        and address is not None
        and (gateway.holds(address) or _is_translated(gateway, address))
    ]
    if len(found) != 1:
        abort(HTTPStatus.NOT_FOUND)
    return _to_first_page(found[0], is_redirected=True)


def _to_first_page(gateway: Gateway, *, is_redirected: bool) -> AnyResponse:
    try:
        station = _who_lands(gateway)
        if station is not None and station.is_authorized and is_redirected and _is_redirected_now():
            # Its access point does not let it pass, whatever is listed: it is begun anew where it has a lease.
            controller_of(gateway).unauthorize(gateway.option("site"), station.mac)
    except ControllerError:
        # Told to the operator by the rounds, which fail as well.
        station = None
    if station is None or station.address is None:
        return _ask_again()
    if not gateway.holds(station.address):
        _tell_prefix(gateway, station.address)
        return _ask_again()
    client = Client(station.mac, (station.address,))
    if _is_from_translated(gateway):
        # Which of those who wait there it is, the browser alone says: docs/adr/0005-who-asks.md.
        return to_page("/", gateway, client, is_hearsay=True)
    return to_first_page(gateway, client)


def _who_lands(gateway: Gateway) -> Station | None:
    """The device that asks, as the controller lists it now; None where that is not beyond doubt.

    Raises `ControllerError`.
    """
    address, named = remote_address(), _named()
    if address is None:
        return None
    guests = [one for one in stations_now(gateway) if one.is_guest]
    if _is_translated(gateway, address):
        # All come from one address: an access point sends only those here that do not pass yet.
        found = [one for one in guests if one.mac == named and one.is_authorized is False]
    else:
        found = [one for one in guests if one.address == address and named in (None, one.mac)]
    return found[0] if len(found) == 1 else None


def _is_redirected_now() -> bool:
    """Whether an access point sent the browser here a moment ago: an old page that is opened again says nothing."""
    told = request.args.get("t", 0, type=int)
    return abs(services().clock().timestamp() - told) < REDIRECT_SECONDS


def _named() -> MacAddress | None:
    """The device that the redirect names, which is a hint and no proof."""
    if "id" not in request.args:
        return None
    try:
        return parse_mac(request.args["id"])
    except InvalidMac:
        abort(HTTPStatus.NOT_FOUND)


def _is_from_translated(gateway: Gateway) -> bool:
    address = remote_address()
    return address is not None and _is_translated(gateway, address)


def _is_translated(gateway: Gateway, address: IpAddress) -> bool:
    return str(address) in gateway.public_addresses


def _ask_again() -> AnyResponse:
    """A controller lists a device some seconds after it has come: a page that asks again by itself."""
    response = make_response(render_template("shared/looking.html"), HTTPStatus.OK)
    response.headers["Refresh"] = AGAIN_SECONDS
    return response


def _tell_prefix(gateway: Gateway, address: IpAddress) -> None:
    desk, word = desk_of(gateway), f"a guest has {address}, which is in none of the record's client prefixes"
    if desk.noted != word:
        desk.noted = word
        exchanges.note(gateway, "landing", word)


def set_up(gateway: Gateway) -> SetUp:
    """What to set at the controller, and the file to write beside the portal."""
    host = services().settings.own_url.partition("://")[2]
    if gateway.option("username"):
        who, word = (
            f"Role: Site Admin\nRestrict to local access\nUsername: {gateway.option('username')}",
            "PASSWORD",
        )
        where = "Settings > Admins & Users"
    else:
        who, word, where = "Create API Key", "API KEY", "Settings > Control Plane > Integrations"
    return SetUp(
        (
            Lines(where, who),
            Lines("Settings > Hotspot > Landing Page", f"External Portal Server: {host}"),
            Lines("Settings > Hotspot > Pre-Authorization Allowances", host),
            Lines(gateway.option("credential_file"), word),
        )
    )


def self_test(gateway: Gateway) -> list[Finding]:
    """Whether the controller lets itself be asked and told, and whether its credential is kept."""
    found: list[Finding] = []
    controller, account, site = controller_of(gateway), account_of(gateway), gateway.option("site")
    if account.is_open_to_others:
        found.append(Finding("controller_credential_open", (("detail", account.credential_file),)))
    try:
        controller.stations(site)
        controller.guests(site, now=services().clock().timestamp())
        # Of nobody's device: who may only look is refused here.
        with suppress(Rejected):
            controller.unauthorize(site, NOBODY)
    except ControllerError as error:
        found.append(Finding(error.trouble.value, (("detail", error.detail),)))
    return found


ENDPOINT = Endpoint(blueprint, notify=notify, set_up=set_up, self_test=self_test)

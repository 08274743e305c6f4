"""A landing that another make of gateway brought: from here on it is one like all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from flask import redirect, request
from werkzeug.wrappers import Response

from gateways import landing_token
from gateways.kinds import Learning
from gateways.types import Client
from portal.services import services
from sessions import landings, leases, sightings
from sites.models import Gateway


def to_first_page(gateway: Gateway, client: Client, *, told: Mapping[str, Any] | None = None) -> Response:
    """Send the browser of `client` to the first page with the gateway's word, after keeping what the gateway `told`.

    The caller has made sure that the gateway said this of this client. The client's address must be one of its own.

    A gateway that shows a client the way does not let it pass: leases that it had confirmed are to be confirmed anew.
    But where it tells what it has told before, the browser has gone back to an old link, and nothing is known.
    """
    service = services()
    now = service.clock()
    with service.make_session.begin() as db:
        is_told_again = told and told == landings.of(db, gateway_id=gateway.id, mac=client.mac)
        if gateway.capabilities.learns is Learning.CARRIED or not is_told_again:
            leases.ask_again(db, gateway_id=gateway.id, mac=client.mac, now=now)
        landings.keep(db, gateway_id=gateway.id, mac=client.mac, told=told or {}, now=now)
        sightings.see(db, gateway_id=gateway.id, client=client, now=now)
    return to_page("/", gateway, client)


def to_page(
    path: str, gateway: Gateway, client: Client, *, is_hearsay: bool = False, **query: str
) -> Response:
    """Send the browser of `client` to this page of guests, which another process may serve. Nothing is written."""
    service = services()
    key = service.gateway_secrets.landing_key(gateway.credential_digest)
    landing = landing_token.Landing(gateway.identity, client.mac, client.addresses[0], is_hearsay)
    token = landing_token.sign(landing, key=key, now=service.clock().timestamp())
    # Not by `url_for`: a process of its own for the gateways has none of the guests' pages.
    if re.fullmatch(r"[a-z]{2,3}", chosen := request.args.get("lang", "")):
        # Some gateways know which language their guest has chosen.
        query["lang"] = chosen
    address = f"{service.settings.own_url}{path}?{urlencode({'landing': token, **query})}"
    return redirect(address, HTTPStatus.SEE_OTHER)

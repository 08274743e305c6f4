"""Who comes in, and which terms they accepted by pressing the button."""

from __future__ import annotations

import hashlib

from portal.http.clients import ClientContext
from portal.i18n.translation import language, town_language
from sessions.arrival import Acceptance, Arrival
from sites.models import Network


def terms_text(network: Network) -> str:
    """The network's terms in the language of this request, else in the town's own."""
    return network.terms.get(language()) or network.terms.get(town_language(), "")


def accepted(network: Network) -> Acceptance:
    """The acceptance of the terms as this page showed them."""
    digest = hashlib.sha256(terms_text(network).encode()).hexdigest()
    return Acceptance(network.terms_version, language(), digest)


def arrival_of(visit: ClientContext) -> Arrival:
    """The client as the services take it, with the terms of the page it comes from."""
    return Arrival(visit.gateway, visit.client, accepted(visit.gateway.network), visit.landed_at)

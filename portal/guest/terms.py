"""Who comes in, and which terms they accepted by pressing the button."""

from __future__ import annotations

import hashlib
from functools import lru_cache

from portal.guest.resume_code import digest_for
from portal.http.clients import ClientContext
from portal.i18n.translation import TextIn, best_language
from sessions.arrival import Acceptance, Arrival
from sites.models import Network


def terms_text(network: Network) -> TextIn:
    """The network's terms in the language of this request, or in the one that comes next."""
    spoken = best_language(network.terms)
    return TextIn(spoken, network.terms.get(spoken, ""))


def accepted(network: Network) -> Acceptance:
    """The acceptance of the terms as this page showed them."""
    terms = terms_text(network)
    return Acceptance(network.terms_version, terms.language, _digest(terms.text))


@lru_cache(maxsize=64)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def arrival_of(visit: ClientContext, acceptance: Acceptance | None = None) -> Arrival:
    """The client as the services take it, with the terms of the page it comes from, where none are given."""
    return Arrival(
        visit.gateway,
        visit.client,
        acceptance or accepted(visit.gateway.network),
        visit.landed_at,
        resume_digest=digest_for(visit),
    )

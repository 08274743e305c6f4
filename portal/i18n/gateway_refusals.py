"""Why a gateway refuses to end a session, in the reader's language. What it says in its own words stays as it is."""

from __future__ import annotations

from portal.i18n.translation import say


def refusal_in_words(reason: str) -> str:
    """The reasons of RFC 5176 section 3.5 as `gateways.radius.dynauth` names them; any other as it stands."""
    known = {
        "no reason given": say("no reason given"),
        "residual session context removed": say("the rest of the session was removed"),
        "unsupported attribute": say("an attribute of the request is unknown to it"),
        "missing attribute": say("an attribute is missing from the request"),
        "NAS identification mismatch": say("the request names another gateway"),
        "invalid request": say("the request is invalid"),
        "unsupported service": say("it does not know this kind of request"),
        "unsupported extension": say("it does not support such requests"),
        "invalid attribute value": say("the value of an attribute is invalid"),
        "administratively prohibited": say("its settings forbid it"),
        "request not routable": say("it cannot pass the request on"),
        "session context not removable": say("the session cannot be ended"),
        "other proxy processing error": say("a proxy on the way had a fault"),
        "resources unavailable": say("it is overloaded"),
        "request initiated": say("it has begun with it, and will say more"),
        "multiple session selection unsupported": say("several sessions of this device are open there"),
    }
    return known.get(reason, reason)

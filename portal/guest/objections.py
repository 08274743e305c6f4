"""What a guest has against a message: one tap each, without a form, and without losing the seconds already seen.

What somebody does not want to see again is kept in their own signed tokens alone, and who reported a message nowhere.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads.ledger import served
from portal.guest import guests
from portal.guest.impression_tokens import read_ticket_at_any_time
from portal.guest.pages import not_here
from portal.http.clients import ClientContext, current, hiding, remember
from portal.services import services


@guests.post("/pause/hide")
def hide_message() -> AnyResponse:
    """Not to see this message again: the next one comes, with the seconds already seen."""
    visit = current()
    if visit is None:
        return not_here()
    ticket = read_ticket_at_any_time(visit)
    if ticket.creative_id is not None:
        visit = hiding(visit, ticket.creative_id)
    return _back(visit, "hidden")


@guests.post("/pause/report")
def report_message() -> AnyResponse:
    """Report this message: counted once for each time that it is shown to somebody."""
    visit = current()
    if visit is None:
        return not_here()
    ticket = read_ticket_at_any_time(visit)
    if ticket.creative_id is not None:
        entry = served.of(
            visit.gateway, ticket.nonce, ticket.creative_id, shown_at=ticket.shown_at, reported=True
        )
        services().served.add(entry)
    return _back(visit, "reported")


def _back(visit: ClientContext, said: str) -> AnyResponse:
    address = url_for("guests.pause_page", visit=visit.issue_token(), said=said)
    return remember(redirect(address, HTTPStatus.SEE_OTHER), visit, access_id=visit.held)

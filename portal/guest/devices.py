"""The page of a fixed device's owner: whether it works, by an address that nobody guesses. Nothing is done there."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, make_response, request
from sqlalchemy.orm import Session

from auth import rate_limits
from auth.fixed_devices import links
from portal.guest import guests
from portal.i18n.labels import standing_in_words
from portal.public_values import render_page
from portal.services import services
from sessions.managed import presence


@guests.get("/devices/<secret>")
def device(secret: str) -> Response:
    """404 for a secret that opens nothing, whatever the reason. Raises `TooManyAttempts`."""
    service = services()
    with service.make_session.begin() as db:
        rate_limits.take(db, links.limit(request.remote_addr or ""), now=service.clock())
    with service.make_session() as db:
        response = _page(db, secret)
    # No search engine keeps it; and what every page of ours says tells no other house where one comes from.
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _page(db: Session, secret: str) -> Response:
    found = links.find(db, secret)
    if found is None:
        return make_response(render_page("guests/no_device.html"), HTTPStatus.NOT_FOUND)
    seen = presence.of_device(db, found, now=services().clock())
    up, down = seen.volume
    return make_response(
        render_page(
            "guests/device.html",
            name=found.name,
            place=found.site.name,
            zone=found.site.zone,
            standing=standing_in_words(seen.standing),
            last_seen_at=found.last_seen_at,
            counted_since=seen.counted_since,
            bytes_up=up,
            bytes_down=down,
        )
    )

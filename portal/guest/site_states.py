"""How the wifi is today: what is out of order or slowed, and since when. For everybody, from any network."""

from __future__ import annotations

from db.engine import reading
from portal.guest import guests
from portal.guest.open_pages import visit_if_any
from portal.guest.places import places_now
from portal.public_values import render_page
from portal.services import services
from sites.models import SiteState


@guests.get("/hotspots/status")
def site_states() -> str:
    with reading(services().make_session) as db:
        spots = places_now(db)
    return render_page(
        "guests/site_states.html",
        down=[spot for spot in spots if spot.state is SiteState.OUTAGE],
        slowed=[spot for spot in spots if spot.state is SiteState.LIVE and spot.slowed_since],
        working=[spot for spot in spots if spot.state is SiteState.LIVE and not spot.slowed_since],
        resting=[spot for spot in spots if spot.state in (SiteState.PLANNED, SiteState.CLOSED)],
        now=services().clock(),
        visit=visit_if_any(),
    )

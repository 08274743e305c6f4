"""What a browser needs to put the portal on a home screen: the same pages, under the town's name."""

from __future__ import annotations

import hashlib
import json

from flask import Response, request, url_for

from db.engine import reading
from portal.guest import guests
from portal.guest.assets import ASSETS, asset_url
from portal.guest.face import face_of
from portal.guest.places import by_kind, map_address
from portal.i18n.catalogues import is_rtl
from portal.i18n.translation import language, say
from portal.public_values import render_page
from portal.services import services
from sites.directory import hotspots
from sites.queries import networks

# The page's own ground in the light theme; a page says its own of both themes.
GROUND = "#fbfaf7"
OURS = (("app-small.png", 192, "any"), ("app-large.png", 512, "any"), ("app-maskable.png", 512, "maskable"))


@guests.get("/app.webmanifest")
def manifest() -> Response:
    """The web application manifest (W3C) in the language of the page that names it."""
    town = services().settings.town
    document = {
        "id": "/",
        "name": say("Wifi in %(town)s", town=town),
        "short_name": town,
        "lang": language(),
        "dir": "rtl" if is_rtl(language()) else "ltr",
        "start_url": url_for("guests.status", lang=language()),
        "scope": "/",
        "display": "standalone",
        "theme_color": GROUND,
        "background_color": GROUND,
        "icons": [
            {"src": url, "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}
            for url, side, purpose in icons_of(request.args.get("network"))
        ],
    }
    return Response(json.dumps(document, ensure_ascii=False), content_type="application/manifest+json")


def icons_of(slug: str | None) -> list[tuple[str, int, str]]:
    """Address, side in pixels and purpose of each icon: made of this network's mark where it has one, else ours."""
    found = (one for one in services().places.networks() if one.slug == slug)
    marks = face_of(next(found, None)).icons
    if marks is None:
        return [(asset_url(name), side, purpose) for name, side, purpose in OURS]
    return [(url, side, purpose) for url, side in marks.home_screen for purpose in ("any", "maskable")]


@guests.get("/worker.js")
def worker() -> Response:
    """The service worker of a language (W3C Service Workers): it keeps `away`, and is another when that page is."""
    page = hashlib.sha256(away().encode() + ASSETS["worker.js"].body).hexdigest()[:12]
    script = ASSETS["worker.js"].body.decode().replace("{version}", page)
    script = script.replace("{away}", url_for("guests.away", lang=language()))
    return Response(script, content_type=ASSETS["worker.js"].media_type)


@guests.get("/away")
def away() -> str:
    """What is shown where there is no connection: nothing in it grows old within a day, nothing is about a person."""
    with reading(services().make_session) as db:
        places = hotspots(db, now=services().clock(), language=language())
        ssids = sorted({network.ssid for network in networks(db)})
    return render_page(
        "guests/away.html",
        kinds=by_kind(places),
        ssids=ssids,
        on_phone=map_address,
        visit=None,
        # No network's own: a logo is another file, which is not there without a connection.
        face=face_of(None),
    )

"""What a browser needs to put the portal on a home screen: the same pages, under the town's name."""

from __future__ import annotations

import json

from flask import Response, url_for

from portal.guest import guests
from portal.guest.assets import asset_url
from portal.i18n.catalogues import is_rtl
from portal.i18n.translation import language, say
from portal.services import services

# The page's own ground in the light theme; a page says its own of both themes.
GROUND = "#fbfaf7"
ICONS = (
    ("app-small.png", "192x192", "any"),
    ("app-large.png", "512x512", "any"),
    ("app-maskable.png", "512x512", "maskable"),
)


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
            {"src": asset_url(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in ICONS
        ],
    }
    return Response(json.dumps(document, ensure_ascii=False), content_type="application/manifest+json")

"""What the first request of a server's process would wait for, done beside it as soon as the process is there.

The start takes no longer for it. A request that comes before it is done waits for what it needs and for no more: each
step is taken once, whoever comes first.
"""

from __future__ import annotations

import logging
import threading

from flask import Flask
from sqlalchemy.orm import configure_mappers

from config import Serves
from portal.http.rules import LateRule
from portal.i18n.catalogues import catalogue
from portal.services import PreviewRenderer, Services
from sites.holidays import ZONES, school_holidays

log = logging.getLogger(__name__)

NAME = "warming"
# Where pages of an audience have their frame and their parts from, by the blueprint that serves them.
FRAMES = {
    "guests": ("shared/layout.html", "shared/parts.html", "guests/landing.html"),
    "staff": ("staff/layout.html", "staff/parts.html", "staff/error.html"),
}


def _is_of_staff(template: str) -> bool:
    return template.startswith("staff/") and template.endswith(".html")


def begin(app: Flask) -> threading.Thread:
    """Warm `app` in a thread that ends with the process."""
    thread = threading.Thread(target=warm, args=[app], name=NAME, daemon=True)
    thread.start()
    return thread


def warm(app: Flask) -> None:
    """Configure the mapped classes, read the languages that are spoken here and the calendar, compile the frames of
    pages and what writes their addresses; where staff alone are served, all of their pages."""
    services: Services = app.extensions["arobase"]
    try:
        configure_mappers()
        speaking = FRAMES.keys() & app.blueprints.keys()
        for code in services.settings.languages if speaking else ():
            catalogue(code)
        for audience in sorted(speaking):
            for name in FRAMES[audience]:
                app.jinja_env.get_template(name)
        if speaking:
            # The calendar of all zones is one file.
            school_holidays(ZONES[0])
            for rule in app.url_map.iter_rules():
                if isinstance(rule, LateRule):
                    rule.prepare()
        if services.settings.serves is Serves.STAFF:
            _warm_staff(app)
    except Exception:
        # The request that needs it says what is wrong.
        log.exception("a server could not be warmed")


def _warm_staff(app: Flask) -> None:
    """Theirs alone: nobody else waits meanwhile, and few come in the first second."""
    from auth.staff import passkeys

    for name in app.jinja_env.list_templates(filter_func=_is_of_staff):
        app.jinja_env.get_template(name)
    passkeys.prepare()
    preview: PreviewRenderer = app.extensions["arobase-preview"]()
    preview.prepare()

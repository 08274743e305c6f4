"""What every template knows: the words, the times, the language links, the style."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, request, url_for
from markupsafe import Markup

from portal.services import services
from portal.wording import (
    LANGUAGES,
    clock_time,
    day_and_time,
    in_words,
    language,
    load_catalogues,
    say,
    say_number,
)


def dress(app: Flask, style: str) -> None:
    """Give the templates their vocabulary. `_` escapes nothing by itself: Jinja does, as always."""
    app.extensions["arobase-catalogues"] = load_catalogues()
    safe_style = Markup(style)

    @app.context_processor
    def vocabulary() -> dict[str, Any]:
        return {
            "_": say,
            "many": say_number,
            "lang": language(),
            "languages": LANGUAGES,
            "in_language": in_language,
            "clock_time": clock_time,
            "day_and_time": lambda at, zone: day_and_time(at, zone, now=services().clock()),
            "in_words": in_words,
            "style": safe_style,
            "town": services().settings.town,
            "contact": services().settings.contact,
            "dpo_contact": services().settings.dpo_contact,
            "audited_on": services().settings.accessibility_audit_on,
            "portal_host": services().settings.portal_host,
        }


def in_language(code: str) -> str:
    """The address of this page in another language. A form that was posted leads back to the page it was on."""
    endpoint = request.endpoint or "guests.landing"
    if request.method != "GET" or endpoint == "static":
        endpoint = "guests.landing"
    values: dict[str, Any] = {**request.args.to_dict(), **(request.view_args or {}), "lang": code}
    if token := request.form.get("visit"):
        values["visit"] = token
    return url_for(endpoint, **values)


def instant(at: datetime) -> str:
    """For a machine to read, in ``datetime=``."""
    return at.isoformat()

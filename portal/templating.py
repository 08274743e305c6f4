"""What every template knows: the words, the times, the language links, the style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Flask, g, request, url_for
from markupsafe import Markup, escape

from auth.vouchers import codes
from portal.guest.accessibility import Conformity, conformity
from portal.guest.assets import asset_url
from portal.guest.creative_media import shown_media
from portal.guest.face import face_here, face_of, own_text
from portal.guest.images import shown_image
from portal.guest.kept_credentials import offered, shown_here
from portal.guest.language_change import sign_refusal
from portal.http.security_headers import Styles, is_staff_page
from portal.i18n.catalogues import is_rtl, name_of
from portal.i18n.labels import LABELS
from portal.i18n.translation import (
    best_language,
    chosen_language,
    clock_time,
    comma,
    day_and_time,
    end_time,
    in_full,
    in_words,
    language,
    language_in_words,
    offered_languages,
    say,
    say_number,
    volume,
)
from portal.printing.qr import svg_of
from portal.printing.wifi_qr import joining_code
from portal.services import services, town_zone
from sites.look import contact_link, host_of
from sites.map import SHAPES, outline

# What a link to the same page in another language takes along; everything else in a query is a stranger's.
KEPT = ("visit", "landing", "gateway")
# ISO 639's code for no language: it stands in an address until the language is put there.
ANY_LANGUAGE = "zxx"
FILTERS = {"guests.hotspots": ("open", "step_free", "kind")}


@dataclass(frozen=True, slots=True)
class LocalizedText:
    """A text, and the language that it is in."""

    language: str
    title: str
    text: str


def init_templates(app: Flask, styles: Styles) -> None:
    """Give the templates their vocabulary. `_` escapes nothing by itself: Jinja does, as always."""
    app.template_filter("linked")(linked)
    app.url_defaults(keep_language)
    app.jinja_env.globals.update(
        _=say,
        many=say_number,
        first_style=Markup(styles.first),
        style=Markup(styles.whole),
        map_style=Markup(styles.with_map),
        mark_outline=outline,
        SHAPES=SHAPES,
        asset=asset_url,
        in_language=in_language,
        contact_link=contact_link,
        sign_refusal=sign_refusal,
        clock_time=lambda at, zone=None: clock_time(at, zone or town_zone().key),
        end_time=lambda at, zone=None: end_time(at, zone or town_zone().key, now=services().clock()),
        day_and_time=lambda at, zone=None: day_and_time(at, zone or town_zone().key, now=services().clock()),
        in_words=in_words,
        comma=comma,
        in_full=in_full,
        volume=volume,
        host_of=host_of,
        example_code=codes.EXAMPLE,
        words_of=words_of,
        language_in_words=language_in_words,
        own_text=own_text,
        kept_here=shown_here,
        offered=offered,
        shown_image=shown_image,
        shown_media=shown_media,
        joining_code=joining_code,
        address_code=svg_of,
        conformity=conformity_today,
        **{function.__name__: function for function in LABELS},
    )
    app.context_processor(vocabulary)


def vocabulary() -> dict[str, Any]:
    """What changes from request to request, or from town to town."""
    settings, face = services().settings, face_of(None) if is_staff_page() else face_here()
    return {
        "lang": language(),
        "rtl": is_rtl(language()),
        "face": face,
        "languages": {code: name_of(code) for code in offered_languages()},
        "town": settings.town,
        "authority": settings.authority or say("The town (%(town)s)", town=settings.town),
        "contact": face.contact,
        "dpo_contact": settings.dpo_contact,
        "portal_host": settings.portal_host,
    }


def keep_language(endpoint: str, values: dict[str, Any]) -> None:
    """A language that somebody chose goes along with every link, form and redirect of the pages."""
    if endpoint.startswith(("guests.", "staff.")) and (chosen := chosen_language()):
        values.setdefault("lang", chosen)


def in_language(code: str, token: str | None = None) -> str:
    """The address of this page in another language. A form that was posted leads back to the page it was on.

    `g.form_page` is that page, endpoint and values, where it keeps what was typed; else it is the first one.
    """
    if "in_language" not in g or g.in_language[0] != token:
        # Its links differ in nothing but the language, and addresses are dear.
        g.in_language = token, _in_language(ANY_LANGUAGE, token)
    address: str = g.in_language[1]
    return address.replace(f"lang={ANY_LANGUAGE}", f"lang={code}")


def _in_language(code: str, token: str | None) -> str:
    endpoint = request.endpoint or ""
    if request.method != "GET" or not endpoint.startswith(("guests.", "figures.")):
        page, typed = g.get("form_page") or ("guests.landing", {})
        return url_for(page, **typed, lang=code, visit=token)
    values: dict[str, Any] = {
        name: request.args[name] for name in (*KEPT, *FILTERS.get(endpoint, ())) if name in request.args
    }
    if token:
        # It names the client as the landing token does, and lives longer.
        values.pop("landing", None)
        values["visit"] = token
    return url_for(endpoint, **values, **(request.view_args or {}), lang=code)


def linked(text: str, address: str) -> Markup:
    """`text` as a part of a page, with what stands in [brackets] made a link to `address`."""
    before, _, rest = text.partition("[")
    inside, _, after = rest.partition("]")
    return Markup('{}<a href="{}">{}</a>{}').format(escape(before), address, inside, after)


def words_of(texts: dict[str, dict[str, str]]) -> LocalizedText:
    """A message in the language of this request, or in the one that comes next."""
    spoken = best_language(texts)
    words = texts.get(spoken, {})
    return LocalizedText(spoken, words.get("title", ""), words.get("text", ""))


def conformity_today() -> Conformity:
    """What the accessibility declaration may claim today."""
    service = services()
    today = service.clock().astimezone(town_zone()).date()
    return conformity(service.settings.accessibility_audit_on, today=today)

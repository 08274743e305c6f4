"""The classes of tablets: which is on, until when, and the button of a teacher. One page for a phone."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import classes as service
from auth.staff.roles import Action, may, switches
from db.engine import reading
from portal.gateway_api import notify_gateway
from portal.i18n.translation import end_time, in_words
from portal.records.kinds import RecordPages
from portal.records.school_cautions import unserved
from portal.records.schools import CLASS_PAGES, LINE_PAGES, TABLET_PAGES
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.configuration.routes import address
from portal.staff.forms import use_form
from sessions.managed.reconcile import reconcile
from sites.gateways import every as every_gateway
from sites.models import Gateway, Site
from sites.schools.models import TabletClass
from sites.schools.timetable import LENGTHS, ClassState, state_of

MOST_DIGITS = 4


@dataclass(frozen=True, slots=True)
class ClassCard:
    """What the page says of one class: its state, how many tablets, and at which of my schools it can be on.

    `unserved` says at which of its schools no gateway lets it in.
    """

    tablets: TabletClass
    state: ClassState
    count: int
    sites: tuple[Site, ...]
    until: str
    unserved: list[str]


# The records behind this page, for those who may change them.
RECORDS = (LINE_PAGES, CLASS_PAGES, TABLET_PAGES)


@staff.get("/classes")
@needs(Action.CLASS_HOURS)
def classes() -> AnyResponse:
    now = services().clock()
    with reading(services().make_session) as db:
        served = service.served(db)
        cards = [_card(each, sites, served, now) for each in service.every(db) if (sites := _mine(each))]
        page = render_template(
            "staff/classes.html",
            cards=sorted(cards, key=lambda card: not card.state.on),
            count=sum(card.state.on for card in cards),
            records=_records(),
            address=address,
            lengths=[(int(length.total_seconds()) // 60, in_words(length)) for length in LENGTHS],
        )
    return make_response(page)


@staff.post("/classes/<class_slug>/on")
@needs(Action.CLASS_HOURS)
def switch_class_on(class_slug: str) -> AnyResponse:
    """This class, at this school, for this long."""
    length = _length()
    with services().make_session.begin() as db:
        tablets, mine = _find(db, class_slug)
        use_form(db, place=_place(class_slug))
        site = request.form.get("site", "")
        if site not in [one.slug for one in mine]:
            abort(HTTPStatus.NOT_FOUND)
        me, now = current_staff(), services().clock()
        service.switch_on(db, tablets, site=site, length=length, by=me.name, actor=me.actor, now=now)
        gateways = _reconcile(db, tablets, now)
    return _done(class_slug, gateways)


@staff.post("/classes/<class_slug>/off")
@needs(Action.CLASS_HOURS)
def switch_class_off(class_slug: str) -> AnyResponse:
    with services().make_session.begin() as db:
        tablets, _ = _find(db, class_slug)
        use_form(db, place=_place(class_slug))
        me, now = current_staff(), services().clock()
        service.switch_off(db, tablets, by=me.name, actor=me.actor, now=now)
        gateways = _reconcile(db, tablets, now)
    return _done(class_slug, gateways)


def _length() -> timedelta:
    minutes = request.form.get("minutes", "")
    is_number = minutes.isascii() and minutes.isdigit() and len(minutes) <= MOST_DIGITS
    length = timedelta(minutes=int(minutes)) if is_number else timedelta(0)
    if length not in LENGTHS:
        abort(HTTPStatus.BAD_REQUEST)
    return length


def _find(db: Session, slug: str) -> tuple[TabletClass, tuple[Site, ...]]:
    """The class, and my schools where it may be on; to somebody of other schools there is no such class."""
    tablets = service.find(db, slug)
    mine = _mine(tablets) if tablets is not None else ()
    if tablets is None or not mine:
        abort(HTTPStatus.NOT_FOUND)
    return tablets, mine


def _mine(tablets: TabletClass) -> tuple[Site, ...]:
    there = [stop.site for stop in tablets.stops]
    mine = switches(current_staff().authority, tablets.network.slug, [site.slug for site in there])
    return tuple(site for site in there if site.slug in mine)


def _records() -> list[RecordPages]:
    """Those of them that this person may change."""
    mine = current_staff().authority
    return [pages for pages in RECORDS if may(mine, pages.action) and not (pages.town_wide and mine.networks)]


def _card(
    tablets: TabletClass, sites: tuple[Site, ...], served: Container[tuple[int, int]], now: datetime
) -> ClassCard:
    state = state_of(tablets.timetable, tablets.press, now)
    zone = tablets.stops[0].site.zone
    until = end_time(state.until, zone, now=now) if state.until else ""
    there = [stop.site for stop in tablets.stops]
    lonely = unserved(site.name for site in there if (site.id, tablets.network_id) not in served)
    return ClassCard(tablets, state, len(service.in_use(tablets)), sites, until, lonely)


def _reconcile(db: Session, tablets: TabletClass, now: datetime) -> list[Gateway]:
    """Let the tablets in or out now; the gateways that must learn of it."""
    reconcile(db, now=now)
    there = {stop.site_id for stop in tablets.stops}
    return [one for one in every_gateway(db) if one.site_id in there and one.network_id == tablets.network_id]


def _done(slug: str, gateways: list[Gateway]) -> AnyResponse:
    for gateway in gateways:
        notify_gateway(gateway)
    return redirect(_place(slug), HTTPStatus.SEE_OTHER)


def _place(slug: str) -> str:
    """This class on the page."""
    return url_for("staff.classes", _anchor=slug)

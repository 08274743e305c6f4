"""The calendar: who is shown where in the next two weeks, the hours with nobody, and goals that do not fit in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import make_response, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from ads import calendar as strips
from ads import directory, places
from ads.calendar import Span
from ads.places import AdPlace
from auth.staff.roles import Action
from db.engine import reading
from portal.i18n.translation import clock_time, say
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.campaigns.pages import words

DAYS = 14


@staff.get("/calendar")
@needs(Action.ADS)
def calendar() -> AnyResponse:
    mine, now = current_staff().authority.networks, services().clock()
    with reading(services().make_session) as db:
        there = places.every(db, networks=mine)
        place = _place(there)
        short = strips.conflicts(db, zone=town_zone(), now=now)
        page = render_template(
            "staff/calendar.html",
            places=there,
            place=place,
            strips=strips.of_place(db, place, days=DAYS, town_zone=town_zone(), now=now) if place else [],
            conflicts=[one for one in short if directory.is_within(one[0], mine)],
            is_mine=lambda campaign: directory.is_within(campaign, mine),
            hours=lambda spans: _hours(spans, place.site.zone if place else ""),
            **words(),
        )
    return make_response(page)


def _place(there: list[AdPlace]) -> AdPlace | None:
    wanted = request.args.get("place")
    return next((one for one in there if one.key == wanted), there[0] if there else None)


def _hours(spans: Sequence[Span], zone: str) -> str:
    """ "07:00–11:00, 14:00–18:00"; a whole day in words."""
    if len(spans) == 1 and _is_whole_day(spans[0], zone):
        return say("all day")
    return ", ".join(f"{clock_time(since, zone)}–{_end(until, zone)}" for since, until in spans)


def _is_whole_day(span: Span, zone: str) -> bool:
    first, last = (at.astimezone(ZoneInfo(zone)) for at in span)
    return first.time() == last.time() == datetime.min.time() and first.date() != last.date()


def _end(until: datetime, zone: str) -> str:
    """The midnight that ends a day is its 24:00."""
    local = until.astimezone(ZoneInfo(zone))
    return "24:00" if local.time() == datetime.min.time() else clock_time(until, zone)

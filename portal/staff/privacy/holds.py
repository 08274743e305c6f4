"""Legal holds: placed by one person, confirmed by a second, lifted when the order ends. Seen by nobody else."""

from __future__ import annotations

import ipaddress
from datetime import datetime, time, timedelta
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import HOLDS_LISTED, ObjectKind
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.sessions import access_audit
from sessions.instants import read_day
from sessions.retention import holds as orders
from sessions.retention.errors import BadHold, OverHold, SameHolder
from sessions.retention.holds import HoldScope
from sessions.retention.models import LegalHold
from sites import queries

FIELDS = (
    "reference",
    "reason",
    "expires_at",
    "mac",
    "address",
    "subject",
    "network",
    "site",
    "since",
    "until",
)


@staff.get("/holds")
@needs(Action.RETENTION)
def holds() -> AnyResponse:
    return _page(None)


@staff.post("/holds")
@needs(Action.RETENTION, confirmed=True)
def place_hold() -> AnyResponse:
    now = services().clock()
    try:
        with services().make_session.begin() as db:
            use_form(db, place=url_for("staff.holds"))
            orders.place(
                db,
                _scope(db),
                network_id=_network_id(db),
                reference=_text("reference"),
                reason=_text("reason"),
                expires_at=_day("expires_at", after=1) or now,
                actor=current_staff().actor,
                now=now,
            )
    except BadHold as error:
        return _page(error)
    return redirect(url_for("staff.holds"), HTTPStatus.SEE_OTHER)


@staff.post("/holds/<int(max=2147483647):hold_id>/confirm")
@needs(Action.RETENTION, confirmed=True)
def confirm_hold(hold_id: int) -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            hold = _find(db, hold_id)
            use_form(db, place=url_for("staff.holds"))
            orders.confirm(db, hold, actor=current_staff().actor, now=services().clock())
    except (SameHolder, OverHold) as error:
        return _page(error)
    return redirect(url_for("staff.holds"), HTTPStatus.SEE_OTHER)


@staff.post("/holds/<int(max=2147483647):hold_id>/lift")
@needs(Action.RETENTION, confirmed=True)
def lift_hold(hold_id: int) -> AnyResponse:
    try:
        with services().make_session.begin() as db:
            hold = _find(db, hold_id)
            use_form(db, place=url_for("staff.holds"))
            orders.lift(db, hold, actor=current_staff().actor, now=services().clock())
    except (SameHolder, OverHold) as error:
        return _page(error)
    return redirect(url_for("staff.holds"), HTTPStatus.SEE_OTHER)


@staff.post("/holds/<int(max=2147483647):hold_id>/go-on")
@needs(Action.RETENTION, confirmed=True)
def keep_hold(hold_id: int) -> AnyResponse:
    """Refuse the lifting that somebody asked for."""
    try:
        with services().make_session.begin() as db:
            hold = _find(db, hold_id)
            use_form(db, place=url_for("staff.holds"))
            orders.go_on(db, hold, actor=current_staff().actor, now=services().clock())
    except OverHold as error:
        return _page(error)
    return redirect(url_for("staff.holds"), HTTPStatus.SEE_OTHER)


def _page(error: Denial | None) -> AnyResponse:
    """Every hold that is theirs to see. It shows devices in full, so that it leaves a line as the log does."""
    access_audit.note(HOLDS_LISTED, ObjectKind.HOLDS)
    refusal, now = staff_page(error) if error else None, services().clock()
    with reading(services().make_session) as db:
        mine = current_staff().authority.networks
        found = orders.everything(db, networks=mine)
        networks, sites = queries.networks(db), queries.sites(db)
        page = render_template(
            "staff/holds.html",
            refusal=refusal,
            holds=[(hold, orders.acts(hold, now=now)) for hold in found],
            networks=[one for one in networks if not mine or one.slug in mine],
            network_names={one.id: one.name for one in networks},
            town_wide=not mine,
            sites=sites,
            site_names={site.id: site.name for site in sites},
            values={name: request.form.get(name, "")[:400] for name in FIELDS},
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _find(db: Session, hold_id: int) -> LegalHold:
    hold = orders.find(db, hold_id, networks=current_staff().authority.networks)
    if hold is None:
        abort(HTTPStatus.NOT_FOUND)
    return hold


def _network_id(db: Session) -> int | None:
    """Whose hold it is: of a network of this person's; the whole town's only by those who work for all of it."""
    mine, slug = current_staff().authority.networks, _text("network")
    if not slug and len(mine) == 1:
        (slug,) = mine
    if not slug and not mine:
        return None
    found = queries.network_by_slug(db, slug) if not mine or slug in mine else None
    if found is None:
        raise BadHold("network")
    return found.id


def _scope(db: Session) -> HoldScope:
    """What the form holds. Days are those of the town: the window takes in its last day."""
    address, slug = _text("address"), _text("site")
    try:
        read = str(ipaddress.ip_address(address)) if address else None
    except ValueError as error:
        raise BadHold("scope") from error
    site = queries.site_by_slug(db, slug) if slug else None
    if slug and site is None:
        raise BadHold("site")
    return HoldScope(
        mac=_text("mac") or None,
        address=read,
        subject=_text("subject") or None,
        site_id=site.id if site else None,
        since=_day("since"),
        until=_day("until", after=1),
    )


def _text(name: str) -> str:
    return request.form.get(name, "").strip()[:400]


def _day(name: str, *, after: int = 0) -> datetime | None:
    """The midnight that begins a day of the form, or so many days later."""
    text = _text(name)
    if not text:
        return None
    try:
        return datetime.combine(read_day(text), time.min, town_zone()) + timedelta(days=after)
    except (ValueError, OverflowError) as error:
        raise BadHold("expires_at" if name == "expires_at" else "until") from error

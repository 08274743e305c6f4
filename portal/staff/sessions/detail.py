"""One session: its story from landing to end, and ending it."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ads import acceptances
from auth.audit.actions import SESSION_OPENED, ObjectKind
from auth.devices import service as devices
from auth.staff.roles import Action, may
from db.engine import reading
from portal.gateway_api import notify_gateway
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.sessions import access_audit, visibility
from portal.staff.sessions.pages import LARGEST, alike, find_or_hide, places_of
from sessions import accounting, clients, end, joining, leases, vouchers
from sessions.log import timeline
from sessions.log.timeline import Event, EventKind


@staff.get(f"/sessions/<int(max={LARGEST}):access_id>")
@needs(Action.SESSIONS)
def session(access_id: int) -> AnyResponse:
    now, scope = services().clock(), visibility.of_session(access_id)
    sight = visibility.sight(scope)
    with reading(services().make_session) as db:
        access = find_or_hide(db, access_id)
        rows = timeline.read(db, access)
        accepted = [
            Event(one.accepted_at, EventKind.ACCEPTED, {"impression": one, "lease": lease})
            for one, lease in acceptances.of_access(db, access_id)
        ]
        access_audit.note(
            SESSION_OPENED, ObjectKind.SESSION.named(access_id), network=access.network.slug, sight=sight
        )
        page = render_template(
            "staff/session.html",
            access=access,
            rows=rows,
            events=timeline.tell(rows, now=now, more=accepted),
            word=timeline.end_stage(rows, now=now),
            refusals=timeline.end_refusals(rows, now=now),
            total=accounting.usage(db, access_id),
            mark=vouchers.mark_of(db, access, keys=services().voucher_keys),
            places=places_of(db),
            zone=access.site.tzinfo,
            sight=sight,
            scope=scope,
            devices=devices.of_person(db, access.subject),
            may_end=may(current_staff().authority, Action.DISCONNECT),
            may_block=may(current_staff().authority, Action.BLOCKS),
            alike=alike,
            now=now,
        )
    return make_response(page)


@staff.get(f"/sessions/<int(max={LARGEST}):access_id>/end")
@needs(Action.DISCONNECT)
def end_page(access_id: int) -> AnyResponse:
    """Ask before a session is ended: it cannot be undone, though the guest may sign in again."""
    sight = visibility.sight(visibility.of_session(access_id))
    with reading(services().make_session) as db:
        access = find_or_hide(db, access_id)
        access_audit.note(
            SESSION_OPENED, ObjectKind.SESSION.named(access_id), network=access.network.slug, sight=sight
        )
        page = render_template(
            "staff/session_end.html",
            access=access,
            zone=access.site.tzinfo,
            sight=sight,
        )
    return make_response(page)


@staff.post(f"/sessions/<int(max={LARGEST}):access_id>/end")
@needs(Action.DISCONNECT)
def end_session(access_id: int) -> AnyResponse:
    service = services()
    with service.make_session.begin() as db:
        find_or_hide(db, access_id)
        gateways = leases.gateways_of(db, access_id)
        end.end_by(db, access_id, actor=current_staff().actor, now=service.clock())
    for gateway in gateways:
        notify_gateway(gateway)
    return redirect(url_for("staff.session", access_id=access_id), HTTPStatus.SEE_OTHER)


@staff.post(f"/sessions/<int(max={LARGEST}):access_id>/device")
@needs(Action.DISCONNECT)
def revoke_device(access_id: int) -> AnyResponse:
    """Revoke the certificate of a device of the person of this session, and end what the device has open."""
    service, device_id = services(), request.form.get("device", 0, type=int)
    with service.make_session.begin() as db:
        access = find_or_hide(db, access_id)
        device_id = min(device_id, clients.LARGEST_ID)
        ended = joining.revoke_by(
            db, device_id, access=access, actor=current_staff().actor, now=service.clock()
        )
        told = {one.id: one for number in ended for one in leases.gateways_of(db, number)}
    for gateway in told.values():
        notify_gateway(gateway)
    return redirect(url_for("staff.session", access_id=access_id), HTTPStatus.SEE_OTHER)

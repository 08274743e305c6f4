"""Everything held about a connection, for the one who has it (GDPR article 15): to read, and to take along.

A MAC address alone proves nothing: what is shown is the session that this device has now, and those that it took over.
A patron who signed in with the card a moment ago has proven the account too, and sees its sessions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from ads import acceptances
from auth.devices import service as devices
from auth.devices.models import Device
from db.engine import reading
from portal.guest import guests
from portal.guest.pages import ended, unproven
from portal.http.clients import ClientContext, access_of, current, is_owned, staying
from portal.i18n.retention_periods import term_in_words
from portal.public_values import render_page
from portal.services import services
from sessions import own_data
from sessions.clients import SeenAccess
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Lease, Usage
from sessions.retention import periods


@guests.get("/yours")
def yours() -> AnyResponse:
    visit, access = _asking()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    if access is None:
        return make_response(ended(visit))
    if not is_owned(visit, access):
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    with reading(services().make_session) as db:
        held = held_about(db, access)
        page = render_page(
            "guests/yours.html",
            visit=visit,
            site=visit.gateway.site,
            network=visit.gateway.network,
            held=held,
            document=as_text(held),
            instant=datetime.fromisoformat,
            terms={one: term_in_words(kept.term) for one, kept in periods.in_force(db).items()},
        )
    return make_response(page)


@guests.get("/yours.json")
def yours_json() -> AnyResponse:
    visit, access = _asking()
    if visit is None or not visit.is_proven:
        return unproven(visit)
    if access is None:
        return make_response(ended(visit))
    if not is_owned(visit, access):
        return redirect(url_for("guests.status", visit=visit.issue_token()), HTTPStatus.SEE_OTHER)
    with reading(services().make_session) as db:
        document = held_about(db, access)
    answer = Response(as_text(document), content_type="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="arobase.json"'
    return answer


def as_text(document: dict[str, Any]) -> str:
    """The document as the page shows it and as it is downloaded: the same to the letter."""
    return json.dumps(document, ensure_ascii=False, indent=1)


def _asking() -> tuple[ClientContext | None, SeenAccess | None]:
    visit = current()
    access = access_of(visit) if visit is not None else None
    return (visit if visit is None or access is None else staying(visit, access)), access


def held_about(db: Session, access: SeenAccess) -> dict[str, Any]:
    """All rows about the sessions that this one proves, in plain values, with the term of each class."""
    now = services().clock()
    sessions = own_data.sessions(db, access, now=now)
    ids = [one.id for one in sessions]
    kept = periods.in_force(db)
    return {
        "portal": services().settings.portal_host,
        "made_at": _at(now),
        "terms": {
            name.value: {"amount": one.term.amount, "unit": one.term.unit.value, "basis": one.basis}
            for name, one in kept.items()
            if name in (DataClass.CONNECTION, DataClass.TRAFFIC, DataClass.ACCOUNT, DataClass.ACCEPTANCE)
        },
        "connection": [_stay(one, own_data.leases(db, one.id)) for one in sessions],
        "devices": [_profile(one) for one in devices.of_person(db, access.subject)],
        "traffic": [_counts(one) for one in own_data.traffic(db, ids)],
        "acceptance": [
            {"session": one.access_id, "shown_at": _at(one.shown_at), "accepted_at": _at(one.accepted_at)}
            for one in acceptances.of_sessions(db, ids)
        ],
    }


def _stay(access: AccessSession, leases: Iterable[Lease]) -> dict[str, Any]:
    return {
        "session": access.id,
        "pseudonym": access.subject,
        "signed_in_by": access.method.value,
        "network": access.network.name,
        "site": access.site.name,
        "mac": access.mac,
        "address": access.address,
        "started_at": _at(access.started_at),
        "until": _at(access.until),
        "ended_at": _at(access.ended_at),
        "end_reason": access.end_reason.value if access.end_reason else None,
        "terms_accepted": access.terms_version,
        "leases": [
            {
                "from": _at(one.starts_at),
                "until": _at(one.until),
                "address": one.address,
                "public_address": one.public_address,
                "ports": [one.port_first, one.port_last],
            }
            for one in leases
        ],
    }


def _profile(device: Device) -> dict[str, Any]:
    """A device with a profile for the encrypted network. Its card's number is kept too, encrypted."""
    return {
        "name": device.name,
        "certificate": device.serial,
        "mac": device.mac,
        "made_at": _at(device.issued_at),
        "until": _at(device.until),
        "joined_at": _at(device.joined_at),
        "revoked_at": _at(device.revoked_at),
    }


def _counts(usage: Usage) -> dict[str, Any]:
    return {"session": usage.access_id, "bytes_up": usage.bytes_up, "bytes_down": usage.bytes_down}


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()

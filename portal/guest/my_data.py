"""Everything held about a connection, for the one who has it (GDPR article 15): to read, and to take along.

A MAC address alone proves nothing: what is shown is the session that this device has now, and those that it took over.
Somebody who signed in with their card a moment ago has proven the account too, and sees its sessions on this network.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from flask import Response, make_response, redirect, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from werkzeug.wrappers import Response as AnyResponse

from ads.models import Impression
from db.engine import reading
from portal.guest import guests
from portal.guest.landing import unproven
from portal.guest.status import ended
from portal.http.clients import ClientContext, access_of, current, is_owned, staying
from portal.i18n.retention_periods import term_in_words
from portal.public_values import render_page
from portal.services import services
from sessions.data_classes import DataClass
from sessions.models import AccessSession, Lease, Usage
from sessions.retention import periods
from sites.models import SigninMethod

PROVEN_FOR = timedelta(minutes=15)


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
        page = render_page(
            "guests/yours.html",
            visit=visit,
            site=visit.gateway.site,
            network=visit.gateway.network,
            held=held_about(db, access),
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
    answer = Response(json.dumps(document, ensure_ascii=False, indent=1), content_type="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="arobase.json"'
    return answer


def _asking() -> tuple[ClientContext | None, AccessSession | None]:
    visit = current()
    access = access_of(visit) if visit is not None else None
    return (visit if visit is None or access is None else staying(visit, access)), access


def held_about(db: Session, access: AccessSession) -> dict[str, Any]:
    """All rows about the sessions that this one proves, in plain values, with the term of each class."""
    ids = _proven(db, access)
    sessions = db.scalars(
        select(AccessSession)
        .where(AccessSession.id.in_(ids))
        .order_by(AccessSession.started_at)
        .options(joinedload(AccessSession.site), joinedload(AccessSession.network))
    ).all()
    kept = periods.in_force(db)
    return {
        "portal": services().settings.portal_host,
        "made_at": _at(services().clock()),
        "terms": {
            name.value: {"amount": one.term.amount, "unit": one.term.unit.value, "basis": one.basis}
            for name, one in kept.items()
            if name in (DataClass.CONNECTION, DataClass.TRAFFIC, DataClass.ACCOUNT, DataClass.ACCEPTANCE)
        },
        "connection": [_stay(db, one) for one in sessions],
        "traffic": [_counts(one) for one in db.scalars(select(Usage).where(Usage.access_id.in_(ids)))],
        "acceptance": [
            {"session": one.access_id, "shown_at": _at(one.shown_at), "accepted_at": _at(one.accepted_at)}
            for one in db.scalars(select(Impression).where(Impression.access_id.in_(ids)))
        ],
    }


def _proven(db: Session, access: AccessSession) -> list[int]:
    found, previous = [access.id], access.previous_id
    while previous is not None and previous not in found:
        before = db.get(AccessSession, previous)
        # A device that gave way to this one is another's business, unless it was the same one.
        if before is None or before.subject != access.subject:
            break
        found.append(before.id)
        previous = before.previous_id
    if access.method is SigninMethod.PATRON and services().clock() < access.started_at + PROVEN_FOR:
        mine = select(AccessSession.id).where(AccessSession.entitlement_id == access.entitlement_id)
        found += [one for one in db.scalars(mine) if one not in found]
    return found


def _stay(db: Session, access: AccessSession) -> dict[str, Any]:
    leases = db.scalars(select(Lease).where(Lease.access_id == access.id).order_by(Lease.id))
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


def _counts(usage: Usage) -> dict[str, Any]:
    return {"session": usage.access_id, "bytes_up": usage.bytes_up, "bytes_down": usage.bytes_down}


def _at(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()

"""What a token may issue, and passes ordered and replaced: what makes codes.

Each order is carried out once, however often it is sent.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from http import HTTPStatus
from typing import Any

from flask import Response, jsonify, request, url_for
from sqlalchemy.orm import Session

from auth.api_tokens import idempotency
from auth.api_tokens.idempotency import IdempotentRequest, KeyClaim
from auth.api_tokens.scopes import Scope
from auth.vouchers import issuing
from auth.vouchers.errors import ImprudentBatch, Irreplaceable
from auth.vouchers.issuing import IssuedVoucher, Order
from auth.vouchers.models import Batch, Plan
from auth.vouchers.scope import desks, network_for, offered_plans
from db.engine import reading
from portal.api.access import current_token, wish
from portal.api.answers import batch_now, new_pass_answer, pass_answer, plan_answer
from portal.api.declaring import Operation, serve
from portal.api.passes import find_pass
from portal.api.problems import NO_KEY, Problem
from portal.api.shapes import Body, Day, ShapeFault, Text, Whole
from portal.denials.portal_reasons import UNKNOWN
from portal.i18n.translation import say
from portal.services import services
from sessions import vouchers as live
from sites.models import Site
from sites.opening_hours import midnight_of, next_midnight

MOST_AT_ONCE = 1_000
ORDER = Body(
    "Order",
    {
        "plan": Text(64, "What each pass is worth: a plan of GET /plans.", shortest=1),
        "desk": Text(64, "Where they are handed out: one of that plan's desks.", shortest=1),
        "count": Whole(1, MOST_AT_ONCE, "How many. One, where it is left out."),
        "event": Text(120, "What they are for."),
        "note": Text(200, "A note for the desk."),
        "first_day": Day("They can be used from the midnight that begins this day, at the desk."),
        "last_day": Day("They can be used until the midnight that ends this day, at the desk."),
    },
    required=("plan", "desk"),
    example={
        "plan": "day",
        "desk": "pierre-bayle",
        "count": 2,
        "event": "Fête du livre",
        "first_day": "2027-05-29",
        "last_day": "2027-05-30",
    },
)
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


@serve(
    Operation(
        "GET", "/plans", scope=Scope.READ, summary="What may be issued, and for which desks", gives="Plans"
    )
)
def list_plans() -> Response:
    mine = current_token().authority
    with reading(services().make_session) as db:
        sites = desks(db, mine)
        offered = [
            (plan, [site for site in sites if network_for(plan, site, mine)])
            for plan in offered_plans(db, mine)
        ]
    return jsonify(plans=[plan_answer(plan, where) for plan, where in offered if where])


@serve(
    Operation(
        "POST",
        "/batches",
        scope=Scope.ISSUE,
        summary="Issue passes",
        gives="IssuedBatch",
        status=HTTPStatus.CREATED,
        takes=ORDER,
        once=True,
        problems=(ImprudentBatch.reason,),
    )
)
def issue_passes() -> Response:
    """The codes are in this answer, in no other, and in no address or log of ours."""
    wanted, service = wish(), services()
    with service.make_session.begin() as db:
        asked = _asked(wanted)
        claim = idempotency.claim(db, asked, keys=service.voucher_keys, now=service.clock())
        if claim is None:
            batch, tickets = idempotency.again(db, asked, keys=service.voucher_keys, now=service.clock())
        else:
            batch, tickets = _issue(db, wanted, claim)
        answer = {
            "batch": batch_now(db, batch, actor=current_token().actor.name),
            "passes": [new_pass_answer(ticket) for ticket in tickets],
        }
    return _created(answer, url_for("api.read_batch", batch_id=batch.id), repeated=claim is None)


@serve(
    Operation(
        "POST",
        "/passes/<mark>/replace",
        scope=Scope.REPLACE,
        summary="Replace a lost or spoiled ticket: the old pass dies, the new one has what was left of it",
        gives="ReplacedPass",
        status=HTTPStatus.CREATED,
        once=True,
        problems=(UNKNOWN, Irreplaceable.reason),
    )
)
def replace_pass(mark: str) -> Response:
    service, me = services(), current_token()
    with service.make_session.begin() as db:
        old = find_pass(db, mark)
        asked = _asked({})
        claim = idempotency.claim(db, asked, keys=service.voucher_keys, now=service.clock())
        if claim is None:
            _, (ticket,) = idempotency.again(db, asked, keys=service.voucher_keys, now=service.clock())
        else:
            now, keys = service.clock(), service.voucher_keys
            ticket = live.replace(db, keys=keys, voucher_id=old.id, actor=me.actor, now=now, draw=claim.draw)
            claim.done(db, batch_id=old.batch_id, first=int(ticket.mark.partition("-")[2]))
        answer = {"replaced": pass_answer(db, old.id), "passes": [new_pass_answer(ticket)]}
    return _created(answer, url_for("api.read_pass", mark=ticket.mark), repeated=claim is None)


def _issue(
    db: Session, wanted: Mapping[str, Any], claim: KeyClaim
) -> tuple[Batch, tuple[IssuedVoucher, ...]]:
    service, me = services(), current_token()
    plan, site = _plan_and_desk(db, wanted)
    order = Order(
        count=wanted.get("count", 1),
        desk_site=site.slug,
        note=wanted.get("note", ""),
        event=wanted.get("event", ""),
        ends_at=_last_instant(wanted.get("last_day"), site),
        starts_at=_first_instant(wanted.get("first_day"), site),
    )
    now, keys = service.clock(), service.voucher_keys
    made = issuing.issue(db, keys=keys, plan=plan, order=order, actor=me.actor, now=now, draw=claim.draw)
    claim.done(db, batch_id=made.batch.id, count=order.count)
    return made.batch, made.tickets


def _plan_and_desk(db: Session, wanted: Mapping[str, Any]) -> tuple[Plan, Site]:
    """What was ordered, if this token may hand it out there. Others' plans and desks are as unknown as none."""
    mine = current_token().authority
    plan = _named(offered_plans(db, mine), wanted["plan"])
    if plan is None:
        raise ShapeFault(
            "/plan", say("There is no such plan for this token. GET /api/v1/plans lists those there are.")
        )
    site = _named(desks(db, mine), wanted["desk"])
    if site is None or network_for(plan, site, mine) is None:
        raise ShapeFault(
            "/desk", say("This plan does not hold at that desk. GET /api/v1/plans lists those where it does.")
        )
    return plan, site


def _named(found: list[Any], slug: str) -> Any:
    return next((one for one in found if one.slug == slug), None)


def _last_instant(day: date | None, site: Site) -> datetime | None:
    if day is None:
        return None
    zone = site.tzinfo
    try:
        return next_midnight(datetime(day.year, day.month, day.day, 12, tzinfo=zone), zone)
    except OverflowError as error:
        raise ShapeFault("/last_day", say("It must be a day like 2026-12-31.")) from error


def _first_instant(day: date | None, site: Site) -> datetime | None:
    if day is None:
        return None
    try:
        return midnight_of(day, site.tzinfo)
    except OverflowError as error:
        raise ShapeFault("/first_day", say("It must be a day like 2026-12-31.")) from error


def _asked(wanted: Mapping[str, Any]) -> IdempotentRequest:
    """This request under its key. Raises `Problem` where there is none."""
    me = current_token()
    # The draft of the standard has it in quotes; everybody sends it without.
    key = request.headers.get("Idempotency-Key", "").strip().removeprefix('"').removesuffix('"')
    if not _KEY.fullmatch(key):
        raise Problem(NO_KEY)
    plain = json.dumps([request.path, wanted], sort_keys=True, default=str)
    return IdempotentRequest(me.row, me.jti, key, plain)


def _created(answer: Mapping[str, Any], place: str, *, repeated: bool) -> Response:
    response = jsonify(answer)
    response.status_code = HTTPStatus.CREATED
    response.headers["Location"] = place
    response.headers["Idempotency-Replayed"] = "true" if repeated else "false"
    return response

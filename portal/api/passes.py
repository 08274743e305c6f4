"""One pass, by the mark on its ticket: how it stands, voided, revoked."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, abort, jsonify
from sqlalchemy.orm import Session

from auth.api_tokens.scopes import Scope
from auth.vouchers import redeeming, voiding
from auth.vouchers.errors import Irreplaceable
from auth.vouchers.models import VoidReason, Voucher
from auth.vouchers.scope import touches
from auth.vouchers.voiding import of_ids
from db.engine import reading
from portal.api.access import current_token, wish
from portal.api.answers import pass_answer
from portal.api.declaring import Operation, serve
from portal.api.problems import USED, Problem
from portal.api.shapes import Body, Choice
from portal.denials.portal_reasons import UNKNOWN
from portal.services import services
from sessions import vouchers as live

REASONS = (VoidReason.SPOILED, VoidReason.LOST, VoidReason.UNUSED)
VOID = Body(
    "Void",
    {"reason": Choice(tuple(reason.value for reason in REASONS), "Why. Unused, where it is left out.")},
    example={"reason": "lost"},
)


@serve(
    Operation(
        "GET", "/passes/<mark>", scope=Scope.READ, summary="One pass", gives="Pass", problems=(UNKNOWN,)
    )
)
def read_pass(mark: str) -> Response:
    with reading(services().make_session) as db:
        return jsonify(pass_answer(db, find_pass(db, mark).id))


@serve(
    Operation(
        "POST",
        "/passes/<mark>/void",
        scope=Scope.REVOKE,
        summary="Write off a pass that nobody has used. One that is void already stays so",
        gives="Pass",
        takes=VOID,
        problems=(UNKNOWN, USED),
    )
)
def void_pass(mark: str) -> Response:
    service, me = services(), current_token()
    reason = VoidReason(wish().get("reason", VoidReason.UNUSED))
    with service.make_session.begin() as db:
        voucher = find_pass(db, mark)
        voiding.void(db, of_ids([voucher.id]), reason=reason, actor=me.actor, now=service.clock())
        answer = pass_answer(db, voucher.id)
        if answer["voided_at"] is None:
            raise Problem(USED)
    return jsonify(answer)


@serve(
    Operation(
        "POST",
        "/passes/<mark>/revoke",
        scope=Scope.REVOKE,
        summary="Take a pass back, in use or not; who is online is cut off, where the gateway can do that",
        gives="Pass",
        problems=(UNKNOWN, Irreplaceable.reason),
    )
)
def revoke_pass(mark: str) -> Response:
    service, me = services(), current_token()
    with service.make_session.begin() as db:
        voucher = find_pass(db, mark)
        which, now = of_ids([voucher.id]), service.clock()
        live.revoke(db, which, keys=service.voucher_keys, actor=me.actor, now=now)
        answer = pass_answer(db, voucher.id)
        if answer["voided_at"] is None:
            raise Problem(Irreplaceable.reason)
    return jsonify(answer)


def find_pass(db: Session, mark: str) -> Voucher:
    """The pass with this mark, if it is within the token's networks; else there is none (404)."""
    voucher = redeeming.find_by_mark(db, mark)
    if voucher is None or not touches(db, voucher.batch, current_token().authority):
        abort(HTTPStatus.NOT_FOUND)
    return voucher

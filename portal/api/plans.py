"""What a token may issue: plans, and the desks where each of them holds."""

from __future__ import annotations

from flask import Response, jsonify

from auth.api_tokens.scopes import Scope
from auth.vouchers.scope import desks, network_for, offered_plans
from db.engine import reading
from portal.api.access import current_token
from portal.api.answers import plan_answer
from portal.api.declaring import Operation, serve
from portal.services import services


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

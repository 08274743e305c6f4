"""Setting a gateway up: the lines for its box, with its secrets on request, and what is still missing."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, make_response, render_template
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import GATEWAY_SECRETS_SHOWN, ObjectKind
from auth.staff.roles import Action
from db.engine import reading
from gateways.registry import kinds
from gateways.set_up import SetUp
from portal.gateway_api.endpoints import endpoint_of
from portal.gateway_api.self_tests import self_test
from portal.i18n.gateway_capabilities import lacks_of, product_of
from portal.i18n.gateway_findings import finding_in_words
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, ensure, needs
from sessions.access_audit import looked
from sites.gateways import every
from sites.models import Gateway


@staff.get("/gateways/<identity>/setup")
@needs(Action.GATEWAYS)
def gateway_set_up(identity: str) -> AnyResponse:
    """The lines, without their secrets."""
    gateway = _of_mine(identity)
    return _page(gateway, _lines(gateway).masked(), is_masked=True)


@staff.post("/gateways/<identity>/setup")
@needs(Action.GATEWAYS, confirmed=True)
def gateway_secrets(identity: str) -> AnyResponse:
    """The lines as they are to be pasted. The audit log has the look before the page has the secrets."""
    gateway = _of_mine(identity)
    with services().make_session.begin() as db:
        looked(
            db,
            GATEWAY_SECRETS_SHOWN,
            ObjectKind.GATEWAY.named(identity),
            actor=current_staff().actor,
            network=gateway.network.slug,
            now=services().clock(),
        )
    return _page(gateway, _lines(gateway), is_masked=False)


def _of_mine(identity: str) -> Gateway:
    with reading(services().make_session) as db:
        gateway = next((one for one in every(db) if one.identity == identity), None)
    if gateway is None or gateway.kind not in kinds():
        abort(HTTPStatus.NOT_FOUND)
    ensure(Action.GATEWAYS, gateway.network.slug)
    return gateway


def _lines(gateway: Gateway) -> SetUp:
    return endpoint_of(gateway.kind).set_up(gateway)


def _page(gateway: Gateway, set_up: SetUp, *, is_masked: bool) -> AnyResponse:
    page = render_template(
        "staff/gateway_set_up.html",
        gateway=gateway,
        product=product_of(gateway.kind),
        set_up=set_up,
        is_masked=is_masked,
        options=[(option.name, gateway.option(option.name)) for option in kinds()[gateway.kind].options],
        missing=[finding_in_words(finding) for finding in self_test(gateway)],
        lacks=lacks_of(gateway.kind),
    )
    return make_response(page)

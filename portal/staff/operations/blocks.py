"""Blocked devices and persons: the list, the question before one is placed, and lifting."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.blocks import service as blocked
from auth.blocks.errors import BlockedDevice, BlockedPerson, UnusableBlock
from auth.blocks.models import BlockKind
from auth.blocks.service import BlockRequest
from auth.denials import Denial
from auth.staff.roles import Action
from db.engine import reading
from portal.denials.rendering import guest_page, staff_page
from portal.gateway_api import notify_gateway
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import use_form
from portal.staff.operations.block_form import FIELDS, read_request, session_of, targets, text
from portal.staff.operations.block_words import block_words
from sessions import blocking, leases
from sites import queries

USUAL_DAYS = 7


@staff.get("/blocks")
@needs(Action.BLOCKS)
def blocks() -> AnyResponse:
    """The list, and the form; `session` and `kind` fill it in from a session of the log."""
    return _page(None)


@staff.post("/blocks/find")
@needs(Action.BLOCKS)
def find_block() -> AnyResponse:
    """The blocks of one device or card: what is looked for stands in no address."""
    try:
        return _page(None, only=set(targets(text("sought"))), sought=text("sought"))
    except Denial as error:
        return _page(error)


@staff.post("/blocks/ask")
@needs(Action.BLOCKS)
def ask_block() -> AnyResponse:
    """What the block would do, before it is placed: whom it cuts off, and what they are told."""
    try:
        return _question(read_request(now=services().clock()))
    except Denial as error:
        return _page(error)


@staff.post("/blocks")
@needs(Action.BLOCKS)
def place_block() -> AnyResponse:
    service, shown = services(), request.form.get("shown", -1, type=int)
    try:
        wish = read_request(now=service.clock())
    except Denial as error:
        return _page(error)
    with service.make_session.begin() as db:
        if blocking.affected(db, wish, now=service.clock()).online > shown:
            # Somebody came online since the question was asked.
            return _question(wish)
        use_form(db, place=url_for("staff.blocks"))
        ended = blocking.place(db, wish, actor=current_staff().actor, now=service.clock())
        told = {one.id: one for number in ended for one in leases.gateways_of(db, number)}
    for gateway in told.values():
        notify_gateway(gateway)
    return redirect(url_for("staff.blocks"), HTTPStatus.SEE_OTHER)


@staff.post("/blocks/<int(max=2147483647):block_id>/lift")
@needs(Action.BLOCKS)
def lift_block(block_id: int) -> AnyResponse:
    person = current_staff()
    try:
        with services().make_session.begin() as db:
            block = blocked.find(db, block_id, networks=person.authority.networks)
            if block is None:
                abort(HTTPStatus.NOT_FOUND)
            use_form(db, place=url_for("staff.blocks"))
            blocked.lift(db, block, reason=text("reason"), actor=person.actor, now=services().clock())
    except UnusableBlock as error:
        return _page(error)
    return redirect(url_for("staff.blocks"), HTTPStatus.SEE_OTHER)


def _page(error: Denial | None, *, only: Collection[str] | None = None, sought: str = "") -> AnyResponse:
    refusal, now = staff_page(error) if error else None, services().clock()
    mine = current_staff().authority.networks
    usual = (now.astimezone(town_zone()) + timedelta(days=USUAL_DAYS)).date().isoformat()
    with reading(services().make_session) as db:
        networks = queries.networks(db)
        own = {one.id for one in networks if not mine or one.slug in mine}
        page = render_template(
            "staff/blocks.html",
            refusal=refusal,
            blocks=blocked.listed(db, networks=mine, targets=only, now=now),
            sought=sought,
            networks=[one for one in networks if one.id in own],
            network_names={one.id: one.name for one in networks},
            may_lift={*own, *(() if mine else (None,))},
            town_wide=not mine,
            access=session_of(db),
            values={name: text(name) for name in FIELDS} | {"until": text("until") or usual},
            now=now,
            **block_words(),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _question(wish: BlockRequest) -> AnyResponse:
    told = BlockedDevice if wish.kind is BlockKind.DEVICE else BlockedPerson
    with reading(services().make_session) as db:
        page = render_template(
            "staff/block_question.html",
            wish=wish,
            affected=blocking.affected(db, wish, now=services().clock()),
            network_names={one.id: one.name for one in queries.networks(db)},
            told=guest_page(told(wish.cause, wish.until), zone=town_zone().key),
            values={name: text(name) for name in FIELDS},
            **block_words(),
        )
    return make_response(page)

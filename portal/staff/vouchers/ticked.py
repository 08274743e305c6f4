"""What is done to the passes that were ticked in the list of a batch: asked with the count, then told row by row."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as AnyResponse

from auth.staff.roles import Action
from auth.vouchers import voiding
from auth.vouchers.models import VoidReason, Voucher
from auth.vouchers.states import passes_of
from auth.vouchers.totals import VoucherState
from auth.vouchers.voiding import of_batch, of_ids
from db.engine import reading
from portal.services import services
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.vouchers.pages import find_or_hide
from sessions import vouchers as live

# As many as the list of a batch shows at once.
MOST = 200
VOID, REVOKE = "void", "revoke"


@dataclass(frozen=True, slots=True)
class TickedPass:
    """`is_open`: it can still be done to this one. `is_done`: it was."""

    voucher: Voucher
    state: str
    is_open: bool
    is_done: bool


@staff.get("/batches/<int(max=2147483647):batch_id>/ticked")
@needs(Action.REVOKE)
def ticked_page(batch_id: int) -> AnyResponse:
    """How many it is about, which of them it cannot be done to, and the button; with ``done`` what came of each."""
    deed = REVOKE if request.args.get("do") == REVOKE else VOID
    now = services().clock()
    with reading(services().make_session) as db:
        found = find_or_hide(db, batch_id)
        ids = _ids(request.args)
        rows = _rows(db, batch_id, ids, deed)
        left = of_ids([row.voucher.id for row in rows if row.is_open])
        page = render_template(
            "staff/ticked.html",
            batch=found,
            deed=deed,
            is_done="done" in request.args,
            rows=rows,
            open=[row for row in rows if row.is_open],
            finished=[row for row in rows if row.is_done],
            online=live.online(db, left, keys=services().voucher_keys, now=now),
            undoable=voiding.may_undo(db, of_batch(batch_id), now=now),
        )
    return make_response(page)


@staff.post("/batches/<int(max=2147483647):batch_id>/ticked/void")
@needs(Action.REVOKE)
def void_ticked(batch_id: int) -> AnyResponse:
    """Write off those of the ticked passes that nobody has used. It can be undone for a minute."""
    me, now = current_staff(), services().clock()
    with services().make_session.begin() as db:
        find_or_hide(db, batch_id)
        ids = _ids(request.form)
        _rows(db, batch_id, ids, VOID)
        voiding.void(db, of_ids(ids), reason=VoidReason.UNUSED, actor=me.actor, now=now)
    return _told(batch_id, ids, VOID)


@staff.post("/batches/<int(max=2147483647):batch_id>/ticked/revoke")
@needs(Action.REVOKE)
def revoke_ticked(batch_id: int) -> AnyResponse:
    """Take the ticked passes back, in use or not. It can be undone for a minute."""
    me, now = current_staff(), services().clock()
    with services().make_session.begin() as db:
        find_or_hide(db, batch_id)
        ids = _ids(request.form)
        _rows(db, batch_id, ids, REVOKE)
        live.revoke(db, of_ids(ids), keys=services().voucher_keys, actor=me.actor, now=now)
    return _told(batch_id, ids, REVOKE)


def _told(batch_id: int, ids: list[int], deed: str) -> AnyResponse:
    place = url_for("staff.ticked_page", batch_id=batch_id, **{"do": deed, "done": "yes", "pass": ids})  # type: ignore[arg-type]
    return redirect(place, HTTPStatus.SEE_OTHER)


def _ids(said: MultiDict[str, str]) -> list[int]:
    typed = said.getlist("pass")[:MOST]
    return [int(one) for one in dict.fromkeys(typed) if one.isascii() and one.isdigit() and len(one) < 10]


def _rows(db: Session, batch_id: int, ids: list[int], deed: str) -> list[TickedPass]:
    """The ticked passes. One that is not of this batch is nobody's here (404), and nothing is done to the others."""
    passes = {
        voucher.id: (voucher, state) for voucher, state in passes_of(db, batch_id, now=services().clock())
    }
    if not set(ids) <= set(passes):
        abort(HTTPStatus.NOT_FOUND)
    return [_row(*passes[one], deed) for one in sorted(ids, key=lambda one: passes[one][0].number)]


def _row(voucher: Voucher, state: str, deed: str) -> TickedPass:
    is_alive = state == VoucherState.LEFT or (deed == REVOKE and state == VoucherState.USED)
    is_done = voucher.void_reason is (VoidReason.REVOKED if deed == REVOKE else VoidReason.UNUSED)
    return TickedPass(voucher, state, is_alive and voucher.voided_at is None, is_done)

"""Batches and their books: printed = used + void + expired + left, always; suspended, written off, taken back."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth import reprints
from auth.audit import search
from auth.audit.actions import ObjectKind
from auth.audit.search import Query
from auth.staff.roles import Action
from auth.vouchers import totals, voiding
from auth.vouchers.models import VoidReason
from auth.vouchers.scope import BatchQuery, find_batches, touches
from auth.vouchers.states import passes_of
from auth.vouchers.voiding import of_batch
from db.engine import reading
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.vouchers.finding import by_code_or_mark, without_codes
from portal.staff.vouchers.pages import books_of, find_or_hide, query_of
from portal.staff.vouchers.plan_words import first_day_here, plan_name
from sessions import vouchers as live

MOST, MOST_SHOWN = 50, 200


@staff.get("/batches")
@needs(Action.BOOKS)
def batches() -> AnyResponse:
    query = query_of(MOST + 1)
    with reading(services().make_session) as db:
        found = find_batches(db, query, current_staff().authority)
        page = render_template(
            "staff/batches.html",
            query=query,
            batches=found[:MOST],
            older=len(found) > MOST,
            books=books_of(db, found),
            plan_name=plan_name,
        )
    return make_response(page)


@staff.post("/batches/typed")
@needs(Action.BOOKS)
def batches_typed() -> AnyResponse:
    """The batches with the words that are typed so far, or the pass with this code or number, for a script. (By post:
    codes stay out of logs.)"""
    words, me = " ".join(request.form.get("wanted", "").split())[:80], current_staff().authority
    with reading(services().make_session) as db:
        voucher = by_code_or_mark(db, words) if words else None
        if voucher is not None and not touches(db, voucher.batch, me):
            voucher = None
        found = [] if voucher else find_batches(db, BatchQuery(words=without_codes(words), most=MOST), me)
        page = render_template(
            "staff/batches_found.html",
            words=words,
            voucher=voucher,
            batches=found,
            books=books_of(db, found),
            plan_name=plan_name,
        )
    return make_response(page)


@staff.get("/batches/<int(max=2147483647):batch_id>")
@needs(Action.BOOKS)
def batch(batch_id: int) -> AnyResponse:
    now = services().clock()
    with reading(services().make_session) as db:
        found = find_or_hide(db, batch_id)
        alive, _ = voiding.alive(db, of_batch(batch_id), now=now)
        page = render_template(
            "staff/batch.html",
            batch=found,
            alive=alive,
            books=totals.books(db, batch_id, at=now),
            days=totals.daily_books(db, batch_id, zone=town_zone(), now=now),
            passes=passes_of(db, batch_id, now=now, most=MOST_SHOWN, after=_after()),
            most=MOST_SHOWN,
            undoable=voiding.may_undo(db, of_batch(batch_id), now=now),
            plan_name=plan_name,
            printable_until=reprints.printable_until(db, batch_id, now=now),
            first_day_of=first_day_here,
            deeds=search.read(db, Query(objects=(ObjectKind.BATCH.named(batch_id),), most=20)),
        )
    return make_response(page)


@staff.post("/batches/<int(max=2147483647):batch_id>/suspend")
@needs(Action.REVOKE)
def suspend(batch_id: int) -> AnyResponse:
    """Let nobody more in with these passes, until resumed."""
    with services().make_session.begin() as db:
        find_or_hide(db, batch_id)
        voiding.suspend(db, batch_id, actor=current_staff().actor, now=services().clock())
    return _back(batch_id)


@staff.post("/batches/<int(max=2147483647):batch_id>/resume")
@needs(Action.REVOKE)
def resume(batch_id: int) -> AnyResponse:
    with services().make_session.begin() as db:
        find_or_hide(db, batch_id)
        voiding.resume(db, batch_id, actor=current_staff().actor, now=services().clock())
    return _back(batch_id)


@staff.get("/batches/<int(max=2147483647):batch_id>/void")
@needs(Action.REVOKE)
def void_page(batch_id: int) -> AnyResponse:
    return _question(batch_id, "staff.void_batch")


@staff.get("/batches/<int(max=2147483647):batch_id>/revoke")
@needs(Action.REVOKE)
def revoke_page(batch_id: int) -> AnyResponse:
    return _question(batch_id, "staff.revoke_batch")


@staff.post("/batches/<int(max=2147483647):batch_id>/void")
@needs(Action.REVOKE)
def void_batch(batch_id: int) -> AnyResponse:
    """Write off the passes of a batch that nobody has used. It can be undone for a minute."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        find_or_hide(db, batch_id)
        which, now = of_batch(batch_id), service.clock()
        voiding.void(db, which, reason=VoidReason.UNUSED, actor=me.actor, now=now)
    return _back(batch_id)


@staff.post("/batches/<int(max=2147483647):batch_id>/revoke")
@needs(Action.REVOKE)
def revoke_batch(batch_id: int) -> AnyResponse:
    """Take every pass of a batch back, in use or not. It can be undone for a minute."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        find_or_hide(db, batch_id)
        which, now = of_batch(batch_id), service.clock()
        live.revoke(db, which, keys=service.voucher_keys, actor=me.actor, now=now)
    return _back(batch_id)


@staff.post("/batches/<int(max=2147483647):batch_id>/undo")
@needs(Action.REVOKE)
def undo_batch(batch_id: int) -> AnyResponse:
    with services().make_session.begin() as db:
        find_or_hide(db, batch_id)
        voiding.undo(db, of_batch(batch_id), actor=current_staff().actor, now=services().clock())
    return _back(batch_id)


def _after() -> int:
    """The number after which the list of passes goes on."""
    text = request.args.get("after", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _question(batch_id: int, endpoint: str) -> AnyResponse:
    """How many passes it is about, how many of them are in use, and the button that does it."""
    now = services().clock()
    with reading(services().make_session) as db:
        found = find_or_hide(db, batch_id)
        alive, in_use = voiding.alive(db, of_batch(batch_id), now=now)
        keys = services().voucher_keys
        page = render_template(
            "staff/batch_question.html",
            batch=found,
            endpoint=endpoint,
            is_void=endpoint == "staff.void_batch",
            alive=alive,
            in_use=in_use,
            online=live.online(db, of_batch(batch_id), keys=keys, now=now),
            passing_on=live.passing_on(db, of_batch(batch_id), keys=keys, now=now),
            plan_name=plan_name,
        )
    return make_response(page)


def _back(batch_id: int) -> AnyResponse:
    return redirect(url_for("staff.batch", batch_id=batch_id), HTTPStatus.SEE_OTHER)

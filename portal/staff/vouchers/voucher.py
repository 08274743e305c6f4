"""One pass: found by its code, its mark or a word of its note; told in words; replaced, written off, taken back."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from flask import abort, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from auth import reprints
from auth.audit import search
from auth.audit.actions import ObjectKind
from auth.audit.log import AuditEntry
from auth.audit.search import Query
from auth.staff.roles import Action
from auth.vouchers import voiding
from auth.vouchers.errors import VoucherError
from auth.vouchers.issuing import IssuedVoucher
from auth.vouchers.models import VoidReason, Voucher
from auth.vouchers.scope import find_pass, touches
from auth.vouchers.states import voucher_now
from auth.vouchers.voiding import UNDO, of_ids
from db.engine import reading
from portal.denials.rendering import staff_page
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.forms import source_of, use_form
from portal.staff.vouchers.finding import by_code_or_mark, without_codes
from portal.staff.vouchers.voucher_words import explain
from sessions import vouchers as live
from sites.queries import site_by_slug

# What a clerk may give as the reason; the others are made by what is done.
REASONS = (VoidReason.SPOILED, VoidReason.LOST, VoidReason.UNUSED)


@staff.post("/desk/find")
@needs(Action.BOOKS)
def find() -> AnyResponse:
    """To the pass with this code or mark, else to the batches with these words. (By post: codes stay out of logs.)"""
    typed = request.form.get("wanted", "")[:300]
    with reading(services().make_session) as db:
        found = by_code_or_mark(db, typed)
        if found is not None and touches(db, found.batch, current_staff().authority):
            return redirect(url_for("staff.pass_page", voucher_id=found.id), HTTPStatus.SEE_OTHER)
    words = " ".join(typed.split())[:80]
    return redirect(url_for("staff.batches", words=without_codes(words) or None), HTTPStatus.SEE_OTHER)


@staff.get("/passes/<int(max=2147483647):voucher_id>")
@needs(Action.BOOKS)
def pass_page(voucher_id: int) -> AnyResponse:
    return _page(voucher_id)


@staff.post("/passes/<int(max=2147483647):voucher_id>/replace")
@needs(Action.REPLACE)
def replace(voucher_id: int) -> AnyResponse:
    """A new code for a lost or spoiled ticket. The old one dies, and whoever is online with it is not any more."""
    service, me = services(), current_staff()
    try:
        with service.make_session.begin() as db:
            voucher = _find(db, voucher_id)
            answer = use_form(db)
            ticket = live.replace(
                db,
                keys=service.voucher_keys,
                voucher_id=voucher_id,
                actor=me.actor,
                now=service.clock(),
                draw=source_of(answer).draw,
            )
            answer.batch_id, answer.first, answer.count = voucher.batch_id, number_of(ticket), 1
            answer.replaces = voucher.mark
            site = site_by_slug(db, voucher.batch.desk_site)
            reprints.keep(
                db,
                voucher.batch,
                sealer=service.encrypted_tokens,
                key=source_of(answer).key,
                first=answer.first,
                count=1,
                zone=site.tzinfo if site else town_zone(),
                now=service.clock(),
            )
            answer.place = url_for("staff.issued", answer_id=answer.id)
            return redirect(answer.place, HTTPStatus.SEE_OTHER)
    except VoucherError as error:
        return _page(voucher_id, error)


@staff.post("/passes/<int(max=2147483647):voucher_id>/void")
@needs(Action.REVOKE)
def void(voucher_id: int) -> AnyResponse:
    """Write off a pass that nobody has used."""
    service = services()
    reason = next((one for one in REASONS if one.value == request.form.get("reason")), VoidReason.SPOILED)
    with service.make_session.begin() as db:
        _find(db, voucher_id)
        voiding.void(
            db, of_ids([voucher_id]), reason=reason, actor=current_staff().actor, now=service.clock()
        )
    return _back(voucher_id)


@staff.post("/passes/<int(max=2147483647):voucher_id>/revoke")
@needs(Action.REVOKE)
def revoke(voucher_id: int) -> AnyResponse:
    """Take a pass back, in use or not. It can be undone for a minute."""
    service, me = services(), current_staff()
    with service.make_session.begin() as db:
        _find(db, voucher_id)
        which = of_ids([voucher_id])
        live.revoke(db, which, keys=service.voucher_keys, actor=me.actor, now=service.clock())
    return _back(voucher_id)


@staff.post("/passes/<int(max=2147483647):voucher_id>/undo")
@needs(Action.REVOKE)
def undo(voucher_id: int) -> AnyResponse:
    service = services()
    with service.make_session.begin() as db:
        _find(db, voucher_id)
        voiding.undo(db, of_ids([voucher_id]), actor=current_staff().actor, now=service.clock())
    return _back(voucher_id)


def number_of(ticket: IssuedVoucher) -> int:
    """Its number within the batch, from its mark."""
    return int(ticket.mark.partition("-")[2])


def _find(db: Session, voucher_id: int) -> Voucher:
    voucher = find_pass(db, voucher_id, current_staff().authority)
    if voucher is None:
        abort(HTTPStatus.NOT_FOUND)
    return voucher


def _page(voucher_id: int, error: VoucherError | None = None) -> AnyResponse:
    service, now = services(), services().clock()
    refusal = staff_page(error) if error else None
    with reading(service.make_session) as db:
        voucher = _find(db, voucher_id)
        page = render_template(
            "staff/pass.html",
            refusal=refusal,
            voucher=voucher,
            batch=voucher.batch,
            online=live.online(db, of_ids([voucher_id]), keys=service.voucher_keys, now=now),
            passing_on=live.passing_on(db, of_ids([voucher_id]), keys=service.voucher_keys, now=now),
            family=voucher_now(db, voucher_id, now=now),
            words=explain(voucher, now=now),
            undo_until=_undo_until(voucher),
            now=now,
            reasons=REASONS,
            deeds=_history(db, voucher),
        )
    return make_response(page, refusal.status if refusal else HTTPStatus.OK)


def _history(db: Session, voucher: Voucher) -> list[AuditEntry]:
    """What was done to this pass, and to its batch as a whole: the newest first."""
    objects = ObjectKind.PASS.named(voucher.id), ObjectKind.BATCH.named(voucher.batch_id)
    return search.read(db, Query(objects=objects, most=20))


def _undo_until(voucher: Voucher) -> datetime | None:
    """Until when a revocation or writing off can be undone; None where there is none, or it is too late."""
    if voucher.void_reason is VoidReason.REPLACED or voucher.voided_at is None:
        return None
    until = voucher.voided_at + UNDO
    return until if services().clock() < until else None


def _back(voucher_id: int) -> AnyResponse:
    return redirect(url_for("staff.pass_page", voucher_id=voucher_id), HTTPStatus.SEE_OTHER)

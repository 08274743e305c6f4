"""Batches with their books: listed, read, what is left of them voided, all of them revoked."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, abort, jsonify
from sqlalchemy.orm import Session

from auth.api_tokens.scopes import Scope
from auth.vouchers import scope, totals, voiding
from auth.vouchers.models import Batch, VoidReason
from auth.vouchers.scope import BatchQuery
from auth.vouchers.totals import Books
from auth.vouchers.voiding import of_batch
from db.engine import reading
from portal.api.access import current_token, query
from portal.api.answers import batch_answer, batch_now
from portal.api.declaring import Operation, serve
from portal.api.shapes import Digits, Text
from portal.denials.portal_reasons import UNKNOWN
from portal.services import services
from sessions import vouchers as live

BATCH = "/batches/<int(max=2147483647):batch_id>"
USUAL, MOST = 50, 100


@serve(
    Operation(
        "GET",
        "/batches",
        scope=Scope.READ,
        summary="Batches with their books, the newest first",
        gives="Batches",
        asks={
            "before": Digits(1, 2**31 - 1, "Only older ones than this batch."),
            "most": Digits(1, MOST, f"How many at most. {USUAL}, where it is left out."),
            "words": Text(80, "Only those with all of these words in event or note."),
        },
    )
)
def list_batches() -> Response:
    me, asked = current_token(), query()
    most = asked.get("most", USUAL)
    wanted = BatchQuery(words=asked.get("words", ""), before=asked.get("before"), most=most + 1)
    with reading(services().make_session) as db:
        found = scope.find_batches(db, wanted, me.authority)
        ids = [one.id for one in found[:most]]
        books = totals.every_books(db, at=services().clock(), batch_ids=ids)
    answer = [batch_answer(one, books.get(one.id, Books()), actor=me.actor.name) for one in found[:most]]
    return jsonify(batches=answer, before=ids[-1] if len(found) > most else None)


@serve(
    Operation(
        "GET",
        BATCH,
        scope=Scope.READ,
        summary="One batch with its books",
        gives="Batch",
        problems=(UNKNOWN,),
    )
)
def read_batch(batch_id: int) -> Response:
    with reading(services().make_session) as db:
        return jsonify(batch_now(db, _find(db, batch_id), actor=current_token().actor.name))


@serve(
    Operation(
        "POST",
        f"{BATCH}/void",
        scope=Scope.REVOKE,
        summary="Write off the passes of a batch that nobody has used",
        gives="Batch",
        problems=(UNKNOWN,),
    )
)
def void_batch(batch_id: int) -> Response:
    service, me = services(), current_token()
    with service.make_session.begin() as db:
        batch, now = _find(db, batch_id), service.clock()
        voiding.void(db, of_batch(batch_id), reason=VoidReason.UNUSED, actor=me.actor, now=now)
        answer = batch_now(db, batch, actor=me.actor.name)
    return jsonify(answer)


@serve(
    Operation(
        "POST",
        f"{BATCH}/revoke",
        scope=Scope.REVOKE,
        summary="Take every pass of a batch back, in use or not; their sessions end within seconds",
        gives="Batch",
        problems=(UNKNOWN,),
    )
)
def revoke_batch(batch_id: int) -> Response:
    service, me = services(), current_token()
    with service.make_session.begin() as db:
        batch, which, now = _find(db, batch_id), of_batch(batch_id), service.clock()
        live.revoke(db, which, keys=service.voucher_keys, actor=me.actor, now=now)
        answer = batch_now(db, batch, actor=me.actor.name)
    return jsonify(answer)


def _find(db: Session, batch_id: int) -> Batch:
    """The batch, if it is within the token's networks; else there is none (404)."""
    batch = scope.find_batch(db, batch_id, current_token().authority)
    if batch is None:
        abort(HTTPStatus.NOT_FOUND)
    return batch

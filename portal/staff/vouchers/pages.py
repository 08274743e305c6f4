"""Shared by pages of the desk and of batches: the batch of an address, the list's filter, closed gateways."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, abort, make_response, request
from sqlalchemy.orm import Session

from auth.staff.roles import covers
from auth.vouchers import rate_limits, totals
from auth.vouchers.models import Batch
from auth.vouchers.scope import BatchQuery, desks, find_batch
from auth.vouchers.totals import Books
from portal.services import services
from portal.staff.access import current_staff, older_than
from sites.models import Gateway


def find_or_hide(db: Session, batch_id: int) -> Batch:
    found = find_batch(db, batch_id, current_staff().authority)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found


def answer_id() -> int:
    """The form that made the codes of the page which was posted; 0 where it names none."""
    text = request.form.get("answer", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def csv_file(content: bytes, name: str) -> Response:
    """A CSV file to be saved under this name."""
    response = make_response(content)
    response.headers["Content-Type"] = "text/csv; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def query_of(most: int) -> BatchQuery:
    words = request.args.get("words", "").strip()[:80]
    return BatchQuery(words=words, before=older_than(), most=most)


def books_of(db: Session, found: list[Batch]) -> dict[int, Books]:
    ids = [one.id for one in found]
    return totals.every_books(db, at=services().clock(), batch_ids=ids)


def closed_gateways(db: Session) -> list[Gateway]:
    """The gateways of this person's desks behind which somebody must wait before another code is looked up."""
    sites = {site.slug for site in desks(db, current_staff().authority)}
    now = services().clock()
    return [
        gateway
        for gateway in services().places.gateways()
        if gateway.site.slug in sites
        and covers(current_staff().authority, gateway.network.slug)
        and rate_limits.is_closed(db, gateway=gateway.identity, site=gateway.site.slug, now=now)
    ]

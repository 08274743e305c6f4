"""Looking under the masks: for a reason, for a quarter of an hour, for one session or one question, and on record.

The audit log's line is committed before this browser may see more. What was lifted dies with the sign-in.
"""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from urllib.parse import parse_qsl

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from auth.audit.actions import LONGEST_OBJECT, UNMASKED
from auth.staff.errors import NoReason
from auth.staff.roles import Action
from db.engine import reading
from portal.services import services, town_zone
from portal.staff import staff
from portal.staff.access import current_staff, needs
from portal.staff.sessions import visibility
from portal.staff.sessions.access_audit import address_of
from sessions.access_audit import looked
from sessions.log import query
from sessions.log.masks import MaskedField
from sessions.log.search import UnreadableWord, parse

LIFTED_FOR = timedelta(minutes=15)


@staff.post("/unmask/devices")
@needs(Action.UNMASK_DEVICES)
def unmask_devices() -> AnyResponse:
    return _lift(MaskedField.DEVICES)


@staff.post("/unmask/persons")
@needs(Action.UNMASK_PERSONS)
def unmask_persons() -> AnyResponse:
    return _lift(MaskedField.PERSONS)


def _lift(veil: MaskedField) -> AnyResponse:
    reason = visibility.reason_in("reason")
    scope = request.form.get("scope", "")
    onward, network = _where(scope)
    if reason is None:
        raise NoReason
    until = services().clock() + LIFTED_FOR
    with services().make_session.begin() as db:
        looked(
            db,
            UNMASKED,
            scope[:LONGEST_OBJECT],
            actor=current_staff().actor,
            network=network,
            detail={
                "asked": scope.partition(":")[2],
                "veil": veil.value,
                "reason": reason,
                "until": until.isoformat(timespec="seconds"),
            },
            now=services().clock(),
        )
    # Only now: the entry is in the audit log.
    visibility.lift(veil, scope, until=until)
    return redirect(onward, HTTPStatus.SEE_OTHER)


def _where(scope: str) -> tuple[str, str | None]:
    """The page of a scope, and its network where it has one; 404 for what is not this person's to see."""
    kind, _, words = scope.partition(":")
    found = _question(words, scope) if kind == "list" else _session(words) if kind == "session" else None
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return found


def _session(words: str) -> tuple[str, str | None] | None:
    if not (words.isascii() and words.isdigit() and len(words) < 16):
        return None
    with reading(services().make_session) as db:
        access = query.find(db, int(words), authority_networks=current_staff().authority.networks)
        return (url_for("staff.session", access_id=access.id), access.network.slug) if access else None


def _question(words: str, scope: str) -> tuple[str, str | None] | None:
    try:
        asked = parse(dict(parse_qsl(words)), zone=town_zone(), now=services().clock())
    except UnreadableWord:
        return None
    if asked.is_empty or visibility.of_question(asked) != scope:
        return None
    return address_of(asked), asked.network

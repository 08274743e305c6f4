"""The form that asks for a block: whom it names, and what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from http import HTTPStatus

from flask import abort, request
from sqlalchemy.orm import Session

from auth.blocks import service as blocks
from auth.blocks.errors import UnusableBlock
from auth.blocks.models import BlockCause, BlockKind
from auth.blocks.service import BlockRequest
from auth.errors import WrongCredentials
from auth.staff.roles import Action, may
from db.engine import reading
from gateways.types import InvalidMac, parse_mac
from portal.services import services, town_zone
from portal.staff.access import current_staff
from sessions.instants import read_day
from sessions.log import query
from sessions.models import AccessSession
from sites import queries
from sites.models import SigninMethod

FIELDS = ("kind", "session", "mac", "card", "network", "cause", "note", "until")
# The choice of all networks: said, and never by leaving the field as it is.
EVERYWHERE = "*"
LARGEST = 2**63 - 1


def text(name: str) -> str:
    return request.values.get(name, "").strip()[: blocks.LONGEST_NOTE]


def read_request(*, now: datetime) -> BlockRequest:
    """What the form asks for. Raises `UnusableBlock` and `DirectoryUnavailable`."""
    kind = next((one for one in BlockKind if one == text("kind")), None)
    if kind is None:
        raise UnusableBlock("kind")
    with reading(services().make_session) as db:
        access, network_id = session_of(db), _network_id(db)
    target = _target(kind) if access is None else _target_of(kind, access)
    cause = next((one for one in BlockCause if one == text("cause")), None)
    if cause is None:
        raise UnusableBlock("cause")
    wish = BlockRequest(kind, target, network_id, cause, text("note"), _until())
    blocks.check_term(wish, now=now)
    return wish


def session_of(db: Session) -> AccessSession | None:
    """The session of the log that the form was opened from. To whoever may not see it there is none (404)."""
    number, authority = text("session"), current_staff().authority
    if not number:
        return None
    is_number = number.isascii() and number.isdigit() and int(number) <= LARGEST
    if not is_number or not may(authority, Action.SESSIONS):
        abort(HTTPStatus.NOT_FOUND)
    access = query.find(db, int(number), authority_networks=authority.networks)
    return access or abort(HTTPStatus.NOT_FOUND)


def targets(typed: str) -> Iterator[str]:
    """What blocks of this MAC address or card number would name. Raises `DirectoryUnavailable`."""
    for kind in BlockKind:
        try:
            yield _read(kind, typed)
        except UnusableBlock:
            continue


def _target(kind: BlockKind) -> str:
    return _read(kind, text("mac" if kind is BlockKind.DEVICE else "card"))


def _target_of(kind: BlockKind, access: AccessSession) -> str:
    if kind is BlockKind.DEVICE:
        return access.mac
    if access.method is not SigninMethod.PATRON:
        raise UnusableBlock("person")
    return access.subject


def _read(kind: BlockKind, typed: str) -> str:
    if kind is BlockKind.DEVICE:
        try:
            return parse_mac(typed)
        except InvalidMac as error:
            raise UnusableBlock("mac") from error
    try:
        found = services().directory.find(typed)
    except WrongCredentials as error:
        raise UnusableBlock("card") from error
    if found.stable_id is None:
        raise UnusableBlock("card")
    return services().pseudonyms.of("patron", found.stable_id)


def _network_id(db: Session) -> int | None:
    """A network of this person's, or all of them: only by those who work for all."""
    mine, slug = current_staff().authority.networks, text("network")
    if slug == EVERYWHERE and not mine:
        return None
    found = queries.network_by_slug(db, slug) if not mine or slug in mine else None
    if found is None:
        raise UnusableBlock("network")
    return found.id


def _until() -> datetime:
    """The midnight that ends the last day, in the town."""
    try:
        return datetime.combine(read_day(text("until")) + timedelta(days=1), time.min, town_zone())
    except (ValueError, OverflowError) as error:
        raise UnusableBlock("until") from error

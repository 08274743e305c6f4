"""Each look at the session log writes an audit entry first: without the entry, nothing is shown.

One line for each look, search, export and unmasking: who, what was asked for, how many rows, what was unmasked. The
question is written in the words of its address, which names neither device nor person.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import url_for

from auth.audit.actions import AuditAction
from portal.services import services
from portal.staff.access import current_staff
from sessions.access_audit import looked
from sessions.log.masks import MaskedField, Visibility
from sessions.log.search import LogQuery, format


def note(
    action: AuditAction,
    object: str,
    *,
    network: str | None = None,
    sight: Visibility | None = None,
    **detail: Any,
) -> None:
    """Put a look on record in a transaction of its own. It is committed when this returns."""
    service, me = services(), current_staff().actor
    facts = detail | {"unmasked": _lifted(sight)}
    with service.make_session.begin() as db:
        looked(db, action, object, actor=me, now=service.clock(), network=network, detail=facts)


def finisher(
    action: AuditAction, object: str, *, network: str | None = None, **detail: Any
) -> Callable[[int], None]:
    """What writes a last line with the number of rows, once the request itself is over."""
    service, me = services(), current_staff().actor

    def done(rows: int) -> None:
        facts = {"rows": rows, **detail}
        with service.make_session.begin() as db:
            looked(db, action, object, actor=me, now=service.clock(), network=network, detail=facts)

    return done


def words_of(asked: LogQuery) -> str:
    """A question as it stands in the address and in the audit log."""
    return urlencode(format(asked))


def address_of(asked: LogQuery) -> str:
    """The address of a question."""
    values: dict[str, Any] = dict(format(asked))
    return url_for("staff.sessions", **values)


def _lifted(sight: Visibility | None) -> list[str]:
    return sorted(veil.value for veil in MaskedField if sight is not None and veil in sight.lifted)

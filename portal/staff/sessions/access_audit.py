"""Consulting the log leaves a line in the trail, before anything is shown: no line, no data (case P5).

One line for each look, search, export and unmasking: who, what was asked for, how many rows, what was unmasked. The
question is written in the words of its address, which names neither device nor person.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import url_for
from sqlalchemy.orm import Session

from auth.audit import log
from auth.audit.log import Detail
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.login import SignedIn
from sessions.log.masks import MaskedField, Visibility
from sessions.log.search import LogQuery, format

LISTED, OPENED, SEARCHED = "log listed", "session opened", "log searched"
INCIDENT, UNMASKED, ENDED = "incident opened", "unmasked", "session ended"
EXPORTED, WRITTEN = "log exported", "export written"


def record(
    db: Session,
    action: str,
    object: str,
    *,
    network: str | None = None,
    by: SignedIn | None = None,
    now: datetime | None = None,
    **detail: Any,
) -> None:
    """Write the line, in the caller's transaction; last in it."""
    me = by or current_staff()
    # Somebody who works for one network alone has all of it read by those who answer for that network.
    only = next(iter(me.authority.networks)) if len(me.authority.networks) == 1 else None
    facts: Detail = {name: value for name, value in detail.items() if value not in (None, "", [])}
    log.record(
        db,
        actor=me.login,
        action=action,
        object=object,
        network=network or only,
        detail=facts,
        now=now or services().clock(),
    )


def note(
    action: str, object: str, *, network: str | None = None, sight: Visibility | None = None, **detail: Any
) -> None:
    """The same in a transaction of its own, for those who have only looked. It is committed when this returns."""
    with services().make_session.begin() as db:
        record(db, action, object, network=network, unmasked=_lifted(sight), **detail)


def finisher(action: str, object: str, *, network: str | None = None, **detail: Any) -> Callable[[int], None]:
    """What writes a last line with the number of rows, once the request itself is over."""
    service, me = services(), current_staff()

    def done(rows: int) -> None:
        with service.make_session.begin() as db:
            record(db, action, object, network=network, by=me, now=service.clock(), rows=rows, **detail)

    return done


def words_of(asked: LogQuery) -> str:
    """A question as it stands in the address and in the trail."""
    return urlencode(format(asked))


def address_of(asked: LogQuery) -> str:
    """The address of a question."""
    values: dict[str, Any] = dict(format(asked))
    return url_for("staff.sessions", **values)


def _lifted(sight: Visibility | None) -> list[str]:
    return sorted(veil.value for veil in MaskedField if sight is not None and veil in sight.lifted)

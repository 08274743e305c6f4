"""What a browser sees behind the masks, by scope: one session, or what one question finds.

It is kept in the browser's session for as long as the unmasking holds, and dies with the sign-in.
"""

from __future__ import annotations

from datetime import datetime

from flask import request
from flask import session as browser_session

from portal.services import services
from portal.staff.sessions import access_audit
from sessions.log.masks import MaskedField, Visibility
from sessions.log.search import LogQuery

SHORTEST_REASON, LONGEST_REASON = 10, 200
REMEMBERED = "unmasked"
MOST_REMEMBERED = 20


def of_session(access_id: int) -> str:
    """The scope that is one session."""
    return f"session:{access_id}"


def of_question(asked: LogQuery) -> str:
    """The scope that is what one question finds."""
    return f"list:{access_audit.words_of(asked)}"


def sight(scope: str) -> Visibility:
    """What this person sees of `scope` now."""
    now = services().clock().timestamp()
    remembered = browser_session.get(REMEMBERED, [])
    return Visibility(
        frozenset(MaskedField(veil) for veil, where, until in remembered if where == scope and now < until)
    )


def lift(veil: MaskedField, scope: str, *, until: datetime) -> None:
    """Show this browser the field of `scope` until then. The caller has committed the audit entry."""
    now = services().clock().timestamp()
    alive = [entry for entry in browser_session.get(REMEMBERED, []) if now < entry[2]]
    browser_session[REMEMBERED] = [*alive, [veil.value, scope, until.timestamp()]][-MOST_REMEMBERED:]


def reason_in(field: str) -> str | None:
    """The sentence that a form gives for looking further; None where it is shorter than a reason can be."""
    signs = (sign if sign.isprintable() else " " for sign in request.form.get(field, ""))
    reason = " ".join("".join(signs).split())
    return reason[:LONGEST_REASON] if len(reason) >= SHORTEST_REASON else None

"""The browser's session of staff: a random token in a cookie, everything else in a row of ours.

Guests have none of this: for their pages Flask's session is the empty one that cannot be written. A sign-in always
gets a token that no browser has had before, and signing out kills the row, wherever the cookie went.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from werkzeug.datastructures import CallbackDict

from auth.staff import browser_sessions
from auth.staff.browser_sessions import ProviderSession
from auth.staff.models import StaffSession
from auth.staff.secrets import new_token, token_digest
from db.engine import reading
from portal.http.security_headers import is_staff_path
from portal.services import services

IDENTITY = "_user_id"


class StaffBrowser(CallbackDict[str, Any], SessionMixin):
    """What is remembered of one staff browser. Empty, it leaves no row and no cookie."""

    def __init__(self, row: StaffSession | None = None, token: str = "") -> None:
        def note(_: object) -> None:
            self.modified = self.accessed = True

        super().__init__(row.content if row else None, note)
        self.row_id = row.id if row else None
        self.seen_at: datetime | None = row.seen_at if row else None
        # What form tokens are bound to: a form of one sign-in is good in no other.
        self.binding = token_digest(token)[:32] if row else ""
        # Only the browser has it: what was shown once is drawn again with it (`auth.api_tokens.form_results`).
        self.token = token if row else ""
        # Of a sign-in that has just been made at an OpenID provider.
        self.provider: ProviderSession | None = None
        self.renewed = False
        self.modified = False
        # Why the row could not be read: nothing is known of this browser then, and it is not to be taken for a
        # stranger's.
        self.unread: Exception | None = None

    def renew(self) -> None:
        """Begin anew, under a new token; nothing is taken over."""
        self.clear()
        self.renewed = True


class StaffSessions(SessionInterface):
    """Opens and saves the browser's session, for the staff's pages only."""

    def open_session(self, app: Flask, request: Request) -> StaffBrowser | None:
        if not is_staff_path(request.path):
            return None
        token = request.cookies.get(cookie_name(), "")
        if not token or len(token) > 100:
            return StaffBrowser()
        try:
            with reading(services().make_session) as db:
                row = browser_sessions.find(db, token, now=services().clock())
        except Exception as error:
            # Flask opens the session before it handles errors: raised here, a database that is away would be a fault of
            # ours, on a page without the headers that `portal.http.security_headers` adds.
            unread = StaffBrowser()
            unread.unread = error
            return unread
        return StaffBrowser(row, token)

    def save_session(self, app: Flask, session: SessionMixin | None, response: Response) -> None:
        if not isinstance(session, StaffBrowser):
            return
        identity = session.get(IDENTITY)
        if identity is None or session.row_id is None or session.renewed:
            _begin_or_end(session, response)
        elif session.modified or _is_due(session):
            now = services().clock()
            with services().make_session.begin() as db:
                browser_sessions.keep(db, session.row_id, dict(session), now=now)


def cookie_name() -> str:
    return "__Host-arobase-staff" if services().settings.is_https else "arobase-staff"


def _begin_or_end(session: StaffBrowser, response: Response) -> None:
    now, identity = services().clock(), session.get(IDENTITY)
    if identity is None and session.row_id is None:
        return
    token = new_token()
    with services().make_session.begin() as db:
        if session.row_id is not None:
            browser_sessions.end(db, session.row_id, now=now)
        if identity is not None:
            staff_id = int(identity.partition(".")[0])
            browser_sessions.begin(
                db, token, staff_id=staff_id, content=dict(session), now=now, provider=session.provider
            )
    secure = services().settings.is_https
    if identity is None:
        response.delete_cookie(cookie_name(), path="/", secure=secure, httponly=True, samesite="Strict")
    else:
        # No lifetime: the browser forgets it when it closes, and the row has limits of its own.
        response.set_cookie(cookie_name(), token, path="/", secure=secure, httponly=True, samesite="Strict")


def _is_due(session: StaffBrowser) -> bool:
    return session.seen_at is None or services().clock() - session.seen_at >= browser_sessions.SEEN_EVERY

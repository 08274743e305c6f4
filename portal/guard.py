"""What holds for every request and every answer: limits before parsing, our own host, no cross-site posts, headers."""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, abort, current_app, redirect, request
from werkzeug.exceptions import BadHost
from werkzeug.wrappers import Response as AnyResponse

from config import Settings

LARGEST_FORM = 64 * 1024
LONGEST_QUERY = 8 * 1024
STYLE = Path(__file__).parent.parent / "templates" / "shared" / "style.css"
# Asked by machines, by whatever name they know us.
ANY_HOST = ("/healthz", "/metrics", "/gateways/")


def read_style() -> str:
    """The one style sheet, as it stands inside every page."""
    return STYLE.read_text(encoding="utf-8").strip()


def content_security_policy(style: str) -> str:
    """Everything from our own host; the one inline style by its digest; no script at all (CSP level 3)."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self' data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def is_staff_path(path: str) -> bool:
    return path == "/staff" or path.startswith("/staff/")


def is_staff_page() -> bool:
    """Whether the answer to this request wears the staff's frame, errors too."""
    served = current_app.blueprints
    return ("staff" in served and is_staff_path(request.path)) or "guests" not in served


def guard(app: Flask, settings: Settings, style: str, staff_style: str) -> None:
    """Put the guards before and after every view of `app`."""
    policy, staff_policy = content_security_policy(style), content_security_policy(staff_style)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_FORM, MAX_FORM_PARTS=50, MAX_FORM_MEMORY_SIZE=LARGEST_FORM)

    @app.before_request
    def refuse_the_unreadable() -> AnyResponse | None:
        if len(request.query_string) > LONGEST_QUERY:
            abort(HTTPStatus.REQUEST_URI_TOO_LONG)
        if "\0" in request.path or "\0" in request.query_string.decode("latin-1"):
            abort(HTTPStatus.BAD_REQUEST)
        is_ours = request.host == settings.own_host or request.path.startswith(ANY_HOST)
        if not is_ours or isinstance(request.routing_exception, BadHost):
            # Whatever name was asked for is not repeated: links are always ours (case W7).
            return redirect(settings.own_url + "/", HTTPStatus.FOUND)
        return None

    @app.before_request
    def refuse_other_sites() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith("/gateways/"):
            return
        origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
        ours = origin is None or origin == settings.own_url or (origin == "null" and site == "same-origin")
        if not ours or site not in (None, "same-origin", "none"):
            abort(HTTPStatus.FORBIDDEN)

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = staff_policy if is_staff_page() else policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["X-Frame-Options"] = "DENY"
        # Not "no-referrer": browsers would then post forms with "Origin: null".
        response.headers["Referrer-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")
        if settings.is_https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response

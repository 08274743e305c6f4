"""Flask's application, without what Flask and Werkzeug work out for each request and ours never need.

Counted in a redeem of a pass, these were a sixth of all that Python does for it (docs/performance.md).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from http import HTTPStatus
from typing import Any

from flask import Flask, Request, Response
from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict
from werkzeug.http import parse_cookie
from werkzeug.urls import iri_to_uri

LARGEST_FORM = 64 * 1024
MOST_FIELDS = 50


class Fields(ImmutableMultiDict[str, str]):
    """A form's or a query's fields. Asking for one that is not there is nothing unusual: no error is made for it."""

    def get(  # type: ignore[override]
        self, key: str, default: Any = None, type: Callable[[str], Any] | None = None
    ) -> Any:
        if type is not None:
            return super().get(key, default, type)
        found: list[str] | None = dict.get(self, key)  # type: ignore[assignment]
        return found[0] if found else default


class Asked(Request):
    """A request. Its limits hold before a form is read; a view that takes more says so (`max_content_length`)."""

    parameter_storage_class = Fields
    max_content_length = LARGEST_FORM
    max_form_memory_size = LARGEST_FORM
    max_form_parts = MOST_FIELDS

    @cached_property
    def cookies(self) -> MultiDict[str, str]:  # type: ignore[override]
        """Of the one header that there is (RFC 6265 section 5.4), not looked for among all of them."""
        return parse_cookie(self.environ.get("HTTP_COOKIE"))


class Onward(Response):
    """A redirect. It has no page of its own: no browser shows one, and ours would carry two tokens more."""

    def __init__(self, location: str, code: int) -> None:
        super().__init__(status=code, headers=[("Location", location), ("Content-Length", "0")])

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """As they are: its address was written for the wire when it was made."""
        return self.headers


class Application(Flask):
    """Has no view that is a coroutine, so that none is looked for in each function that is called."""

    request_class = Asked

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def redirect(self, location: str, code: int = HTTPStatus.FOUND) -> Response:
        # `url_for` writes our own addresses as they are sent; a gateway's may have letters beyond ASCII.
        is_ours = location.startswith("/") and location.isascii()
        return Onward(location if is_ours else iri_to_uri(location), code)

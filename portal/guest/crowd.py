"""The answer with a page of the crowd's."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from http import HTTPStatus

from flask import Response
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

from portal.caches.pages import Placeholder
from portal.here import this_request
from portal.services import services


def answer(
    key: Hashable | None,
    render: Callable[[], str],
    tokens: Mapping[Placeholder, str],
    *,
    status: int = HTTPStatus.OK,
) -> Response:
    """The page that `PageCache.fill` gives; compressed where the browser takes that. Any other the front compresses."""
    takes = takes_gzip(this_request().environ.get("HTTP_ACCEPT_ENCODING", ""))
    page = services().page_cache.fill(key, render, tokens, is_compressed=takes)
    response = Response(page.octets, status, content_type="text/html; charset=utf-8")
    if page.is_compressed:
        response.headers.add("Content-Encoding", "gzip")
        response.headers.add("Vary", "Accept-Encoding")
    return response


@lru_cache(maxsize=64)
def takes_gzip(accepted: str) -> bool:
    """Whether who says so reads gzip (RFC 9110 section 12.5.3). Browsers say it in a few ways."""
    return bool(parse_accept_header(accepted, Accept)["gzip"] > 0)

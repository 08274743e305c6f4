"""Flask's application, without what Flask and Werkzeug work out for each request and ours never need.

Counted in a redeem of a pass, these were a sixth of all that Python does for it (docs/performance.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from io import BytesIO
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from flask import Flask, Request, Response, has_request_context
from flask.ctx import RequestContext
from werkzeug.datastructures import Headers, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_cookie
from werkzeug.routing import MapAdapter, Rule
from werkzeug.urls import iri_to_uri

from portal.here import this_request
from portal.http.rules import LateRule

LARGEST_FORM = 64 * 1024
MOST_FIELDS = 50
FORM = "application/x-www-form-urlencoded"
# What is the same in a query as before it was escaped: a name, and letters that RFC 3986 reserves for nothing.
PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*=[A-Za-z0-9._~-]*").fullmatch


Found = TypeVar("Found")


class once(Generic[Found]):
    """A property that is found at its first use, and stays: `functools.cached_property` without the lock, which
    Python 3.12 has left out too. What Werkzeug calls so asks at each use."""

    def __init__(self, find: Callable[[Any], Found]) -> None:
        self._find, self._name = find, find.__name__

    def __get__(self, asked: Any, _kind: object = None) -> Found:
        found: Found = self._find(asked)
        asked.__dict__[self._name] = found
        return found


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

    @once
    def args(self) -> Fields:
        return _fields(self.query_string)

    @once
    def form(self) -> ImmutableMultiDict[str, str]:
        """A form as browsers send one is read at once; any other in Werkzeug's way."""
        environ, length = self.environ, self.environ.get("CONTENT_LENGTH", "")
        size = int(length) if length.isdecimal() and len(length) < 8 else -1
        is_plain = environ.get("CONTENT_TYPE") == FORM and 0 <= size <= (self.max_content_length or 0)
        if not is_plain or "stream" in self.__dict__:
            self._load_form_data()
            return self.__dict__["form"]  # type: ignore[no-any-return]
        octets = environ["wsgi.input"].read(size)
        if len(octets) < size:
            raise ClientDisconnected
        self.__dict__.update(stream=BytesIO(), files=ImmutableMultiDict())
        return _fields(octets)

    @once
    def blueprints(self) -> list[str]:
        """Asked once the rule is known."""
        return super().blueprints

    @once
    def cookies(self) -> MultiDict[str, str]:  # type: ignore[override]
        """Of the one header that there is (RFC 6265 section 5.4), not looked for among all of them."""
        return parse_cookie(self.environ.get("HTTP_COOKIE"))


def _fields(octets: bytes) -> Fields:
    """As Werkzeug reads them; none where they are no text."""
    if not octets:
        return Fields()
    try:
        text = octets.decode()
    except ValueError:
        return Fields()
    if "%" in text or "+" in text:
        return Fields(parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote"))
    # Nothing is escaped: nearly always, for tokens and codes have no such letter.
    pairs = [pair.partition("=") for pair in text.split("&") if pair]
    return Fields([(name, value) for name, _, value in pairs])


class Answered(Response):
    """An answer whose headers are complete as its view has left them, but for those that say how it is sent."""

    # Headers that are the same for many answers, after its own.
    further: Sequence[tuple[str, str]] = ()

    def get_wsgi_response(self, environ: Any) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        octets, status, headers = super().get_wsgi_response(environ)
        return octets, status, [*headers, *self.further]

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """Nothing is to be worked out where its length is known and it leads nowhere else."""
        headers = self.headers
        if self.status_code == HTTPStatus.OK and "Content-Length" in headers:
            return headers
        return super().get_wsgi_headers(environ)


class Onward(Answered):
    """A redirect. It has no page of its own: no browser shows one, and ours would carry two tokens more."""

    def __init__(self, location: str, code: int) -> None:
        # All that an answer has. To look for the type of its content would take twice as long as the rest.
        self.headers, self.status, self.response = Headers(), code, []
        self.direct_passthrough, self._on_close = False, []
        self.headers.add("Location", location)
        self.headers.add("Content-Length", "0")

    def get_wsgi_response(self, environ: Any) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """As it is: its address was written for the wire when it was made."""
        return (), self.status, [*self.headers, *self.further]


class Context(RequestContext):
    """A request's context, which finds a page without parts in its path by the whole of it."""

    app: Application

    def match_request(self) -> None:
        request = self.request
        rule = self.app.plain_rules.get((request.method, request.path))
        if rule is None or request.environ.get("HTTP_HOST") != self.app.own_host:
            super().match_request()
        else:
            request.url_rule, request.view_args = rule, {}


def _is_plain(rule: Rule) -> bool:
    return not (rule.arguments or rule.defaults or rule.redirect_to or rule.websocket or rule.build_only)


class Application(Flask):
    """Has no view that is a coroutine, so that none is looked for in each function that is called."""

    request_class, response_class, url_rule_class = Asked, Answered, LateRule
    # The name that browsers ask us by, with its port; empty until it is known.
    own_host = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # By endpoint, once it was asked for.
        self._paths: dict[str, str | None] = {}

    def request_context(self, environ: Any) -> RequestContext:
        return Context(self, environ)

    @once
    def plain_rules(self) -> dict[tuple[str, str], Rule]:
        """By method and path, the pages that have always the same. For the first request: no rule comes after it."""
        self.url_map.update()
        found: dict[tuple[str, str], Rule] = {}
        for rule in filter(_is_plain, self.url_map.iter_rules()):
            for method in rule.methods or ():
                # Of several the first, as Werkzeug has it.
                found.setdefault((method, rule.rule), rule)
        return found

    def preprocess_request(self) -> Any:
        """Flask's, but for values of addresses, which nothing looks at here."""
        for name in (None, *reversed(this_request().blueprints)):
            for function in self.before_request_funcs.get(name, ()):
                if (answer := function()) is not None:
                    return answer
        return None

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Asked by our own name, nothing of it has to be looked at: it is what Werkzeug would have come to."""
        if request is None or request.environ.get("HTTP_HOST") != self.own_host:
            return super().create_url_adapter(request)
        environ = request.environ
        request.host = self.own_host
        return MapAdapter(
            self.url_map,
            self.own_host,
            environ.get("SCRIPT_NAME", ""),
            self.url_map.default_subdomain,
            environ["wsgi.url_scheme"],
            request.path,
            environ["REQUEST_METHOD"],
            request.query_string.decode(errors="replace"),
        )

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        """Of a page whose rule has no parts the address is that rule, and as its query what needs no escaping."""
        if not has_request_context() or (path := self._path_of(endpoint)) is None or this_request().root_path:
            return super().url_for(endpoint, **values)
        given, query = dict(values), []
        if given.pop("_external", None):
            return super().url_for(endpoint, **values)
        self.inject_url_defaults(endpoint, given)
        for name, value in given.items():
            if value is not None:
                query.append(f"{name}={value}")
                if not PLAIN(query[-1]):
                    return super().url_for(endpoint, **values)
        return f"{path}?{'&'.join(query)}" if query else path

    def _path_of(self, endpoint: str) -> str | None:
        """The path of a page that has one, and always the same."""
        if endpoint not in self._paths:
            try:
                rules = list(self.url_map.iter_rules(endpoint))
            except KeyError:
                return None
            is_plain = len(rules) == 1 and not (rules[0].arguments or rules[0].defaults)
            self._paths[endpoint] = rules[0].rule if is_plain else None
        return self._paths[endpoint]

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def redirect(self, location: str, code: int = HTTPStatus.FOUND) -> Response:
        # `url_for` writes our own addresses as they are sent; a gateway's may have letters beyond ASCII.
        is_ours = location.startswith("/") and location.isascii()
        return Onward(location if is_ours else iri_to_uri(location), code)

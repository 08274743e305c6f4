"""What holds for every request and every answer: limits before parsing, our own host, no cross-site posts, headers."""

from __future__ import annotations

import base64
import hashlib
import itertools
import logging
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flask import Response, abort, g, has_request_context, request
from werkzeug.exceptions import BadHost, HTTPException
from werkzeug.wrappers import Response as AnyResponse

from config import Settings
from portal.here import notes, this_app, this_request
from portal.http.application import LARGEST_FORM, Answered, Application

log = logging.getLogger(__name__)

# What a signed-in person may send where a page takes a picture: its file and its words.
LARGEST_UPLOAD = 8 * 1024 * 1024 + LARGEST_FORM
LONGEST_QUERY = 8 * 1024
TEMPLATES = Path(__file__).parents[2] / "templates"
STYLE, MAP_STYLE = TEMPLATES / "shared" / "style.css", TEMPLATES / "guests" / "map.css"
STAFF_STYLE = TEMPLATES / "staff" / "style.css"
END_OF_FIRST = "/* The first page ends here: what follows stands in the others alone. */"
MAP_PAGE = "guests.hotspots"
# Asked by machines, by whatever name they know us.
ANY_HOST = ("/healthz", "/metrics", "/gateways/")
DEFAULT_PORTS = {"http": 80, "https": 443}
# At most so many wrong names are logged: a client may send any number of others.
MOST_NAMES_TOLD = 20


class MisdirectedRequest(HTTPException):
    """421 (RFC 9110 section 15.5.20): the request names a host that is not ours."""

    code = 421
    description = "This portal does not answer to that name."


class WebOrigin:
    """An address of ours, compared as browsers write it: small letters, no default port, an IDN in ASCII (RFC 6454
    section 4, RFC 3986 section 6.2).
    """

    def __init__(self, url: str) -> None:
        self.scheme = urlsplit(url).scheme
        self.host = canonical_host(urlsplit(url).netloc, self.scheme)

        self.origin = f"{self.scheme}://{self.host}"

    def is_host(self, host: str) -> bool:
        return host == self.host or canonical_host(host, self.scheme) == self.host

    def is_origin(self, origin: str) -> bool:
        if origin == self.origin:
            return True
        return origin.startswith(f"{self.scheme}://") and self.is_host(origin.partition("://")[2])


def canonical_host(host: str, scheme: str) -> str:
    """A name with its port, as browsers send it to a server of this scheme; what is none is given as it is."""
    try:
        parts = urlsplit(f"//{host}")
        name, port = parts.hostname or "", parts.port
        name = name.rstrip(".").encode("idna").decode("ascii") if not name.isascii() else name.rstrip(".")
    except (ValueError, UnicodeError):
        return host
    if parts.username is not None or parts.path or not name:
        return host
    name = f"[{name}]" if ":" in name else name
    return name if port in (None, DEFAULT_PORTS.get(scheme)) else f"{name}:{port}"


@dataclass(frozen=True, slots=True)
class Styles:
    """The one style sheet as it stands inside of pages: of the first page, which is to be small, of the others, and of
    the page with the map, which has more of its own. The staff's has the same colours and is its own for the rest."""

    first: str
    whole: str
    with_map: str
    staff: str


def read_styles() -> Styles:
    text, further = STYLE.read_text(encoding="utf-8").strip(), MAP_STYLE.read_text(encoding="utf-8").strip()
    first, end, rest = text.partition(END_OF_FIRST)
    if not end:
        raise ValueError(f"{STYLE} does not say where the first page ends")
    whole = f"{first}{rest.lstrip()}"
    colours = itertools.takewhile(lambda line: ":root{" in line, text.splitlines())
    staff = "\n".join([*colours, STAFF_STYLE.read_text(encoding="utf-8").strip()])
    return Styles(first, whole, f"{whole}\n{further}", staff)


# What scripts of guests' pages may do beside: run from a file of ours, ask our own host, name a manifest. A worker is
# a script (CSP level 3, section 6.1.17).
GUEST_SCRIPTS = "; script-src 'self'; connect-src 'self'; manifest-src 'self'"


# The same for a staff page that has a script.
STAFF_SCRIPTS = "; script-src 'self'; connect-src 'self'"


def content_security_policy(*styles: str) -> str:
    """Everything from our own host; inline styles by their digests; no script at all (CSP level 3)."""
    digests = [base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() for style in styles]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; style-src {allowed}; img-src 'self' data:; media-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def allow_forms_to(response: AnyResponse, origin: str) -> AnyResponse:
    """Let the forms of this one page go to `origin` too: to a gateway's own host, which was made sure of."""
    g.forms_to = origin
    return response


def allow_scripts() -> None:
    """Let the staff page that is being made run scripts of our own host."""
    g.has_scripts = True


def answer_a_program() -> None:
    """This answer goes to a program that has shown its credential: what guards pages in browsers is left out."""
    g.is_for_a_program = True


def is_staff_path(path: str) -> bool:
    return path == "/staff" or path.startswith("/staff/")


def is_staff_page() -> bool:
    """Whether the answer to this request wears the staff's frame, errors too."""
    served = this_app().blueprints
    return ("staff" in served and is_staff_path(this_request().path)) or "guests" not in served


def is_api() -> bool:
    """Whether the answer to this request is for a program, errors too."""
    return "api" in this_app().blueprints and request.path.startswith("/api/")


def is_guest_page() -> bool:
    """Whether a guest reads the answer: neither staff nor a program."""
    return has_request_context() and not is_staff_page() and not this_request().path.startswith("/api/")


def _is_refused_form(response: Response) -> bool:
    """Whether a form is shown again with what was wrong. A browser may keep that page for going back: else it shows one
    of its own there, about a form to be sent again (RFC 9111 section 5.2.2.4: it asks us before any other use)."""
    return response.status_code >= 400 and request.method == "POST" and response.mimetype == "text/html"


def init_security(app: Application, settings: Settings, styles: Styles) -> None:
    """Put the guards before and after every view of `app`."""
    policy = content_security_policy(styles.first, styles.whole) + GUEST_SCRIPTS
    map_policy = content_security_policy(styles.whole, styles.with_map) + GUEST_SCRIPTS
    staff_policy = content_security_policy(styles.staff)

    # Set here and nowhere else. Not "no-referrer": browsers would then post forms with "Origin: null".
    always = [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
    ]
    if settings.is_https:
        always.append(("Strict-Transport-Security", "max-age=31536000"))

    ours = WebOrigin(settings.own_url)
    app.own_host = ours.host
    reported: set[str] = set()

    @app.before_request
    def refuse_the_unreadable() -> AnyResponse | None:
        request = this_request()
        query = request.query_string
        if len(query) > LONGEST_QUERY:
            abort(HTTPStatus.REQUEST_URI_TOO_LONG)
        if "\0" in request.path or b"\0" in query:
            abort(HTTPStatus.BAD_REQUEST)
        if isinstance(request.routing_exception, BadHost):
            # Nothing can be linked from such a name, not even the page of an error.
            return Response(f"{settings.own_url}/", HTTPStatus.MISDIRECTED_REQUEST, mimetype="text/plain")
        if not request.path.startswith(ANY_HOST) and not ours.is_host(request.host):
            tell_of_wrong_name(request.host)
            raise MisdirectedRequest
        return None

    def tell_of_wrong_name(name: str) -> None:
        if name not in reported and len(reported) < MOST_NAMES_TOLD:
            reported.add(name)
            log.error(
                "somebody asked for the host %r and this portal is %r: a proxy in front of it must pass on the "
                "Host header as the browser sent it",
                name[:100],
                ours.host,
            )

    @app.before_request
    def refuse_other_sites() -> None:
        request = this_request()
        if request.method in ("GET", "HEAD", "OPTIONS") or request.path.startswith("/gateways/"):
            return
        origin, site = map(request.environ.get, ("HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE"))
        is_ours = origin is None or ours.is_origin(origin) or (origin == "null" and site == "same-origin")
        if not is_ours or site not in (None, "same-origin", "none"):
            abort(HTTPStatus.FORBIDDEN)

    def policy_here() -> str:
        if is_staff_page():
            return staff_policy + STAFF_SCRIPTS if g.get("has_scripts") else staff_policy
        # A digest weighs 53 bytes: the first page does not carry that of the map.
        return map_policy if this_request().endpoint == MAP_PAGE else policy

    @app.after_request
    def add_headers(response: Answered) -> Answered:
        noted = notes()
        if noted.pop("is_for_a_program", False):
            response.headers["Cache-Control"] = "no-store"
            return response
        # What is no page may be held shorter than one: see portal/guest/images.py.
        headers, policy = response.headers, policy_here()
        if (origin := noted.pop("forms_to", None)) is not None:
            headers["Content-Security-Policy"] = policy.replace(
                "form-action 'self'", f"form-action 'self' {origin}"
            )
        there, further = {name.lower() for name, _ in headers}, list(always)
        if "content-security-policy" not in there:
            further.append(("Content-Security-Policy", policy))
        if "cache-control" not in there:
            kept = "private, no-cache" if _is_refused_form(response) else "no-store"
            further.append(("Cache-Control", kept))
        response.further = further
        return response

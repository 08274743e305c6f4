"""The front before the portal: nginx's configuration, made from ``deploy/nginx.conf``, and the pages it shows alone.

nginx ends TLS, and takes requests whole before Python sees them; see docs/adr/0008-a-front-before-python.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, render_template
from jinja2 import Environment, StrictUndefined

from config import Settings
from portal.denials.portal_reasons import TOO_LARGE, Busy
from portal.denials.rendering import Refusal, page
from portal.gateway_api.nftables import LARGEST_BODY
from portal.http.application import LARGEST_FORM
from portal.http.security_headers import (
    LARGEST_UPLOAD,
    canonical_host,
    content_security_policy,
    read_styles,
)
from portal.i18n.translation import say

TEMPLATE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
# Where deploy/*.service have the three servers listen.
PORTAL, GATEWAYS, STAFF = "127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003"


class ImpossibleFront(Exception):
    """These settings and addresses make no front. The text says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may have of the front. A library of hundreds of people may stand behind one address."""

    connections: int = 8192
    connections_of_a_client: int = 300
    connections_of_a_neighbourhood: int = 2000
    connections_of_a_credential: int = 16
    requests_a_second: int = 50
    burst_of_a_client: int = 250


@dataclass(frozen=True, slots=True)
class Front:
    """Where it listens and what it stands before. `folder` is nginx's own, `pages` what `write_pages` filled."""

    certificate: Path
    key: Path
    folder: Path = Path("/run/arobase-front")
    pages: Path = Path("/run/arobase-pages")
    user: str = "www-data"
    addresses: tuple[str, ...] = ("0.0.0.0", "[::]")
    secure_port: int = 443
    plain_port: int = 80
    # Where staff reach their pages, if not under the portal's name: "192.0.2.10:443".
    staff_listens: tuple[str, ...] = ()
    portal: str = PORTAL
    gateways: str = GATEWAYS
    staff: str = STAFF
    limits: Limits = field(default_factory=Limits)
    # Whose X-Forwarded-For says where a request comes from.
    believes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """A name that the front answers to, as browsers write it, and its address."""

    name: str
    url: str


def has_ipv6() -> bool:
    """Whether this kernel has IPv6: without, listening on ``::`` fails."""
    return Path("/proc/net/if_inet6").exists()


def render(front: Front, settings: Settings) -> str:
    """The configuration, for ``nginx -c``. Raises `ImpossibleFront`."""
    portal = _host(settings.portal_url)
    hosts = [portal]
    if settings.staff_url and _host(settings.staff_url) != portal:
        if not front.staff_listens:
            raise ImpossibleFront(
                "AROBASE_STAFF_URL is not the portal's: say with --staff-listen on which address and port staff "
                "reach it (one that guests do not)."
            )
        hosts.append(_host(settings.staff_url))
    elif front.staff_listens:
        raise ImpossibleFront("--staff-listen needs AROBASE_STAFF_URL, an address other than the portal's.")
    addresses = [each for each in front.addresses if has_ipv6() or not each.startswith("[")]
    template = Environment(
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False
    ).from_string(TEMPLATE.read_text(encoding="utf-8"))
    return template.render(
        **{
            name: getattr(front, name) for name in ("certificate", "key", "folder", "pages", "user", "limits")
        },
        **{
            name: getattr(front, name)
            for name in ("portal", "gateways", "staff", "staff_listens", "believes")
        },
        hosts=hosts,
        plain_listens=[f"{each}:{front.plain_port}" for each in addresses] if front.plain_port else [],
        secure_listens=[f"{each}:{front.secure_port}" for each in addresses],
        languages=settings.languages,
        largest_form=LARGEST_FORM,
        largest_upload=LARGEST_UPLOAD,
        largest_report=LARGEST_BODY,
        policy=content_security_policy(read_styles().whole),
    )


def write_pages(app: Flask, folder: Path) -> None:
    """Write what the front shows where the portal cannot answer, in each language, as ``busy.fr.html``."""
    for language in app.extensions["arobase"].settings.languages:
        # The language is remembered for as long as an application context lasts: each has its own.
        with app.app_context(), app.test_request_context("/", headers={"Accept-Language": language}):
            for name, refusal in _refusals().items():
                file = folder / f"{name}.{language}.html"
                file.write_text(render_template("guests/error.html", refusal=refusal), encoding="utf-8")
                file.chmod(0o644)


def _refusals() -> dict[str, Refusal]:
    again = say("This page asks again by itself. If you had sent a form, go back and send it again.")
    return {
        "busy": Refusal(Busy.reason.status, page(Busy.reason).title, again),
        "away": Refusal(HTTPStatus.BAD_GATEWAY, say("The portal is away for a moment."), again),
        "large": page(TOO_LARGE),
    }


def _host(url: str) -> Host:
    parts = urlsplit(url)
    canonical = canonical_host(parts.netloc, parts.scheme)
    return Host(urlsplit(f"//{canonical}").hostname or "", f"{parts.scheme}://{canonical}")

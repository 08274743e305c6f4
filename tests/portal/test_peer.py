"""Who is at the other end: forwarded headers are believed from our own proxies alone."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from portal.http.proxy_headers import TrustedProxies, read_address

OURS = (ipaddress.ip_network("10.0.0.0/30"), ipaddress.ip_network("fd00::1/128"))


def seen(peer: str, **headers: str) -> dict[str, Any]:
    """The environ that the application gets."""
    got: dict[str, Any] = {}

    def app(environ: dict[str, Any], _start: Any) -> list[bytes]:
        got.update(environ)
        return []

    environ = {"REMOTE_ADDR": peer, "wsgi.url_scheme": "http", **headers}
    TrustedProxies(app, OURS)(environ, lambda *_: None)
    return got


@pytest.mark.parametrize(
    ("peer", "forwarded", "true"),
    [
        ("192.0.2.1", "10.66.0.5", "192.0.2.1"),
        ("192.0.2.1", "", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "10.66.0.5, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "10.66.0.5, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7, nonsense", "10.0.0.1"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("fd00::2", "2001:db8::7", "fd00::2"),
        ("::ffff:10.0.0.1", "192.0.2.7", "192.0.2.7"),
    ],
)
def test_only_our_own_proxies_say_who_is_behind_them(peer: str, forwarded: str, true: str) -> None:
    assert seen(peer, HTTP_X_FORWARDED_FOR=forwarded)["REMOTE_ADDR"] == true


def test_no_forwarded_header_reaches_the_application() -> None:
    names = (
        "X_FORWARDED_FOR",
        "X_FORWARDED_HOST",
        "X_FORWARDED_PROTO",
        "X_FORWARDED_PREFIX",
        "X_REAL_IP",
        "FORWARDED",
    )
    environ = seen("10.0.0.1", **{f"HTTP_{name}": "192.0.2.7" for name in names})
    assert not [name for name in environ if "FORWARDED" in name or "REAL_IP" in name]


@pytest.mark.parametrize(("peer", "scheme"), [("192.0.2.1", "http"), ("10.0.0.1", "https")])
def test_only_our_own_proxies_say_that_it_was_https(peer: str, scheme: str) -> None:
    assert seen(peer, HTTP_X_FORWARDED_PROTO="https")["wsgi.url_scheme"] == scheme


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("", None),
        ("x", None),
        ("10.1", None),
        ("10.0.0.01", None),
        ("0x0a.0.0.1", None),
        ("10.0.0.1 ", None),
        ("10.0.0.1\0", None),
        ("10.0.0.\u0661", None),
    ],
)
def test_it_reads_addresses_in_every_form(text: str, address: str | None) -> None:
    read = read_address(text)
    assert (None if read is None else str(read)) == address

"""MikroTik's HotSpot: its own login page is replaced by one that forwards what it knows, under names of ours."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule
from gateways.uam.encodings import Encoding

DIALECT = Dialect(
    mac=("mac",),
    address=("ip",),
    # $(link-login-only).
    login=LoginRule(url=("login",), path="/login", schemes=("http", "https")),
    # It takes a POST too; a GET needs no warning of a form that is not encrypted.
    method="GET",
    encodings=(Encoding.PLAIN, Encoding.MIKROTIK_CHAP),
    back="dst",
    constants={"popup": "false"},
    challenge=("chap-challenge",),
    chap_ident=("chap-id",),
    error=("error",),
    # The page of the router, which forwards the browser again with a new challenge.
    renewal_path="/login",
)

"""Aruba Instant and AOS: an external captive portal."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule

DIALECT = Dialect(
    mac=("mac",),
    address=("ip",),
    login=LoginRule(host=("switchip",), path="/cgi-bin/login", schemes=("https",)),
    user_field="user",
    back="url",
    constants={"cmd": "authenticate"},
    error=("errmsg",),
)

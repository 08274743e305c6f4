"""Cisco Meraki: a sign-on splash page with a RADIUS server."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule

DIALECT = Dialect(
    mac=("client_mac",),
    address=("client_ip",),
    # The continue_url in its query says where the guest wants to go: it falls away.
    login=LoginRule(url=("login_url",), path="/splash/login", schemes=("https",), kept=("mauth",)),
    back="success_url",
    error=("error_message",),
)

"""Ruckus ZoneDirector and Unleashed: the hotspot service (WISPr)."""

from __future__ import annotations

from gateways.uam.dialect import Dialect, LoginRule

DIALECT = Dialect(
    # "mac" is the access point's.
    mac=("client_mac",),
    address=("uip",),
    login=LoginRule(host=("sip",), path="/login", ports={"http": 9997}),
    echoed={"ip": ("uip",)},
)

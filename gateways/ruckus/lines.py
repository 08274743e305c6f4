"""The screens of a Ruckus ZoneDirector or Unleashed for its hotspot service."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    servers = f"""\
Type: RADIUS, and another of the type RADIUS Accounting
IP address: {box.radius}
Shared secret: {box.shared_secret}
"""
    service = f"""\
Login page: {box.landing}
Start page: the page that the user wanted to visit
Authentication server and accounting server: those above, interim update every {int(box.interim_seconds) // 60} minutes
Walled garden: {box.host}
"""
    return Lines("Admin & Services > AAA Servers", servers), Lines("Hotspot Services", service)

"""The screens of an Omada controller for an external web portal with a RADIUS server."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    radius = f"""\
Authentication server: {box.radius}, port 1812, password {box.shared_secret}
RADIUS accounting: on, {box.radius}, port 1813, password {box.shared_secret}, interim update {box.interim_seconds} s
"""
    portal = f"""\
Authentication type: RADIUS server
NAS ID: {box.identity}
Portal customization: External web portal
External web portal URL: {box.landing}
Pre-authentication access: {box.host}
"""
    return Lines("Profiles > RADIUS Profile", radius), Lines("Authentication > Portal", portal)

"""The screens of the Meraki dashboard for a sign-on splash page with a RADIUS server."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    access = f"""\
Splash page: Sign-on with my RADIUS server
RADIUS server: {box.radius}, port 1812, secret {box.shared_secret}
RADIUS accounting server: {box.radius}, port 1813, secret {box.shared_secret}
RADIUS CoA support: on
Captive portal strength: Block all access until sign-on is complete
Walled garden: {box.host}
"""
    return (
        Lines("Wireless > Access control", access),
        Lines("Wireless > Splash page > Custom splash URL", f"{box.landing}\n"),
    )

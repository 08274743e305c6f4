"""The screens of pfSense's captive portal, and the pages that forward its browsers."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    server = f"""\
Type: RADIUS
Protocol: PAP
Hostname: {box.radius}
Shared secret: {box.shared_secret}
Services offered: Authentication and Accounting
RADIUS NAS IP attribute: the address that FreeRADIUS sees
"""
    zone = f"""\
Allowed hostnames: {box.host}
Authentication method: Use an authentication backend
NAS identifier: {box.identity}
RADIUS accounting: on, interim updates
Use RADIUS Session-Timeout attributes: on
Per-user bandwidth restriction: on
Use custom captive portal page: on
"""
    return (
        Lines("System > User Manager > Authentication Servers", server),
        Lines("Services > Captive Portal > the zone", zone),
        Lines("Portal page contents", _page(box, "")),
        Lines("Auth error page contents", _page(box, "&amp;error=1")),
    )


def _page(box: BoxFacts, more: str) -> str:
    asked = f"mac=$CLIENT_MAC$&amp;ip=$CLIENT_IP$&amp;zone=$PORTAL_ZONE${more}&amp;login=$PORTAL_ACTION$"
    return f"""\
<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url={box.landing}?{asked}">
<a href="{box.landing}?{asked}">Wifi</a>
"""

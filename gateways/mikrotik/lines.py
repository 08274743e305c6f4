"""RouterOS's settings for a HotSpot, and the page that forwards its browsers."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    terminal = f"""\
/radius add service=hotspot address={box.radius_address} secret={box.shared_secret} timeout=3s
/radius set [find] require-message-auth=yes-for-request-resp
/radius incoming set accept=yes port={box.coa_port}
/ip hotspot profile set [find] login-by=http-pap,mac use-radius=yes radius-accounting=yes
/ip hotspot profile set [find] radius-interim-update={box.interim_seconds}s
/ip hotspot walled-garden add dst-host={box.host} action=allow
/system identity set name={box.identity}
"""
    asked = "&amp;".join(
        (
            "mac=$(mac-esc)",
            "ip=$(ip)",
            "login=$(link-login-only-esc)",
            "chap-id=$(chap-id-esc)",
            "chap-challenge=$(chap-challenge-esc)",
            "error=$(error-esc)",
        )
    )
    page = f"""\
<!doctype html>
<meta charset="utf-8">
<meta http-equiv="refresh" content="0;url={box.landing}?{asked}">
<a href="{box.landing}?{asked}">Wifi</a>
"""
    return Lines("Terminal", terminal), Lines("hotspot/login.html", page)

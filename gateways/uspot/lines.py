"""uspot's settings on OpenWrt: /etc/config/uspot, by the names of its own documentation."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    config = f"""\
config uspot 'captive'
\toption auth_mode 'uam'
\toption nasid '{box.identity}'
\toption auth_server '{box.radius}'
\toption auth_secret '{box.shared_secret}'
\toption acct_server '{box.radius}'
\toption acct_secret '{box.shared_secret}'
\toption acct_interval '{box.interim_seconds}'
\toption uam_port '3990'
\toption uam_server '{box.landing}'
\toption uam_secret '{box.uamsecret}'
\toption final_redirect_url 'uam'
\toption mac_auth '1'
"""
    return (Lines("/etc/config/uspot", config), Lines("opkg", "opkg install ratelimit\n"))

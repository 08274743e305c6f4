"""The commands of a Catalyst 9800 for external web authentication; AireOS names the same on its screens."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    cli = f"""\
radius server {box.identity}
 address ipv4 {box.radius_address} auth-port 1812 acct-port 1813
 key {box.shared_secret}
aaa server radius dynamic-author
 client {box.radius_address} server-key {box.shared_secret}
 port {box.coa_port}
parameter-map type webauth {box.identity}
 type webauth
 redirect for-login {box.landing}
 redirect append client-mac tag client_mac
 redirect append ap-mac tag ap_mac
 redirect portal ipv4 {box.radius_address}
"""
    return (Lines("CLI", cli),)

"""The commands of Aruba Instant for an external captive portal."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    path = box.landing.partition(box.host)[2]
    cli = f"""\
wlan auth-server {box.identity}
  ip {box.radius_address}
  port 1812
  acctport 1813
  key {box.shared_secret}
  nas-id {box.identity}
  rfc3576
wlan external-captive-portal {box.identity}
  server {box.host}
  port 443
  url "{path}"
  https
  auth-text "Authenticated"
wlan walled-garden
  white-list "{box.host}"
"""
    return (Lines("CLI", cli),)

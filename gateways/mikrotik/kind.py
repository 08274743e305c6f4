"""A MikroTik router with HotSpot: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.live_sessions import DISCONNECT_AND_CHANGE
from gateways.radius.options import COA_OPTIONS, OPTIONS
from gateways.radius.profile import RadiusProfile, mikrotik
from gateways.uam.encodings import Encoding
from gateways.uam.options import encodings, login_hosts

KIND = Kind(
    name="mikrotik",
    product="MikroTik HotSpot",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        extends=True,
        # By CoA-Request and Disconnect-Request (RFC 5176), where they are switched on.
        revokes=True,
        # Mikrotik-Rate-Limit.
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
    ),
    options=(
        *OPTIONS,
        *COA_OPTIONS,
        login_hosts("10.5.50.1 or wifi.example.org"),
        encodings(Encoding.PLAIN, Encoding.MIKROTIK_CHAP),
    ),
    radius=RadiusProfile(rates=mikrotik, dynauth=DISCONNECT_AND_CHANGE),
)

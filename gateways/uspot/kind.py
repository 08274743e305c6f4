"""An OpenWrt router with uspot: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.options import OPTIONS
from gateways.radius.profile import RadiusProfile, wispr
from gateways.uam.options import UAMSERVER

KIND = Kind(
    name="uspot",
    product="uspot (OpenWrt)",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        extends=False,
        revokes=False,
        # With the package ratelimit beside it.
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
    ),
    options=(*OPTIONS, UAMSERVER),
    radius=RadiusProfile(rates=wispr),
)

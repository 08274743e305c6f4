"""Wireless controllers of Cisco: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.live_sessions import CISCO
from gateways.radius.options import COA_OPTIONS, OPTIONS
from gateways.radius.profile import RadiusProfile, no_rates
from gateways.uam.options import login_hosts

KIND = Kind(
    name="cisco",
    product="Cisco WLC and Catalyst 9800",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        extends=False,
        # Disconnect-Request (RFC 5176), where it is switched on.
        revokes=True,
        # Rates are those of contracts and policies that are made on the controller.
        limits_rates=False,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=False,
    ),
    options=(*OPTIONS, *COA_OPTIONS, login_hosts("192.0.2.1")),
    radius=RadiusProfile(rates=no_rates, dynauth=CISCO),
)

"""Access points of Aruba: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.live_sessions import DISCONNECT_ALONE
from gateways.radius.options import COA_OPTIONS, OPTIONS
from gateways.radius.profile import RadiusProfile, no_rates
from gateways.uam.options import login_hosts

KIND = Kind(
    name="aruba",
    product="Aruba Instant and AOS",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        extends=False,
        # Disconnect-Request (RFC 5176), where it is switched on.
        revokes=True,
        # Its roles have rates; RADIUS names a role (Aruba-User-Role) and no rate.
        limits_rates=False,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
    ),
    options=(
        *OPTIONS,
        *COA_OPTIONS,
        login_hosts("securelogin.example.org", default="securelogin.arubanetworks.com"),
    ),
    radius=RadiusProfile(rates=no_rates, dynauth=DISCONNECT_ALONE),
)

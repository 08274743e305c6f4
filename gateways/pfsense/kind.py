"""A firewall with pfSense: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.options import OPTIONS, REAUTHENTICATES
from gateways.radius.profile import RadiusProfile, pfsense
from gateways.uam.options import login_hosts

KIND = Kind(
    name="pfsense",
    product="pfSense",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        # It looks at the clock once a minute.
        finest_seconds=60,
        extends=False,
        revokes=False,
        # pfSense-Bandwidth-Max-*, where per-user bandwidth restriction is switched on.
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
    ),
    options=(*OPTIONS, REAUTHENTICATES, login_hosts("10.1.0.1:8002")),
    # Where "Reauthenticate connected users every minute" is ticked.
    radius=RadiusProfile(rates=pfsense, reauthenticates_seconds=60),
)

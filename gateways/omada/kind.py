"""Access points of Omada: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.options import OPTIONS
from gateways.radius.profile import RadiusProfile, no_rates
from gateways.uam.options import login_hosts

KIND = Kind(
    name="omada",
    product="TP-Link Omada",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        extends=False,
        revokes=False,
        # Rates are those of the controller's own settings.
        limits_rates=False,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
    ),
    options=(*OPTIONS, login_hosts("192.0.2.30:8843")),
    radius=RadiusProfile(rates=no_rates),
)

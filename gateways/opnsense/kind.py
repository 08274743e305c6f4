"""A firewall with OPNsense: docs/gateway-uam.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.options import OPTIONS
from gateways.radius.profile import RadiusProfile, no_rates
from gateways.uam.options import login_hosts

KIND = Kind(
    name="opnsense",
    product="OPNsense",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        # It looks at the clock every five seconds.
        finest_seconds=5,
        extends=False,
        revokes=False,
        # Of an Access-Accept it honours Session-Timeout and Acct-Interim-Interval alone.
        limits_rates=False,
        limits_volume=False,
        accounts=True,
        reports_presence=False,
        is_heard=False,
        translates_addresses=True,
    ),
    options=(*OPTIONS, login_hosts("wifi.example.org:8000")),
    radius=RadiusProfile(rates=no_rates, names_clients=False, keeps_idle_timeout=False),
)

"""A gateway with CoovaChilli: docs/gateway-radius.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning
from gateways.radius.live_sessions import COOVACHILLI
from gateways.radius.options import COA_OPTIONS, OPTIONS
from gateways.radius.profile import RadiusProfile, wispr
from gateways.uam.encodings import Encoding
from gateways.uam.options import UAMSERVER, encodings

KIND = Kind(
    name="coovachilli",
    product="CoovaChilli",
    capabilities=Capabilities(
        # The guest's browser brings user and secret, and the gateway asks the portal whether they are right.
        learns=Learning.CARRIED,
        learns_within_seconds=5,
        # Session-Timeout (RFC 2865 section 5.27).
        ends_by_itself=True,
        # By CoA-Request and Disconnect-Request (RFC 5176).
        extends=True,
        revokes=True,
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        # It keeps Idle-Timeout by itself, and a device that comes back goes on with its session.
        reports_presence=False,
        is_heard=False,
        # Its clients leave by its own address, unless the network is set up otherwise.
        translates_addresses=True,
    ),
    options=(*OPTIONS, *COA_OPTIONS, encodings(Encoding.UAM_CHAP, Encoding.UAM_PAP), UAMSERVER),
    radius=RadiusProfile(rates=wispr, dynauth=COOVACHILLI),
)

"""A box that is turned over for so many minutes."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning

KIND = Kind(
    name="hourglass",
    product="Hourglass 60",
    capabilities=Capabilities(
        learns=Learning.PULLED,
        learns_within_seconds=10,
        ends_by_itself=True,
        finest_seconds=60,
        extends=False,
        revokes=False,
        limits_rates=False,
        limits_volume=False,
        accounts=False,
        reports_presence=False,
        is_heard=True,
    ),
)

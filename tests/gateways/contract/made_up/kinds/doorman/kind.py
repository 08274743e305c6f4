"""A controller that lets in and turns out, and has no clock."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning

KIND = Kind(
    name="doorman",
    product="Doorman",
    capabilities=Capabilities(
        learns=Learning.PUSHED,
        learns_within_seconds=1,
        ends_by_itself=False,
        extends=True,
        revokes=True,
        limits_rates=False,
        limits_volume=False,
        accounts=False,
        reports_presence=False,
        is_heard=False,
    ),
)

"""FakeGateway: a gateway that lives in the portal's memory, for trials on a machine without network namespaces."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning

KIND = Kind(
    name="fake",
    product="FakeGateway",
    capabilities=Capabilities(
        learns=Learning.PUSHED,
        learns_within_seconds=1,
        ends_by_itself=True,
        extends=True,
        revokes=True,
        # No packet passes through it.
        limits_rates=False,
        limits_volume=False,
        accounts=False,
        reports_presence=False,
        # It is there as long as the portal is.
        is_heard=False,
        limits_destinations=True,
        chooses_resolvers=True,
        # Behind it there is nobody but this machine's own browser.
        proves_addresses=True,
    ),
)

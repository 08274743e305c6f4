"""A Linux machine with nftables and our agent: docs/gateway-agent.md."""

from __future__ import annotations

from gateways.kinds import Capabilities, Kind, Learning

KIND = Kind(
    name="nftables",
    product="Linux (nftables)",
    capabilities=Capabilities(
        learns=Learning.FOLLOWED,
        # A commit rings; where the bell is lost, the portal looks once a second.
        learns_within_seconds=2,
        # Each lease is a kernel element with a timeout.
        ends_by_itself=True,
        extends=True,
        revokes=True,
        limits_rates=True,
        limits_volume=False,
        accounts=True,
        reports_presence=True,
        is_heard=True,
        assigns_ports=True,
        limits_destinations=True,
        chooses_resolvers=True,
        switches_radio=True,
    ),
)

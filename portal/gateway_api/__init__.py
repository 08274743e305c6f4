"""Where gateways meet the portal: one module per kind of gateway, and the knock that tells a gateway of a change."""

from __future__ import annotations

from portal.gateway_api import fake
from sites.models import Gateway


def knock(gateway: Gateway) -> None:
    """After a commit: bring the gateway to agree. Those that follow the feed do it by themselves."""
    if gateway.kind == fake.KIND:
        fake.confirm_all(gateway)

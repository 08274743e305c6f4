"""Gateway API: where gateways meet the portal, one module for each kind. How to add one: docs/gateways.md."""

from portal.gateway_api.endpoints import blueprints, notify_gateway, reconcile

__all__ = ["blueprints", "notify_gateway", "reconcile"]

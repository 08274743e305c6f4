"""CoovaChilli: it asks by RADIUS."""

from __future__ import annotations

from portal.gateway_api import radius_calls
from portal.gateway_api.endpoints import Endpoint

ENDPOINT = Endpoint(shared=(radius_calls.blueprint,))

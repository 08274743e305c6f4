"""Access points whose encrypted network devices join with a certificate: they ask by RADIUS."""

from __future__ import annotations

from portal.gateway_api import dynamic_authorization, radius_calls
from portal.gateway_api.endpoints import Endpoint

ENDPOINT = Endpoint(notify=dynamic_authorization.notify, shared=(radius_calls.blueprint,))

"""TP-Link Omada: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.omada.dialect import DIALECT
from gateways.omada.kind import KIND
from gateways.omada.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

"""MikroTik HotSpot: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.mikrotik.dialect import DIALECT
from gateways.mikrotik.kind import KIND
from gateways.mikrotik.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

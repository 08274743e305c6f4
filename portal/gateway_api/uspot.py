"""uspot (OpenWrt): it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.uspot.dialect import DIALECT
from gateways.uspot.kind import KIND
from gateways.uspot.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

"""Aruba Instant and AOS: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.aruba.dialect import DIALECT
from gateways.aruba.kind import KIND
from gateways.aruba.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

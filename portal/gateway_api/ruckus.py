"""Ruckus ZoneDirector and Unleashed: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.ruckus.dialect import DIALECT
from gateways.ruckus.kind import KIND
from gateways.ruckus.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

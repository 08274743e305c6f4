"""pfSense: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.pfsense.dialect import DIALECT
from gateways.pfsense.kind import KIND
from gateways.pfsense.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

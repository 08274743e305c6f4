"""OPNsense: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.opnsense.dialect import DIALECT
from gateways.opnsense.kind import KIND
from gateways.opnsense.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

"""Cisco Meraki: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.meraki.dialect import DIALECT
from gateways.meraki.kind import KIND
from gateways.meraki.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

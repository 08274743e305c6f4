"""Cisco WLC and Catalyst 9800: it sends browsers with what it knows of them, and asks by RADIUS."""

from __future__ import annotations

from gateways.cisco.dialect import DIALECT
from gateways.cisco.kind import KIND
from gateways.cisco.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

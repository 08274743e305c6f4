"""CoovaChilli: it sends browsers with a signed word, and asks by RADIUS."""

from __future__ import annotations

from gateways.coovachilli.dialect import DIALECT
from gateways.coovachilli.kind import KIND
from gateways.coovachilli.lines import lines
from portal.gateway_api import uam

ENDPOINT = uam.endpoint(KIND, DIALECT, lines)

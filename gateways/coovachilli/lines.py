"""CoovaChilli's settings: /etc/chilli/config, by the names of its own documentation."""

from __future__ import annotations

from gateways.set_up import Lines
from gateways.uam.box import BoxFacts


def lines(box: BoxFacts) -> tuple[Lines, ...]:
    config = f"""\
HS_NASID={box.identity}
HS_UAMSERVER={box.host}
HS_UAMFORMAT={box.landing}
HS_UAMSECRET={box.uamsecret}
HS_UAMALLOW={box.host}
HS_RADIUS={box.radius}
HS_RADIUS2={box.radius}
HS_RADSECRET={box.shared_secret}
HS_COAPORT={box.coa_port}
# A known device goes on without a page.
HS_MACAUTH=on
"""
    return (Lines("/etc/chilli/config", config),)

"""Two kinds of gateways that nobody sells, added as anybody adds one: a folder each, and a module each at the portal.

The hourglass knows whole minutes, asks by itself, and cannot extend or take back. The doorman is called, lets in and
turns out, and knows no time. Between them they lack what the real kinds have.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gateways
from gateways import registry
from portal import gateway_api
from portal.gateway_api import endpoints

HERE = Path(__file__).parent
NAMES = ("doorman", "hourglass")


@contextmanager
def added() -> Iterator[None]:
    """The two kinds are there as if they lay in gateways/ and portal/gateway_api/."""
    places = ((gateways.__path__, str(HERE / "kinds")), (gateway_api.__path__, str(HERE / "endpoints")))
    for path, place in places:
        path.append(place)
    _forget()
    try:
        yield
    finally:
        for path, place in places:
            path.remove(place)
        _forget()


def _forget() -> None:
    """Nobody has looked for kinds yet, and nothing of these two was imported."""
    for name in NAMES:
        for module in [one for one in sys.modules if f".{name}." in f"{one}." and ".contract." not in one]:
            del sys.modules[module]
    registry.kinds.cache_clear()
    endpoints.endpoint_of.cache_clear()

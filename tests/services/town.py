"""A town of network namespaces for a test, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.network import NoNamespaces, Town, demand_namespaces, town
from tests.services.parts import missing


@contextmanager
def opened(*, phones: int = 1, gateways: int = 1, addressed: bool = True) -> Iterator[Town]:
    """The town of `lab.network.town`; where it cannot be had, the test ends as `missing` says."""
    try:
        demand_namespaces()
    except NoNamespaces as reason:
        missing(str(reason))
    with town(phones=phones, gateways=gateways, addressed=addressed) as net:
        yield net

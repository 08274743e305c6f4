"""A town of namespaces with what openNDS needs, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.network import NoNamespaces, Town, demand_namespaces
from lab.opennds import NEEDED
from tests.services.parts import missing
from tests.services.town import opened


@contextmanager
def opened_town(phones: int) -> Iterator[Town]:
    try:
        demand_namespaces(*NEEDED)
    except NoNamespaces as reason:
        missing(str(reason))
    with opened(phones=phones) as net:
        yield net

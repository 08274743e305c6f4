"""An OpenWrt router with uspot as the portal sees it: packets of RADIUS as its source sends them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateways.contract.drivers.nas import NasDriver, free_port, opened_nas


@contextmanager
def opened(folder: Path) -> Iterator[NasDriver]:
    with opened_nas(NasDriver(folder, "uspot", free_port()), folder) as driver:
        yield driver

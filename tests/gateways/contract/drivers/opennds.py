"""The real openNDS of Debian at level 3, whose authmon asks the real portal over https."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.gateways.opennds.contract_portal import OpenNdsDriver
from tests.gateways.opennds.town import opened_town

PHONES = 18


@contextmanager
def opened(folder: Path) -> Iterator[OpenNdsDriver]:
    with opened_town(PHONES) as net:
        driver = OpenNdsDriver(net, folder, "opennds", {"level": "3"})
        try:
            driver.portal_back()
            driver.set_up()
            driver.box.start()
            yield driver
        finally:
            driver.close()

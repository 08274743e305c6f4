"""The real openNDS of Debian at level 2, to which phones' browsers carry the word."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.network import Phone
from lab.opennds import Seen
from tests.gateways.opennds.contract_portal import OpenNdsDriver
from tests.gateways.opennds.town import opened_town

PHONES = 18


class CarriedDriver(OpenNdsDriver):
    def look(self, phone: Phone) -> Seen:
        """All the way: to the portal, with its word to the box, and back."""
        return self.box.browse(phone, self.anywhere)

    def await_word(self) -> None:
        """Nothing comes from it by itself."""


@contextmanager
def opened(folder: Path) -> Iterator[CarriedDriver]:
    with opened_town(PHONES) as net:
        options = {"level": "2", "gateway_address": f"{net.gateway.address(4)}:2050"}
        # At these levels openNDS sends browsers to http:// whatever the port: nginx leads them to https:// there.
        driver = CarriedDriver(net, folder, "opennds_carried", options, scheme="http")
        try:
            driver.portal_back()
            driver.set_up()
            driver.box.start()
            yield driver
        finally:
            driver.close()

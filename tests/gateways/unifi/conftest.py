"""A portal with a UniFi controller: the contract's, for what the contract does not ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateways.contract.drivers.unifi import UnifiDriver, opened
from tests.gateways.unifi.recorded import Faults


@pytest.fixture(scope="module")
def hotspot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UnifiDriver]:
    with opened(tmp_path_factory.mktemp("unifi")) as driver:
        yield driver


@pytest.fixture
def spot(hotspot: UnifiDriver) -> Iterator[UnifiDriver]:
    """The same, whole again after each test."""
    yield hotspot
    hotspot.box.faults, hotspot.box.meanwhile = Faults(), None
    hotspot.portal_back()

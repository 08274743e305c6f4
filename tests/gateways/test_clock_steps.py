"""A portal whose clock is set gives and takes nobody anything."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.gateways.hotspot import hotspot
from tests.gateways.traffic import reaches, udp_ping_pong

pytestmark = pytest.mark.netns
HOUR = 3600.0


@pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "forth"])
def test_a_portal_clock_that_is_set_moves_no_deadline(tmp_path: Path, step: float) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 4.0)
        granted = time.monotonic()
        spot.portal.wait_confirmed(17)
        with udp_ping_pong(spot.net, phone) as flow:
            spot.portal.offset += step
            # The whole truth is told anew: the same deadline, by a clock that says another hour.
            spot.portal.oldest = spot.portal.version + 1
            spot.portal.change({})
            spot.portal.wait_confirmed()
            spot.agent.wait_line("the portal's clock was set")
            assert reaches(spot.net, phone)
            time.sleep(granted + 6.0 - time.monotonic())
        assert 3.0 < flow.here.last - granted < 5.0


def test_a_grant_given_after_the_step_has_its_full_time(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.offset -= HOUR
        spot.portal.grant(18, phone, 3.0)
        granted = time.monotonic()
        spot.portal.wait_confirmed(18)
        with udp_ping_pong(spot.net, phone) as flow:
            time.sleep(granted + 5.0 - time.monotonic())
        assert 2.0 < flow.here.last - granted < 4.0

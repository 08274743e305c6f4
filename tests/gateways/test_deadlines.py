"""Every flow that is running ends with its lease, by the kernel's own clock, whoever is dead."""

from __future__ import annotations

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.gateways.hotspot import hotspot
from tests.gateways.traffic import Tap, tcp_pair, tcp_stream, udp_downpour, udp_ping_pong

pytestmark = pytest.mark.netns


@pytest.mark.parametrize("version", [4, 6])
def test_running_flows_stop_at_the_deadline_with_portal_and_agent_dead(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot, ExitStack() as stack:
        phone = spot.net.phone[0]
        both = [str(phone.address(4)), str(phone.address(6))]
        spot.portal.grant(17, phone, 4.0, addresses=both)
        granted = time.monotonic()
        spot.portal.wait_confirmed(17)
        tap = stack.enter_context(Tap(spot.net.internet, "gw0"))
        flows = [
            stack.enter_context(tcp_stream(spot.net, phone, up=False, version=version)),
            stack.enter_context(tcp_stream(spot.net, phone, up=True, version=version)),
            stack.enter_context(udp_ping_pong(spot.net, phone, version=version)),
            stack.enter_context(udp_downpour(spot.net, phone, version=version)),
            # What a tunnel looks like: large datagrams to a port of its own.
            stack.enter_context(udp_ping_pong(spot.net, phone, version=version, port=51820, size=1200)),
        ]
        near, far = stack.enter_context(tcp_pair(spot.net, phone, version=version))
        spot.portal.stop()
        spot.agent.kill()
        time.sleep(granted + 7.0 - time.monotonic())
        lasts = [max(flow.here.last, flow.there.last) - granted for flow in flows]
        assert all(3.0 < last < 6.0 for last in lasts), lasts
        assert not tap.sources("10.66.0.0/24", "fd66::/64", since=granted + 6.0)
        # The connection that was idle at the deadline carries nothing after it, either way.
        far.settimeout(0.5)
        near.send(b"late")
        with pytest.raises(TimeoutError):
            far.recv(10)


@pytest.mark.parametrize("version", [4, 6])
def test_an_end_by_staff_stops_running_flows_at_once(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path, phones=2) as spot, ExitStack() as stack:
        ada, bo = spot.net.phone
        for number, phone in ((17, ada), (18, bo)):
            spot.portal.grant(number, phone, 600, addresses=[str(phone.address(4)), str(phone.address(6))])
        spot.portal.wait_confirmed(18)
        tcp = stack.enter_context(tcp_stream(spot.net, ada, up=False, version=version))
        udp = stack.enter_context(udp_ping_pong(spot.net, ada, version=version))
        pour = stack.enter_context(udp_downpour(spot.net, ada, version=version))
        other = stack.enter_context(udp_ping_pong(spot.net, bo, version=version))
        time.sleep(0.5)
        spot.portal.end(17)
        ended = time.monotonic()
        spot.portal.wait_confirmed()
        assert set(spot.agent.leases()) == {18}
        time.sleep(2.0)
        assert tcp.here.count and udp.here.count and pour.here.count
        assert max(tcp.here.last, udp.here.last, udp.there.last, pour.here.last) - ended < 1.0
        assert time.monotonic() - other.here.last < 0.5

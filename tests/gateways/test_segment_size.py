"""Behind a narrow uplink (PPPoE) segments fit, though nobody hears the ICMP messages that would say so."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from tests.gateways.hotspot import Hotspot, hotspot
from tests.gateways.traffic import family, tcp_pair

pytestmark = pytest.mark.netns
TCP_MAXSEG = 2


def narrow(spot: Hotspot, bytes_: int) -> None:
    """The gateway's uplink carries less than both ends think, and no router says so: the far end hears no ICMP."""
    spot.net.gateway.ns.ip(f"link set wan0 mtu {bytes_}")
    # Segments that only a card would cut (GSO) pass a virtual one whole, whatever its MTU.
    spot.net.internet.ip("link set gw0 gso_max_segs 1")
    spot.net.internet.run(
        ["nft", "-f", "-"],
        input="""table inet deaf { chain in { type filter hook input priority 0;
            icmp type destination-unreachable drop
            icmpv6 type packet-too-big drop
        }
        }""",
    )


@pytest.mark.parametrize("version", [4, 6])
def test_a_download_is_whole_behind_a_narrow_uplink(tmp_path: Path, version: int) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        narrow(spot, 1492)
        spot.portal.grant(17, phone, 600, addresses=[str(phone.address(4)), str(phone.address(6))])
        spot.portal.wait_confirmed(17)
        with tcp_pair(spot.net, phone, version=version) as (near, far):
            headers = 40 if version == 4 else 60
            # Both have been told what fits, of which the timestamps of RFC 7323 take twelve bytes.
            for end in (near, far):
                assert end.getsockopt(socket.IPPROTO_TCP, TCP_MAXSEG) <= 1492 - headers - 12
            far.settimeout(10)
            near.settimeout(10)
            far.sendall(bytes(200_000))
            received = 0
            while received < 200_000:
                received += len(near.recv(65536))


def test_a_smaller_segment_of_the_phones_own_is_left_as_it_is(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        narrow(spot, 1492)
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        with spot.net.internet.socket() as listener, phone.ns.socket(family(4)) as near:
            listener.bind(("203.0.113.1", 0))
            listener.listen()
            near.setsockopt(socket.IPPROTO_TCP, TCP_MAXSEG, struct.pack("i", 700))
            near.settimeout(5)
            near.connect(listener.getsockname())
            far, _ = listener.accept()
            with far:
                assert far.getsockopt(socket.IPPROTO_TCP, TCP_MAXSEG) <= 700

"""Whether a granted packet comes out at the uplink: seen, not supposed, whatever somebody else did to the machine."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from gateways.nftables.proof import segment
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.traffic import Tap, reaches
from tests.services.parts import missing

pytestmark = pytest.mark.netns
# Once a second, so that no test waits for a minute.
OFTEN = "from gateways.nftables import proving; proving.EVERY_SECONDS = proving.AGAIN_SECONDS = 1.0"
DOCKER = "add table ip filter; add chain ip filter FORWARD {{ type filter hook forward priority {0}; policy drop; }}"
MARKS = (
    "add table inet mwan; add chain inet mwan marks {{ type filter hook {0}; }}; "
    "add rule inet mwan marks meta mark set meta mark or 0x10000"
)


def faults(report: dict[str, Any]) -> dict[str, str]:
    return {
        each["code"]: each["detail"] for each in report.get("faults", [{"code": "none yet", "detail": ""}])
    }


def granted(spot: Hotspot) -> None:
    spot.agent.start(prelude=OFTEN)
    ada = spot.net.phone[0]
    spot.portal.grant(17, ada, 600, addresses=[str(ada.address(4)), str(ada.address(6))])
    spot.portal.wait_confirmed(17)


@pytest.mark.parametrize("priority", [-10, 0, 10])
def test_other_rules_that_drop_what_they_do_not_know_are_told_and_named(
    tmp_path: Path, priority: int
) -> None:
    with hotspot(tmp_path, start=False) as spot:
        granted(spot)
        spot.portal.wait_report(lambda report: faults(report) == {})
        spot.agent.nft(DOCKER.format(priority))
        assert not reaches(spot.net, spot.net.phone[0], patience=0.3)
        spot.portal.wait_report(lambda report: faults(report) == {"blocked4": "ip filter FORWARD"})
        said = [line for line in spot.agent.lines if "does not come out at the uplink" in line]
        assert len(said) == 1 and "ip filter FORWARD" in said[0]
        spot.agent.nft("flush chain ip filter FORWARD; chain ip filter FORWARD { policy accept; }")
        spot.portal.wait_report(lambda report: faults(report) == {})
        assert reaches(spot.net, spot.net.phone[0])


@pytest.mark.parametrize("is_first", [True, False])
def test_marks_that_others_set_before_us_cost_nobody_the_internet(tmp_path: Path, is_first: bool) -> None:
    marks = MARKS.format("prerouting priority mangle")
    with hotspot(tmp_path, start=False) as spot:
        if is_first:
            spot.agent.nft(marks)
        granted(spot)
        if not is_first:
            spot.agent.nft(marks)
        spot.portal.wait_report(lambda report: faults(report) == {})
        assert reaches(spot.net, spot.net.phone[0])
        assert reaches(spot.net, spot.net.phone[0], version=6)


def test_marks_that_others_set_behind_us_are_told(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        granted(spot)
        spot.agent.nft(MARKS.format("forward priority mangle"))
        assert not reaches(spot.net, spot.net.phone[0], patience=0.3)
        answer = spot.portal.wait_report(lambda report: {"blocked4", "blocked6"} <= faults(report).keys())
        assert "inet mwan marks" in faults(answer)["blocked4"]


def test_a_rule_against_the_clients_interface_is_seen_in_its_family_alone(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        granted(spot)
        spot.agent.nft("add table ip6 fw; add chain ip6 fw raw { type filter hook prerouting priority raw; }")
        spot.agent.nft('add rule ip6 fw raw iifname "lan0" ip6 daddr 2000::/3 drop')
        spot.portal.wait_report(lambda report: faults(report) == {"blocked6": "ip6 fw raw"})


def test_nothing_of_the_proof_leaves_the_machine_or_is_counted_for_anybody(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot, Tap(spot.net.internet, "gw0") as out:
        granted(spot)
        for _ in range(3):
            answer = spot.portal.wait_report(lambda report: faults(report) == {})
        assert answer["refused"]["spoofed"] == 0 and answer["held"] == [17]
        assert not [packet for _, packet in out.packets if b"\xc6\x29\x00\x04" in packet[:40]]
        assert spot.agent.counter("proof_out4") > 0 and spot.agent.counter("proof_out6") > 0


def test_a_default_route_that_moves_to_an_uplink_of_the_settings_passes_and_any_other_is_told(
    tmp_path: Path,
) -> None:
    with hotspot(tmp_path, start=False, other_uplinks=["wan1"]) as spot:
        gateway, internet = spot.net.gateway.ns, spot.net.internet
        granted(spot)
        spot.portal.wait_report(lambda report: faults(report) == {})
        for name, host in (("wan1", 21), ("wan2", 22)):
            internet.ip(
                f"link add {name}p type veth peer name {name} netns {gateway.pid}",
                f"link set {name}p master core up",
            )
            gateway.ip(f"link set {name} up", f"addr add 203.0.113.{host}/32 dev {name}")
        gateway.ip("route replace 203.0.113.1/32 dev wan1", "route replace default via 203.0.113.1 dev wan1")
        internet.ip("route replace 10.66.0.0/24 via 203.0.113.21")
        assert reaches(spot.net, spot.net.phone[0])
        spot.portal.wait_report(lambda report: faults(report) == {})
        gateway.ip("route replace 203.0.113.1/32 dev wan2", "route replace default via 203.0.113.1 dev wan2")
        spot.portal.wait_report(lambda report: faults(report) == {"no_route4": "wan2"})
        gateway.ip("route del default", "route del 203.0.113.1/32")
        spot.portal.wait_report(lambda report: faults(report) == {"no_route4": "no route"})


def test_an_uplink_that_gets_the_clients_network_later_is_told(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        granted(spot)
        spot.net.gateway.ns.ip("addr add 10.66.0.77/16 dev wan0")
        answer = spot.portal.wait_report(lambda report: "same_network" in faults(report))
        assert "10.66.0.0/24 overlaps 10.66.0.0/16" in faults(answer)["same_network"]


def test_bridged_frames_that_pass_the_rules_are_told(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        gateway = spot.net.gateway.ns
        gateway.ip("link add br-lan type bridge", "link set br-lan up")
        spot.agent.settings["client_interface"] = "br-lan"
        switch = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")
        if not switch.exists():
            missing("this kernel has no br_netfilter")
        gateway.set_kernel(
            {"net/bridge/bridge-nf-call-iptables": "1", "net/bridge/bridge-nf-call-ip6tables": "0"}
        )
        spot.agent.start(prelude=OFTEN)
        spot.portal.wait_report(lambda report: faults(report).get("bridged") == "bridge-nf-call-iptables=1")
        gateway.set_kernel({"net/bridge/bridge-nf-call-iptables": "0"})
        spot.portal.wait_report(lambda report: "bridged" not in faults(report))


def test_where_the_proof_cannot_be_made_it_says_so_and_is_not_well(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        granted(spot)
        spot.portal.wait_report(lambda report: faults(report) == {})
        spot.net.gateway.ns.ip("link set lan0 down")
        spot.portal.wait_report(lambda report: faults(report) == {"unproved": "lan0 is down"})
        spot.net.gateway.ns.ip("link set lan0 up")
        spot.portal.wait_report(lambda report: "unproved" not in faults(report))


def test_a_table_that_is_removed_while_the_proof_is_made_ends_nothing(tmp_path: Path) -> None:
    without_end = "from gateways.nftables import proving; proving.EVERY_SECONDS = proving.AGAIN_SECONDS = 0.0"
    with hotspot(tmp_path, start=False) as spot:
        spot.agent.start(prelude=without_end)
        spot.portal.grant(17, spot.net.phone[0], 600)
        spot.portal.wait_confirmed(17)
        for _ in range(8):
            spot.agent.nft("delete", "table", "inet", "arobase")
            # While it is away, nft knows no set to list.
            until(lambda: "arobase" in spot.agent.nft("list", "tables") and spot.agent.leases().get(17))
        spot.portal.wait_report(lambda report: report["held"] == [17])
        assert spot.agent.process is not None and spot.agent.process.poll() is None


@pytest.mark.parametrize(
    ("source", "destination"), [("10.66.0.9", "198.41.0.4"), ("fd66::9", "2001:503:ba3e::2:30")]
)
def test_the_segment_has_right_checksums(source: str, destination: str) -> None:
    first, second = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    packet = segment(first, second)
    head, tcp = (packet[:20], packet[20:]) if first.version == 4 else (packet[:40], packet[40:])
    assert first.version == 6 or total(head) == 0xFFFF
    assert total(first.packed + second.packed + bytes([0, 6, 0, len(tcp)]) + tcp) == 0xFFFF


def total(data: bytes) -> int:
    """The one's complement sum of RFC 1071: all ones over a text with its right checksum."""
    found = sum(int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))
    while found > 0xFFFF:
        found = (found & 0xFFFF) + (found >> 16)
    return found

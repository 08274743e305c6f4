"""How the agent follows the feed: changes, gaps, bad elements, other gateways; and what it reports."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tests.gateways.hotspot import AgentProcess, hotspot, until
from tests.gateways.scripted_portal import ScriptedPortal
from tests.gateways.test_spoofing import readdress
from tests.gateways.traffic import Tap, reaches, tcp_pair, udp_downpour, udp_ping_pong
from tests.services.town import opened

pytestmark = pytest.mark.netns


def client(report: dict[str, Any], number: int) -> dict[str, Any]:
    return next((each for each in report["clients"] if each["number"] == number), {})


def test_a_grant_opens_and_is_confirmed_only_then(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        assert not reaches(spot.net, phone, patience=0.3)
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        assert 17 in spot.agent.leases()
        assert reaches(spot.net, phone)


@pytest.mark.parametrize(
    "written",
    ["02-00-00-00-00-01", "0200.0000.0001", "020000000001", "02:00:00:00:00:01", "02:00:00:00:00:01".upper()],
)
def test_a_mac_address_is_one_however_it_is_written(tmp_path: Path, written: str) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600, client=written)
        spot.portal.wait_confirmed(17)
        assert reaches(spot.net, phone)


def test_a_renewal_replaces_the_deadline_both_ways_and_keeps_flows(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 3)
        spot.portal.wait_confirmed(17)
        with udp_ping_pong(spot.net, phone) as flow:
            for seconds in (600, 60, 600, 6):
                spot.portal.grant(17, phone, seconds, down=1000 * seconds)
                spot.portal.wait_confirmed(17)
                assert until(lambda s=seconds: s - 3 <= spot.agent.leases().get(17, 0) <= s)
            lost_from = flow.here.count
            time.sleep(1)
            assert flow.here.count > lost_from + 20
        assert len(spot.agent.leases()) == 1


def test_a_bad_element_does_not_lose_the_others(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        rows: dict[int, dict[str, Any] | None] = {}
        for number, phone in ((17, ada), (18, bo)):
            spot.portal.grant(number, phone, 600)
            rows[number] = spot.portal.grants[number]
        spot.portal.wait_confirmed()
        spot.portal.end(17, 18)
        spot.portal.wait_confirmed()
        good = {**rows[17], "client": "02:00:00:00:00:09"} if rows[17] else {}
        bad: dict[int, dict[str, Any] | None] = {
            20: {**good, "number": 20, "client": "ff:ff:ff:ff:ff:ff"},
            21: {**good, "number": 21, "addresses": ["10.66.0.5; flush ruleset"]},
            22: {**good, "number": 22, "rate_up_kbps": -1},
            23: {**good, "number": 23, "until": "tomorrow"},
            2**32: {**good, "number": 2**32},
            24: {**good, "number": 24, "client": "02:00:00:00:00:0a $(reboot)"},
        }
        spot.portal.change({**rows, **bad})
        confirm = spot.portal.wait_confirmed(18)
        assert {each["number"] for each in confirm["refused"]} == set(bad)
        assert all(each["reason"] for each in confirm["refused"])
        assert set(spot.agent.leases()) == {17, 18}
        assert reaches(spot.net, ada) and reaches(spot.net, bo)


def test_an_element_that_the_kernel_refuses_is_found_alone(tmp_path: Path) -> None:
    # Another program's element is in the way of ours, and nobody has looked yet. The kernel refuses all of the
    # transaction; nft, which is asked for one half after the other, refuses a single element by whatever reason.
    unseen = """
from gateways.nftables.gateway import NftablesGateway
async def look_away(gateway): pass
NftablesGateway.check = look_away
"""
    refuse = 'if grep -q "1013 timeout" $0.$$; then echo no room >&2; exit 1; fi'
    refusing = f'if [ "$1" = -f ]; then cat >$0.$$; {refuse}; exec <$0.$$; fi'
    with hotspot(tmp_path, start=False) as spot:
        spot.agent.start(nft=refusing, prelude=unseen)
        spot.agent.nft("add element inet arobase cards { 02:00:00:00:10:07 : 999 }")
        phone = spot.net.phone[0]
        rows: dict[int, dict[str, Any] | None] = {}
        for number in range(1000, 1030):
            mac = f"02:00:00:00:10:{number - 1000:02x}"
            rows[number] = {
                **spot.portal.grant(number, phone, 600),
                "client": mac,
                "addresses": [f"10.66.0.{number - 900}"],
            }
            spot.portal.end(number)
        spot.portal.change(rows)
        confirm = spot.portal.wait_confirmed(1029)
        assert [each["number"] for each in confirm["refused"] if "no room" in each["reason"]][-1:] == [1013]
        assert set(spot.agent.leases()) == set(range(1000, 1030)) - {1013}
        assert not any(1013 in each["applied"] for each in spot.portal.confirms)


def test_what_comes_while_a_confirmation_is_under_way_is_told_by_the_next(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        portal = spot.portal
        portal.takes_confirms.clear()
        portal.grant(17, ada, 600)
        portal.grant(20, bo, 600, client="ff:ff:ff:ff:ff:ff")
        portal.wait(lambda: portal.confirms_at_the_door[-1]["refused"])
        # The feed is followed meanwhile, on a line of its own.
        portal.grant(21, bo, 600, client="nobody")
        portal.grant(18, bo, 600)
        portal.wait(lambda: portal.asked_since[-1] == portal.version)
        portal.takes_confirms.set()
        last = portal.wait_confirmed(18)
        assert {each["number"] for each in last["refused"]} == {21}
        assert last["applied"] == [18]


def test_nothing_is_confirmed_that_the_kernel_has_not_taken(tmp_path: Path) -> None:
    """nft can neither write nor read: the kernel's state is unknown, and the same change is asked for again."""
    broken = tmp_path / "broken"
    with hotspot(tmp_path, start=False) as spot:
        spot.agent.start(nft=f"test -e {broken} && {{ echo 'out of memory' >&2; exit 1; }}")
        spot.portal.wait_confirmed()
        before = spot.portal.version
        broken.touch()
        spot.portal.grant(17, spot.net.phone[0], 600)
        for _ in range(2):
            asked = len(spot.portal.asked_since)
            spot.portal.wait(lambda asked=asked: before in spot.portal.asked_since[asked:])
        spot.agent.wait_line("a change of the feed could not be applied")
        assert spot.portal.confirms[-1]["version"] == before
        assert not any(17 in each["applied"] for each in spot.portal.confirms)
        broken.unlink()
        spot.portal.wait_confirmed(17)
        assert reaches(spot.net, spot.net.phone[0])


def test_after_a_gap_the_whole_truth_is_taken(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        for seconds in (500, 600):
            spot.portal.grant(17, ada, seconds)
        spot.portal.wait_confirmed(17)
        spot.portal.stop()
        # A restored database: 17 was never there, 18 is, and the versions begin again.
        del spot.portal.grants[17], spot.portal._changed[17]
        spot.portal.version = 1
        spot.portal.grant(18, bo, 600)
        spot.portal.start()
        spot.portal.wait_confirmed(18)
        assert set(spot.agent.leases()) == {18}
        assert reaches(spot.net, bo) and not reaches(spot.net, ada, patience=0.3)
        spot.portal.grant(19, ada, 600)
        spot.portal.wait_confirmed(19)
        assert until(lambda: spot.portal.asked_since[-1] == spot.portal.version)


def test_a_portal_that_was_away_is_followed_again_within_seconds(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        spot.portal.stop()
        spot.agent.wait_line("the portal is away")
        assert reaches(spot.net, phone)
        spot.portal.grants.clear()
        spot.portal.end(17)
        spot.portal.start()
        spot.portal.wait_confirmed(seconds=8)
        assert not reaches(spot.net, phone, patience=0.3)


def test_a_wrong_credential_gets_nothing_and_changes_nothing(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        spot.agent.stop()
        (tmp_path / "credential").write_text("a-credential-of-somebody-else")
        spot.agent.start()
        spot.agent.wait_line("the portal answered 401")
        until(lambda: spot.portal.strangers)
        assert reaches(spot.net, phone)


def test_an_end_at_one_gateway_leaves_the_same_address_at_another(tmp_path: Path) -> None:
    # Two sites with the same prefix, and a phone at each with the same address.
    with opened(phones=2, gateways=2) as net:
        ada, bo = net.phone
        first, second = net.gateways
        bo.walk(second)
        portals = [ScriptedPortal(net.portal, port=8000 + number) for number in range(2)]
        agents = [
            AgentProcess(
                net,
                tmp_path / str(number),
                door=door,
                portal_url=f"http://{net.portal_address(4)}:{8000 + number}",
            )
            for number, door in enumerate((first, second))
        ]
        try:
            for agent, portal, phone in zip(agents, portals, (ada, bo), strict=True):
                agent.start()
                portal.grant(17, phone, 600)
                portal.wait_confirmed(17)
            portals[0].end(17)
            portals[0].wait_confirmed()
            assert not reaches(net, ada, patience=0.3) and reaches(net, bo)
            # A grant of one site is none at the other, whatever the phone brings.
            bo.walk(first)
            assert not reaches(net, bo, patience=0.3)
            portals[0].wait(lambda: bo.mac in str(portals[0].arrivals))
        finally:
            for agent in agents:
                agent.kill()
            for portal in portals:
                portal.stop()


@pytest.mark.parametrize(("version", "headers"), [(4, 28), (6, 48)])
def test_bytes_are_counted_to_the_last_before_the_deadline(
    tmp_path: Path, version: int, headers: int
) -> None:
    """`headers`: the bytes of IP and UDP around each datagram."""
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 3, addresses=[str(phone.address(4)), str(phone.address(6))])
        spot.portal.wait_confirmed(17)
        with udp_ping_pong(spot.net, phone, size=100, version=version) as flow:
            report = spot.portal.wait_report(lambda report: report["held"] == [] and client(report, 17))
        row = client(report, 17)
        counted = (row["packets_up"], row["bytes_up"])
        assert counted == (flow.there.count, flow.there.count * (100 + headers))
        assert row["packets_down"] == flow.here.count
        spot.portal.wait_report(lambda report: not client(report, 17))


def test_counters_and_sequence_go_on_over_renewal_and_restart(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        with udp_ping_pong(spot.net, phone):
            before = spot.portal.wait_report(lambda report: client(report, 17).get("packets_up", 0) > 10)
        spot.portal.grant(17, phone, 900, down=20_000)
        spot.portal.wait_confirmed(17)
        spot.agent.kill()
        spot.agent.start()
        after = spot.portal.wait_report(lambda report: client(report, 17))
        assert after["epoch"] == before["epoch"] and after["sequence"] > before["sequence"]
        assert client(after, 17)["packets_up"] >= client(before, 17)["packets_up"]
        sequences = [each["sequence"] for each in spot.portal.reports]
        assert sequences == sorted(set(sequences))
        spot.agent.nft("flush ruleset")
        anew = spot.portal.wait_report(lambda report: report["epoch"] != before["epoch"])
        assert anew["sequence"] == 1 and anew["held"] == [17]


def test_idle_time_grows_while_a_phone_says_nothing(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        spot.portal.wait_report(lambda report: client(report, 17).get("idle_seconds", 0) >= 2)
        with udp_ping_pong(spot.net, phone):
            spot.portal.wait_report(lambda report: client(report, 17).get("idle_seconds") == 0)
        with tcp_pair(spot.net, phone):
            pass
        spot.portal.wait_report(lambda report: client(report, 17).get("idle_seconds", 0) >= 1)


def test_a_rate_ceiling_holds_in_each_direction_and_0_is_none(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        # In kbit/s; the bucket holds a second and a quarter of a megabyte, so the rate is taken after it.
        spot.portal.grant(17, phone, 600, down=8_000, up=0)
        spot.portal.wait_confirmed(17)
        down, up = transfer(spot.net, phone, up=False), transfer(spot.net, phone, up=True)
        assert 4_000 < down < 8_800
        assert up > 50_000


def transfer(net: Any, phone: Any, *, up: bool) -> float:
    """The rate in kbit/s that a greedy TCP connection keeps, after two seconds to empty the bucket."""
    import threading

    with tcp_pair(net, phone) as (near, far):
        sender, receiver = (near, far) if up else (far, near)
        stopping = threading.Event()

        def send() -> None:
            sender.settimeout(0.5)
            while not stopping.is_set():
                try:
                    sender.send(bytes(65536))
                except OSError:
                    continue

        thread = threading.Thread(target=send, daemon=True)
        thread.start()
        receiver.settimeout(2)
        begun, size, since = time.monotonic(), 0, 0.0
        while (now := time.monotonic()) < begun + 5:
            got = len(receiver.recv(1 << 20))
            if now > begun + 2:
                since = since or now
                size += got
        stopping.set()
        thread.join()
    return size * 8 / 1000 / (time.monotonic() - since)


def test_a_walking_phones_dhcp_lease_is_its_address(tmp_path: Path) -> None:
    leases = tmp_path / "dnsmasq.leases"
    with hotspot(tmp_path, phones=2, dhcp_leases_file=str(leases)) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 600)
        spot.portal.grant(18, bo, 600)
        spot.portal.wait_confirmed(18)
        # The server gave Ada's address of before to Bo, and Ada another one.
        old, new = str(ada.address(4)), "10.66.0.77"
        leases.write_text(
            f"1700000000 {ada.mac} {new} ada *\n1700000000 {bo.mac} {old} bo *\nduid 00:01\nnonsense\n"
        )
        spot.portal.wait_report(lambda report: client(report, 17).get("addresses", [""])[0] == new)
        for phone, address in ((ada, new), (bo, old)):
            phone.ns.ip(
                f"addr flush dev {phone.interface}",
                f"addr add {address}/24 dev {phone.interface}",
                "route replace default via 10.66.0.1",
            )
        # The gateway's own neighbour table has to notice the exchange too.
        until(lambda: reaches(spot.net, ada) and reaches(spot.net, bo))
        ada.ns.ip(
            f"addr flush dev {ada.interface}",
            f"addr add {old}/24 dev {ada.interface}",
            "route replace default via 10.66.0.1",
        )
        assert not reaches(spot.net, ada, patience=0.3)


def test_what_was_meant_for_a_client_is_not_heard_by_the_next_owner_of_its_address(tmp_path: Path) -> None:
    leases = tmp_path / "dnsmasq.leases"
    with hotspot(tmp_path, phones=2, dhcp_leases_file=str(leases)) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 600)
        spot.portal.wait_confirmed(17)
        old, new = str(ada.address(4)), "10.66.0.77"
        with udp_downpour(spot.net, ada) as flow:
            until(lambda: flow.here.count > 3)
            leases.write_text(f"1 {ada.mac} {new} ada *\n1 {bo.mac} {old} bo *\n")
            spot.portal.wait_report(lambda report: client(report, 17).get("addresses", [""])[0] == new)
            for phone, address in ((ada, new), (bo, old)):
                phone.ns.ip(
                    f"addr flush dev {phone.interface}", f"addr add {address}/24 dev {phone.interface}"
                )
                phone.ns.ip("route replace default via 10.66.0.1")
            # The gateway knows that Bo is here now, and Ada's lease goes on; still Bo hears nothing of hers.
            ping = ["ping", "-c", "1", "-W", "1", "10.66.0.1"]
            until(lambda: bo.run(ping, check=False).returncode == 0, seconds=10)
            with Tap(bo.ns, bo.interface) as tap:
                time.sleep(0.5)
                assert not [each for each in tap.sources("203.0.113.0/24") if len(each) > 500]


def test_what_was_meant_for_a_client_is_not_heard_by_the_next_owner_of_its_ipv6_address(
    tmp_path: Path,
) -> None:
    """No DHCP server says who has it now: whoever answers for it."""
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        old = str(ada.address(6))
        spot.portal.grant(17, ada, 600, addresses=[str(ada.address(4)), old])
        spot.portal.wait_confirmed(17)
        gateway = spot.net.gateway.ns
        with udp_downpour(spot.net, ada, version=6) as flow:
            until(lambda: flow.here.count > 3)
            readdress(ada, 6, "fd66::99")
            readdress(bo, 6, old)

            def is_bos() -> bool:
                bo.run(["ping", "-6", "-c", "1", "-W", "1", "fd66::1"], check=False)
                return bo.mac in gateway.run(["ip", "-6", "neigh", "show", old, "dev", "lan0"]).stdout

            until(is_bos, seconds=10)
            with Tap(bo.ns, bo.interface) as tap:
                time.sleep(0.5)
                assert not [each for each in tap.sources("2001:db8:113::/64") if len(each) > 500]


def test_a_portal_that_hears_it_is_told_with_the_next_question_and_a_refusal_by_a_call(
    tmp_path: Path,
) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        portal = spot.portal
        portal.rest["hears_confirmed"] = True
        # It learns that with an answer; what it takes with that very one it may say with the next question.
        portal.grant(17, ada, 600)
        portal.wait(lambda: portal.heard == [portal.version])
        assert 17 in spot.agent.leases() and all(17 not in each["applied"] for each in portal.confirms)
        portal.grant(18, bo, 600, client="ff:ff:ff:ff:ff:ff")
        told = portal.wait(lambda: portal.confirms[-1]["refused"] and portal.confirms[-1])
        assert told["version"] == portal.version and portal.heard == [portal.version - 1]
        portal.grant(18, bo, 600)
        portal.wait(lambda: portal.heard[-1] == portal.version)
        assert 18 in spot.agent.leases()
        # The question that was waiting then said nothing of what was refused.
        assert portal.heard == [portal.version - 2, portal.version]


def test_a_portal_that_hears_it_no_more_is_told_by_a_call(tmp_path: Path) -> None:
    """An update was taken back: the question that confirmed was answered by a portal that does not know the word."""
    with hotspot(tmp_path) as spot:
        portal = spot.portal
        portal.rest["hears_confirmed"] = True
        portal.grant(17, spot.net.phone[0], 600)
        portal.wait(lambda: portal.heard == [portal.version])
        confirmed = portal.version
        del portal.rest["hears_confirmed"]
        portal.lose_patience()
        assert portal.wait_confirmed(17)["version"] == confirmed == portal.version

"""Reloads, kill -9, reboots, other people's nft. Nobody gets in, and nobody loses time."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateways.nftables.configuration import read
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.ruleset import reload
from lab.network import Phone, Town
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.traffic import Tap, outside, reaches, udp_ping_pong

pytestmark = pytest.mark.netns
FORWARDING = {"net/ipv4/ip_forward": "0", "net/ipv6/conf/all/forwarding": "0"}


class Probe:
    """Datagrams without pause, each with its number, and those that came back."""

    def __init__(self) -> None:
        self.sent, self.answered = 0, 0


@contextmanager
def probing(net: Town, phone: Phone, *, pause: float = 0.002) -> Iterator[Probe]:
    probe, stopping = Probe(), threading.Event()
    far = net.internet.socket(socket.AF_INET, socket.SOCK_DGRAM)
    near = phone.ns.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind((outside(net, 4), 0))
    # A new flow for each datagram would be the harder case for the table and the easier one for a leak.
    near.connect(far.getsockname())
    for each in (far, near):
        each.settimeout(0.05)

    def run(work: socket.socket, *, echo: bool) -> None:
        while not stopping.is_set():
            with contextlib.suppress(OSError):
                data, peer = work.recvfrom(100)
                if echo:
                    work.sendto(data, peer)
                else:
                    probe.answered += 1

    def send() -> None:
        while not stopping.wait(pause):
            with contextlib.suppress(OSError):
                near.send(b"probe")
                probe.sent += 1

    threads = [
        threading.Thread(target=run, args=(far,), kwargs={"echo": True}, daemon=True),
        threading.Thread(target=run, args=(near,), kwargs={"echo": False}, daemon=True),
        threading.Thread(target=send, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield probe
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
        far.close()
        near.close()


@contextmanager
def guarded(spot: Hotspot, *, seconds: float = 600) -> Iterator[tuple[Probe, Probe]]:
    """Ada is granted and Bo is a stranger; both probe. Afterwards Bo got nothing and Ada lost nothing."""
    ada, bo = spot.net.phone
    spot.portal.grant(17, ada, seconds, down=55_000, up=15_000)
    spot.portal.wait_confirmed(17)
    with (
        Tap(spot.net.internet, "gw0") as tap,
        probing(spot.net, bo) as strange,
        probing(spot.net, ada) as known,
    ):
        until(lambda: known.answered > 10)
        sent, answered = known.sent, known.answered
        yield known, strange
        sent, answered = known.sent - sent, known.answered - answered
        assert sent > 100 and strange.sent > 100
        # What was on its way at either moment is not lost.
        assert answered >= sent - 5, (sent, answered)
        assert tap.sources(str(bo.address(4))) == []
        assert strange.answered == 0


def test_two_hundred_reloads_leak_nothing_and_cost_nobody_anything(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot, guarded(spot) as (known, _):
        configuration = read(tmp_path / "agent.toml")
        rules = tmp_path / "reload.nft"
        rules.write_text(reload(configuration, [RateClass(55_000, 15_000)]))
        before = spot.agent.leases()[17]
        begun = time.monotonic()
        for _ in range(200):
            spot.agent.nft("-f", str(rules))
        spent = time.monotonic() - begun
        assert before - spot.agent.leases()[17] <= spent + 2
        assert known.answered


@pytest.mark.release
def test_fifty_kills_of_the_agent_leak_nothing_and_cost_nobody_anything(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot, guarded(spot):
        before, begun = spot.agent.leases()[17], time.monotonic()
        for turn in range(50):
            # Killed at another moment each time: while it starts, loads, follows, reports.
            spot.agent.kill()
            spot.agent.start(ready=False)
            time.sleep(0.01 * (turn % 25) + 0.15)
        until(lambda: "ready" in " ".join(spot.agent.lines), seconds=10)
        spent = time.monotonic() - begun
        assert -2 <= before - spent - spot.agent.leases()[17] <= 2


def test_a_kill_between_kernel_and_journal_is_made_good(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        phone = spot.net.phone[0]
        journal = (tmp_path / "state" / "journal.jsonl").read_bytes()
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        spot.agent.kill()
        # As if the last change had reached the kernel and not the disk, and a line had been torn.
        (tmp_path / "state" / "journal.jsonl").write_bytes(journal + b'{"answer":{"vers')
        spot.portal.confirms.clear()
        spot.agent.start()
        assert 17 in spot.agent.leases()
        spot.portal.wait_confirmed(17)


def test_a_stop_leaves_the_rules_in_place(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot, guarded(spot):
        assert spot.agent.stop() == 0
        spot.agent.wait_line("^ended$")
        assert [line for line in spot.agent.lines if "ERROR" in line or "Traceback" in line] == []
        time.sleep(0.3)
        assert spot.agent.leases()[17] > 590


def test_forwarding_is_off_until_the_rules_are_in(tmp_path: Path) -> None:
    with hotspot(tmp_path, start=False) as spot:
        gateway, phone = spot.net.gateway.ns, spot.net.phone[0]
        gateway.set_kernel(FORWARDING)
        assert not reaches(spot.net, phone, patience=0.3)
        # A table of another shape in our place must go in the same transaction that brings ours.
        spot.agent.nft(
            "add table inet arobase; add chain inet arobase odd; add set inet arobase clients4 { type mark; }"
        )
        # An agent that cannot load its rules must not open the way.
        spot.agent.start(ready=False, nft="echo 'Error: no memory' >&2; exit 1")
        assert spot.agent.wait_ended() == 1
        assert gateway.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout.strip() == "0"
        with Tap(spot.net.internet, "gw0") as tap, probing(spot.net, phone):
            spot.agent.start()
            time.sleep(0.3)
            assert tap.sources("10.66.0.0/24") == []
        for name in FORWARDING:
            assert gateway.run(["cat", f"/proc/sys/{name}"]).stdout.strip() == "1"


def test_rules_that_somebody_flushed_come_back_with_everybodys_time(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 60)
        spot.portal.wait_confirmed(17)
        spot.portal.stop()
        time.sleep(1.1)
        left = spot.agent.leases()[17]
        spot.agent.nft("flush ruleset")
        until(lambda: spot.agent.leases().get(17), seconds=3)
        assert abs(spot.agent.leases()[17] - left) <= 2
        assert reaches(spot.net, ada) and not reaches(spot.net, bo, patience=0.3)


def reboot(spot: Hotspot, tmp_path: Path, *, off: float) -> None:
    """Lose what a reboot loses: the agent, the table, the boot's identity, and `off` seconds."""
    spot.agent.kill()
    spot.agent.nft("flush ruleset")
    spot.net.gateway.ns.set_kernel(FORWARDING)
    journal = tmp_path / "state" / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        if line.get("stamp"):
            portal, _, boot, wall = line["stamp"]
            # The past moves back, which is the same as now moving on.
            line["stamp"] = [portal - off, "another-boot", boot, wall - off]
        for grant in line.get("answer", {}).get("grants", []) + line.get("memory", {}).get("grants", []):
            grant["until"] -= off
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))


def test_after_a_reboot_with_the_portal_away_the_journal_gives_the_remaining_time(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        # A machine that is up now was off for longer than it has been up, or its clock lies.
        off = time.clock_gettime(time.CLOCK_BOOTTIME) + 60
        spot.portal.grant(17, ada, off + 700)
        spot.portal.grant(18, bo, off - 20)
        spot.portal.wait_confirmed(18)
        spot.portal.stop()
        reboot(spot, tmp_path, off=off)
        spot.agent.start()
        leases = spot.agent.leases()
        assert set(leases) == {17} and 694 <= leases[17] <= 701
        assert reaches(spot.net, ada) and not reaches(spot.net, bo, patience=0.3)


@pytest.mark.parametrize("offset", [-3e8, 3e8])
def test_a_gateway_clock_that_is_years_wrong_costs_and_gives_nothing(tmp_path: Path, offset: float) -> None:
    with hotspot(tmp_path, offset=offset) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 3.0)
        granted = time.monotonic()
        spot.portal.wait_confirmed(17)
        with udp_ping_pong(spot.net, phone) as flow:
            time.sleep(granted + 5.0 - time.monotonic())
        assert 2.0 < flow.here.last - granted < 4.0
        spot.portal.wait_report(lambda report: abs(report["now"] - spot.portal.now()) < 2)


def test_a_second_agent_on_the_same_state_is_refused(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        first, spot.agent.process = spot.agent.process, None
        spot.agent.start(ready=False)
        spot.agent.wait_line("another agent")
        assert spot.agent.wait_ended() == 1
        spot.agent.process = first


@pytest.mark.parametrize("devices", ['"lan0"', '["eth7", "lan0"]'])
def test_it_refuses_to_start_when_a_flowtable_covers_the_clients(tmp_path: Path, devices: str) -> None:
    # Not every kernel that runs these tests was built with flowtables, so nft says what it would say with one.
    flowtable = (
        f'{{"family": "inet", "name": "f", "table": "fast", "hook": "ingress", "prio": 0, "dev": {devices}}}'
    )
    listing = f'{{"nftables": [{{"metainfo": {{}}}}, {{"flowtable": {flowtable}}}]}}'
    with hotspot(tmp_path, start=False) as spot:
        spot.net.gateway.ns.set_kernel(FORWARDING)
        spot.agent.start(ready=False, nft=f"[ \"$*\" = '-j list flowtables' ] && echo '{listing}' && exit")
        spot.agent.wait_line("flowtable covers lan0")
        assert spot.agent.wait_ended() == 1
        assert spot.net.gateway.ns.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout.strip() == "0"


@pytest.mark.parametrize(
    "lie", ["exit 1", "exit 0", "echo garbage", "echo '{\"nftables\": []}'", "echo '{}'"]
)
def test_a_lying_nft_cuts_nobody_off_and_lets_nobody_in(tmp_path: Path, lie: str) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        ada, bo = spot.net.phone
        spot.portal.grant(17, ada, 600)
        spot.portal.wait_confirmed(17)
        spot.agent.kill()
        # Loading works; whatever is read afterwards is a lie until the file is taken away.
        spot.agent.start(nft=f'case "$1" in -j) test -e {tmp_path}/lie && {{ {lie}; exit; }} ;; esac')
        (tmp_path / "lie").touch()
        spot.agent.wait_line("could not be read")
        spot.agent.nft("add element inet arobase limited { 99 }")
        spot.agent.wait_line("could not be checked")
        assert set(spot.agent.leases()) == {17}
        assert reaches(spot.net, ada) and not reaches(spot.net, bo, patience=0.3)
        (tmp_path / "lie").unlink()
        spot.portal.wait_report(lambda report: report["held"] == [17])
        assert len([line for line in spot.agent.lines if "ERROR the kernel could not be read" in line]) == 1

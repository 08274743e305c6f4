"""The DHCP server that ships beside the agent: an address that it gave to a card, nobody else can have or give back."""

from __future__ import annotations

import ipaddress
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from gateways.nftables.configuration import read
from gateways.nftables.dnsmasq import render
from gateways.types import IpAddress
from lab.dhcp import Lease, NoLease, acquire, join
from lab.network import Phone
from tests.gateways import frames
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_neighbour_spoofing import nothing_answers, permanent
from tests.gateways.test_spoofing import readdress
from tests.gateways.traffic import reaches, udp_ping_pong
from tests.services.parts import program

pytestmark = pytest.mark.netns
RELEASE, DECLINE, DISCOVER, ASK = 7, 4, 1, 3


@contextmanager
def served(tmp_path: Path, *, phones: int = 2) -> Iterator[tuple[Hotspot, Path]]:
    """A hotspot whose phones have no addresses yet, with dnsmasq as its file is made."""
    leases = tmp_path / "leases"
    with hotspot(tmp_path, phones=phones, dhcp_leases_file=str(leases)) as spot:
        for phone in spot.net.phone:
            phone.ns.ip(f"addr flush dev {phone.interface} scope global")
        file = tmp_path / "dnsmasq.conf"
        # The portal's name is an address in these tests: names are another's affair.
        file.write_text(render(read(tmp_path / "agent.toml")))
        command = [program("dnsmasq"), "--keep-in-foreground", f"--conf-file={file}", "--user=root"]
        process = spot.net.gateway.ns.popen([*command, "--log-facility=-"], stderr=subprocess.PIPE)
        assert process.stderr is not None
        next(line for line in process.stderr if b"started" in line)
        yield spot, leases


def online(spot: Hotspot, phone: Phone, number: int = 17) -> Lease:
    lease = join(phone)
    until(lambda: str(lease.address.ip) in permanent(spot))
    spot.portal.grant(number, phone, 600, addresses=[str(lease.address.ip)])
    spot.portal.wait_confirmed(number)
    until(lambda: reaches(spot.net, phone))
    return lease


def holder(leases: Path, address: IpAddress) -> str:
    lines = [line.split() for line in leases.read_text().splitlines()]
    return next((line[1] for line in lines if line[2] == str(address)), "")


def test_somebody_elses_client_identifier_moves_no_address(tmp_path: Path) -> None:
    with served(tmp_path) as (spot, leases):
        ada, thief = spot.net.phone
        # As phones send it: the type of the card and its address, in clear.
        mine = b"\x01" + frames.packed(ada.mac)
        taken = ada.call(partial(acquire, ada.interface, frames.packed(ada.mac), 5.0, identifier=mine))
        assert online(spot, ada).address == taken.address
        got = thief.call(partial(acquire, thief.interface, frames.packed(thief.mac), 5.0, identifier=mine))
        assert got.address != taken.address
        assert holder(leases, taken.address.ip) == ada.mac
        assert all(reaches(spot.net, ada) for _ in range(5))


def test_nobody_gives_back_or_declines_the_address_of_another(tmp_path: Path) -> None:
    with served(tmp_path) as (spot, leases):
        ada, thief = spot.net.phone
        address = online(spot, ada).address.ip
        own = join(thief).address.ip
        server = spot.net.gateway.address(4)
        before = spot.agent.counter("dhcp")
        forged = []
        for kind in (RELEASE, DECLINE):
            for source in ("0.0.0.0", str(own), str(address)):
                forge = partial(
                    frames.dhcp, kind, server=server, current=address, wanted=address, source=source
                )
                forged.append(forge(sender=thief.mac, client=ada.mac))
        forged.append(frames.dhcp(ASK, sender=thief.mac, client=ada.mac, server=server, wanted=address))
        frames.send(thief, *forged)
        # The two whose source is Ada's own address are stopped before they are read as DHCP.
        until(lambda: spot.agent.counter("dhcp") >= before + len(forged) - 2)
        with pytest.raises(NoLease):
            # The thief asks for it in its own name, which the server refuses.
            wish = frames.dhcp(ASK, sender=thief.mac, client=thief.mac, server=server, wanted=address)
            frames.send(thief, wish)
            thief.call(partial(acquire, thief.interface, frames.packed(ada.mac), 1.0))
        assert holder(leases, address) == ada.mac
        assert reaches(spot.net, ada)


def test_one_station_does_not_eat_the_pool_up(tmp_path: Path) -> None:
    with served(tmp_path) as (spot, leases):
        ada, thief = spot.net.phone
        server = spot.net.gateway.address(4)
        for number in range(60):
            made_up = f"06:00:00:00:00:{number:02x}"
            frames.send(thief, frames.dhcp(DISCOVER, sender=thief.mac, client=made_up, server=server))
        own = [frames.dhcp(ASK, sender=thief.mac, client=thief.mac, server=server)] * 60
        frames.send(thief, *own)
        until(lambda: spot.agent.counter("dhcp") >= 60 + 25)
        spot.agent.wait_line("asks for addresses in others' names")
        assert "06:00" not in leases.read_text()
        online(spot, ada)


def test_a_pool_that_runs_out_is_told(tmp_path: Path) -> None:
    leases = tmp_path / "leases"
    with hotspot(tmp_path, dhcp_leases_file=str(leases)) as spot:
        rows = [f"1 06:00:00:00:00:{number:02x} 10.66.0.{number + 10} * *\n" for number in range(225)]
        leases.write_text("".join(rows))
        spot.agent.wait_line("nearly all addresses.*225 of 245")
        spot.portal.wait_report(
            lambda report: {"code": "dhcp_pool", "detail": "225 of 245"} in report.get("faults", [])
        )
        leases.write_text("".join(rows[:100]))
        spot.portal.wait_report(lambda report: report.get("faults") == [])


def test_a_lease_of_another_card_does_not_take_an_address_from_who_is_online_there(tmp_path: Path) -> None:
    leases = tmp_path / "leases"
    with hotspot(tmp_path, phones=2, dhcp_leases_file=str(leases)) as spot:
        ada, bo = spot.net.phone
        address = str(ada.address(4))
        spot.portal.grant(17, ada, 600)
        spot.portal.wait_confirmed(17)
        with udp_ping_pong(spot.net, ada) as flow:
            until(lambda: flow.here.count > 3)
            # Ada's address was set by hand, and the server does not know that it is taken.
            leases.write_text(f"1700000000 {bo.mac} {address} bo *\n")
            readdress(bo, 4, address)
            begun = time.monotonic()
            while time.monotonic() < begun + 3:
                assert nothing_answers(spot, bo, 4)
            assert flow.here.last > time.monotonic() - 0.5
        # When she has left, it is Bo's as the server said.
        ada.ns.ip(f"link set {ada.interface} down")
        until(lambda: not nothing_answers(spot, bo, 4), seconds=10)
        assert bo.mac in permanent(spot)


def test_guests_who_play_router_or_dhcp_server_are_told_and_change_nothing(tmp_path: Path) -> None:
    with hotspot(tmp_path, phones=2) as spot:
        liar, gateway = spot.net.phone[1], spot.net.gateway
        own = gateway.address(6)
        card = frames.gateway_mac(liar, own)
        before = gateway.ns.run(["ip", "-6", "route"]).stdout
        link_local = ipaddress.ip_address("fe80::ff:fe00:2")
        frames.send(
            liar,
            frames.discovery(
                frames.ADVERTISES_ROUTER,
                sender=liar.mac,
                source=link_local,
                target=own,
                card=liar.mac,
                to="33:33:00:00:00:01",
                gateway=ipaddress.ip_address("ff02::1"),
            ),
            frames.dhcp_answer(sender=liar.mac, source="192.168.1.1"),
            frames.dhcp_answer(sender=liar.mac, source="10.66.0.1"),
        )
        spot.agent.wait_line("alert: a client gives addresses to others")
        spot.agent.wait_line("alert: a client says that it is the others' IPv6 router")
        assert liar.mac in spot.agent.nft("list", "set", "inet", "arobase", "impostors")
        assert gateway.ns.run(["ip", "-6", "route"]).stdout == before
        assert card != liar.mac

"""What a client's packets lose to the rules, with ever more leases in the set, against plain routing."""

from __future__ import annotations

import ipaddress
import json
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateways.nftables.configuration import Configuration
from gateways.nftables.elements import ActualState, DesiredClient, LeaseElement, plan
from gateways.nftables.enforcement import boot_time
from gateways.nftables.rate_classes import RateClass
from gateways.nftables.ruleset import create
from gateways.nftables.table_layout import TABLE
from gateways.nftables.transactions import script
from gateways.types import IpAddress, MacAddress
from lab.bench.figures import Figure
from lab.bench.load import SpoiltRun, demand
from lab.namespace import demand_namespaces
from lab.network import Town, town

STREAMS = 8
NO_CEILING = RateClass(0, 0)
LEASE_SECONDS = 3600
NONE = f"add table {TABLE}\ndelete table {TABLE}\n"
TRACKING = f"""table {TABLE} {{
  chain forward {{ type filter hook forward priority filter; ct state invalid drop; }}
  chain postrouting {{ type nat hook postrouting priority srcnat; }}
}}
"""


def measure(folder: Path, *, sizes: Sequence[int], pairs: int, seconds: int) -> Iterator[Figure]:
    """Downloads with our table, with none, and with one that has connections tracked and no more, turn by turn; the
    figures are the medians of the ratios of neighbours."""
    demand("iperf3")
    demand_namespaces()
    with town() as net, _server(net):
        _download(net, seconds=1)
        for size in sizes:
            rules = {"plain": NONE, "tracked": NONE + TRACKING, "ours": _rules(net, folder, size)}
            rates = _compare(net, rules, pairs, seconds)
            yield Figure(
                f"forwarding, {size:,} leases",
                _ratio(rates, "ours", "plain"),
                "",
                "at least 0.95 of plain, flat",
            )
            yield Figure(
                f"forwarding, {size:,} leases, of tracking alone", _ratio(rates, "ours", "tracked"), ""
            )
        yield Figure("connection tracking alone, of plain", _ratio(rates, "tracked", "plain"), "")
        yield Figure("plain routing, eight streams", statistics.median(rates["plain"]) / 1e9, "Gbit/s")


def _compare(net: Town, rules: dict[str, str], rounds: int, seconds: int) -> dict[str, list[float]]:
    rates = {name: list[float]() for name in rules}
    for number in range(rounds):
        # Whoever comes later profits or suffers: so each comes at each place as often as the others.
        turn = number % len(rules)
        for name in [*rules][turn:] + [*rules][:turn]:
            _nft(net, rules[name])
            rates[name].append(_download(net, seconds=seconds))
    _nft(net, NONE)
    return rates


def _ratio(rates: dict[str, list[float]], one: str, other: str) -> float:
    return statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True))


def _rules(net: Town, folder: Path, size: int) -> str:
    """The agent's own rules, with `size` leases of which one is the phone's."""
    phone = net.phone[0]
    held, at = ActualState(classes={NO_CEILING}), boot_time()
    own = _pass(1, phone.mac, phone.address(4), at)
    others = [_other(number, at) for number in range(2, size + 1)]
    wanted = {each.number: each for each in (own, *others)}
    leases = script(plan(wanted, held, list(wanted), now=at), now=at)
    return create(_configuration(net, folder), [NO_CEILING], epoch="0") + leases


def _other(number: int, at: float) -> DesiredClient:
    octets = number.to_bytes(3, "big")
    mac = MacAddress(f"02:cc:00:{octets[0]:02x}:{octets[1]:02x}:{octets[2]:02x}")
    return _pass(number, mac, ipaddress.IPv4Address(0x0A430000 + number), at)


def _pass(number: int, mac: MacAddress, address: IpAddress, at: float) -> DesiredClient:
    return DesiredClient(number, ((mac, address),), LeaseElement(NO_CEILING, at + LEASE_SECONDS))


def _configuration(net: Town, folder: Path) -> Configuration:
    door = net.gateway
    return Configuration(
        portal_url=f"http://{net.portal_address(4)}:8000",
        gateway="bench",
        credential="a-credential-of-the-bench-0001",
        client_interface=door.clients,
        uplink_interface=door.uplink,
        client_prefixes=(ipaddress.ip_network("10.64.0.0/10"),),
        portal_addresses=(net.portal_address(4),),
        state_directory=folder,
        masquerade=False,
    )


def _nft(net: Town, text: str) -> None:
    net.gateway.ns.run(["nft", "-f", "-"], input=text)


@contextmanager
def _server(net: Town) -> Iterator[None]:
    address, quiet = str(net.internet_address(4)), subprocess.DEVNULL
    process = net.internet.popen(["iperf3", "--server", "--bind", address], stdout=quiet, stderr=quiet)
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def _download(net: Town, *, seconds: int) -> float:
    """Bits a second that the phone gets over all its streams."""
    address = str(net.internet_address(4))
    command = ["iperf3", "--client", address, "--reverse", "--parallel", str(STREAMS), "--json"]
    for _ in range(50):
        done = net.phone[0].run([*command, "--time", str(seconds)], check=False)
        result = json.loads(done.stdout or "{}")
        received = result.get("end", {}).get("sum_received")
        if received:
            return float(received["bits_per_second"])
        # The server has just begun, or is still at the last run.
        time.sleep(0.1)
    raise SpoiltRun(f"iperf3: {result.get('error', 'it said nothing')}")

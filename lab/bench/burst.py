"""Ten thousand changes in one answer of the feed, and what an agent weighs that holds them."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateways.nftables import kernel
from gateways.nftables.batches import Batches, prepare
from gateways.nftables.client_addresses import read_address
from gateways.nftables.elements import ActualState, DesiredClient, LeaseElement, note, plan
from gateways.nftables.enforcement import AT_ONCE, boot_time
from gateways.nftables.rate_classes import RateClass, class_declarations
from gateways.nftables.table_layout import DECLARATIONS, TABLE
from gateways.nftables.transactions import statements
from gateways.types import parse_mac
from lab.bench.figures import Figure, percentile
from lab.bench.leases import KernelWatch
from lab.bench.load import SpoiltRun
from lab.bench.memory import peak_bytes, resident_bytes
from lab.bench.prepared_feed import PreparedFeed
from lab.bench.processor import seconds_of
from lab.network import Town, town
from tests.gateways.hotspot import AgentProcess

CHANGES = 10_000
DOWN_KBPS, UP_KBPS, LEASE_SECONDS = 55_000, 15_000, 7200
# Everybody has an address of the gateway's own, as on a real one: four sets change for each lease.
CLIENTS = "10.96.0.0/16"
MEGABYTE = 1e6
SETTLING_SECONDS = 3.0
# The kernel alone is measured so often before the agent, and again after it.
BARE_ROUNDS = 3


def measure(folder: Path, *, rounds: int) -> Iterator[Figure]:
    """The agent as it is run, behind a portal whose answers lie ready: only the agent's and nft's time counts."""
    with town() as net:
        feed = PreparedFeed(net.portal)
        agent = AgentProcess(
            net,
            folder,
            portal_url=f"http://{net.portal_address(4)}:{feed.port}",
            report_seconds=10.0,
            client_prefixes=[CLIENTS],
        )
        # Without an agent: while one listens, in whatever namespace, the kernel makes a message of each element.
        alone = [net.gateway.ns.call(_by_the_kernel_alone) for _ in range(BARE_ROUNDS)]
        figures = []
        try:
            agent.start()
            feed.await_question(1)
            assert agent.process is not None
            for figure in (*_changes(net, feed, rounds, agent.process.pid), *_weights(agent)):
                figures.append(figure)
                yield figure
        finally:
            agent.kill()
            feed.close()
        net.gateway.ns.run(["nft", "delete", "table", *TABLE.split()])
        alone += [net.gateway.ns.call(_by_the_kernel_alone) for _ in range(BARE_ROUNDS)]
        yield from _beside_the_kernel(figures, alone)


def _changes(net: Town, feed: PreparedFeed, rounds: int, agent: int) -> Iterator[Figure]:
    watch = KernelWatch(net.gateway.ns)
    # The rate is known from then on: making its rules is a transaction of its own, which comes first.
    for version, leases, ends in ((2, 1, 0), (3, 0, 1)):
        feed.answer(_answer(version=version, leases=leases, ends=ends))
        feed.await_question(version)
    taken: dict[str, list[float]] = {"new": [], "ended": []}
    used: dict[str, list[float]] = {"new": [], "ended": []}
    for number in range(2 * rounds + 1):
        what = "ended" if number % 2 else "new"
        many = {"new": (CHANGES, 0), "ended": (0, CHANGES)}[what]
        # New clients come in pieces: the last of them counts.
        pieces = math.ceil(CHANGES / AT_ONCE) if what == "new" else 1
        body = _answer(version=4 + number, leases=many[0], ends=many[1])
        seen, before = watch.latest(), seconds_of(agent)
        feed.answer(body)
        taken[what].append(watch.wait_for_change(seen, changes=pieces))
        used[what].append(seconds_of(agent) - before)
        feed.await_question(4 + number)
        if watch.latest() != seen + pieces:
            raise SpoiltRun("the agent wrote more than it was waited for")
        _check(net, 0 if what == "ended" else CHANGES)
    for what, each in taken.items():
        name = f"10,000 leases with addresses at once, {what}"
        yield Figure(name, percentile(each, 50) * 1000, "ms", "under 100", "one set by nft -f alone: 27 ms")
        yield Figure(f"{name}, processor time", percentile(used[what], 50) * 1000, "ms")


def _beside_the_kernel(whole: list[Figure], alone: list[dict[str, float]]) -> Iterator[Figure]:
    for what in ("new", "ended"):
        name = f"10,000 leases with addresses at once, {what}"
        bare = percentile([each[what] for each in alone], 50) * 1000
        yield Figure(f"bare kernel, {name}", bare, "ms")
        taken = next(figure.value for figure in whole if figure.name == name)
        yield Figure(f"{name}, in times of the bare kernel", taken / bare, "")


def _by_the_kernel_alone() -> dict[str, float]:
    """Seconds that the kernel takes for the same elements in the same sets, with messages made beforehand."""
    rates, ends = RateClass(DOWN_KBPS, UP_KBPS), boot_time() + LEASE_SECONDS
    held, batches = ActualState(classes={rates}), Batches()
    kernel.run(f"table {TABLE} {{\n{DECLARATIONS}{class_declarations(rates)}}}\n")
    wanted = {}
    for number in range(1, CHANGES + 1):
        mac, address = parse_mac(_mac(number)), read_address(_address(number))
        wanted[number] = DesiredClient(number, ((mac, address),), LeaseElement(rates, ends), card=mac)
    taken = {}
    try:
        for what, wishes in (("new", wanted), ("ended", {})):
            changes = plan(wishes, held, wanted, now=boot_time())
            parts = prepare(statements(changes, now=boot_time()) or ())
            note(changes, held)
            started = time.perf_counter()
            batches.carry_out(parts)
            taken[what] = time.perf_counter() - started
    finally:
        batches.close()
        kernel.run(f"delete table {TABLE}")
    return taken


def _weights(agent: AgentProcess) -> Iterator[Figure]:
    assert agent.process is not None
    # A report lists everybody: what that takes is part of the agent's weight.
    time.sleep(SETTLING_SECONDS)
    for name, read in (("RSS", resident_bytes), ("RSS, highest", peak_bytes)):
        weight = read(agent.process.pid) / MEGABYTE
        yield Figure(f"memory of the agent, 10,000 leases with addresses ({name})", weight, "MB", "under 60")


def _answer(*, version: int, leases: int, ends: int) -> dict[str, Any]:
    at = time.time()
    return {
        "version": version,
        "full": False,
        "now": at,
        "grants": [_row(number, at + LEASE_SECONDS) for number in range(1, leases + 1)],
        "ends": list(range(1, ends + 1)),
    }


def _row(number: int, until: float) -> dict[str, Any]:
    return {
        "number": number,
        "client": _mac(number),
        "addresses": [_address(number)],
        "until": until,
        "rate_down_kbps": DOWN_KBPS,
        "rate_up_kbps": UP_KBPS,
    }


def _mac(number: int) -> str:
    return f"02:bb:00:00:{number >> 8:02x}:{number & 255:02x}"


def _address(number: int) -> str:
    return f"10.96.{number >> 8}.{number & 255}"


def _check(net: Town, wanted: int) -> None:
    for kind, name in (("set", RateClass(DOWN_KBPS, UP_KBPS).lease_set), ("map", "clients4")):
        listed = net.gateway.ns.run(["nft", "-j", "list", kind, *TABLE.split(), name]).stdout
        found = sum(
            len(each[kind].get("elem", ())) for each in json.loads(listed)["nftables"] if kind in each
        )
        if found != wanted:
            raise SpoiltRun(f"the kernel holds {found} of {wanted} in {name}")

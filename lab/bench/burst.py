"""Ten thousand changes in one answer of the feed, and what an agent weighs that holds them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gateways.nftables.table_layout import TABLE
from lab.bench.figures import Figure, percentile
from lab.bench.leases import KernelWatch
from lab.bench.load import SpoiltRun
from lab.bench.memory import peak_bytes, resident_bytes
from lab.bench.prepared_feed import PreparedFeed
from lab.bench.processor import seconds_of
from lab.network import Town, town
from tests.gateways.hotspot import AgentProcess

CHANGES = 10_000
# Everybody has an address of the gateway's own, as on a real one: four sets change for each lease.
CLIENTS = "10.96.0.0/16"
MEGABYTE = 1e6
SETTLING_SECONDS = 3.0


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
        try:
            agent.start()
            feed.await_question(1)
            assert agent.process is not None
            yield from _changes(net, feed, rounds, agent.process.pid)
            yield from _weights(agent)
        finally:
            agent.kill()
            feed.close()


def _changes(net: Town, feed: PreparedFeed, rounds: int, agent: int) -> Iterator[Figure]:
    watch = KernelWatch(net.gateway.ns)
    taken: dict[str, list[float]] = {"new": [], "ended": []}
    used: dict[str, list[float]] = {"new": [], "ended": []}
    for number in range(2 * rounds + 1):
        what = "ended" if number % 2 else "new"
        body = _answer(version=2 + number, ends=number % 2 == 1)
        seen, before = watch.latest(), seconds_of(agent)
        feed.answer(body)
        taken[what].append(watch.wait_for_change(seen))
        used[what].append(seconds_of(agent) - before)
        feed.await_question(2 + number)
        _check(net, 0 if what == "ended" else CHANGES)
    for what, each in taken.items():
        reference = "one set by nft -f alone: 27 ms"
        yield Figure(
            f"10,000 leases with addresses at once, {what}",
            percentile(each, 50) * 1000,
            "ms",
            "under 100",
            reference,
        )
        yield Figure(
            f"10,000 leases with addresses at once, {what}, processor time",
            percentile(used[what], 50) * 1000,
            "ms",
        )


def _weights(agent: AgentProcess) -> Iterator[Figure]:
    assert agent.process is not None
    # A report lists everybody: what that takes is part of the agent's weight.
    time.sleep(SETTLING_SECONDS)
    for name, read in (("RSS", resident_bytes), ("RSS, highest", peak_bytes)):
        weight = read(agent.process.pid) / MEGABYTE
        yield Figure(f"memory of the agent, 10,000 leases with addresses ({name})", weight, "MB", "under 60")


def _answer(*, version: int, ends: bool) -> dict[str, Any]:
    at = time.time()
    rows = [] if ends else [_row(number, at + 7200) for number in range(1, CHANGES + 1)]
    return {
        "version": version,
        "full": False,
        "now": at,
        "grants": rows,
        "ends": list(range(1, CHANGES + 1)) if ends else [],
    }


def _row(number: int, until: float) -> dict[str, Any]:
    return {
        "number": number,
        "client": f"02:bb:00:00:{number >> 8:02x}:{number & 255:02x}",
        "addresses": [f"10.96.{number >> 8}.{number & 255}"],
        "until": until,
        "rate_down_kbps": 55_000,
        "rate_up_kbps": 15_000,
    }


def _check(net: Town, wanted: int) -> None:
    for kind, name in (("set", "lease_d55000_u15000"), ("map", "clients4")):
        listed = net.gateway.ns.run(["nft", "-j", "list", kind, *TABLE.split(), name]).stdout
        found = sum(
            len(each[kind].get("elem", ())) for each in json.loads(listed)["nftables"] if kind in each
        )
        if found != wanted:
            raise SpoiltRun(f"the kernel holds {found} of {wanted} in {name}")

"""Tells the portal who came and what passed. No failure of the portal or the kernel ends it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging

from gateways.faults import FaultCode
from gateways.nftables import kernel
from gateways.nftables.accounting import Alert, Ledger, Reading
from gateways.nftables.elements import TOLERANCE_SECONDS
from gateways.nftables.enforcement import KERNEL_FAULTS, boot_time
from gateways.nftables.gateway import NftablesGateway
from gateways.nftables.portal import PortalClient, PortalUnreachable
from gateways.nftables.retrying import retry_until_answered
from gateways.types import MacAddress

# A client without a lease that is seen again is announced again, but not with every packet.
ARRIVAL_SECONDS = 10.0
# While the portal is away, the latest of those it has to be told of are kept; a call names so many at once.
MOST_WAITING, TOLD_AT_ONCE = 8192, 500
# An early report comes after so many times what the one before it took.
RESTS = 20
# Counters whose growth an operator should look at.
NAMED = "`nft list set inet arobase impostors` names its card"
ALERTS = {
    "dns": "a client without a lease asks more of DNS than any honest one (a tunnel?)",
    "dhcp": "a client asks for addresses in others' names, or without end",
    "dhcp_servers": f"a client gives addresses to others (a router plugged in the wrong way round?): {NAMED}",
    "routers": f"a client says that it is the others' IPv6 router: {NAMED}",
}
log = logging.getLogger(__name__)


class Reporter:
    """Tells the portal who came, and what passed."""

    def __init__(self, gateway: NftablesGateway, line: PortalClient) -> None:
        self._gateway, self._line = gateway, line
        self._line_lock = asyncio.Lock()
        self._is_first = True
        self._ledger = Ledger()
        self._alerts = {name: Alert() for name in ALERTS}
        # The clients to report, each with the number of its last change.
        self._arrived: dict[MacAddress, int] = {}
        self._news = itertools.count(1)
        # The last announced stands last.
        self._announced_at: dict[MacAddress, float] = {}
        self._has_arrived, self._is_due = asyncio.Event(), asyncio.Event()
        self._reported = asyncio.Condition()

    def arrive(self, mac: MacAddress, *, is_news: bool) -> None:
        """A client showed itself. The portal is told when that is news, or when it might grant something."""
        now = boot_time()
        if not is_news:
            lately = now - self._announced_at.get(mac, float("-inf")) < ARRIVAL_SECONDS
            if lately or self._gateway.holds(mac):
                return
        self._announced_at.pop(mac, None)
        self._announced_at[mac] = now
        self._forget_announced(now)
        self._arrived[mac] = next(self._news)
        if len(self._arrived) > MOST_WAITING:
            del self._arrived[next(iter(self._arrived))]
        self._has_arrived.set()

    def _forget_announced(self, now: float) -> None:
        while (oldest := next(iter(self._announced_at))) and now - self._announced_at[
            oldest
        ] > ARRIVAL_SECONDS:
            del self._announced_at[oldest]

    async def until_told(self, mac: MacAddress, seconds: float) -> None:
        """Wait until the portal knows of this client's arrival, but no longer than this."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._reported:
                await self._reported.wait_for(lambda: mac not in self._arrived)

    def due(self) -> None:
        """Report soon: somebody's access has ended."""
        self._is_due.set()

    async def tell_arrivals(self) -> None:
        while True:
            await self._has_arrived.wait()
            self._has_arrived.clear()
            await retry_until_answered("arrivals", self._tell_arrivals)

    async def _tell_arrivals(self) -> None:
        batch = dict(itertools.islice(self._arrived.items(), TOLD_AT_ONCE))
        clients = [client for mac in batch if (client := self._gateway.book.arrival(mac)).addresses]
        if clients:
            async with self._line_lock:
                await asyncio.to_thread(self._line.arrivals, clients)
        async with self._reported:
            for mac, news in batch.items():
                # What was news while the call was under way is told by the next one.
                if self._arrived.get(mac) == news:
                    del self._arrived[mac]
            self._reported.notify_all()
        if self._arrived:
            self._has_arrived.set()

    async def report(self) -> None:
        every = self._gateway.configuration.report_seconds
        while True:
            fault, began = None, boot_time()
            self._is_due.clear()
            try:
                await self._report()
            except PortalUnreachable as error:
                log.debug("a report was not taken: %s", error)
            except KERNEL_FAULTS as error:
                fault = str(error)
            self._gateway.troubles.note(
                FaultCode.UNREADABLE, fault, "the kernel could not be read for the report"
            )
            pause = rest(boot_time() - began, every=every)
            await asyncio.sleep(pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_due.wait(), every - pause)

    async def _report(self) -> None:
        gateway, memory = self._gateway, self._gateway.journal.memory
        reading = await gateway.in_kernel(self._read)
        for name, words in ALERTS.items():
            if self._alerts[name].grew(reading.refused.get(name, 0), reading.at):
                log.warning("alert: %s", words)
        epoch = gateway.enforcement.epoch
        stamp = gateway.known_time()
        sequence = next_sequence(memory.sequence, memory.epoch, epoch, portal_time=stamp.portal)
        if self._is_first:
            # The journal may be behind what the portal was told: it is on a disk that can be full.
            sequence = max(sequence, int(stamp.portal * 1000))
            self._is_first = False
        await gateway.in_journal(lambda: gateway.journal.report(epoch, sequence, stamp))
        report = {
            "epoch": epoch,
            "sequence": sequence,
            "now": stamp.portal,
            "held": sorted(reading.held),
            "refused": dict(reading.refused),
        }
        if gateway.troubles.is_whole:
            report["faults"] = gateway.troubles.rows()
        rows = self._ledger.rows(reading, gateway.addresses)
        async with self._line_lock:
            await asyncio.to_thread(self._line.report, report, rows)
        self._ledger.settle(reading)
        await self._forget(reading)

    def _read(self) -> Reading:
        up, down = kernel.read_counts()
        at = boot_time()
        leases = kernel.read_leases(self._gateway.enforcement.held.classes, now=at)
        return Reading(at, up, down, frozenset(leases), kernel.read_refusals())

    async def _forget(self, reading: Reading) -> None:
        """Let go of grants that are over and whose last bytes are settled."""
        now = self._gateway.now()
        over = [
            number
            for number, grant in self._gateway.journal.memory.grants.items()
            if grant.until + TOLERANCE_SECONDS < now and number not in reading.held
        ]
        counted = reading.up.keys() | reading.down.keys()
        settled = [number for number in over if number in self._ledger.settled or number not in counted]
        if settled:
            await self._gateway.forget(settled)
        await self._gateway.tidy()


def rest(took: float, *, every: float) -> float:
    """For how many seconds no end is worth a report after one that took so long.

    Where many leave, somebody's access ends at any moment, and a report tells of everybody: so that reports take both
    machines no more than a share of their time, those who have left wait for the next one a little.
    """
    return min(every, took * RESTS)


def next_sequence(last: int, last_epoch: str, epoch: str, *, portal_time: float) -> int:
    """The next report's number within an epoch: greater than any before it, even where the journal was lost.

    The kernel keeps its counters, and with them the epoch, when the journal goes: then the portal's time in
    milliseconds is further than any count of reports has come.
    """
    if epoch == last_epoch:
        return last + 1
    return 1 if last_epoch else max(1, int(portal_time * 1000))

"""What the agent does all day: endless loops, which no failure of the portal or the kernel ends."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from gateways.faults import FaultCode
from gateways.nftables import dnsmasq, kernel, neighbours
from gateways.nftables.accounting import Alert, Ledger, Reading
from gateways.nftables.addresses import parse_leases
from gateways.nftables.elements import TOLERANCE_SECONDS
from gateways.nftables.enforcement import OffloadedClients, boot_time
from gateways.nftables.feed import Answer, Refused
from gateways.nftables.gateway import Gateway
from gateways.nftables.portal import Line, PortalUnreachable
from gateways.types import Client, MacAddress

WAIT_SECONDS = 25.0
LONGEST_PAUSE_SECONDS = 5.0
WATCH_SECONDS = 0.5
# A client without a lease that is seen again is announced again, but not with every packet.
ARRIVAL_SECONDS = 10.0
# While the portal is away, the latest of those it has to be told of are kept; a call names so many at once.
MOST_WAITING, TOLD_AT_ONCE = 8192, 500
# Grants whose end the portal never heard of are forgotten after as long as their counters last.
FORGET_SECONDS = 86400.0
# Counters of ours whose growth somebody should look at.
NAMED = "`nft list set inet arobase impostors` names its card"
ALERTS = {
    "dns": "a client without a lease asks more of DNS than any honest one (a tunnel?)",
    "dhcp": "a client asks for addresses in others' names, or without end",
    "dhcp_servers": f"a client gives addresses to others (a router plugged in the wrong way round?): {NAMED}",
    "routers": f"a client says that it is the others' IPv6 router: {NAMED}",
}
# From here on, new phones may find no address.
POOL_NEARLY_EMPTY = 0.9
KERNEL_FAULTS = (kernel.UnknownState, kernel.KernelRefused, OffloadedClients)

log = logging.getLogger(__name__)


class Caller:
    """Repeats calls to the portal until it answers. Says once that it is away, once that it is back."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._failures = 0

    async def insist(self, call: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await call()
            except PortalUnreachable as error:
                if not self._failures:
                    log.warning("the portal is away: %s", error)
                self._failures += 1
                await asyncio.sleep(_pause(self._failures))
            else:
                if self._failures:
                    log.info("the portal is back: %s", self._name)
                self._failures = 0
                return


def _pause(failures: int) -> float:
    """Seconds until the next try: doubling, spread so that a town's gateways do not come back as one."""
    return min(LONGEST_PAUSE_SECONDS, 0.25 * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)


class Feeding:
    """Follows the feed, and confirms what the kernel has taken."""

    def __init__(self, gateway: Gateway, feed_line: Line, confirm_line: Line) -> None:
        self._gateway = gateway
        self._feed_line, self._confirm_line = feed_line, confirm_line
        self._version = gateway.journal.memory.version
        self._confirmed = asyncio.Event()
        self._applied: set[int] = set()
        self._refused: list[Refused] = []
        self._wait_seconds = 0.0

    async def follow(self) -> None:
        caller = Caller("feed")
        while True:
            await caller.insist(self._step)

    async def _step(self) -> None:
        since = self._gateway.journal.memory.version
        answer = await asyncio.to_thread(self._feed_line.feed, since, self._wait_seconds)
        # The first answer comes at once: the redirector cannot sign before it.
        self._wait_seconds = WAIT_SECONDS
        try:
            refused = await self._gateway.take(answer)
        except KERNEL_FAULTS as error:
            # Nothing is confirmed and nothing remembered: the same change is asked for again.
            log.error("a change of the feed could not be applied: %s", error)
            await asyncio.sleep(1.0)
            return
        for each in refused:
            log.error("grant %d was refused: %s", each.number, each.reason)
        if answer.full or answer.version != since:
            self._note(answer, refused)

    def _note(self, answer: Answer, refused: list[Refused]) -> None:
        bad = {each.number for each in refused}
        self._applied |= {grant.number for grant in answer.grants} - bad
        self._applied -= set(answer.ends)
        self._refused += refused
        self._version = answer.version
        self._confirmed.set()

    async def confirm(self) -> None:
        caller = Caller("confirm")
        while True:
            await self._confirmed.wait()
            self._confirmed.clear()
            await caller.insist(self._confirm)

    async def _confirm(self) -> None:
        version, applied, refused = self._version, set(self._applied), list(self._refused)
        await asyncio.to_thread(self._confirm_line.confirm, version, sorted(applied), refused)
        self._applied -= applied
        self._refused = self._refused[len(refused) :]


class Telling:
    """Tells the portal who came, and what passed."""

    def __init__(self, gateway: Gateway, line: Line) -> None:
        self._gateway, self._line = gateway, line
        self._line_lock = asyncio.Lock()
        self._is_first = True
        self._ledger = Ledger()
        self._alerts = {name: Alert() for name in ALERTS}
        # Who waits to be told of, each with the number of its last news.
        self._arrived: dict[MacAddress, int] = {}
        self._news = itertools.count(1)
        # The last announced stands last.
        self._announced_at: dict[MacAddress, float] = {}
        self._has_arrived, self._is_due = asyncio.Event(), asyncio.Event()
        self._told = asyncio.Condition()

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
            async with asyncio.timeout(seconds), self._told:
                await self._told.wait_for(lambda: mac not in self._arrived)

    def due(self) -> None:
        """Report soon: somebody's access has ended."""
        self._is_due.set()

    async def tell_arrivals(self) -> None:
        caller = Caller("arrivals")
        while True:
            await self._has_arrived.wait()
            self._has_arrived.clear()
            await caller.insist(self._tell_arrivals)

    async def _tell_arrivals(self) -> None:
        told = dict(itertools.islice(self._arrived.items(), TOLD_AT_ONCE))
        clients = [client for mac in told if (client := self._gateway.book.arrival(mac)).addresses]
        if clients:
            async with self._line_lock:
                await asyncio.to_thread(self._line.arrivals, clients)
        async with self._told:
            for mac, news in told.items():
                # What was news while the call was under way is told by the next one.
                if self._arrived.get(mac) == news:
                    del self._arrived[mac]
            self._told.notify_all()
        if self._arrived:
            self._has_arrived.set()

    async def report(self) -> None:
        while True:
            fault = None
            try:
                await self._report()
            except PortalUnreachable as error:
                log.debug("a report was not taken: %s", error)
            except KERNEL_FAULTS as error:
                fault = str(error)
            self._gateway.troubles.note(
                FaultCode.UNREADABLE, fault, "the kernel could not be read for the report"
            )
            try:
                await asyncio.wait_for(self._is_due.wait(), self._gateway.configuration.report_seconds)
            except TimeoutError:
                continue
            self._is_due.clear()

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


def next_sequence(last: int, last_epoch: str, epoch: str, *, portal_time: float) -> int:
    """The next report's number within an epoch: greater than any before it, even where the journal was lost.

    The kernel keeps its counters, and with them the epoch, when the journal goes: then the portal's time in
    milliseconds is further than any count of reports has come.
    """
    if epoch == last_epoch:
        return last + 1
    return 1 if last_epoch else max(1, int(portal_time * 1000))


class Watching:
    """Looks after what changes without the portal: neighbours, DHCP, deadlines, and other people's nft."""

    def __init__(self, gateway: Gateway, telling: Telling) -> None:
        self._gateway, self._telling = gateway, telling
        self._leases_seen: tuple[int, int] | None = None
        self._looked_at = gateway.now()
        self._news = asyncio.Event()

    async def follow_neighbours(self, take: Callable[[Client], Awaitable[None]]) -> None:
        interface = self._gateway.configuration.client_interface
        while True:
            try:
                async for client in neighbours.follow(interface, lost=self._gateway.neighbour_lost):
                    await take(client)
            except (OSError, *KERNEL_FAULTS) as error:
                log.warning("the neighbours of %s cannot be followed: %s", interface, error)
            await asyncio.sleep(1.0)

    async def watch(self) -> None:
        notices = self._gateway.enforcement.notices
        loop = asyncio.get_running_loop()
        loop.add_reader(notices.fileno(), self._hear)
        try:
            await self._watch()
        finally:
            loop.remove_reader(notices.fileno())

    def _hear(self) -> None:
        """nftables have changed: to be looked at now where it concerns us, and not at the next turn."""
        if self._gateway.enforcement.notices.read():
            self._news.set()

    async def _watch(self) -> None:
        while True:
            self._news.clear()
            fault = offloaded = None
            try:
                await self._gateway.check()
                await self._look_at_dhcp()
            except OffloadedClients as error:
                offloaded = str(error)
            except (OSError, *KERNEL_FAULTS) as error:
                fault = str(error)
            troubles = self._gateway.troubles
            troubles.note(
                FaultCode.OFFLOADED,
                offloaded,
                "a flowtable covers the clients: no deadline is kept for its packets",
            )
            troubles.note(FaultCode.UNCHECKED, fault, "the gateway could not be checked")
            self._gateway.look_at_disk()
            self._look_at_deadlines()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), WATCH_SECONDS)

    async def _look_at_dhcp(self) -> None:
        path = self._gateway.configuration.dhcp_leases_file
        if path is None:
            return
        seen = await asyncio.to_thread(_fingerprint, path)
        self._gateway.troubles.note(
            FaultCode.LEASES_FILE,
            None if seen or not self._leases_seen else str(path),
            "the DHCP server's lease file is gone",
        )
        # A file that was taken away takes nobody's address with it: what was read last holds until there is one again.
        if seen is None or seen == self._leases_seen:
            return
        try:
            text = await asyncio.to_thread(path.read_text, encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        macs = await self._gateway.take_leases(parse_leases(text))
        self._look_at_pool()
        self._leases_seen = seen
        for mac in macs:
            self._telling.arrive(mac, is_news=True)

    def _look_at_pool(self) -> None:
        used, size = len(self._gateway.book.leased), dnsmasq.pool_size(self._gateway.configuration)
        self._gateway.troubles.note(
            FaultCode.DHCP_POOL,
            f"{used} of {size}" if used >= POOL_NEARLY_EMPTY * size else None,
            "nearly all addresses of the DHCP server are given away",
        )

    def _look_at_deadlines(self) -> None:
        """When a deadline has passed since the last look, its last bytes are worth a report."""
        now = self._gateway.now()
        grants = self._gateway.journal.memory.grants.values()
        if any(self._looked_at < grant.until <= now for grant in grants):
            self._telling.due()
        self._looked_at = now


def _fingerprint(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size

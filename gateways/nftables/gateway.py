"""One gateway's state: what the portal granted, what the clients' addresses are, and the kernel that must fit
both.

The order that makes it safe to be killed anywhere: kernel, then journal, then the word to the portal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TypeVar

from gateways.faults import FaultCode
from gateways.nftables.addresses import AddressBook, DhcpLease
from gateways.nftables.clock import Moment, Stamp, portal_time, rebase
from gateways.nftables.configuration import Configuration
from gateways.nftables.elements import DesiredClient, LeaseElement, Pair
from gateways.nftables.enforcement import Enforcement, boot_time
from gateways.nftables.feed import FeedAnswer, RejectedGrant, fold
from gateways.nftables.journal import Journal
from gateways.nftables.radio import Radio
from gateways.nftables.rate_classes import rate_class
from gateways.nftables.reach import disjoint
from gateways.nftables.troubles import Troubles
from gateways.types import Grant, IpAddress, MacAddress, PortRange

T = TypeVar("T")
# A portal that is slow to answer is late by less than this; more is a clock that was set.
STEP_SECONDS = 2.0
log = logging.getLogger(__name__)


class NftablesGateway:
    """One gateway. Everything that touches the kernel runs under one lock, in a thread."""

    def __init__(self, configuration: Configuration, journal: Journal) -> None:
        self.configuration = configuration
        self.journal = journal
        self.enforcement = Enforcement(configuration)
        self.troubles = Troubles()
        self.book = AddressBook(configuration, self.holds)
        # Addresses that a grant or the DHCP server gives to one card while another holds them.
        self.contests: set[Pair] = set()
        stamp = journal.memory.stamp
        self.stamp = rebase(stamp, Moment.now()) if stamp else None
        # What the portal said last to sign landing tokens with.
        self.landing_key: bytes | None = None
        self.radio = Radio(
            configuration.radio_interfaces, configuration.state_directory, self.troubles, self.now
        )
        self._kernel_lock = asyncio.Lock()
        self._journal_lock = asyncio.Lock()
        # Between kernel and journal a change is half done: the two must not be compared then.
        self._change_lock = asyncio.Lock()
        self._macs: dict[MacAddress, int] = {}
        # When each grant ends on our own clock, and the portal's word that it was reckoned from.
        self._ends: dict[int, tuple[float, float]] = {}
        self._remap()

    def close(self) -> None:
        """Let go of what is open. Nothing changes for anybody."""
        self.enforcement.close()
        self.journal.close()

    async def in_kernel(self, work: Callable[[], T]) -> T:
        async with self._kernel_lock:
            return await asyncio.to_thread(work)

    async def in_journal(self, work: Callable[[], T]) -> T:
        async with self._journal_lock:
            return await asyncio.to_thread(work)

    def start(self) -> None:
        """Load the rules, and give back to the kernel what a reboot took from it.

        Leases that the kernel still has are not touched: a change may have reached it and not yet the
        journal.
        """
        self.look_at_disk()
        self.enforcement.load()
        for mac, address in self.enforcement.held.pairs:
            self.book.claim(mac, address, now=boot_time())
        self._claim(self.journal.memory.grants.values())
        wanted = self.wanted()
        self.enforcement.make_fit(wanted, wanted.keys() - self.enforcement.held.leases.keys())
        log.info("nftables rules loaded; %d clients may pass", len(self.enforcement.held.leases))

    def look_at_disk(self) -> None:
        """Say once that the journal cannot be written, and once that it can again."""
        self.troubles.note(
            FaultCode.DISK, self.journal.fault, "the journal cannot be written: serving from memory"
        )

    def now(self) -> float:
        """The portal's time; our own wall clock's until the portal has told it once."""
        moment = Moment.now()
        return portal_time(self.stamp, moment) if self.stamp else moment.wall

    def wanted(self) -> dict[int, DesiredClient]:
        return {number: self._pass(grant) for number, grant in self.journal.memory.grants.items()}

    def holds(self, mac: MacAddress) -> bool:
        """Whether this client has a grant whose time is not over."""
        grant = self.journal.memory.grants.get(self._macs.get(mac, 0))
        return grant is not None and grant.until > self.now()

    def addresses(self, number: int) -> tuple[IpAddress, ...]:
        """The addresses that this number may use now."""
        grant = self.journal.memory.grants.get(number)
        return self.book.addresses(grant.client.mac) if grant else ()

    def known_time(self) -> Stamp:
        """The portal's time at this moment, as a stamp for the journal."""
        moment = Moment.now()
        return rebase(self.stamp, moment) if self.stamp else Stamp(moment.wall, moment)

    def _pass(self, grant: Grant) -> DesiredClient:
        number, (mac, _), _, down, up, ports, destinations, resolver = grant
        pairs = tuple([(mac, address) for address in self.book.addresses(mac)])
        lease = LeaseElement(rate_class(down, up), self._end(grant))
        reach = None if destinations is None else disjoint(destinations)
        translated = None if ports is None else self._ports(ports)
        return DesiredClient(number, pairs, lease, translated, mac, reach, resolver)

    def _claim(self, grants: Iterable[Grant]) -> None:
        """The portal has seen these addresses with these cards, perhaps long ago."""
        self.contests.update(self.book.claim_all([each.client for each in grants], now=boot_time()))

    def _ports(self, ports: PortRange) -> PortRange:
        """The portal names the address that the Internet sees; behind another translation, ours is another."""
        own = self.configuration.translated_addresses
        return replace(ports, address=own.get(ports.address, ports.address))

    def _end(self, grant: Grant) -> float:
        """When this grant ends, on CLOCK_BOOTTIME: reckoned once, when the portal first says so.

        A portal whose clock is set back or forth says the same deadline as before, and gives and takes nobody
        anything by it.
        """
        known = self._ends.get(grant.number)
        if known is not None and known[0] == grant.until:
            return known[1]
        assert self.stamp is not None, "a grant came with the portal's time"
        ends = self.stamp.moment.boot + grant.until - self.stamp.portal
        self._ends[grant.number] = (grant.until, ends)
        return ends

    def _remap(self) -> None:
        grants = self.journal.memory.grants
        self._macs = {grant.client.mac: number for number, grant in grants.items()}
        self._ends = {number: end for number, end in self._ends.items() if number in grants}

    async def take(self, answer: FeedAnswer) -> list[RejectedGrant]:
        """Apply an answer of the feed: kernel first, journal second; confirming is the caller's third."""
        async with self._change_lock:
            return await self._take(answer)

    async def _take(self, answer: FeedAnswer) -> list[RejectedGrant]:
        before = self.journal.memory.grants
        self._notice_step(answer.now)
        self.stamp = Stamp(answer.now, Moment.now())
        self.landing_key = answer.landing_key
        self.radio.take(answer.radio)
        after = fold(before, answer)
        changed: Collection[int] = {
            number for number in before.keys() | after.keys() if before.get(number) is not after.get(number)
        } | set(answer.ends)
        self._claim(after[number] for number in changed if number in after)
        refused = await self.in_kernel(lambda: self._fit(after, changed, everybody=answer.full))
        if answer.full or changed or answer.version != self.journal.memory.version:
            await self.in_journal(lambda: self.journal.record(answer, self.known_time()))
            self._remap()
        return [*answer.refused, *refused]

    def _notice_step(self, portal_now: float) -> None:
        """Say so when the portal's clock was set: who reads its times must know."""
        step = portal_now - portal_time(self.stamp, Moment.now()) if self.stamp else 0.0
        if abs(step) > STEP_SECONDS:
            log.error("the portal's clock was set by %+.1f s; running access keeps its end", step)

    def _fit(
        self,
        grants: dict[int, Grant],
        numbers: Collection[int],
        *,
        everybody: bool,
        moved: Collection[IpAddress] = (),
    ) -> list[RejectedGrant]:
        if everybody:
            numbers = grants.keys() | self.enforcement.everybody()
        granted = [grants[number] for number in numbers if number in grants]
        admitted = self.enforcement.admit(granted, self._end, self.book.addresses)
        numbers = [number for number in numbers if number not in admitted]
        wanted = {number: self._pass(grants[number]) for number in numbers if number in grants}
        refused = self.enforcement.make_fit(wanted, numbers, self.book.lessee, moved)
        return [RejectedGrant(number, reason) for number, reason in refused.items()]

    async def refit(self, macs: Collection[MacAddress], *, moved: Collection[IpAddress] = ()) -> None:
        """These clients' addresses have changed, or these addresses' clients."""
        async with self._change_lock:
            numbers = {number for mac in macs if (number := self._macs.get(mac))}
            if numbers or moved:
                grants = self.journal.memory.grants
                await self.in_kernel(lambda: self._fit(grants, numbers, everybody=False, moved=moved))

    async def take_leases(self, leases: frozenset[DhcpLease]) -> set[MacAddress]:
        """Take the DHCP server's whole list. Gives the clients for whom something changed."""
        before = self.book.leased.keys() or self.enforcement.without_grant()
        macs, contests = self.book.lease(leases, now=boot_time())
        self.contests |= set(contests)
        moved = {each.address for each in leases if each.mac in macs} | (before - self.book.leased.keys())
        await self.refit(macs, moved=moved)
        return macs

    def neighbour_lost(self, address: IpAddress) -> None:
        """The kernel has dropped a neighbour: it may be one that should stay."""
        if address in self.enforcement.held.holders:
            self.enforcement.neighbours_lost = True

    async def check(self) -> None:
        """Repair what somebody else did to our table. Raises `kernel.UnknownState` when nobody can tell."""
        async with self._change_lock:
            await self.in_kernel(lambda: self.enforcement.check(self.wanted(), self.book.lessee))

    async def tidy(self) -> None:
        """Take out of the kernel what no grant needs any more."""
        async with self._change_lock:
            await self.in_kernel(self.enforcement.tidy)

    async def forget(self, numbers: list[int]) -> None:
        """Drop grants whose end is settled, with their addresses."""
        await self.in_journal(lambda: self.journal.forget(numbers))
        self._remap()
        await self.in_kernel(lambda: self._fit({}, numbers, everybody=False))

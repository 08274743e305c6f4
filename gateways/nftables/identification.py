"""Which card uses which address, as the gateway sees it from moment to moment: what is new becomes part of a grant, and
what is contested is decided by asking who had it first (FCFS SAVI, RFC 6620 section 3.2).
"""

from __future__ import annotations

import asyncio
import logging

from gateways.nftables import kernel, reachability
from gateways.nftables.addresses import Claim
from gateways.nftables.client_side import ClientSide
from gateways.nftables.dumps import PairDump
from gateways.nftables.elements import Pair
from gateways.nftables.enforcement import KERNEL_FAULTS, boot_time
from gateways.nftables.gateway import NftablesGateway
from gateways.nftables.reporter import Reporter
from gateways.types import Client, IpAddress, MacAddress

LOOK_SECONDS = 0.2
SEEN_SETS = ("fresh4", "fresh6", "contested4", "contested6")
# Who has answered for an address is not asked again at once, and no more are asked at a time than this.
SETTLED_SECONDS = 5.0
MOST_ASKED = 64
# The portal should know of an address' new holder before the new holder can ask it anything.
TOLD_SECONDS = 2.0
log = logging.getLogger(__name__)


class AddressMonitor:
    """Takes what the kernel has seen, and decides."""

    def __init__(self, gateway: NftablesGateway, reporter: Reporter) -> None:
        self._gateway, self._reporter = gateway, reporter
        self._asking: dict[IpAddress, asyncio.Task[None]] = {}
        # Until when the holder's last answer counts.
        self._settled: dict[IpAddress, float] = {}

    async def follow(self) -> None:
        """Read what the packets left in the kernel's sets, for ever. Raises OSError where there is no netlink."""
        dump, side = PairDump(), ClientSide(self._gateway.configuration.client_interface)
        try:
            while True:
                side.keep()
                await asyncio.sleep(LOOK_SECONDS)
                try:
                    seen = [pair for name in SEEN_SETS for pair in dump.read(name)]
                except kernel.UnknownState as error:
                    # Our table is away for a moment; `Monitor` says so.
                    log.debug("%s", error)
                    continue
                contests, self._gateway.contests = self._gateway.contests, set()
                try:
                    await self.take([*seen, *contests])
                except KERNEL_FAULTS as error:
                    log.error("a new client address could not be added: %s", error)
        finally:
            dump.close()

    async def neighbour(self, client: Client) -> None:
        """A neighbour appeared or changed."""
        news = await self.take([(client.mac, address) for address in client.addresses])
        if not news:
            self._reporter.arrive(client.mac, is_news=False)

    async def take(self, seen: list[Pair]) -> set[MacAddress]:
        """Cards were seen with addresses. Gives those for whom it was news."""
        news: set[MacAddress] = set()
        for mac, address in seen:
            claim = self._gateway.book.claim(mac, address, now=boot_time())
            if claim is Claim.NEWS:
                news.add(mac)
            elif claim is Claim.CONTESTED:
                self._contest(mac, address)
        if news:
            await self._gateway.refit(news)
            for mac in news:
                self._reporter.arrive(mac, is_news=True)
        return news

    def _contest(self, mac: MacAddress, address: IpAddress) -> None:
        now = boot_time()
        if (
            address in self._asking
            or len(self._asking) >= MOST_ASKED
            or now < self._settled.get(address, now)
        ):
            return
        self._asking[address] = asyncio.create_task(self._settle(mac, address))

    async def _settle(self, mac: MacAddress, address: IpAddress) -> None:
        try:
            holder = self._gateway.book.holders.get(address)
            if holder is not None and await self._stays(holder, address):
                self._settle_for_now(address)
                if self._gateway.book.leased.get(address) == mac:
                    log.warning("DHCP leased %s, which an online client uses and keeps", address)
            elif self._gateway.book.holders.get(address) == holder:
                await self._move(mac, address)
        except KERNEL_FAULTS as error:
            log.error("a client address could not be moved to another MAC: %s", error)
        finally:
            del self._asking[address]

    async def _stays(self, holder: MacAddress, address: IpAddress) -> bool:
        try:
            return await reachability.answers(self._gateway.configuration.client_interface, holder, address)
        except OSError as error:
            log.warning("neighbours cannot be probed: %s", error)
            return True

    def _settle_for_now(self, address: IpAddress) -> None:
        now = boot_time()
        self._settled = {each: until for each, until in self._settled.items() if until > now}
        self._settled[address] = now + SETTLED_SECONDS

    async def _move(self, mac: MacAddress, address: IpAddress) -> None:
        loser = self._gateway.book.move(mac, address, now=boot_time())
        self._reporter.arrive(mac, is_news=True)
        await self._reporter.until_told(mac, TOLD_SECONDS)
        await self._gateway.refit({mac, loser} if loser else {mac}, moved=[address])

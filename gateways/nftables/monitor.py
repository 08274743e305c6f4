"""Looks after what changes without the portal: neighbours, DHCP, deadlines, and other people's nft."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from gateways.faults import FaultCode
from gateways.nftables import dnsmasq, neighbours
from gateways.nftables.enforcement import KERNEL_FAULTS, OffloadedClients
from gateways.nftables.gateway import NftablesGateway
from gateways.nftables.lease_file import LeaseFile
from gateways.nftables.reporter import Reporter
from gateways.types import Client

WATCH_SECONDS = 0.5
# From here on, new phones may find no address.
POOL_NEARLY_EMPTY = 0.9
log = logging.getLogger(__name__)


class Monitor:
    """Looks after what changes without the portal: neighbours, DHCP, deadlines, and other people's nft."""

    def __init__(self, gateway: NftablesGateway, reporter: Reporter) -> None:
        self._gateway, self._reporter = gateway, reporter
        path = gateway.configuration.dhcp_leases_file
        self._lease_file = LeaseFile(path) if path is not None else None
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
        # At the agent's end the socket may be closed before this is.
        loop, number = asyncio.get_running_loop(), notices.fileno()
        loop.add_reader(number, self._hear)
        try:
            await self._watch()
        finally:
            loop.remove_reader(number)

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
        file = self._lease_file
        if file is None:
            return
        leases = await asyncio.to_thread(file.read)
        self._gateway.troubles.note(
            FaultCode.LEASES_FILE,
            str(self._gateway.configuration.dhcp_leases_file) if file.is_missing else None,
            "the DHCP server's lease file is gone",
        )
        if leases is None:
            return
        macs = await self._gateway.take_leases(leases)
        file.accept()
        self._look_at_pool()
        for mac in macs:
            self._reporter.arrive(mac, is_news=True)

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
            self._reporter.due()
        self._looked_at = now

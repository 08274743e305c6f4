"""Follows the portal's feed, and confirms what the kernel has taken. No failure of either ends it."""

from __future__ import annotations

import asyncio
import logging

from gateways.nftables.enforcement import KERNEL_FAULTS
from gateways.nftables.feed import FeedAnswer, RejectedGrant
from gateways.nftables.footprint import uncollected
from gateways.nftables.gateway import NftablesGateway
from gateways.nftables.portal import PortalClient
from gateways.nftables.retrying import retry_forever, retry_until_answered

WAIT_SECONDS = 25.0
log = logging.getLogger(__name__)


class FeedFollower:
    """Follows the feed, and confirms what the kernel has taken."""

    def __init__(self, gateway: NftablesGateway, feed_line: PortalClient, confirm_line: PortalClient) -> None:
        self._gateway = gateway
        self._feed_line, self._confirm_line = feed_line, confirm_line
        self._version = gateway.journal.memory.version
        self._confirmed = asyncio.Event()
        self._applied: set[int] = set()
        self._refused: list[RejectedGrant] = []
        self._wait_seconds = 0.0
        # What was applied is told with the next question, where the portal hears that and nothing was refused.
        self._hears, self._rides = False, False

    async def follow(self) -> None:
        await retry_forever("feed", self._step)

    async def _step(self) -> None:
        with uncollected():
            await self._follow_once()

    async def _follow_once(self) -> None:
        since = self._gateway.journal.memory.version
        answer = await asyncio.to_thread(
            self._feed_line.feed, since, self._wait_seconds, confirmed=self._rides
        )
        self._told(answer)
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

    def _note(self, answer: FeedAnswer, refused: list[RejectedGrant]) -> None:
        bad = {each.number for each in refused}
        self._applied |= {grant.number for grant in answer.grants} - bad
        self._applied -= set(answer.ends)
        self._refused += refused
        self._version = answer.version
        if self._hears and not self._refused:
            self._rides = True
        else:
            self._confirmed.set()

    def _told(self, answer: FeedAnswer) -> None:
        """The question was heard, and what it confirmed: but by a portal that has become an older one meanwhile."""
        self._hears = answer.hears_confirmed
        if self._rides and self._hears:
            self._applied.clear()
        elif self._rides:
            self._confirmed.set()
        self._rides = False

    async def confirm(self) -> None:
        while True:
            await self._confirmed.wait()
            self._confirmed.clear()
            await retry_until_answered("confirm", self._confirm)

    async def _confirm(self) -> None:
        version, applied, refused = self._version, set(self._applied), list(self._refused)
        await asyncio.to_thread(self._confirm_line.confirm, version, sorted(applied), refused)
        self._applied -= applied
        self._refused = self._refused[len(refused) :]

"""Calls to the portal, repeated until it answers."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from gateways.nftables.portal import PortalUnreachable

LONGEST_PAUSE_SECONDS = 5.0
log = logging.getLogger(__name__)


async def retry_until_answered(name: str, call: Callable[[], Awaitable[None]]) -> None:
    """Make this call until the portal answers. Logs once that it is away, and once that it is back."""
    failures = 0
    while True:
        try:
            await call()
        except PortalUnreachable as error:
            if not failures:
                log.warning("the portal is away: %s", error)
            failures += 1
            await asyncio.sleep(_pause(failures))
        else:
            if failures:
                log.info("the portal is back: %s", name)
            return


async def retry_forever(name: str, call: Callable[[], Awaitable[None]]) -> None:
    """Make this call again and again, each until the portal answers."""
    while True:
        await retry_until_answered(name, call)


def _pause(failures: int) -> float:
    """Seconds until the next try: doubling, spread so that a town's gateways do not come back as one."""
    return min(LONGEST_PAUSE_SECONDS, 0.25 * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)

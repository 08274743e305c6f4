"""Packets of RADIUS wait here while those before them are answered, and are then answered together, in one thread."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask

from portal.gateway_api import radius_together
from portal.gateway_api.radius_calls import LARGEST_BODY
from portal.gateway_api.radius_joins import SERVER as JOINS
from portal.gateway_api.radius_together import ACCOUNTING, AUTHORIZE, Call

# As many as FreeRADIUS has under way: by 64 a packet costs half of what it costs by 16. Guests, who write into the same
# database, would wait longer for more.
MOST_TOGETHER = 64
_Waiting = tuple[Call, "asyncio.Future[bytes | None]"]


class RadiusQueue:
    """Answers calls of one event loop, each after what it says is on the disk."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="radius")
        self._waiting: list[_Waiting] = []
        self._under_way: asyncio.Task[None] | None = None

    async def answer(self, call: Call) -> bytes | None:
        """The body of the answer; None where the application has to answer."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((call, future))
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._empty())
        answered: bytes | None = await future
        return answered

    async def _empty(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                # Whoever the loop has heard of by now comes along.
                await asyncio.sleep(0)
                batch, self._waiting = self._waiting[:MOST_TOGETHER], self._waiting[MOST_TOGETHER:]
                calls = [call for call, _ in batch]
                for (_, future), answer in zip(
                    batch, await loop.run_in_executor(self._thread, self._answer, calls), strict=True
                ):
                    if not future.done():
                        future.set_result(answer)
        finally:
            self._under_way = None

    def _answer(self, calls: Sequence[Call]) -> list[bytes | None]:
        try:
            with self._app.app_context():
                return radius_together.answer(calls)
        except Exception:
            self._app.logger.exception("packets of RADIUS could not be answered together")
            return [None] * len(calls)


def call_of(scope: dict[str, Any], body: bytes) -> Call | None:
    """A packet that may be answered with others; None for any other request."""
    path = scope["path"]
    if path not in (AUTHORIZE, ACCOUNTING) or scope["method"] != "POST" or scope["query_string"]:
        return None
    headers = dict(scope["headers"])
    if (
        not headers.get(b"content-type", b"").startswith(b"application/json")
        or headers.get(b"x-freeradius-server", b"").decode("latin-1") == JOINS
        or len(body) > LARGEST_BODY
    ):
        return None
    return Call(path, headers.get(b"authorization", b"").decode("latin-1"), body)

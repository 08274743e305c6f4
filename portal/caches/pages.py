"""One page for a crowd: rendered once, with holes where each client's own tokens go.

When a train arrives, a hundred phones ask within seconds for a page that differs in nothing but their tokens. It is
rendered with holes instead of anybody's tokens, so that nothing of one client can reach another.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from portal.caches import compressed

# Whatever a page depends on is in its key, the minute too: an old one is of no use to anybody.
KEPT_SECONDS = 30.0
MOST = 256
# Tokens differ by a few letters in length. A page is compressed for so many lengths of them.
MOST_LENGTHS = 32


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A word that stands in a page for a token. Like a token it needs no escaping in HTML or in an address."""

    name: str

    def __str__(self) -> str:
        return f"hole.{self.name}.hole"


_HOLE = re.compile(r"hole\.(\w+)\.hole")


def whole_minute(at: datetime | None) -> tuple[datetime, bool] | None:
    """What pages tell of an instant: its minute, and whether it is the very beginning of that (a midnight is)."""
    if at is None:
        return None
    begun = at.replace(second=0, microsecond=0)
    return begun, begun == at


@dataclass(frozen=True, slots=True)
class Filled:
    """A page for one client, in octets as they are sent."""

    octets: bytes
    is_compressed: bool = False


class Stencil:
    """A page with holes. It is compressed for tokens of the lengths that were asked for."""

    def __init__(self, page: str) -> None:
        parts = _HOLE.split(page)
        self._pieces = [part if number % 2 else part.encode() for number, part in enumerate(parts)]
        self._compressed: dict[tuple[int, ...], compressed.Pieces | None] = {}

    def fill(self, tokens: Mapping[Placeholder, str], *, is_compressed: bool) -> Filled:
        words = {hole.name: token.encode() for hole, token in tokens.items()}
        whole = compressed.joined(self._pieces, words)
        if not is_compressed:
            return Filled(whole)
        lengths = tuple(map(len, words.values()))
        if lengths not in self._compressed:
            if len(self._compressed) >= MOST_LENGTHS:
                self._compressed = {}
            self._compressed[lengths] = compressed.compress(
                self._pieces, dict(zip(words, lengths, strict=True))
            )
        pieces = self._compressed[lengths]
        return Filled(whole) if pieces is None else Filled(compressed.fill(pieces, words, whole), True)


@dataclass(slots=True)
class PageCache:
    """The pages of the last seconds, by all that they depend on."""

    _begun_at: float = field(default=float("-inf"), init=False)
    _pages: dict[Hashable, Stencil] = field(default_factory=dict, init=False)
    _rendering: threading.RLock = field(default_factory=threading.RLock, init=False)

    def fill(
        self,
        key: Hashable | None,
        render: Callable[[], str],
        tokens: Mapping[Placeholder, str],
        *,
        is_compressed: bool = False,
    ) -> Filled:
        """The page that `render` makes with holes in it, with `tokens` in their place; compressed if that is asked
        for and it is one of many.

        `key` names everything else that the page depends on; None stands for a page that is like no other.
        """
        if key is None:
            return Stencil(render()).fill(tokens, is_compressed=False)
        return self._page(key, render).fill(tokens, is_compressed=is_compressed)

    def _page(self, key: Hashable, render: Callable[[], str]) -> Stencil:
        now = time.monotonic()
        if now - self._begun_at > KEPT_SECONDS or len(self._pages) > MOST:
            self._begun_at, self._pages = now, {}
        page = self._pages.get(key)
        if page is None:
            # One of the crowd renders, and compiles what it needs for it; the others wait for it. Right after a start
            # all threads would do the same at once, each thirty times as long.
            with self._rendering:
                page = self._pages.get(key)
                if page is None:
                    page = self._pages[key] = Stencil(render())
        return page

"""One kind of change to one set of ours, for many elements at once, column by column. Pure."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateways.nftables.table_layout import TABLE
from gateways.types import IpAddress, MacAddress

# A part of the keys, or the values, of all elements: cards, addresses or numbers, never mixed.
Column = Sequence[MacAddress] | Sequence[IpAddress] | Sequence[int]


class Verb(enum.StrEnum):
    ADD = "add"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Statement:
    """`key` has one column for each part of the set's key, `data` the values of a map. A timeout is never 0, which
    would be for ever."""

    verb: Verb
    name: str
    key: tuple[Column, ...]
    data: Column | None = None
    milliseconds: Sequence[int] | None = None

    def __len__(self) -> int:
        return len(self.key[0])

    def text(self) -> str:
        """As nft reads it."""
        return f"{self.verb} element {TABLE} {self.name} {{ {', '.join(self._elements())} }}\n"

    def _elements(self) -> Iterator[str]:
        keys = (" . ".join(map(str, parts)) for parts in zip(*self.key, strict=True))
        for place, key in enumerate(keys):
            timeout = f" timeout {self.milliseconds[place]}ms" if self.milliseconds else ""
            yield key + timeout + (f" : {self.data[place]}" if self.data else "")

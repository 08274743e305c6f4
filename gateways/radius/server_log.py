"""What FreeRADIUS writes into its own log and the portal hears of in no other way: packets that it drops at once."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

# `Sat Nov 28 23:38:25 2026 : Info: Dropping packet …`, by the server's own zone.
_LINE = re.compile(r"(?P<when>[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}) : (?P<text>.*)")
_SECRET = re.compile(r"Shared secret is incorrect.*\(from client (?P<client>[a-z0-9-]{1,80})\)")
_SENDER = re.compile(r"from unknown client (?P<address>[0-9a-fA-F.:]{2,45}) port")
_STARTED = "Ready to process requests"


@dataclass(frozen=True, slots=True)
class Dropped:
    """`clients`: the client blocks whose shared secret differs. `strangers`: addresses that no block is for."""

    clients: frozenset[str]
    strangers: tuple[str, ...]


def read(lines: Iterable[str], *, since: datetime) -> Dropped:
    """What was dropped after `since`, and after the server was started last with its present configuration."""
    clients: set[str] = set()
    strangers: dict[str, None] = {}
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        if _STARTED in found["text"]:
            clients, strangers = set(), {}
        if _when(found["when"], since) < since:
            continue
        if (secret := _SECRET.search(found["text"])) is not None:
            clients.add(secret["client"])
        if (sender := _SENDER.search(found["text"])) is not None:
            strangers[sender["address"]] = None
    return Dropped(frozenset(clients), tuple(strangers))


def _when(text: str, since: datetime) -> datetime:
    """The instant of a line; one that cannot be read is as old as can be."""
    try:
        return datetime.strptime(text, "%a %b %d %H:%M:%S %Y").astimezone()
    except ValueError:
        return datetime.min.replace(tzinfo=since.tzinfo)

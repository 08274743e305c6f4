"""Gateways with their sites and networks, remembered for two seconds: rows that change a few times a year, read at
every request. They are plain values; nobody may change them. They are others as soon as any of these rows has
changed, and the same until then: what is made of one holds for as long as that is here. What a gateway says of
itself (`Gateway.health`, `Gateway.feed`) is in them as it was when they were made.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from db.drivers import Row
from db.engine import SessionMaker, reading
from gateways.registry import kinds
from gateways.types import IpAddress
from sites.gateways import every, rows
from sites.models import Gateway, Network
from sites.plain import plain

FRESH_SECONDS = 2.0
# Read once a second, this is a fiftieth of a processor.
LIGHT_SECONDS = 0.02
log = logging.getLogger(__name__)


@dataclass(slots=True)
class GatewayCache:
    """Looks gateways up by identity and by address."""

    make_session: SessionMaker
    _read_at: float = field(default=float("-inf"), init=False)
    _took: float = field(default=0.0, init=False)
    _rows: list[Row] = field(default_factory=list, init=False)
    _gateways: dict[str, Gateway] = field(default_factory=dict, init=False)
    _unknown: list[str] = field(default_factory=list, init=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, init=False)

    def by_identity(self, identity: str) -> Gateway | None:
        """The gateway of this name; None for one that is retired."""
        found = self._fresh().get(identity)
        return None if found is None or found.is_retired else found

    def by_digest(self, digest: str) -> Gateway | None:
        """The gateway whose credential has this digest, a retired one too: it hears what ends there.

        Digests tell nothing by how long they take to compare.
        """
        return next((one for one in self._fresh().values() if one.credential_digest == digest), None)

    def by_address(self, address: IpAddress) -> list[Gateway]:
        """The gateways whose clients may come from this address: more than one where sites share private prefixes."""
        return [
            gateway for gateway in self._fresh().values() if gateway.shows(address) and not gateway.is_retired
        ]

    def gateways(self) -> list[Gateway]:
        """All of them, by identity."""
        return [gateway for _, gateway in sorted(self._fresh().items())]

    def networks(self) -> list[Network]:
        """The networks that have a gateway somewhere, by name."""
        by_slug = {gateway.network.slug: gateway.network for gateway in self._fresh().values()}
        return sorted(by_slug.values(), key=lambda network: network.name)

    def forget(self) -> None:
        """Read all of it again at the next question."""
        self._read_at, self._rows = float("-inf"), []

    def _tell_unknown(self, unknown: list[str]) -> None:
        """Records that a newer version has written serve nobody here: say so, once for each change."""
        if unknown and unknown != self._unknown:
            log.error("gateways of a kind that this version does not know: %s", ", ".join(unknown))
        self._unknown = unknown

    def keep_fresh(self) -> None:
        """Read before it is too old, so that who comes after a quiet time need not wait for it; where reading takes
        long, that is left to them."""
        if time.monotonic() - self._read_at > FRESH_SECONDS / 2 and self._took < LIGHT_SECONDS:
            self._read()

    def _fresh(self) -> dict[str, Gateway]:
        if self._is_old():
            # One reads, and who comes meanwhile waits for it.
            with self._reading:
                if self._is_old():
                    self._read()
        return self._gateways

    def _is_old(self) -> bool:
        return time.monotonic() - self._read_at > FRESH_SECONDS

    def _read(self) -> None:
        began = time.monotonic()
        with reading(self.make_session) as db:
            # Before the objects: what changes in between is another row at the next look.
            seen = rows(db)
            if seen != self._rows:
                self._take(every(db))
        self._rows, self._read_at = seen, time.monotonic()
        self._took = self._read_at - began

    def _take(self, found: Sequence[Gateway]) -> None:
        known = {gateway.identity: gateway for gateway in plain(found) if gateway.kind in kinds()}
        self._tell_unknown([f"{one.identity} ({one.kind})" for one in found if one.identity not in known])
        self._gateways = known

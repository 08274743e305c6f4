"""Writes down what happened, as rows of the tables of `store.COLUMNS`, in their columns' order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

from lab.history.habits import HABITS, Place
from lab.history.instants import text_of
from lab.history.outages import Silence
from lab.history.people import Device
from lab.history.stays import Span, Stay
from lab.history.store import COLUMNS, Row
from sessions.log.denials import SYMBOLS

HOSTS, PORTS, FIRST_PORT = 1000, 63, 1024
# A packet's mean size towards the client and from it, and what goes up against what comes down.
DOWN_BYTES, UP_BYTES, UP_SHARE = 1100, 300, 0.09
# The median of the fastest stretches of stays.
BEST_KBPS = 21_000
LANGUAGES = ("fr", "fr", "fr", "fr", "fr", "fr", "en", "de")
_DIGITS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


class Scribe:
    """Collects rows until they are taken. `ids` are the last ones in use, by table."""

    def __init__(self, ids: dict[str, int], creatives: Sequence[int], rng: Random) -> None:
        self._ids, self._creatives, self._rng = dict(ids), creatives, rng
        self._rows = _none()
        self.versions: dict[int, int] = {}

    @property
    def sessions(self) -> int:
        """How many are waiting to be taken."""
        return len(self._rows["access_sessions"])

    def take(self) -> dict[str, list[Row]]:
        taken, self._rows = self._rows, _none()
        return taken

    def next_id(self, table: str) -> int:
        self._ids[table] += 1
        return self._ids[table]

    def silence(self, place: Place, silence: Silence, now: float) -> None:
        for since, until in zip(silence.since, silence.until, strict=True):
            row = (place.gateway_id, text_of(since), text_of(until) if until <= now else None)
            self._rows["outages"].append(row)

    def entitlement(self, number: int, subject: str, network_id: int, method: str, at: float) -> None:
        row = (number, subject, network_id, method, text_of(at), None, 1 if method == "free" else 2)
        self._rows["entitlements"].append(row)

    def access(
        self, access_id: int, first: Place, last: Place, device: Device, gone: Stay, before: int | None
    ) -> None:
        rng, at = self._rng, gone.begins
        self._rows["access_sessions"].append(
            (
                access_id,
                device.entitlement_id,
                device.subject,
                device.method,
                first.network_id,
                last.gateway_id,
                last.site_id,
                device.mac,
                _address(last, device),
                text_of(at - 8.0 - 60.0 * rng.random()) if before is None else None,
                text_of(at),
                text_of(gone.until),
                text_of(gone.last_seen),
                text_of(gone.ended) if gone.ended is not None else None,
                gone.reason.value if gone.reason else None,
                before,
                first.terms[0],
                LANGUAGES[int(rng.random() * 8)],
                first.terms[1],
            )
        )

    def lease(self, access_id: int, place: Place, device: Device, span: Span, released: float | None) -> int:
        lease_id, gateway_id = self.next_id("leases"), place.gateway_id
        self.versions[gateway_id] = version = self.versions.get(gateway_id, 0) + (
            1 if released is None else 2
        )
        port = FIRST_PORT + device.host * PORTS
        self._rows["leases"].append(
            (
                lease_id,
                access_id,
                gateway_id,
                place.site_id,
                device.mac,
                _address(place, device),
                text_of(span.created),
                text_of(span.starts),
                text_of(span.until),
                *place.rates,
                version,
                text_of(span.created + 0.02 + 0.4 * self._rng.random()),
                text_of(released) if released is not None else None,
                place.public_address,
                port,
                port + PORTS - 1,
            )
        )
        return lease_id

    def usage(self, access_id: int, place: Place, epoch: int, seconds: float, at: float) -> None:
        megabytes = self._rng.lognormvariate(math.log(HABITS[place.kind].megabytes), 1.0) * seconds / 60.0
        # Not more than the ceiling lets through, with what the radio takes of it.
        down = int(min(megabytes * 1e6, place.rates[0] * 100.0 * seconds or math.inf))
        up = int(down * UP_SHARE * (0.5 + self._rng.random()))
        counters = (up, down, up // UP_BYTES, down // DOWN_BYTES)
        name = f"{place.gateway_id:06x}{epoch:04x}"
        best = min(int(self._rng.lognormvariate(math.log(BEST_KBPS), 0.5)), place.rates[0] or BEST_KBPS)
        self._rows["usage"].append((access_id, place.gateway_id, name, *counters, best, text_of(at)))

    def impression(self, access_id: int, lease_id: int, place: Place, span: Span) -> None:
        number, at = self.next_id("impressions"), span.created
        creative = (
            self._creatives[int(self._rng.random() * len(self._creatives))] if self._creatives else None
        )
        shown, language = text_of(at - 5.0 - 20.0 * self._rng.random()), LANGUAGES[number & 7]
        ids = (creative, place.network_id, place.site_id, access_id, lease_id, language)
        self._rows["impressions"].append(
            (number, f"{number:032x}", *ids, shown, text_of(at), text_of(at + 0.4))
        )

    def decision(self, place: Place, device: Device, at: float, *, rule: str, step: str, named: bool) -> None:
        number = self.next_id("decisions")
        where = (place.network_id, place.site_id, place.gateway_id, device.mac, _address(place, device))
        who = (device.subject if named else None, text_of(at - 20.0))
        row = (number, code_of(number), text_of(at), rule, step, *where, *who, "{}")
        self._rows["decisions"].append(row)


def code_of(number: int) -> str:
    """Signs that no two decisions share, as many as a guest is shown: the box of the log reads them."""
    signs = ""
    for _ in range(SYMBOLS):
        number, digit = divmod(number, len(_DIGITS))
        signs = _DIGITS[digit] + signs
    return signs


def _none() -> dict[str, list[Row]]:
    return {table: [] for table in COLUMNS}


def _address(place: Place, device: Device) -> str:
    return f"{place.prefix}{(place.first_host + device.host) >> 8}.{(place.first_host + device.host) & 255}"

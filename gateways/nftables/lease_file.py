"""The DHCP server's lease file: read when it has changed, and believed when it is whole."""

from __future__ import annotations

import time
from pathlib import Path

from gateways.nftables.addresses import DhcpLease, parse_leases

# After a boot the DHCP server may start later than the agent.
PATIENCE_SECONDS = 60.0
# Inode, time of the last change in nanoseconds, size.
Fingerprint = tuple[int, int, int]


class LeaseFile:
    """dnsmasq empties its file and writes it anew, in pieces, with every change: a reader may come in between.

    A list that ends within a line, or that grows while it is read, is looked at again. An empty one counts at the
    second look. A file that was taken away takes nobody's address with it: what was read last holds.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: Fingerprint | None = None
        self._read: Fingerprint | None = None
        self._empty: Fingerprint | None = None
        self._missing_since: float | None = None

    def read(self) -> frozenset[DhcpLease] | None:
        """The whole list; None where it is the one that was accepted last, missing, or being written.

        Raises OSError where there is a file that cannot be read.
        """
        found = self._fingerprint()
        self._note_missing(found)
        if found is None or found == self._known:
            return None
        try:
            text = self._path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None
        if self._fingerprint() != found or (text and not text.endswith("\n")):
            return None
        if not text and found != self._empty:
            self._empty = found
            return None
        self._read = found
        return parse_leases(text)

    def accept(self) -> None:
        """What was read last has been carried out, and need not be read again."""
        self._known = self._read

    @property
    def is_missing(self) -> bool:
        """Whether it was there and is not, or has not come for as long as a DHCP server needs to start."""
        if self._missing_since is None:
            return False
        return self._known is not None or time.monotonic() - self._missing_since >= PATIENCE_SECONDS

    def _note_missing(self, found: Fingerprint | None) -> None:
        if found is not None:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = time.monotonic()

    def _fingerprint(self) -> Fingerprint | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

"""The kernel's own word of every change of nftables: group NFNLGRP_NFTABLES of netlink(7).

A transaction is told as one message for each thing that it changed, and one with its generation (NFT_MSG_NEWGEN) at
the end; linux/netfilter/nf_tables.h. So what others do elsewhere is known to concern us not, without looking, and
what they do to our table is known at once.
"""

from __future__ import annotations

import errno
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gateways.nftables.netlink import attributes, messages
from gateways.nftables.table_layout import TABLE

NETLINK_NETFILTER, SOL_NETLINK, NFNLGRP_NFTABLES = 12, 270, 7
NETLINK_ADD_MEMBERSHIP, NETLINK_DROP_MEMBERSHIP = 1, 2
SO_RCVBUFFORCE = 33
BUFFER_BYTES = 4 << 20
NFNL_SUBSYS_NFTABLES, NFPROTO_INET = 10, 1
NFT_MSG_NEWGEN, NFT_MSG_NEWFLOWTABLE, NFT_MSG_DELFLOWTABLE = 15, 22, 24
# Every other message names its table in the first attribute, whatever that is called there.
TABLE_NAME = 1
# struct nfgenmsg, with which each body begins.
NFGENMSG_BYTES = 4
MOST_REMEMBERED = 4096
_OURS = TABLE.partition(" ")[2].encode() + b"\0"


class Notices:
    """Which generations concerned us. The socket belongs to the network namespace it was made in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES)
        # Bound first: to a socket without a port of its own the kernel tells nothing.
        self._socket.bind((0, 0))
        self._socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)
        self._socket.setblocking(False)
        self._lock = threading.Lock()
        # Generation: whether it concerned us. Missing: nobody knows.
        self._concerned: dict[int, bool] = {}
        self._concerns = False
        # How many changes of others' tables there were.
        self.elsewhere = 0

    def close(self) -> None:
        self._socket.close()

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Hear nothing meanwhile: for a transaction of many elements of our own, as the kernel makes a message of each.

        What others do in between is missing among the generations, and so concerns us.
        """
        self._socket.setsockopt(SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, NFNLGRP_NFTABLES)
        try:
            yield
        finally:
            self._socket.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, NFNLGRP_NFTABLES)

    def fileno(self) -> int:
        return self._socket.fileno()

    def read(self) -> bool:
        """Take what has come. True when something of it concerned us, or news were lost."""
        with self._lock:
            news = False
            while True:
                try:
                    packet = self._socket.recv(1 << 16)
                except BlockingIOError:
                    return news
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    self._concerned.clear()
                    news = self._concerns = True
                    continue
                for concerns, generation in _changes(packet):
                    self._concerns |= concerns
                    if generation is not None:
                        self._end(generation)
                    news |= concerns

    def spared(self, known: int, latest: int) -> bool:
        """Whether nothing after generation `known`, up to `latest`, concerned us: for certain."""
        self.read()
        with self._lock:
            return latest - known <= MOST_REMEMBERED and all(
                self._concerned.get(each) is False for each in range(known + 1, latest + 1)
            )

    def _end(self, generation: int) -> None:
        if len(self._concerned) >= MOST_REMEMBERED:
            self._concerned.clear()
        self.elsewhere += not self._concerns
        self._concerned[generation], self._concerns = self._concerns, False


def _changes(packet: bytes) -> Iterator[tuple[bool, int | None]]:
    """Of each message whether it concerns us, and the generation that it ends."""
    for _, kind, body in messages(packet):
        subsystem, kind = kind >> 8, kind & 0xFF
        if subsystem != NFNL_SUBSYS_NFTABLES:
            continue
        first = _first_attribute(body[NFGENMSG_BYTES:])
        if kind == NFT_MSG_NEWGEN:
            yield False, struct.unpack("!I", first)[0] if len(first) == 4 else None
        elif kind in (NFT_MSG_NEWFLOWTABLE, NFT_MSG_DELFLOWTABLE):
            yield True, None
        else:
            yield body[:1] == bytes([NFPROTO_INET]) and first == _OURS, None


def _first_attribute(data: bytes) -> bytes:
    """The value of the attribute of type 1 (NFTA_…_TABLE, NFTA_TABLE_NAME, NFTA_GEN_ID)."""
    return next((value for kind, value in attributes(data) if kind == TABLE_NAME), b"")

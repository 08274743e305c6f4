"""What the kernel should know about the clients' interface, whatever the machine's own settings say."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

log = logging.getLogger(__name__)
SYSTEM = Path("/proc/sys/net/ipv6/conf")
SETTINGS = {
    # An unsolicited advertisement makes a phone's new address known before its first packet (RFC 9131; Linux 5.18).
    "accept_untracked_na": "1",
    # Nobody but us has our addresses here, and whoever claims one in answer to our own question must not take it away.
    "accept_dad": "0",
    # Clients are told where the Internet is, and tell us nothing.
    "accept_ra": "0",
    "accept_redirects": "0",
}


class ClientSide:
    """Keeps the settings of the clients' interface. A card that is plugged in anew has the machine's defaults."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._index = 0

    def keep(self) -> None:
        """Set what is not so yet, each time that the interface is another one."""
        try:
            index = socket.if_nametoindex(self._interface)
        except OSError:
            index = 0
        if index and index != self._index:
            for name, value in SETTINGS.items():
                self._set(name, value)
        self._index = index

    def _set(self, name: str, value: str) -> None:
        setting = SYSTEM / self._interface / name
        try:
            if setting.read_text(encoding="ascii").strip() != value:
                setting.write_text(value, encoding="ascii")
        except FileNotFoundError:
            log.info("this kernel has no %s", setting)
        except OSError as error:
            log.warning("%s must be %s, and cannot be set: %s", setting, value, error)

"""Waiting until what was started serves, or saying why it does not."""

from __future__ import annotations

import http.client
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.namespace import Namespace

PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 0.05


class DidNotStart(Exception):
    """A part ended, or did not serve in time. The text holds the last it said."""


def await_port(node: Namespace, address: str, port: int, process: subprocess.Popen[Any], log: Path) -> None:
    """Wait until something listens there."""

    def look() -> None:
        node.call(lambda: socket.create_connection((address, port), 2)).close()

    _insist(look, process, log)


def await_here(port: int, process: subprocess.Popen[Any], log: Path) -> None:
    """Wait until something listens on this machine."""
    _insist(lambda: socket.create_connection(("127.0.0.1", port), 2).close(), process, log)


def await_portal(
    node: Namespace, address: str, host: str, authority: Path, process: subprocess.Popen[Any], log: Path
) -> None:
    """Wait until the portal says over https that it is well."""
    trust = ssl.create_default_context(cafile=authority)

    def look() -> None:
        plain = node.call(lambda: socket.create_connection((address, 443), 2))
        connection = http.client.HTTPSConnection(host, timeout=5)
        try:
            connection.sock = trust.wrap_socket(plain, server_hostname=host)
            connection.request("GET", "/healthz")
            if connection.getresponse().status != 200:
                raise OSError("it is not well")
        finally:
            connection.close()

    _insist(look, process, log)


def await_page(url: str, process: subprocess.Popen[Any], log: Path, *, authority: Path | None = None) -> None:
    """Wait until an address of this machine answers; over https with a certificate from `authority`."""
    trust = ssl.create_default_context(cafile=authority) if authority else None

    def look() -> None:
        urllib.request.urlopen(url, timeout=5, context=trust).close()

    _insist(look, process, log)


def _insist(look: Callable[[], None], process: subprocess.Popen[Any], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            look()
            return
        except (OSError, http.client.HTTPException) as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise DidNotStart(f"{log.stem}: {_last_words(log)}") from error
        time.sleep(PAUSE_SECONDS)


def _last_words(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"

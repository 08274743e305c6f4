"""Ports for servers of tests, lab and bench."""

from __future__ import annotations

import random
import socket

# Below Linux's ip_local_port_range (32768 to 60999): no outgoing connection takes one before the server has it.
RANGE = range(10_000, 32_000)


def free_ports(number: int) -> list[int]:
    """TCP ports of 127.0.0.1 that nobody listens on now, each another one."""
    probes: list[socket.socket] = []
    chance = random.SystemRandom()
    try:
        while len(probes) < number:
            probe = socket.socket()
            try:
                probe.bind(("127.0.0.1", chance.choice(RANGE)))
            except OSError:
                probe.close()
            else:
                probes.append(probe)
        return [int(probe.getsockname()[1]) for probe in probes]
    finally:
        for probe in probes:
            probe.close()

"""Somebody between a gateway and FreeRADIUS, who turns each refusal into an acceptance."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pyrad import packet


@dataclass
class UdpProxy:
    port: int
    turned: int = 0


@contextmanager
def turning_refusals(target_port: int) -> Iterator[UdpProxy]:
    """Pass packets on both ways. What comes back as an Access-Reject goes on as an Access-Accept."""
    near, far = socket.socket(type=socket.SOCK_DGRAM), socket.socket(type=socket.SOCK_DGRAM)
    near.bind(("127.0.0.1", 0))
    far.bind(("127.0.0.1", 0))
    far.connect(("127.0.0.1", target_port))
    proxy = UdpProxy(near.getsockname()[1])
    peers: list[tuple[str, int]] = []

    def there() -> None:
        while True:
            asked, peer = near.recvfrom(4096)
            if asked == b"end":
                return
            peers.append(peer)
            far.send(asked)

    def back() -> None:
        while (heard := far.recv(4096)) and peers:
            if heard[0] == packet.AccessReject:
                proxy.turned += 1
                heard = bytes([packet.AccessAccept]) + heard[1:]
            near.sendto(heard, peers[-1])

    threads = [threading.Thread(target=one, daemon=True) for one in (there, back)]
    for thread in threads:
        thread.start()
    try:
        yield proxy
    finally:
        with socket.socket(type=socket.SOCK_DGRAM) as closing:
            closing.sendto(b"end", ("127.0.0.1", proxy.port))
        threads[0].join()
        # Who waits there hears nothing more, now or when it looks again; only then may the socket go.
        far.shutdown(socket.SHUT_RDWR)
        threads[1].join()
        far.close()
        near.close()

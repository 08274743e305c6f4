"""Traffic of a phone, and what is seen of it on the other side. Every flow keeps the time of its last byte."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lab.namespace import Inside
from lab.network import Phone, Town

ETH_P_ALL = 3
BEAT_SECONDS = 0.02
SO_RCVBUFFORCE, TAP_BYTES = 33, 64 << 20


def outside(net: Town, version: int) -> str:
    return str(net.internet_address(version))


def family(version: int) -> socket.AddressFamily:
    return socket.AF_INET if version == 4 else socket.AF_INET6


@dataclass(slots=True)
class Seen:
    """When something last arrived, and how much in all."""

    last: float = 0.0
    count: int = 0
    size: int = 0

    def note(self, size: int) -> None:
        self.last, self.count, self.size = time.monotonic(), self.count + 1, self.size + size


class Flow:
    """A running exchange with the Internet. `there` is what the far end saw, `here` what the phone saw."""

    def __init__(self) -> None:
        self.there, self.here = Seen(), Seen()
        # The far end's.
        self.port = 0
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    def keep(self, *sockets: socket.socket) -> None:
        self._sockets += sockets
        for each in sockets:
            each.settimeout(BEAT_SECONDS * 5)

    def send_on(self, sender: socket.socket, payload: bytes, pause: float) -> None:
        def run() -> None:
            while not self._stopping.wait(pause):
                with contextlib.suppress(OSError):
                    sender.send(payload)

        self._run(run)

    def receive_on(self, receiver: socket.socket, seen: Seen, *, echo: bool = False) -> None:
        def run() -> None:
            while not self._stopping.is_set():
                try:
                    data, peer = receiver.recvfrom(65536)
                except TimeoutError:
                    continue
                except OSError:
                    if receiver.type == socket.SOCK_STREAM:
                        return
                    continue
                if not data:
                    return
                seen.note(len(data))
                if echo:
                    with contextlib.suppress(OSError):
                        receiver.sendto(data, peer)

        self._run(run)

    def close(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        for each in self._sockets:
            each.close()

    def _run(self, work: object) -> None:
        thread = threading.Thread(target=work, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()


@contextmanager
def udp_ping_pong(
    net: Town, phone: Phone, *, version: int = 4, port: int = 0, size: int = 40
) -> Iterator[Flow]:
    """A datagram every beat, and its echo."""
    flow = Flow()
    far, near = (
        net.internet.socket(family(version), socket.SOCK_DGRAM),
        phone.ns.socket(family(version), socket.SOCK_DGRAM),
    )
    flow.keep(far, near)
    far.bind((outside(net, version), port))
    near.connect(far.getsockname()[:2])
    flow.receive_on(far, flow.there, echo=True)
    flow.receive_on(near, flow.here)
    flow.send_on(near, bytes(size), BEAT_SECONDS)
    try:
        yield flow
    finally:
        flow.close()


@contextmanager
def udp_downpour(net: Town, phone: Phone, *, version: int = 4) -> Iterator[Flow]:
    """Datagrams from the Internet without end, which the phone asked for once and never answers."""
    flow = Flow()
    far = net.internet.socket(family(version), socket.SOCK_DGRAM)
    near = phone.ns.socket(family(version), socket.SOCK_DGRAM)
    flow.keep(far, near)
    far.bind((outside(net, version), 0))
    flow.port = far.getsockname()[1]
    near.connect(far.getsockname()[:2])
    near.send(b"begin")
    _, peer = far.recvfrom(100)
    far.connect(peer)
    flow.receive_on(near, flow.here)
    flow.send_on(far, bytes(500), BEAT_SECONDS)
    try:
        yield flow
    finally:
        flow.close()


@contextmanager
def tcp_pair(
    net: Town, phone: Phone, *, version: int = 4, port: int = 0
) -> Iterator[tuple[socket.socket, socket.socket]]:
    """A connection from the phone: its end, and the far end."""
    with net.internet.socket(family(version)) as listener, phone.ns.socket(family(version)) as near:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((outside(net, version), port))
        listener.listen()
        listener.settimeout(5)
        near.settimeout(5)
        near.connect(listener.getsockname()[:2])
        far, _ = listener.accept()
        with far:
            yield near, far


@contextmanager
def tcp_stream(net: Town, phone: Phone, *, up: bool, version: int = 4) -> Iterator[Flow]:
    """A steady upload or download, gentle enough for a shared machine."""
    with tcp_pair(net, phone, version=version) as (near, far):
        flow = Flow()
        flow.keep(near, far)
        flow.port = far.getsockname()[1]
        sender, receiver, seen = (near, far, flow.there) if up else (far, near, flow.here)
        flow.receive_on(receiver, seen)
        flow.send_on(sender, bytes(2000), BEAT_SECONDS)
        try:
            yield flow
        finally:
            flow.close()


def reaches(net: Town, phone: Phone, *, version: int = 4, port: int = 0, patience: float = 1.0) -> bool:
    """Whether a new TCP connection comes through."""
    try:
        with net.internet.socket(family(version)) as listener, phone.ns.socket(family(version)) as near:
            listener.bind((outside(net, version), port))
            listener.listen()
            near.settimeout(patience)
            near.connect(listener.getsockname()[:2])
            return True
    except OSError:
        return False


class Tap:
    """Every packet seen on an interface, whole, with its time. Behind the kernel's filters, before ours."""

    def __init__(self, ns: Inside, interface: str) -> None:
        def opened() -> socket.socket:
            tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            # Room for what comes while a busy machine lets nobody read; only root of the machine may have it.
            with contextlib.suppress(PermissionError):
                tap.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, TAP_BYTES)
            tap.bind((interface, ETH_P_ALL))
            return tap

        self._socket = ns.call(opened)
        self._socket.settimeout(0.05)
        self.packets: list[tuple[float, bytes]] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                packet, (_, _, kind, _, _) = self._socket.recvfrom(2048)
                # What this end sent itself is not what came through the gateway.
                if kind != socket.PACKET_OUTGOING:
                    self.packets.append((time.monotonic(), packet))

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def sources(self, *prefixes: str, since: float = 0.0) -> list[bytes]:
        """The packets whose source lies inside one of these prefixes."""
        networks = [ipaddress.ip_network(each) for each in prefixes]
        return [
            packet
            for at, packet in self.packets
            if at >= since and (source := _source(packet)) and any(source in network for network in networks)
        ]


def _source(packet: bytes) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    kind = struct.unpack_from("!H", packet, 12)[0]
    if kind == 0x0800:
        return ipaddress.IPv4Address(packet[26:30])
    if kind == 0x86DD:
        return ipaddress.IPv6Address(packet[22:38])
    return None

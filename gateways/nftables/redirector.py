"""The answerer of captive clients: whatever they ask over plain HTTP, they are shown the way to the portal.

There is no list of probes, for such a list ages; nothing of a request is read but whether it is a HEAD and
whether it was sent to us by name, and nothing of it is kept, not even in a log: what somebody wanted to
read is nobody's affair (CPCE art. L34-1 VI). Phones take 302 for a captive portal and 4xx, 5xx or 511 for a
broken network, so there are only two answers: 302 with a landing token, and 503 with ``Retry-After: 1``
while a grant is being applied or the client's MAC address is not known yet.
"""

from __future__ import annotations

import asyncio
import html
import ipaddress
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateways.landing_signature import Landing, sign
from gateways.types import IpAddress, MacAddress

HEAD_LIMIT_BYTES = 8192
PATIENCE_SECONDS = 5.0
MOST_OPEN = 500
MOST_REMEMBERED = 4096
# Short beside the token's ten minutes: it spares a signature for each of the probes of one arrival.
REMEMBERED_SECONDS = 10.0

_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_HOST = re.compile(rb"^host:[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
# What a request may begin with: a method (RFC 9110 section 5.6.2), or an empty line (RFC 9112 section 2.2).
_FIRST_BYTES = frozenset(b"\r\n") | frozenset(range(0x21, 0x7F))
log = logging.getLogger(__name__)

# A browser is not asked for its language here: these pages say all of it, in each language of the portal's own.
PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
{refresh}<title>Wi-Fi</title></head><body>
{texts}
</body></html>
"""
REFRESH = '<meta http-equiv="refresh" content="2">'
LANDING = {
    "fr": "Ouvrir la page de connexion au Wi-Fi",
    "en": "Open the Wi-Fi sign-in page",
    "de": "Anmeldeseite des WLANs öffnen",
    "it": "Apri la pagina di accesso al Wi-Fi",
    "es": "Abrir la página de acceso al wifi",
    "ar": "افتح صفحة الدخول إلى شبكة واي فاي",
}
OPENING = {
    "fr": "Votre accès s’ouvre. Cette page se recharge dans deux secondes.",
    "en": "Your access is being opened. This page reloads in two seconds.",
    "de": "Ihr Zugang wird geöffnet. Diese Seite lädt in zwei Sekunden neu.",
    "it": "L’accesso si sta aprendo. Questa pagina si ricarica tra due secondi.",
    "es": "Su acceso se está abriendo. Esta página se recarga en dos segundos.",
    "ar": "جارٍ فتح الاتصال لك. يُعاد تحميل هذه الصفحة بعد ثانيتين.",
}
UNKNOWN = {
    "fr": "Votre appareil n’est pas encore reconnu par ce Wi-Fi. Cette page se recharge dans deux secondes. "
    "Si cela dure, coupez puis rallumez le Wi-Fi de votre appareil.",
    "en": "This Wi-Fi does not know your device yet. This page reloads in two seconds. "
    "If it goes on, turn the Wi-Fi of your device off and on again.",
    "de": "Dieses WLAN kennt Ihr Gerät noch nicht. Diese Seite lädt in zwei Sekunden neu. "
    "Wenn es so bleibt, schalten Sie das WLAN Ihres Geräts aus und wieder ein.",
    "it": "Questo Wi-Fi non conosce ancora il suo dispositivo. Questa pagina si ricarica tra due secondi. "
    "Se continua così, spenga e riaccenda il Wi-Fi del dispositivo.",
    "es": "Este wifi aún no reconoce su dispositivo. Esta página se recarga en dos segundos. "
    "Si sigue así, apague y vuelva a encender el wifi del dispositivo.",
    "ar": "لم تتعرّف هذه الشبكة على جهازك بعد. يُعاد تحميل هذه الصفحة بعد ثانيتين. "
    "إذا استمر ذلك فأوقف شبكة واي فاي في جهازك ثم شغّلها من جديد.",
}


def page(texts: Mapping[str, str], *, link: str = "") -> str:
    """A page with one paragraph for each language: all of them one link to `link`, else it asks again by itself."""
    paragraphs = "\n".join(f'<p lang="{code}" dir="auto">{text}</p>' for code, text in texts.items())
    if link:
        return PAGE.format(refresh="", texts=f'<a href="{html.escape(link)}">{paragraphs}</a>')
    return PAGE.format(refresh=REFRESH, texts=paragraphs)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A response and its body apart: a HEAD is answered without one (RFC 9110 section 9.3.2)."""

    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class RedirectorDeps:
    """What the redirector must know of the gateway it stands in.

    `identity` and `key` sign the landing token: without a key, which the portal tells, nobody is known yet. `now` tells
    the portal's time in seconds since the epoch; `lookup` gives the MAC address behind an address, None when unknown,
    and may raise OSError; `holds` tells whether a client has a grant already, and `refuses` whether this address is not
    going to be part of it.
    """

    portal_url: str
    identity: str
    key: Callable[[], bytes | None]
    now: Callable[[], float]
    lookup: Callable[[IpAddress], MacAddress | None]
    holds: Callable[[MacAddress], bool]
    refuses: Callable[[MacAddress, IpAddress], bool] = lambda mac, address: False


class Redirector:
    """Decides what a client is answered. `serve` puts it on a port."""

    def __init__(self, deps: RedirectorDeps) -> None:
        self._deps = deps
        self._remembered: dict[tuple[IpAddress, MacAddress, bytes], tuple[float, HttpAnswer]] = {}

    def answer(self, address: IpAddress, *, asked_for_us: bool = False) -> HttpAnswer:
        """What the client behind `address` is told.

        `asked_for_us` means that it was sent here by the portal, to fetch a token, rather than caught on
        its way: then it is shown the way even with a grant.
        """
        mac, key = self._mac(address), self._deps.key()
        if mac is None or key is None:
            return _NOT_KNOWN_YET
        if self._deps.holds(mac) and not asked_for_us:
            return _NOT_KNOWN_YET if self._deps.refuses(mac, address) else _BEING_OPENED
        now = self._deps.now()
        until, answer = self._remembered.get((address, mac, key), (0.0, None))
        if answer is None or not until - REMEMBERED_SECONDS <= now < until:
            answer = self._sign(mac, address, key, now)
        return answer

    def _mac(self, address: IpAddress) -> MacAddress | None:
        try:
            return self._deps.lookup(address)
        except OSError as error:
            log.warning("cannot read the neighbour table: %s", error)
            return None

    def _sign(self, mac: MacAddress, address: IpAddress, key: bytes, now: float) -> HttpAnswer:
        deps = self._deps
        token = sign(Landing(deps.identity, mac, address), key=key, now=now)
        link = f"{deps.portal_url}/?landing={token}"
        answer = _answer("302 Found", page(LANDING, link=link), f"Location: {link}")
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[address, mac, key] = (now + REMEMBERED_SECONDS, answer)
        return answer


def _answer(status: str, content: str, more: str) -> HttpAnswer:
    body = content.encode()
    head = (
        f"HTTP/1.1 {status}\r\n{more}\r\nCache-Control: no-store\r\nConnection: close\r\n"
        f"Content-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return HttpAnswer(head.encode(), body)


_NOT_KNOWN_YET = _answer("503 Service Unavailable", page(UNKNOWN), "Retry-After: 1")
_BEING_OPENED = _answer("503 Service Unavailable", page(OPENING), "Retry-After: 1")


async def serve(
    redirector: Redirector, port: int, *, hosts: tuple[str, ...] = ("0.0.0.0", "::")
) -> asyncio.Server:
    """Listen on `port`, over IPv4 and IPv6. Close the server to stop; open connections end by themselves."""
    loop = asyncio.get_running_loop()
    opened: dict[_Connection, None] = {}
    return await loop.create_server(
        lambda: _Connection(redirector, opened), list(hosts), port, backlog=512, reuse_address=True
    )


class _Connection(asyncio.Protocol):
    """One request, one answer. All connections stand in `opened`, the oldest first.

    When there are too many, the oldest goes: an honest client is answered within milliseconds, so that the
    oldest are those who hold a connection without asking anything.
    """

    def __init__(self, redirector: Redirector, opened: dict[_Connection, None]) -> None:
        self._redirector = redirector
        self._opened = opened
        self._received = bytearray()
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._opened) >= MOST_OPEN:
            next(iter(self._opened)).abort()
        self._opened[self] = None
        self._deadline = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self.abort)

    def abort(self) -> None:
        self._opened.pop(self, None)
        self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        self._opened.pop(self, None)
        self._deadline.cancel()

    def data_received(self, data: bytes) -> None:
        if self._answered:
            # The rest of an over-long request: read and dropped, so that our answer is not lost in a reset.
            return
        self._received += data[: HEAD_LIMIT_BYTES - len(self._received)]
        if self._received[0] not in _FIRST_BYTES:
            # A TLS hello, above all: there is no answer that it could read, and nothing to wait for.
            self.abort()
            return
        if _END_OF_HEAD.search(self._received) or len(self._received) >= HEAD_LIMIT_BYTES:
            self._answered = True
            self._send()

    def _send(self) -> None:
        peer = ipaddress.ip_address(self._transport.get_extra_info("peername")[0].partition("%")[0])
        answer = self._redirector.answer(peer, asked_for_us=self._asked_for_us())
        self._transport.write(answer.head)
        if not self._received.startswith(b"HEAD "):
            self._transport.write(answer.body)
        # We stop speaking and go on reading until the client has closed, or the deadline: see data_received.
        self._transport.write_eof()

    def _asked_for_us(self) -> bool:
        """Whether the Host is our own address and port: only the portal sends anybody there."""
        host, port = self._transport.get_extra_info("sockname")[:2]
        ours = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        named = _HOST.search(self._received)
        return named is not None and named[1].strip() == ours.encode()

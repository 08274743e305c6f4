from __future__ import annotations

import asyncio
import http.client
import ipaddress
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from email.message import Message
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.landing_token import Landing, verify
from gateways.nftables import redirector as answering
from gateways.nftables.neighbours import NeighbourTable
from gateways.nftables.redirector import Redirector, RedirectorDeps, serve
from gateways.types import IpAddress, MacAddress
from lab.network import Town
from tests.loops import run
from tests.services.town import opened

PORTAL = "https://portal.example.org"
KEY = bytes(range(32))
PHONE = MacAddress("02:00:00:00:00:01")
HERE = ipaddress.ip_address("127.0.0.1")


class Place:
    """A gateway's deps in which a test moves things: who is known, who holds a grant, the time."""

    def __init__(self) -> None:
        self.time = 1_800_000_000.0
        self.known: dict[IpAddress, MacAddress] = {HERE: PHONE, ipaddress.ip_address("::1"): PHONE}
        self.holding: set[MacAddress] = set()
        self.fault: OSError | None = None

    def lookup(self, address: IpAddress) -> MacAddress | None:
        if self.fault is not None:
            raise self.fault
        return self.known.get(address)

    def deps(self) -> RedirectorDeps:
        return RedirectorDeps(
            portal_url=PORTAL,
            identity="gare",
            key=lambda: KEY,
            now=lambda: self.time,
            lookup=self.lookup,
            holds=self.holding.__contains__,
        )


Speak = Callable[..., Coroutine[None, None, bytes]]


@asynccontextmanager
async def running(place: Place) -> AsyncIterator[Speak]:
    """A redirector on a free port, and a function that sends it bytes and gives all it answered."""
    server = await serve(Redirector(place.deps()), 0, hosts=("127.0.0.1",))
    port = server.sockets[0].getsockname()[1]

    async def speak(data: bytes, *, finish: bool = False) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(data.replace(b"PORT", str(port).encode()))
            if finish:
                writer.write_eof()
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()
            await writer.wait_closed()

    async with server:
        yield speak


def ask(place: Place, data: bytes, *, finish: bool = False) -> bytes:
    async def once() -> bytes:
        async with running(place) as speak:
            return await speak(data, finish=finish)

    return run(once())


def parts(response: bytes) -> tuple[int, Message, bytes]:
    head, _, body = response.partition(b"\r\n\r\n")
    first, _, rest = head.partition(b"\r\n")
    headers = Message()
    for line in rest.decode("ascii").split("\r\n"):
        name, _, value = line.partition(": ")
        headers[name] = value
    return int(first.split()[1]), headers, body


def landing(response: bytes, place: Place) -> Landing:
    """Who the redirect says the client is, if it is one and all is in order with it."""
    status, headers, body = parts(response)
    assert status == 302, response
    assert headers["Location"].startswith(f"{PORTAL}/?landing=")
    assert headers["Cache-Control"] == "no-store"
    assert headers["Connection"] == "close"
    assert int(headers["Content-Length"]) == len(body) > 4
    token = parse_qs(urlsplit(headers["Location"]).query)["landing"][0]
    return verify(token, gateway="gare", key=KEY, now=place.time)


PROBES = [
    b"GET /hotspot-detect.html HTTP/1.0\r\nHost: captive.apple.com\r\n\r\n",
    b"GET /generate_204 HTTP/1.1\r\nHost: connectivitycheck.gstatic.com\r\n\r\n",
    b"GET /connecttest.txt HTTP/1.1\r\nHost: www.msftconnecttest.com\r\n\r\n",
    b"GET http://neverssl.com/ HTTP/1.1\r\nHost: neverssl.com\r\n\r\n",
    b"POST /form HTTP/1.1\r\nHost: example.org\r\nContent-Length: 5\r\n\r\nhello",
    b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"CONNECT example.org:443 HTTP/1.1\r\n\r\n",
    b"BREW /pot HTCPCP/1.0\n\n",
]


@pytest.mark.parametrize("probe", PROBES)
def test_any_request_of_any_method_and_host_is_shown_the_way_to_the_portal(probe: bytes) -> None:
    place = Place()
    assert landing(ask(place, probe), place) == Landing("gare", PHONE, HERE)


def test_the_page_of_the_redirect_offers_the_link_in_every_language() -> None:
    place = Place()
    page = parts(ask(place, PROBES[0]))[2].decode()
    assert '<html lang="fr">' in page
    assert re.findall(r'<p lang="(\w+)" dir="auto">', page) == ["fr", "en", "de", "it", "es", "ar"]
    assert page.count(f'href="{PORTAL}/?landing=') == 1
    assert "<!--" not in page, "a comment could be taken for a WISPr block"


def test_a_head_request_is_answered_without_a_body() -> None:
    status, headers, body = parts(ask(Place(), b"HEAD / HTTP/1.1\r\nHost: example.org\r\n\r\n"))
    assert (status, body) == (302, b"")
    assert int(headers["Content-Length"]) > 4


def assert_asks_to_come_back(response: bytes) -> str:
    status, headers, body = parts(response)
    assert status == 503
    assert headers["Retry-After"] == "1"
    assert headers["Cache-Control"] == "no-store"
    assert "Location" not in headers
    assert int(headers["Content-Length"]) == len(body)
    return body.decode()


def test_a_client_whose_grant_is_being_applied_is_asked_to_come_back() -> None:
    place = Place()
    place.holding.add(PHONE)
    page = assert_asks_to_come_back(ask(place, PROBES[0]))
    assert "Votre accès s’ouvre" in page
    assert "Your access is being opened" in page


def test_a_client_without_a_known_mac_gets_no_token_and_a_page_that_says_so() -> None:
    place = Place()
    place.known.clear()
    page = assert_asks_to_come_back(ask(place, PROBES[0]))
    assert "n’est pas encore reconnu" in page
    assert "does not know your device yet" in page


def test_a_neighbour_table_that_cannot_be_read_closes_and_is_reported(
    caplog: pytest.LogCaptureFixture,
) -> None:
    place = Place()
    place.fault = OSError(19, "No such device")
    assert_asks_to_come_back(ask(place, PROBES[0]))
    assert "No such device" in caplog.text


def test_a_client_sent_here_by_the_portal_gets_a_token_even_with_a_grant() -> None:
    place = Place()
    place.holding.add(PHONE)
    response = ask(place, b"GET / HTTP/1.1\r\nAccept: */*\r\nhost:  127.0.0.1:PORT \r\n\r\n")
    assert landing(response, place).mac == PHONE


def test_a_client_with_a_grant_that_merely_writes_our_port_is_still_asked_to_come_back() -> None:
    place = Place()
    place.holding.add(PHONE)
    assert_asks_to_come_back(ask(place, b"GET / HTTP/1.1\r\nHost: example.org:PORT\r\n\r\n"))


def test_the_probes_of_one_arrival_share_a_token_and_later_ones_get_a_fresh_one() -> None:
    place = Place()
    redirector = Redirector(place.deps())
    first = redirector.answer(HERE)
    place.time += 9
    assert redirector.answer(HERE) is first
    place.time += 2
    assert redirector.answer(HERE) != first
    place.time -= 3600
    early = redirector.answer(HERE)
    assert landing(early.head + early.body, place).mac == PHONE, "a clock set back must not keep a token"


def test_an_address_that_changes_hands_never_gets_the_token_of_the_one_before() -> None:
    place = Place()
    redirector = Redirector(place.deps())
    redirector.answer(HERE)
    place.known[HERE] = MacAddress("02:00:00:00:00:02")
    answer = redirector.answer(HERE)
    assert landing(answer.head + answer.body, place).mac == "02:00:00:00:00:02"


def test_it_remembers_a_bounded_number_of_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_REMEMBERED", 10)
    place = Place()
    redirector = Redirector(place.deps())
    for number in range(100):
        address = ipaddress.ip_address(f"10.66.0.{number}")
        place.known[address] = PHONE
        redirector.answer(address)
    assert len(redirector._remembered) <= 10


def test_nothing_of_a_request_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ask(Place(), b"GET /private?q=1 HTTP/1.1\r\nHost: forbidden.example\r\nUser-Agent: x\r\n\r\n")
    assert "private" not in caplog.text
    assert "forbidden.example" not in caplog.text


HOSTILE = [
    b"\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET /" + b"\0" * 5000 + b" HTTP/1.1\r\n\r\n",
    b"GET /?q=" + b"A" * 1_000_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\r" * 100_000,
    b"GET /\xff\xfe\xc3( HTTP/1.1\r\nHost: \xff\xff\r\nUser-Agent: \xc0\x80\r\n\r\n",
    b"GET /../../etc/passwd%00 HTTP/1.1\r\nHost: ../..\r\nHost: b\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


@pytest.mark.parametrize("data", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_requests_are_answered_like_all_others(data: bytes) -> None:
    place = Place()
    response = ask(place, data)
    assert landing(response, place).mac == PHONE
    assert len(response) < 2000, "nothing of the request comes back"


def test_what_comes_after_eight_kilobytes_is_never_read() -> None:
    place = Place()
    place.holding.add(PHONE)
    padding = b"X: " + b"y" * 8192
    assert_asks_to_come_back(
        ask(place, b"GET / HTTP/1.1\r\n" + padding + b"\r\nHost: 127.0.0.1:PORT\r\n\r\n")
    )


def test_a_connection_gets_one_answer_whatever_else_it_sends(caplog: pytest.LogCaptureFixture) -> None:
    async def insist() -> bytes:
        server = await serve(Redirector(Place().deps()), 0, hosts=("127.0.0.1",))
        async with server:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            answer = b""
            for _ in range(3):
                writer.write(PROBES[0])
                answer += await reader.read(65536)
            writer.close()
            await writer.wait_closed()
            return answer

    assert run(insist()).count(b"HTTP/1.1 302") == 1
    assert not caplog.records


@settings(max_examples=300)
@given(
    data=st.lists(st.binary(max_size=40) | st.sampled_from([b"\r\n", b"GET ", b"Host:", b"HEAD "])).map(
        b"".join
    )
)
def test_whatever_comes_is_shown_the_way_or_closed(data: bytes) -> None:
    place = Place()

    async def exchange() -> bytes:
        async with running(place) as speak:
            return await speak(data, finish=True)

    response = run(exchange())
    assert response == b"" or parts(response)[0] == 302


def test_a_request_that_does_not_end_is_closed_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 0.2)
    place = Place()
    assert ask(place, b"GET / HTTP/1.1\r\nHost: slow") == b""


def test_a_tls_hello_is_closed_at_once_and_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "PATIENCE_SECONDS", 60.0)

    async def hello() -> bytes:
        async with running(Place()) as speak:
            # The head of a ClientHello (RFC 8446 section 5.1), and no more of it.
            return await asyncio.wait_for(speak(bytes.fromhex("1603010200010001fc0303")), 30)

    assert run(hello()) == b""


def test_those_who_hold_connections_open_make_room_for_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answering, "MOST_OPEN", 20)
    place = Place()

    async def crowd() -> tuple[int, bytes]:
        async with running(place) as speak:
            holders = [asyncio.create_task(speak(b"GET / HT")) for _ in range(60)]
            ended, _ = await asyncio.wait(holders, timeout=4, return_when=asyncio.FIRST_COMPLETED)
            while len(ended) < 40:
                more, _ = await asyncio.wait(set(holders) - ended, return_when=asyncio.FIRST_COMPLETED)
                ended |= more
            answer = await speak(PROBES[0])
            for holder in holders:
                holder.cancel()
            await asyncio.gather(*holders, return_exceptions=True)
            return len(ended), answer

    closed, answer = run(crowd())
    assert closed == 40
    assert landing(answer, place).mac == PHONE


@pytest.fixture(scope="module")
def net() -> Iterator[Town]:
    with opened() as net:
        yield net


@pytest.mark.netns
@pytest.mark.parametrize("version", [4, 6])
def test_in_a_gateway_it_names_the_phone_that_the_kernel_sees(net: Town, version: int) -> None:
    place = Place()
    answers: list[str] = []

    def fetch(port: int) -> None:
        with net.phone[0].ns.socket(socket.AF_INET if version == 4 else socket.AF_INET6) as connection:
            connection.settimeout(5)
            connection.connect((str(net.gateway.address(version)), port))
            connection.sendall(PROBES[1])
            answer = http.client.HTTPResponse(connection)
            answer.begin()
            answers.append(answer.headers["Location"])
            answer.close()

    async def gateway() -> None:
        with NeighbourTable("lan0") as table:
            deps = RedirectorDeps(
                PORTAL, "gare", lambda: KEY, lambda: place.time, table.lookup, lambda mac: False
            )
            async with await serve(Redirector(deps), 8081) as server:
                port = server.sockets[0].getsockname()[1]
                await asyncio.get_running_loop().run_in_executor(None, fetch, port)

    net.gateway.ns.call(lambda: asyncio.run(asyncio.wait_for(gateway(), 10)))
    token = parse_qs(urlsplit(answers[0]).query)["landing"][0]
    expected = Landing("gare", net.phone[0].mac, net.phone[0].address(version))
    assert verify(token, gateway="gare", key=KEY, now=place.time) == expected

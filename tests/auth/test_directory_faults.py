"""Cases D1 and F6: what a directory that is silent, slow, broken or hostile may cost, and how it ends."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

import pytest

from auth.directory import Found, LdapDirectory
from auth.errors import DirectoryUnavailable, WrongCredentials
from config import LdapSettings
from tests.auth.conftest import MakeDirectory
from tests.services.fake_directory import BIND, SEARCH, Request, fake_directory
from tests.services.parts import free_port
from tests.services.slapd import PEOPLE, Slapd
from tests.services.tcp_proxy import Mode, TcpProxy, tcp_proxy

TODAY = date(2026, 9, 1)
SOON = 0.5
# The machine may be busy; what matters is that it is not the minutes of a drip, nor for ever.
GRACE = 1.5


@pytest.fixture
def proxy(slapd: Slapd) -> Iterator[TcpProxy]:
    with tcp_proxy(slapd.port) as running:
        yield running


def behind(slapd: Slapd, *ports: int, **changes: object) -> LdapSettings:
    urls = tuple(f"ldaps://localhost:{port}" for port in ports)
    return replace(slapd.settings(urls=urls, timeout_seconds=SOON), **changes)  # type: ignore[arg-type]


def sign_in(directory: LdapDirectory) -> object:
    return directory.prove(directory.find("29000001"), "1234", today=TODAY)


def unavailable(work: Callable[[], object]) -> str:
    """The reason of the refusal, which came by the deadline."""
    started = time.monotonic()
    with pytest.raises(DirectoryUnavailable) as refused:
        work()
    assert time.monotonic() - started < SOON + GRACE
    return refused.value.reason


@pytest.mark.parametrize("mode", [Mode.HOLD, Mode.DRIP])
def test_a_new_connection_ends_by_the_deadline(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory, mode: Mode
) -> None:
    """The drip is one byte in 50 ms within a TLS handshake: never late by the clock of a single read."""
    proxy.mode = mode
    directory = make_directory(behind(slapd, proxy.port))
    assert "no answer in time" in unavailable(lambda: directory.find("29000001"))


@pytest.mark.parametrize("mode", [Mode.HOLD, Mode.DRIP])
def test_a_kept_connection_ends_by_the_deadline(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory, mode: Mode
) -> None:
    """Half-open and dripping connections: these were good a moment ago."""
    directory = make_directory(behind(slapd, proxy.port))
    found = directory.find("29000001")
    directory.prove(found, "1234", today=TODAY)
    proxy.mode = mode
    assert "no answer in time" in unavailable(lambda: directory.find("29000001"))
    assert "no answer in time" in unavailable(lambda: directory.prove(found, "1234", today=TODAY))


def test_find_and_prove_share_one_deadline(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, slapd.port))
    found = directory.find("29000001")
    assert directory.prove(found, "1234", today=TODAY)
    late = replace(found, spent_seconds=SOON)
    assert "in time" in unavailable(lambda: directory.prove(late, "1234", today=TODAY))


def test_a_reset_is_told_as_such(slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory) -> None:
    proxy.mode = Mode.RESET
    directory = make_directory(behind(slapd, proxy.port))
    assert "it broke the connection off" in unavailable(lambda: directory.find("29000001"))


def test_a_refused_connection_is_told_as_such(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, free_port()))
    assert "it refuses the connection" in unavailable(lambda: directory.find("29000001"))


def test_an_unknown_name_is_told_as_such(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, 636, urls=("ldaps://directory.invalid",), timeout_seconds=2))
    with pytest.raises(DirectoryUnavailable) as refused:
        directory.find("29000001")
    assert refused.value.reason.startswith("directory.invalid: its name")


def test_broken_kept_connections_are_replaced_once(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    directory = make_directory(behind(slapd, proxy.port))
    sign_in(directory)
    assert proxy.accepted == 2
    proxy.break_off()
    sign_in(directory)
    assert proxy.accepted == 4


def test_a_person_who_is_refused_costs_no_connection(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    directory = make_directory(behind(slapd, proxy.port))
    for _ in range(5):
        with pytest.raises(WrongCredentials):
            directory.prove(directory.find("29000001"), "4321", today=TODAY)
    assert proxy.accepted == 2


def test_a_silent_directory_holds_its_slots_and_no_more(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    """Case D1. Sixty sign-ins at once: the slots wait for the deadline, everybody else is told at once."""
    proxy.mode = Mode.HOLD
    directory = make_directory(behind(slapd, proxy.port, slots=2, timeout_seconds=4.0))
    reasons: list[str] = []

    def try_in() -> None:
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.find("29000001")
        reasons.append(refused.value.reason)

    threads = [threading.Thread(target=try_in) for _ in range(60)]
    for thread in threads:
        thread.start()
    proxy.wait_for_connections(2)
    deadline = time.monotonic() + 2
    while len(reasons) < 58 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [reason for reason in reasons if "every slot is taken" in reason] == reasons
    assert len(reasons) == 58
    # The queue stays shut while nothing moves: who comes now does not even wait for half a second.
    held = sum(thread.is_alive() for thread in threads)
    assert held == 2
    assert "every slot is taken" in unavailable(lambda: directory.find("29000001"))
    assert proxy.accepted == 2
    proxy.break_off()
    for thread in threads:
        thread.join()


def test_failures_in_a_row_open_the_breaker(slapd: Slapd, make_directory: MakeDirectory) -> None:
    with fake_directory(lambda request: b"") as dead:
        directory = make_directory(behind(slapd, dead.port))
        refusals = [unavailable(lambda: directory.find("29000001")) for _ in range(8)]
        assert 1 <= dead.connections <= 5
        assert "failed several times in a row" in refusals[-1]
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.find("29000001")
        assert 1 <= refused.value.retry_after_seconds <= 5


def test_wrong_pins_never_open_the_breaker(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, slapd.port))
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            directory.prove(directory.find("29000001"), "4321", today=TODAY)
    assert sign_in(directory)


def test_a_second_server_answers_for_a_refusing_first(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, free_port(), slapd.port, timeout_seconds=5))
    assert sign_in(directory)


def test_a_second_server_answers_for_a_silent_first_within_the_deadline(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    proxy.mode = Mode.HOLD
    directory = make_directory(behind(slapd, proxy.port, slapd.port, timeout_seconds=2))
    assert sign_in(directory)
    # It has been put aside: the next sign-ins do not try it first.
    assert proxy.accepted == 1
    assert sign_in(directory)
    assert proxy.accepted == 1


def test_every_server_that_failed_is_named(slapd: Slapd, make_directory: MakeDirectory) -> None:
    first, second = free_port(), free_port()
    directory = make_directory(behind(slapd, first, second))
    reason = unavailable(lambda: directory.find("29000001"))
    assert reason == "; ".join(f"localhost:{port}: it refuses the connection" for port in (first, second))


@pytest.mark.parametrize("code", [51, 52])
def test_a_busy_server_is_the_same_as_none(slapd: Slapd, make_directory: MakeDirectory, code: int) -> None:
    certificate = slapd.authority.issue("localhost", label=f"busy-{code}")
    with fake_directory(lambda request: request.answer(code), certificate=certificate) as busy:
        directory = make_directory(behind(slapd, busy.port, slapd.port, timeout_seconds=5))
        assert sign_in(directory)
        assert busy.connections == 1


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 64, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"0\x84\xff\xff\xff\xff", b"0\x05\x02\x01\x01a\x00"],
)
def test_garbage_is_no_answer(slapd: Slapd, make_directory: MakeDirectory, garbage: bytes) -> None:
    certificate = slapd.authority.issue("localhost", label="garbage")
    with fake_directory(lambda request: garbage, certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port))
        unavailable(lambda: directory.find("29000001"))


def test_an_endless_answer_is_cut(slapd: Slapd, make_directory: MakeDirectory) -> None:
    flood = b"0\x84\x7f\xff\xff\xff" + b"\0" * (3 << 20)
    certificate = slapd.authority.issue("localhost", label="flood")
    with fake_directory(lambda request: flood, certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port, timeout_seconds=5))
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.find("29000001")
        assert "its answer is far too long" in refused.value.reason


class TestReferrals:
    """Case L4: nobody else ever hears the service's password, or a person's."""

    def ask(
        self, slapd: Slapd, make_directory: MakeDirectory, answer: Callable[[Request, str], bytes]
    ) -> Callable[[Callable[[LdapDirectory], object]], tuple[str, int]]:
        def run(work: Callable[[LdapDirectory], object]) -> tuple[str, int]:
            certificate = slapd.authority.issue("localhost", label="referring")
            with (
                fake_directory(lambda request: request.answer(0)) as thief,
                fake_directory(
                    lambda request: answer(request, f"ldap://localhost:{thief.port}/{PEOPLE}"),
                    certificate=certificate,
                ) as referring,
            ):
                directory = make_directory(behind(slapd, referring.port, timeout_seconds=2))
                with pytest.raises(DirectoryUnavailable) as refused:
                    work(directory)
                return refused.value.reason, thief.connections

        return run

    def test_a_search_that_is_referred_ends_there(self, slapd: Slapd, make_directory: MakeDirectory) -> None:
        def answer(request: Request, url: str) -> bytes:
            return request.answer(10, referral=url) if request.operation == SEARCH else request.answer(0)

        reason, connections = self.ask(slapd, make_directory, answer)(
            lambda directory: directory.find("29000001")
        )
        assert "referral to another server, and none is ever followed" in reason
        assert connections == 0

    def test_a_bind_that_is_referred_ends_there(self, slapd: Slapd, make_directory: MakeDirectory) -> None:
        def answer(request: Request, url: str) -> bytes:
            return request.answer(10, referral=url) if request.operation == BIND else request.answer(0)

        ask = self.ask(slapd, make_directory, answer)
        found = Found("29000001", "id", f"uid=29000001,{PEOPLE}")
        for work in (
            lambda directory: directory.find("29000001"),
            lambda directory: directory.prove(found, "1234", today=TODAY),
        ):
            reason, connections = ask(work)
            assert "referral to another server, and none is ever followed" in reason
            assert connections == 0

    def test_a_reference_instead_of_an_entry_finds_nobody(
        self, slapd: Slapd, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
    ) -> None:
        def answer(request: Request) -> bytes:
            reference = request.reference("ldap://localhost:1/dc=x") if request.operation == SEARCH else b""
            return reference + request.answer(0)

        certificate = slapd.authority.issue("localhost", label="reference")
        with fake_directory(answer, certificate=certificate) as fake:
            assert (
                make_directory(behind(slapd, fake.port, timeout_seconds=2)).find("29000001").stable_id is None
            )
        assert "has only a referral for a login" in caplog.text


def test_it_asks_for_two_entries_at_most_and_never_through_an_alias(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    with fake_directory(
        lambda r: r.answer(0), certificate=slapd.authority.issue("localhost", label="two")
    ) as fake:
        make_directory(behind(slapd, fake.port, timeout_seconds=2)).find("29000001")
        search = next(request for request in fake.requests if request.operation == SEARCH)
    # After the base: scope wholeSubtree, derefAliases never, sizeLimit 2 (RFC 4511 section 4.5.1).
    assert b"\x0a\x01\x02\x0a\x01\x00\x02\x01\x02" in search.body


def test_more_entries_than_asked_for_let_nobody_in(slapd: Slapd, make_directory: MakeDirectory) -> None:
    def answer(request: Request) -> bytes:
        if request.operation != SEARCH:
            return request.answer(0)
        entries = [request.entry(f"uid={n},{PEOPLE}", {"entryUUID": b"%d" % n}) for n in range(2)]
        return b"".join(entries) + request.answer(4)

    certificate = slapd.authority.issue("localhost", label="many")
    with fake_directory(answer, certificate=certificate) as fake:
        assert make_directory(behind(slapd, fake.port, timeout_seconds=2)).find("29000001").stable_id is None


def test_one_entry_of_a_cut_list_is_not_exactly_one(slapd: Slapd, make_directory: MakeDirectory) -> None:
    def answer(request: Request) -> bytes:
        if request.operation != SEARCH:
            return request.answer(0)
        return request.entry(f"uid=1,{PEOPLE}", {"entryUUID": b"1"}) + request.answer(4)

    certificate = slapd.authority.issue("localhost", label="cut")
    with fake_directory(answer, certificate=certificate) as fake:
        assert make_directory(behind(slapd, fake.port, timeout_seconds=2)).find("29000001").stable_id is None


def test_threads_share_the_directory_without_mixing_answers(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    cards = slapd.seed(40, first=29_100_000)
    directory = make_directory(behind(slapd, slapd.port, timeout_seconds=10))
    wrong: list[object] = []

    def work(mine: list[tuple[str, str]]) -> None:
        for login, pin in mine:
            try:
                found = directory.find(login)
                if directory.prove(found, pin, today=TODAY).stable_id != found.stable_id:
                    wrong.append(login)
            except Exception as error:
                wrong.append(error)

    threads = [threading.Thread(target=work, args=(cards[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len({directory.find(login).stable_id for login, _ in cards}) == 40


def test_a_forked_process_opens_its_own_connections(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    directory = make_directory(behind(slapd, proxy.port, timeout_seconds=5))
    sign_in(directory)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            sign_in(directory)
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert proxy.accepted == 4
    sign_in(directory)
    assert proxy.accepted == 4

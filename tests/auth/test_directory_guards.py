"""What a bad directory may cost the rest of the portal, and who answers in its stead."""

from __future__ import annotations

import os
import threading
import time

import pytest

from auth.errors import DirectoryUnavailable, WrongCredentials
from auth.patrons.directory import DirectoryEntry
from tests.auth.conftest import MakeDirectory
from tests.auth.directories import TODAY, behind, sign_in, unavailable
from tests.services.fake_directory import SEARCH, Request, fake_directory
from tests.services.parts import free_port
from tests.services.slapd import PEOPLE, Slapd
from tests.services.tcp_proxy import Mode, TcpProxy


def test_a_silent_directory_holds_its_slots_and_no_more(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    """Sixty sign-ins at once: the slots wait for the deadline, everybody else is told at once."""
    proxy.mode = Mode.HOLD
    directory = make_directory(behind(slapd, proxy.port, slots=2, timeout_seconds=4.0))
    reasons: list[str] = []

    def try_in() -> None:
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.find("29000001")
        reasons.append(refused.value.cause)

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


def test_failures_that_are_not_in_a_row_leave_the_breaker_closed(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory
) -> None:
    directory = make_directory(behind(slapd, proxy.port))
    for _ in range(4):
        proxy.mode = Mode.RESET
        assert "broke the connection off" in unavailable(lambda: directory.find("29000001"))
        proxy.mode = Mode.PASS
        assert directory.find("29000001").stable_id


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
    def put_off(request: Request) -> bytes:
        # The service account is still let in; what it asks is put off.
        return request.answer(code if request.operation == SEARCH else 0)

    certificate = slapd.authority.issue("localhost", label=f"busy-{code}")
    with fake_directory(put_off, certificate=certificate) as busy:
        directory = make_directory(behind(slapd, busy.port, slapd.port, timeout_seconds=5))
        assert sign_in(directory)
        assert busy.connections == 1


@pytest.mark.parametrize("code", [51, 52])
def test_a_server_too_busy_for_a_person_is_not_asked_again_at_once(
    slapd: Slapd, make_directory: MakeDirectory, code: int
) -> None:
    certificate = slapd.authority.issue("localhost", label=f"too-busy-{code}")
    with fake_directory(lambda request: request.answer(code), certificate=certificate) as busy:
        directory = make_directory(behind(slapd, busy.port, slapd.port, timeout_seconds=5))
        found = DirectoryEntry("29000001", "id", f"uid=29000001,{PEOPLE}")
        assert directory.prove(found, "1234", today=TODAY)
        assert len(busy.binds) == 1


def test_threads_share_the_directory_without_mixing_answers(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    cards = slapd.seed(40, first=29_100_000)
    directory = make_directory(behind(slapd, slapd.port, slots=8, timeout_seconds=10))
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

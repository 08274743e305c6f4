"""A directory that is silent, slow or broken, and how an operation on it ends."""

from __future__ import annotations

import socket
import threading
from dataclasses import replace
from datetime import date

import pytest

from auth.errors import DirectoryUnavailable, WrongCredentials
from auth.patrons.ldap import server
from auth.patrons.ldap.server import Purpose
from tests.auth.conftest import MakeDirectory
from tests.auth.directories import SOON, TODAY, behind, sign_in, unavailable
from tests.services.fake_directory import fake_directory
from tests.services.parts import free_port
from tests.services.slapd import Slapd
from tests.services.tcp_proxy import Mode, TcpProxy


@pytest.mark.parametrize("mode", [Mode.HOLD, Mode.DRIP])
def test_a_new_connection_ends_by_the_deadline(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory, mode: Mode
) -> None:
    """The drip is one byte in 50 ms within a TLS handshake: never late by the clock of a single read."""
    proxy.mode = mode
    directory = make_directory(behind(slapd, proxy.port, timeout_seconds=SOON))
    assert "no answer in time" in unavailable(lambda: directory.find("29000001"))


@pytest.mark.parametrize("mode", [Mode.HOLD, Mode.DRIP])
def test_a_kept_connection_ends_by_the_deadline(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory, mode: Mode
) -> None:
    """Half-open and dripping connections: these were good a moment ago."""
    directory = make_directory(behind(slapd, proxy.port, timeout_seconds=SOON))
    found = directory.find("29000001")
    directory.prove(found, "1234", today=TODAY)
    proxy.mode = mode
    assert "no answer in time" in unavailable(lambda: directory.find("29000001"))
    assert "no answer in time" in unavailable(lambda: directory.prove(found, "1234", today=TODAY))
    # The answers may still come: nobody may take them for theirs.
    assert directory._servers[0]._kept == {Purpose.SEARCH: [], Purpose.PROOF: []}


def test_find_and_prove_share_one_deadline(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, slapd.port))
    found = directory.find("29000001")
    assert directory.prove(found, "1234", today=TODAY)
    late = replace(found, spent_seconds=5)
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
    assert refused.value.cause.startswith("directory.invalid: its name")


def test_a_resolver_that_hangs_is_left_behind(
    slapd: Slapd, make_directory: MakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30) and [])
    directory = make_directory(behind(slapd, slapd.port, timeout_seconds=SOON))
    assert "its name was not resolved in time" in unavailable(lambda: directory.find("29000001"))
    over.set()


def test_a_connection_that_idled_for_long_is_opened_anew(
    slapd: Slapd, proxy: TcpProxy, make_directory: MakeDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A firewall may have forgotten it, and would not say so."""
    directory = make_directory(behind(slapd, proxy.port))
    sign_in(directory)
    monkeypatch.setattr(server, "KEEP_IDLE_SECONDS", 0.0)
    sign_in(directory)
    assert proxy.accepted == 4


def test_no_kept_connection_remembers_a_secret(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(behind(slapd, slapd.port))
    directory.prove(directory.find("29000404"), "the right one", today=date(2026, 6, 1))
    kept = [one.connection for pool in directory._servers[0]._kept.values() for one in pool]
    assert len(kept) == 2
    remembered = repr([vars(connection) for connection in kept])
    assert "the right one" not in remembered
    assert slapd.bind_password not in remembered


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


@pytest.mark.parametrize(
    "garbage",
    [b"\x00" * 64, b"HTTP/1.1 400 Bad Request\r\n\r\n", b"0\x84\xff\xff\xff\xff", b"0\x05\x02\x01\x01a\x00"],
)
def test_garbage_is_no_answer(slapd: Slapd, make_directory: MakeDirectory, garbage: bytes) -> None:
    certificate = slapd.authority.issue("localhost", label="garbage")
    with fake_directory(lambda request: garbage, certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port, timeout_seconds=SOON))
        unavailable(lambda: directory.find("29000001"))


def test_an_endless_answer_is_cut(slapd: Slapd, make_directory: MakeDirectory) -> None:
    flood = b"0\x84\x7f\xff\xff\xff" + b"\0" * (3 << 20)
    certificate = slapd.authority.issue("localhost", label="flood")
    with fake_directory(lambda request: flood, certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port, timeout_seconds=5))
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.find("29000001")
        assert "its answer is far too long" in refused.value.cause

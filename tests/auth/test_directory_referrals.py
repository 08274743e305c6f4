"""Referrals, and the answers that a real server does not give on demand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from auth.errors import DirectoryUnavailable
from auth.patrons.directory import DirectoryEntry
from auth.patrons.ldap.client import LdapDirectory
from tests.auth.conftest import MakeDirectory
from tests.auth.directories import TODAY, behind
from tests.services.fake_directory import BIND, SEARCH, Request, fake_directory
from tests.services.slapd import PEOPLE, Slapd


class TestReferrals:
    """Nobody else ever hears the service's password, or a person's."""

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
                return refused.value.cause, thief.connections

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
        found = DirectoryEntry("29000001", "id", f"uid=29000001,{PEOPLE}")
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
        assert "answered a login with a referral" in caplog.text


def test_it_asks_for_a_few_entries_at_most_and_never_through_an_alias(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    with fake_directory(
        lambda r: r.answer(0), certificate=slapd.authority.issue("localhost", label="two")
    ) as fake:
        make_directory(behind(slapd, fake.port, timeout_seconds=2)).find("29000001")
        search = next(request for request in fake.requests if request.operation == SEARCH)
    # After the base: scope wholeSubtree, derefAliases never, sizeLimit 5 (RFC 4511 section 4.5.1).
    assert b"\x0a\x01\x02\x0a\x01\x00\x02\x01\x05" in search.body


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


@pytest.mark.parametrize("code", [1, 2, 8, 13, 80])
def test_an_answer_that_says_neither_right_nor_wrong_lets_nobody_in(
    slapd: Slapd, make_directory: MakeDirectory, code: int
) -> None:
    certificate = slapd.authority.issue("localhost", label=f"neither-{code}")
    found = DirectoryEntry("29000001", "id", f"uid=29000001,{PEOPLE}")
    with fake_directory(lambda request: request.answer(code), certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port))
        with pytest.raises(DirectoryUnavailable) as refused:
            directory.prove(found, "1234", today=TODAY)
    assert f"({code})" in refused.value.cause

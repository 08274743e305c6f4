"""The directory against a real slapd: who is let in, who is told what, and what the server gets to see."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from auth.errors import BlockedCard, ExpiredCard, WrongCredentials, WrongPlace
from auth.patrons.directory import DirectoryEntry, Patron
from auth.patrons.ldap.client import LdapDirectory
from tests.auth.conftest import MakeDirectory
from tests.services.slapd import BASE, PEOPLE, Slapd, running_slapd
from tests.services.tcp_proxy import tcp_proxy

TODAY = date(2026, 9, 1)


def sign_in(directory: LdapDirectory, login: str, secret: str) -> Patron:
    return directory.prove(directory.find(login), secret, today=TODAY)


def test_a_patron_with_the_right_pin_is_proven(directory: LdapDirectory) -> None:
    patron = sign_in(directory, "29000001", "1234")
    assert len(patron.stable_id) == 36
    assert (patron.category, patron.expires_on, patron.blocked) == ("adult", None, False)


def test_starttls_does_as_well(slapd: Slapd, make_directory: MakeDirectory) -> None:
    directory = make_directory(urls=(slapd.plain_url,), starttls=True)
    assert sign_in(directory, "29000001", "1234").category == "adult"


def test_an_unknown_card_and_a_wrong_pin_are_one_answer(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """The same words by the same path, a search and a bind for each."""
    dn = slapd.add_patron("29000801", "1234")
    directory = make_directory()
    refusals = []
    for login, bound_dn in (("29000801", dn), ("29999801", f"cn=arobase-nobody,{PEOPLE}")):
        before = slapd.count_binds(bound_dn, least=0)
        with pytest.raises(WrongCredentials) as refused:
            sign_in(directory, login, "4321")
        refusals.append(str(refused.value))
        assert slapd.count_searches(f"(uid={login})", least=1) == 1
        assert slapd.count_binds(bound_dn, least=before + 1) > before
    assert refusals == ["", ""]


def test_no_secret_opens_an_unknown_login(directory: LdapDirectory, slapd: Slapd) -> None:
    """Even a bind that succeeds proves nobody."""
    nobody = directory.find("29999999")
    assert nobody.stable_id is None
    with pytest.raises(WrongCredentials):
        directory.prove(DirectoryEntry("x", None, f"uid=29000001,{PEOPLE}"), "1234", today=TODAY)


@pytest.mark.parametrize(
    "nothing", ["", " ", "\0", "\u00ad", "\u200b", "\ufeff", "\u200b\u2060\ufeff", "x" * 1_000_000]
)
def test_nothing_is_sent_for_a_secret_that_is_none(
    slapd: Slapd, make_directory: MakeDirectory, nothing: str
) -> None:
    """An empty password makes a simple bind anonymous, and succeed (RFC 4513 section 5.1.2)."""
    with tcp_proxy(slapd.port) as proxy:
        directory = make_directory(urls=(f"ldaps://localhost:{proxy.port}",))
        with pytest.raises(WrongCredentials):
            directory.prove(DirectoryEntry("x", "x", f"uid=29000001,{PEOPLE}"), nothing, today=TODAY)
        with pytest.raises(WrongCredentials):
            directory.find(nothing)
        assert proxy.accepted == 0


def test_a_secret_that_is_prepared_to_a_blank_is_not_sent(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    """U+1806 shows as a hyphen, and SASLprep maps it to nothing (RFC 3454 table B.1)."""
    with tcp_proxy(slapd.port) as proxy:
        directory = make_directory(urls=(f"ldaps://localhost:{proxy.port}",))
        with pytest.raises(WrongCredentials):
            directory.prove(DirectoryEntry("x", "x", f"uid=29000001,{PEOPLE}"), "\u1806 ", today=TODAY)
        assert proxy.accepted == 0


@pytest.mark.parametrize("secret", ["\ue000secret", "\u0627a", "\U000e0041tag"])
def test_a_secret_that_saslprep_forbids_is_a_wrong_one(directory: LdapDirectory, secret: str) -> None:
    """RFC 4013 forbids these; the directory decides, and nobody may see that as a fault."""
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000001", secret)


@pytest.mark.parametrize(
    "login",
    [
        "*", "2900000*", "\\2a", "29000001)(uid=*", "admin)(|(uid=*", "*)(objectClass=*",
        f"uid=29000001,{PEOPLE}",
        "29000001)(&", "((((", "\\", "\\00", "29000001\\",
    ],
)  # fmt: skip
def test_a_filter_in_the_login_finds_nobody(directory: LdapDirectory, login: str) -> None:
    """What was typed is a value of the filter, never a part of it (RFC 4515 section 3)."""
    assert directory.find(login).stable_id is None
    with pytest.raises(WrongCredentials):
        sign_in(directory, login, "1234")


def test_two_entries_for_one_login_let_nobody_in(
    slapd: Slapd, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    slapd.add_patron("29000201", "same", employeeNumber="2002")
    slapd.add_patron("29000202", "same", employeeNumber="2002")
    directory = make_directory(user_filter="(employeeNumber={login})")
    with pytest.raises(WrongCredentials):
        sign_in(directory, "2002", "same")
    assert "matches several entries" in caplog.text


def test_an_alias_is_not_the_person_it_points_to(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add(
        f"dn: uid=29000301,{PEOPLE}\nobjectClass: alias\nobjectClass: extensibleObject\nuid: 29000301\n"
        f"aliasedObjectName: uid=29000001,{PEOPLE}\n"
    )
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000301", "1234")


@pytest.mark.parametrize("login", ["jean-paul", "JEAN-PAUL", " Jean-Paul ", "ｊｅａｎ-ｐａｕｌ"])
def test_a_login_that_is_written_with_a_hyphen_is_found(directory: LdapDirectory, login: str) -> None:
    assert directory.find(login).stable_id is not None


def test_every_spelling_is_one_person(directory: LdapDirectory) -> None:
    """Limits hang on the stable id, and on one form of the login."""
    spellings = ["29000001", " 2900 0001", "29-00-00-01", "２９０００００１", "29000001\u00ad"]
    found = [directory.find(spelling) for spelling in spellings]
    assert len({one.stable_id for one in found}) == 1
    assert {one.login for one in found} == {"29000001"}
    assert all(directory.prove(one, "1234", today=TODAY) for one in found)


def test_an_expired_card_is_told_after_the_right_pin_only(directory: LdapDirectory) -> None:
    with pytest.raises(ExpiredCard) as expired:
        sign_in(directory, "29000404", "the right one")
    assert expired.value.on == date(2026, 6, 30)
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000404", "a wrong one")


def test_a_card_is_valid_on_its_last_day(directory: LdapDirectory) -> None:
    found = directory.find("29000404")
    patron = directory.prove(found, "the right one", today=date(2026, 6, 30))
    assert patron.expires_on == date(2026, 6, 30)
    with pytest.raises(ExpiredCard):
        directory.prove(found, "the right one", today=date(2026, 7, 1))


def test_a_blocked_card_is_told_after_the_right_pin_only(directory: LdapDirectory) -> None:
    with pytest.raises(BlockedCard):
        sign_in(directory, "29000405", "another right one")
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000405", "a wrong one")


def test_the_wrong_place_is_told_after_the_right_pin_only(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    slapd.add_patron("29000501", "member pin")
    slapd.add_patron("odd(*)name", "odd pin")
    group = f"cn=readers,ou=groups,{BASE}"
    slapd.add(
        f"dn: {group}\nobjectClass: groupOfNames\ncn: readers\nmember: uid=29000501,{PEOPLE}\n"
        f"member: uid=odd(*)name,{PEOPLE}\n"
    )
    directory = make_directory(required_group=group)
    assert sign_in(directory, "29000501", "member pin")
    assert sign_in(directory, "odd(*)name", "odd pin")
    with pytest.raises(WrongPlace):
        sign_in(directory, "29000001", "1234")
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000001", "4321")


def test_an_absent_group_lets_nobody_in(make_directory: MakeDirectory) -> None:
    with pytest.raises(WrongPlace):
        sign_in(make_directory(required_group=f"cn=absent,ou=groups,{BASE}"), "29000001", "1234")


def test_a_lock_that_the_directory_puts_before_the_pin_proves_nothing(
    slapd: Slapd, directory: LdapDirectory
) -> None:
    dn = slapd.add_patron("29000602", "its pin")
    slapd.modify(
        f"dn: {dn}\nchangetype: modify\nreplace: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n"
    )
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000602", "its pin")


def test_connections_are_kept_and_each_proof_is_one_bind(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A retry of ours after a wrong PIN would count as the patron's, and lock the card."""
    dn = slapd.add_patron("29000802", "1234")
    with tcp_proxy(slapd.port) as proxy:
        directory = make_directory(urls=(f"ldaps://localhost:{proxy.port}",))
        for _ in range(10):
            sign_in(directory, "29000802", "1234")
            with pytest.raises(WrongCredentials):
                sign_in(directory, "29000802", "4321")
        assert proxy.accepted == 2
    assert slapd.count_binds(dn, least=20) == 20
    assert slapd.count_searches("(uid=29000802)", least=20) == 20


def test_a_restarted_server_costs_no_patron_a_try(tmp_path: Path) -> None:
    with running_slapd(tmp_path) as slapd:
        slapd.add_patron("29000001", "1234")
        directory = LdapDirectory(slapd.settings())
        sign_in(directory, "29000001", "1234")
    with running_slapd(tmp_path, port=slapd.port, authority=slapd.authority):
        assert sign_in(directory, "29000001", "1234")
    directory.close()

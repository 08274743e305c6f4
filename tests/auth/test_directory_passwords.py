"""Passwords reach the directory as they were typed, the portal's own too; and what is said of one that must change."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest

from auth.errors import BlockedCard, DirectoryUnavailable, ExpiredCard, PasswordToChange, WrongCredentials
from auth.patrons.ldap.client import LdapDirectory
from config import Secret
from tests.auth.conftest import MakeDirectory
from tests.auth.directories import behind
from tests.services.fake_directory import BIND, SEARCH, Request, fake_directory
from tests.services.slapd import PEOPLE, Slapd, hash_of

TODAY = date(2026, 9, 1)
# The signs on keys of a French keyboard that NFKC makes something else of, and some that it leaves alone.
PASSWORDS = [
    "motdepasse½", "m²", "5µm", "attends…", "n°12345", "nº3", "1ʳᵉ", "ﬁn", "㎞", "a¨b", "prix\u00a05",
    "soft\u00adhyphen", "Été2024", "œuvre€12", "🙂🙂", "كلمة12", "２９",
]  # fmt: skip


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_reaches_the_directory_as_it_was_typed(
    slapd: Slapd, directory: LdapDirectory, password: str
) -> None:
    login = f"typed-{password.encode().hex()}"
    slapd.add_patron(login, password)
    assert directory.prove(directory.find(login), password, today=TODAY)
    with pytest.raises(WrongCredentials):
        directory.prove(directory.find(login), password + "x", today=TODAY)


def test_letters_typed_in_two_pieces_are_one(slapd: Slapd, directory: LdapDirectory) -> None:
    """Apple's keyboards send é as e and an accent."""
    slapd.add_patron("accents", "Été")
    assert directory.prove(directory.find("accents"), unicodedata.normalize("NFD", "Été"), today=TODAY)


def test_another_sign_is_another_password(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add_patron("square", "m2")
    with pytest.raises(WrongCredentials):
        directory.prove(directory.find("square"), "m²", today=TODAY)


def test_the_portals_own_password_is_treated_alike(slapd: Slapd, make_directory: MakeDirectory) -> None:
    own = "à 5µ½…"
    dn = f"cn=second,{slapd.base}"
    slapd.add(
        f"dn: {dn}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: second\n"
        f"userPassword: {hash_of(own)}\n"
    )
    for typed in (own, unicodedata.normalize("NFD", own)):
        # The account may bind, and then read nothing.
        with pytest.raises(DirectoryUnavailable, match="noSuchObject"):
            make_directory(bind_dn=dn, bind_password=Secret(typed)).find("29000001")
    assert slapd.count(f'BIND dn="{dn}" mech=SIMPLE', least=2) == 2


AD = "80090308: LdapErr: DSID-0C09042A, comment: AcceptSecurityContext error, data {}, v3839"


@pytest.mark.parametrize(
    ("number", "refusal"),
    [
        ("773", PasswordToChange),
        ("532", PasswordToChange),
        ("533", BlockedCard),
        ("701", BlockedCard),
        ("530", BlockedCard),
        ("52e", WrongCredentials),
        ("775", WrongCredentials),
        ("525", WrongCredentials),
    ],
)
def test_what_active_directory_says_of_a_right_password(
    slapd: Slapd, make_directory: MakeDirectory, number: str, refusal: type[Exception]
) -> None:
    dn = f"cn=A,{PEOPLE}"

    def answer(request: Request) -> bytes:
        if request.operation == SEARCH:
            return request.entry(dn, {"entryUUID": b"1"}) + request.answer()
        if request.operation == BIND and dn.encode() in request.body:
            return request.answer(49, message=AD.format(number))
        return request.answer()

    certificate = slapd.authority.issue("localhost", label="ad")
    with fake_directory(answer, certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port))
        with pytest.raises(refusal):
            directory.prove(directory.find("a"), "right", today=TODAY)


def test_a_password_to_change_is_told_after_the_right_one_only(
    slapd: Slapd, directory: LdapDirectory
) -> None:
    dn = slapd.add_patron("29000611", "first pin")
    slapd.modify(f"dn: {dn}\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n")
    with pytest.raises(PasswordToChange):
        directory.prove(directory.find("29000611"), "first pin", today=TODAY)
    with pytest.raises(WrongCredentials):
        directory.prove(directory.find("29000611"), "no pin", today=TODAY)


def test_a_card_that_is_blocked_or_over_says_so_first(slapd: Slapd, directory: LdapDirectory) -> None:
    """A new password would help neither."""
    for login, attributes, refusal in (
        ("29000612", {"cardBlocked": "TRUE"}, BlockedCard),
        ("29000613", {"cardEnds": "20200101"}, ExpiredCard),
    ):
        dn = slapd.add_patron(login, "first pin", **attributes)
        slapd.modify(f"dn: {dn}\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n")
        with pytest.raises(refusal):
            directory.prove(directory.find(login), "first pin", today=TODAY)


def test_an_expired_password_is_right_while_grace_logins_last(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add(
        f"dn: cn=grace,{slapd.base}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: grace\n"
        "pwdAttribute: userPassword\npwdMaxAge: 1000\npwdGraceAuthNLimit: 1\n"
    )
    dn = slapd.add_patron("29000614", "old pin")
    slapd.modify(
        f"dn: {dn}\nchangetype: modify\nreplace: pwdPolicySubentry\npwdPolicySubentry: cn=grace,{slapd.base}\n"
        "-\nreplace: pwdChangedTime\npwdChangedTime: 20200101000000Z\n"
    )
    assert directory.prove(directory.find("29000614"), "old pin", today=TODAY)
    with pytest.raises(PasswordToChange):
        directory.prove(directory.find("29000614"), "old pin", today=TODAY)
    with pytest.raises(WrongCredentials):
        directory.prove(directory.find("29000614"), "no pin", today=TODAY)

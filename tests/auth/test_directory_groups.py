"""Groups as towns have them: of names, of unique names, of logins, and in each other."""

from __future__ import annotations

import logging
from datetime import date

import pytest

from auth.errors import WrongCredentials, WrongPlace
from auth.patrons.ldap.client import LdapDirectory
from auth.patrons.ldap.groups import DEPTH, MOST_GROUPS, common_base
from config import NestedGroups
from tests.auth.conftest import MakeDirectory
from tests.auth.directories import behind
from tests.services.fake_directory import SEARCH, Request, fake_directory
from tests.services.slapd import BASE, PEOPLE, Slapd

TODAY = date(2026, 9, 1)
GROUPS = f"ou=groups,{BASE}"


def group(slapd: Slapd, name: str, *members: str, kind: str = "groupOfNames") -> str:
    """Add a group; its DN. `members` are DNs, or logins for a posixGroup."""
    attribute = {"groupOfNames": "member", "groupOfUniqueNames": "uniqueMember", "posixGroup": "memberUid"}[
        kind
    ]
    number = "gidNumber: 7001\n" if kind == "posixGroup" else ""
    lines = "".join(f"{attribute}: {member}\n" for member in members)
    slapd.add(f"dn: cn={name},{GROUPS}\nobjectClass: {kind}\ncn: {name}\n{number}{lines}")
    return f"cn={name},{GROUPS}"


def is_in(directory: LdapDirectory, login: str) -> bool:
    try:
        directory.prove(directory.find(login), "1234", today=TODAY)
    except WrongPlace:
        return False
    return True


@pytest.mark.parametrize("kind", ["groupOfNames", "groupOfUniqueNames"])
def test_a_group_names_people(slapd: Slapd, make_directory: MakeDirectory, kind: str) -> None:
    directory = make_directory(required_group=group(slapd, kind, f"uid=29000001,{PEOPLE}", kind=kind))
    assert is_in(directory, "29000001")
    with pytest.raises(WrongCredentials):
        directory.prove(directory.find("29000001"), "4321", today=TODAY)


def test_a_posix_group_names_logins(slapd: Slapd, make_directory: MakeDirectory) -> None:
    slapd.add_patron("posix-in", "1234")
    slapd.add_patron("posix-out", "1234")
    directory = make_directory(required_group=group(slapd, "posix", "posix-in", "other", kind="posixGroup"))
    assert is_in(directory, "posix-in")
    assert not is_in(directory, "posix-out")


def test_a_posix_group_is_also_that_of_its_number(slapd: Slapd, make_directory: MakeDirectory) -> None:
    number = {
        "objectClass": ("inetOrgPerson", "libraryCard", "posixAccount"),
        "uidNumber": "1",
        "homeDirectory": "/",
    }
    slapd.add_patron("gid-in", "1234", gidNumber="7001", **number)
    slapd.add_patron("gid-out", "1234", gidNumber="7002", **number)
    directory = make_directory(required_group=group(slapd, "gid", kind="posixGroup"))
    assert is_in(directory, "gid-in")
    assert not is_in(directory, "gid-out")


def test_a_group_in_a_group_counts(slapd: Slapd, make_directory: MakeDirectory) -> None:
    slapd.add_patron("nested-posix", "1234")
    slapd.add_patron("nested-out", "1234")
    inner = group(slapd, "inner", f"uid=29000001,{PEOPLE}")
    logins = group(slapd, "logins", "nested-posix", kind="posixGroup")
    middle = group(slapd, "middle", inner, logins, kind="groupOfUniqueNames")
    directory = make_directory(required_group=group(slapd, "outer", middle))
    assert is_in(directory, "29000001")
    assert is_in(directory, "nested-posix")
    assert not is_in(directory, "nested-out")


def test_it_can_be_switched_off(slapd: Slapd, make_directory: MakeDirectory) -> None:
    inner = group(slapd, "off-inner", f"uid=29000001,{PEOPLE}")
    outer = group(slapd, "off-outer", inner)
    assert not is_in(make_directory(required_group=outer, nested_groups=NestedGroups.OFF), "29000001")


def test_groups_that_name_each_other_end(slapd: Slapd, make_directory: MakeDirectory) -> None:
    slapd.add_patron("loop", "1234")
    group(slapd, "loop-a", f"uid=loop,{PEOPLE}", f"cn=loop-b,{GROUPS}", f"cn=loop-a,{GROUPS}")
    group(slapd, "loop-b", f"cn=loop-a,{GROUPS}")
    required = group(slapd, "loop-required", f"uid=29000001,{PEOPLE}")
    assert not is_in(make_directory(required_group=required), "loop")


def test_a_chain_too_long_is_given_up_and_told(
    slapd: Slapd, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    slapd.add_patron("deep", "1234")
    below = f"uid=deep,{PEOPLE}"
    for level in range(DEPTH + 2):
        below = group(slapd, f"deep-{level}", below)
    assert not is_in(make_directory(required_group=below), "deep")
    assert "levels: give up" in caplog.text
    assert is_in(make_directory(required_group=f"cn=deep-{DEPTH},{GROUPS}"), "deep")


def test_groups_without_number_are_given_up_and_told(
    slapd: Slapd, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    slapd.add_patron("many", "1234")
    member = f"member: uid=many,{PEOPLE}\n"
    slapd.add(
        "\n".join(
            f"dn: cn=many-{number},{GROUPS}\nobjectClass: groupOfNames\ncn: many-{number}\n{member}"
            for number in range(MOST_GROUPS + 1)
        )
    )
    required = group(slapd, "many-required", f"uid=29000001,{PEOPLE}")
    assert not is_in(make_directory(required_group=required), "many")
    assert "more than 200 groups" in caplog.text


def test_an_absent_group_lets_nobody_in_and_is_told(
    make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    assert not is_in(make_directory(required_group=f"cn=absent,{GROUPS}"), "29000001")
    assert "AROBASE_LDAP_REQUIRED_GROUP names no group" in caplog.text


@pytest.mark.parametrize("says_so", [True, False])
def test_active_directory_walks_the_chain_itself(
    slapd: Slapd, make_directory: MakeDirectory, says_so: bool
) -> None:
    """It is asked with its own matching rule, once, because its root entry says what it is."""
    rule = b"1.2.840.113556.1.4.1941"
    capability = b"1.2.840.113556.1.4.800" if says_so else b"1.3.6.1.1"
    person = f"cn=A,{PEOPLE}"

    def answer(request: Request) -> bytes:
        if request.operation != SEARCH:
            return request.answer()
        if b"supportedCapabilities" in request.body:
            return request.entry("", {"supportedCapabilities": capability}) + request.answer()
        if b"entryUUID" in request.body:
            return request.entry(person, {"entryUUID": b"1"}) + request.answer()
        if rule in request.body and person.encode() in request.body:
            return request.entry("cn=required", {}) + request.answer()
        return request.answer()

    certificate = slapd.authority.issue("localhost", label="ad-groups")
    with fake_directory(answer, certificate=certificate) as fake:
        directory = make_directory(behind(slapd, fake.port, required_group=f"cn=required,{GROUPS}"))
        assert is_in(directory, "a") is says_so
        result = make_directory(
            behind(slapd, fake.port, required_group=f"cn=required,{GROUPS}", nested_groups=NestedGroups.CHAIN)
        )
        assert is_in(result, "a")


@pytest.mark.parametrize(
    ("required", "people", "base"),
    [
        (f"cn=x,{GROUPS}", PEOPLE, BASE),
        ("CN=x,OU=Groups,DC=Library, dc = test", PEOPLE, "DC=Library,dc = test"),
        ("cn=x,o=elsewhere", PEOPLE, "o=elsewhere"),
        (r"cn=x\, y,ou=g,dc=a", "ou=p,dc=a", "dc=a"),
        ("cn=x,ou=people,dc=a", "ou=people,dc=a", "ou=people,dc=a"),
    ],
)
def test_groups_are_looked_for_where_both_have_their_root(required: str, people: str, base: str) -> None:
    assert common_base(required, people) == base

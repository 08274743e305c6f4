"""Twins: logins that fold to one. Each gets in with their own, and one question is asked for all."""

from __future__ import annotations

from datetime import date

import pytest

from auth.errors import WrongCredentials
from auth.patrons.ldap.client import LdapDirectory
from auth.patrons.ldap.entries import Logins
from auth.patrons.ldap.requests import Entry
from tests.auth.conftest import MakeDirectory
from tests.services.slapd import PEOPLE, Slapd

TODAY = date(2026, 9, 1)


def test_the_exact_login_wins_over_its_folded_twin(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add_patron("marie-anne", "with a hyphen")
    slapd.add_patron("marieanne", "without one")
    for login, secret in (("marie-anne", "with a hyphen"), ("marieanne", "without one")):
        assert directory.prove(directory.find(login), secret, today=TODAY)
    assert directory.prove(directory.find("Marie-Anne"), "with a hyphen", today=TODAY)
    with pytest.raises(WrongCredentials):
        directory.prove(directory.find("marie-anne"), "without one", today=TODAY)


def test_a_twin_costs_one_search_as_everybody_does(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A second question would tell a stranger who exists."""
    slapd.add_patron("anne-lise", "1234")
    slapd.add_patron("anneliese", "1234")
    slapd.add_patron("annelise", "1234")
    directory = make_directory()
    before = slapd.log().count(" SRCH base=")
    for login in ("anne-lise", "nobody-here", "anneliese"):
        directory.find(login)
    assert slapd.count(" SRCH base=", least=before + 3) == before + 3


def test_a_directory_that_minds_case_is_asked_as_typed(slapd: Slapd, make_directory: MakeDirectory) -> None:
    slapd.add_patron("29000651", "of the badge", cardBadge="B00X7")
    slapd.add_patron("29000652", "of its twin", cardBadge="b00x7")
    directory = make_directory(user_filter="(cardBadge={login})")
    assert directory.prove(directory.find("B00X7"), "of the badge", today=TODAY)
    assert directory.prove(directory.find("b00x7"), "of its twin", today=TODAY)


@pytest.mark.parametrize(
    ("user_filter", "values", "typed", "chosen"),
    [
        ("(uid={login})", ["marie-anne", "marieanne"], "marie-anne", 0),
        ("(uid={login})", ["marie-anne", "marieanne"], "marieanne", 1),
        ("(uid={login})", ["MARIE-ANNE", "marieanne"], "marie-anne", 0),
        ("(uid={login}@town.fr)", ["a-b@town.fr", "ab@town.fr"], "a-b", 0),
        ("(|(mail={login})(uid={login}))", ["a-b", "ab"], "ab", 1),
        ("(&(objectClass=person)( uid={login}))", ["a-b", "ab"], "ab", 1),
        ("(uid={login})", ["same", "same"], "same", None),
        ("(uid=*{login})", ["xab", "yab"], "ab", None),
        ("(uid={login})", ["x", "y"], "ab", None),
    ],
)
def test_of_several_entries_the_nearest_is_chosen(
    user_filter: str, values: list[str], typed: str, chosen: int | None
) -> None:
    entries = [
        Entry(f"cn={number},{PEOPLE}", {"uid": (value.encode(),)}) for number, value in enumerate(values)
    ]
    found = Logins(user_filter).choose(entries, typed)
    assert found is (None if chosen is None else entries[chosen])


@pytest.mark.parametrize("login", ["*", "a-*", "marie-anne)(uid=*", "\\2a", "x*y", "B00X7*"])
def test_what_is_typed_never_becomes_part_of_a_filter(directory: LdapDirectory, login: str) -> None:
    assert directory.find(login).stable_id is None

"""The operator's check: every setting that is spelt right and does not fit is named, and what fits is said to."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.patrons.ldap.check import check_directory
from auth.patrons.ldap.client import membership_of
from config import LdapSettings, NestedGroups, Secret
from config.findings import Severity
from tests.auth.directories import behind
from tests.services.certificates import self_signed
from tests.services.fake_directory import SEARCH, Request, fake_directory
from tests.services.parts import free_port
from tests.services.slapd import BASE, PEOPLE, Slapd, running_slapd


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """A directory of this module's own: other tests put people in theirs that no check would like."""
    with running_slapd(tmp_path_factory.mktemp("checked")) as slapd:
        slapd.add_patron("29000001", "1234", employeeType="adult", cardEnds="20270831")
        slapd.add_patron("jean-paul", "1234")
        slapd.add(
            f"dn: cn=readers,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: readers\nmember: uid=29000001,{PEOPLE}\n"
        )
        yield slapd


def result(settings: LdapSettings, login: str | None = None) -> dict[Severity, list[str]]:
    found = check_directory(settings, membership_of(settings), clock=time.time, login=login)
    return {severity: [one.sentence for one in found if one.severity is severity] for severity in Severity}


def test_settings_that_fit_are_said_to(library: Slapd) -> None:
    settings = library.settings(required_group=f"cn=readers,ou=groups,{BASE}")
    found = result(settings, "29000001")
    assert found[Severity.FAULT] == found[Severity.WARNING] == []
    whole = "\n".join(found[Severity.GOOD])
    for words in (
        "may bind and search",
        "category adult, ends 2027-08-31, not locked",
        "is in cn=readers",
        "ends on",
    ):
        assert words in whole


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"base_dn": f"ou=absent,{BASE}"}, "AROBASE_LDAP_BASE_DN: there is no ou=absent"),
        ({"bind_password": Secret("wrong")}, "service account's bind with invalidCredentials"),
        ({"user_filter": "(mail={login})"}, "AROBASE_LDAP_USER_FILTER finds nobody"),
        (
            {"user_filter": "(&(objectClass=posixAccount)(uid={login}))"},
            "AROBASE_LDAP_USER_FILTER finds nobody",
        ),
        ({"id_attribute": "employeeNumber"}, "AROBASE_LDAP_ID_ATTRIBUTE: 2 of 2 people have no single"),
        ({"expiry_attribute": "sn"}, "sn holds no date in a form that is known"),
        (
            {"required_group": f"cn=absent,ou=groups,{BASE}"},
            "AROBASE_LDAP_REQUIRED_GROUP: there is no cn=absent",
        ),
        (
            {"required_group": f"cn=readers,ou=groups,{BASE}", "group_base_dn": f"ou=absent,{BASE}"},
            "AROBASE_LDAP_GROUP_BASE_DN: there is no ou=absent",
        ),
        ({"verify": False}, "AROBASE_LDAP_VERIFY is false"),
        ({"ca_file": None}, "unknown authority"),
        ({"server_name": "other.example.org"}, "its certificate is for another name"),
        ({"urls": ("ldaps://localhost:1",)}, "localhost:1: it refuses the connection"),
        ({"urls": ("ldaps://nowhere.invalid",)}, "nowhere.invalid: its name is not found"),
    ],
)
def test_what_does_not_fit_is_named(library: Slapd, changes: dict[str, Any], words: str) -> None:
    faults = result(library.settings(**changes))[Severity.FAULT]
    assert any(words in one for one in faults), faults


def test_what_may_be_wrong_is_a_warning(library: Slapd) -> None:
    warnings = result(library.settings(category_attribute="title"))[Severity.WARNING]
    assert any("CATEGORY_ATTRIBUTE: none of 2 people has title" in one for one in warnings)
    chained = library.settings(
        required_group=f"cn=readers,ou=groups,{BASE}", nested_groups=NestedGroups.CHAIN
    )
    assert any(
        "does not say that it is an Active Directory" in one for one in result(chained)[Severity.WARNING]
    )


def test_every_server_is_asked_though_the_first_answers(library: Slapd) -> None:
    dead = free_port()
    found = result(library.settings(urls=(library.url, f"ldaps://localhost:{dead}")))
    assert any(f"localhost:{dead}: it refuses" in one for one in found[Severity.FAULT])
    assert any(f"localhost:{library.port}: the service account" in one for one in found[Severity.GOOD])


def test_a_certificate_that_ends_soon_is_a_warning(tmp_path: Path, library: Slapd) -> None:
    certificate = library.authority.issue("localhost", label="soon", ends_in=timedelta(days=3))
    with fake_directory(lambda request: request.answer(), certificate=certificate) as fake:
        assert any("ends on" in one for one in result(behind(library, fake.port))[Severity.WARNING])
    stranger = self_signed(tmp_path, "localhost")
    with fake_directory(lambda request: request.answer(), certificate=stranger) as fake:
        assert any("self-signed" in one for one in result(behind(library, fake.port))[Severity.FAULT])


@pytest.mark.parametrize(
    ("login", "severity", "words"),
    [
        ("Jean-Paul", Severity.GOOD, f"this login is uid=jean-paul,{PEOPLE}: category none, ends never"),
        ("99999999", Severity.FAULT, "nobody has it"),
        ("\0", Severity.FAULT, "cannot be a login"),
        ("*", Severity.FAULT, "nobody has it"),
    ],
)
def test_one_person_is_looked_up_without_a_password(
    library: Slapd, login: str, severity: Severity, words: str
) -> None:
    assert any(words in one for one in result(library.settings(), login)[severity])


def test_somebody_outside_the_group_is_said_to_be(library: Slapd) -> None:
    settings = library.settings(required_group=f"cn=readers,ou=groups,{BASE}")
    assert any(
        "this person is not in cn=readers" in one for one in result(settings, "jean-paul")[Severity.FAULT]
    )


def test_a_directory_that_lets_anybody_in_is_a_fault(library: Slapd) -> None:
    def answer(request: Request) -> bytes:
        entry = request.entry(PEOPLE, {"entryUUID": b"1"}) if request.operation == SEARCH else b""
        return entry + request.answer(0)

    certificate = library.authority.issue("localhost", label="open")
    with fake_directory(answer, certificate=certificate) as fake:
        faults = result(behind(library, fake.port))[Severity.FAULT]
    assert any("lets somebody in whom it does not know" in one for one in faults)

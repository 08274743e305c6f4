"""What the operator reads about the directory, and what nobody ever reads."""

from __future__ import annotations

import logging
from datetime import date

import pytest

from auth.errors import DirectoryUnavailable, WrongCredentials
from auth.patrons.directory import Patron
from auth.patrons.ldap.client import LdapDirectory
from tests.auth.conftest import MakeDirectory
from tests.services.slapd import BASE, PEOPLE, Slapd

TODAY = date(2026, 9, 1)


def sign_in(directory: LdapDirectory, login: str, secret: str) -> Patron:
    return directory.prove(directory.find(login), secret, today=TODAY)


def test_a_wrong_service_password_is_told_to_the_operator(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    directory = make_directory(bind_dn=f"uid=29000001,{PEOPLE}")
    with pytest.raises(DirectoryUnavailable) as refused:
        directory.find("29000001")
    assert "service account's bind with invalidCredentials" in refused.value.cause


def test_a_base_that_does_not_exist_is_told_to_the_operator(make_directory: MakeDirectory) -> None:
    with pytest.raises(DirectoryUnavailable) as refused:
        make_directory(base_dn=f"ou=absent,{BASE}").find("29000001")
    assert "noSuchObject" in refused.value.cause


def test_a_filter_that_is_none_is_not_the_servers_fault(make_directory: MakeDirectory) -> None:
    with pytest.raises(DirectoryUnavailable) as refused:
        make_directory(user_filter="uid={login}").find("29000001")
    assert "AROBASE_LDAP_USER_FILTER" in refused.value.cause


def test_an_entry_without_identifier_is_told_to_the_operator(make_directory: MakeDirectory) -> None:
    with pytest.raises(DirectoryUnavailable) as refused:
        make_directory(id_attribute="employeeNumber").find("29000001")
    assert "employeeNumber" in refused.value.cause


def test_an_unreadable_expiry_lets_nobody_in_and_is_told(slapd: Slapd, directory: LdapDirectory) -> None:
    slapd.add_patron("29000701", "1234", cardEnds="next summer")
    with pytest.raises(DirectoryUnavailable) as refused:
        sign_in(directory, "29000701", "1234")
    assert "cardEnds" in refused.value.cause
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000701", "4321")


def test_each_operation_is_one_line_with_outcome_and_duration(
    directory: LdapDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with pytest.raises(WrongCredentials):
        sign_in(directory, "29000001", "4321")
    answer = [vars(record) for record in caplog.records if record.name == "auth.patrons.ldap.client"]
    assert [(line["operation"], line["outcome"]) for line in answer] == [
        ("find", "answered"),
        ("prove", "WrongCredentials"),
    ]
    assert all(line["duration_ms"] > 0 for line in answer)


def test_no_secret_and_no_name_is_ever_logged(
    slapd: Slapd, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    """With every logger of the process at its most talkative."""
    caplog.set_level(logging.DEBUG)
    errors: list[BaseException] = []
    for changes in (
        {},
        {"base_dn": "dc=absent"},
        {"urls": ("ldaps://localhost:1",)},
        {"id_attribute": "sn;x"},
    ):
        directory = make_directory(**changes)
        for login, secret in (
            ("29000001", "1234"),
            ("29000404", "the right one"),
            ("29000001", "not the PIN"),
        ):
            try:
                sign_in(directory, login, secret)
            except Exception as error:
                errors.append(error)
    written = caplog.text + "".join(repr(vars(record)) for record in caplog.records)
    written += "".join(f"{error!r} {error} {error.__cause__!r}" for error in errors)
    for secret in (
        "the right one",
        "not the PIN",
        slapd.bind_password,
        "29000001",
        "29000404",
        f"uid=29000404,{PEOPLE}",
    ):
        assert secret not in written


def test_what_was_found_shows_no_personal_data_by_accident(directory: LdapDirectory) -> None:
    assert "employeeType" not in repr(directory.find("29000001"))
    assert PEOPLE not in repr(directory.find("29000001"))

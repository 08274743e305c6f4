"""Whatever is wrong with TLS, nobody is let in, no secret is sent, and the operator reads why."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from auth.errors import DirectoryUnavailable
from auth.patrons.directory import DirectoryEntry
from config import LdapSettings, Secret
from tests.auth.conftest import MakeDirectory
from tests.services.certificates import Authority, Certificate, self_signed
from tests.services.fake_directory import EXTENDED, FakeDirectory, Request, fake_directory

TODAY = date(2026, 9, 1)
FOUND = DirectoryEntry("29000001", "some id", "uid=29000001,dc=library,dc=test")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def settings(fake: FakeDirectory, ca_file: Path) -> LdapSettings:
    return LdapSettings(
        urls=(f"ldaps://localhost:{fake.port}",),
        bind_dn="cn=portal,dc=library,dc=test",
        bind_password=Secret("the service's own"),
        base_dn="dc=library,dc=test",
        ca_file=ca_file,
        timeout_seconds=3,
    )


def agree(request: Request) -> bytes:
    """A server that says yes to everything."""
    return request.answer(0)


def refused(make_directory: MakeDirectory, fake: FakeDirectory, chosen: LdapSettings) -> str:
    """The reason why neither the service nor a person gets to send a secret."""
    directory = make_directory(chosen)
    with pytest.raises(DirectoryUnavailable) as found:
        directory.find("29000001")
    with pytest.raises(DirectoryUnavailable) as proven:
        directory.prove(FOUND, "1234", today=TODAY)
    assert fake.connections >= 2
    assert fake.binds == []
    assert proven.value.cause == found.value.cause
    return found.value.cause


def from_stranger(folder: Path, authority: Authority) -> Certificate:
    return Authority(folder, "Stranger").issue("localhost")


def for_another_name(folder: Path, authority: Authority) -> Certificate:
    return authority.issue("ldap.elsewhere.test", label="elsewhere")


def expired(folder: Path, authority: Authority) -> Certificate:
    return authority.issue("localhost", label="expired", ends_in=timedelta(hours=-1))


def signed_by_itself(folder: Path, authority: Authority) -> Certificate:
    return self_signed(folder, "localhost")


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (from_stranger, "its certificate comes from an unknown authority"),
        (for_another_name, "its certificate is for another name"),
        (expired, "its certificate has expired"),
        (signed_by_itself, "its certificate is self-signed"),
    ],
)
def test_it_sends_no_secret_past_a_bad_certificate(
    tmp_path: Path,
    authority: Authority,
    make_directory: MakeDirectory,
    make: Callable[[Path, Authority], Certificate],
    words: str,
) -> None:
    with fake_directory(agree, certificate=make(tmp_path, authority)) as fake:
        reason = refused(make_directory, fake, settings(fake, authority.ca_file))
        assert reason == f"localhost:{fake.port}: {words}"


def test_it_refuses_an_address_that_the_certificate_does_not_name(
    authority: Authority, make_directory: MakeDirectory
) -> None:
    with fake_directory(agree, certificate=authority.issue("localhost")) as fake:
        chosen = replace(settings(fake, authority.ca_file), urls=(f"ldaps://127.0.0.1:{fake.port}",))
        assert "its certificate is for another" in refused(make_directory, fake, chosen)


def test_the_operator_may_say_which_name_the_certificate_has(
    authority: Authority, make_directory: MakeDirectory
) -> None:
    certificate = authority.issue("ldap.library.test", label="named")
    with fake_directory(agree, certificate=certificate) as fake:
        directory = make_directory(
            replace(settings(fake, authority.ca_file), server_name="ldap.library.test")
        )
        assert directory.find("29000001").stable_id is None
        assert len(fake.binds) == 1


def test_it_refuses_tls_older_than_1_2(authority: Authority, make_directory: MakeDirectory) -> None:
    certificate = authority.issue("localhost", label="old")
    with fake_directory(agree, certificate=certificate, newest_tls=ssl.TLSVersion.TLSv1_1) as fake:
        assert "it offers no TLS 1.2 or newer" in refused(
            make_directory, fake, settings(fake, authority.ca_file)
        )


def test_it_says_nothing_to_a_server_without_tls(authority: Authority, make_directory: MakeDirectory) -> None:
    """The server waits for LDAP and gets a TLS greeting: it understands no bind in it."""
    with fake_directory(agree) as fake:
        directory = make_directory(replace(settings(fake, authority.ca_file), timeout_seconds=0.5))
        with pytest.raises(DirectoryUnavailable):
            directory.find("29000001")
        assert fake.binds == []


@pytest.mark.parametrize("code", [1, 2, 52, 53])
def test_a_stripped_starttls_ends_it(authority: Authority, make_directory: MakeDirectory, code: int) -> None:
    def strip(request: Request) -> bytes:
        return request.answer(code if request.operation == EXTENDED else 0)

    with fake_directory(strip) as fake:
        chosen = replace(
            settings(fake, authority.ca_file), urls=(f"ldap://localhost:{fake.port}",), starttls=True
        )
        assert "it refuses StartTLS" in refused(make_directory, fake, chosen)


def test_starttls_comes_before_any_bind_even_if_it_was_not_asked_for(
    authority: Authority, make_directory: MakeDirectory
) -> None:
    """The settings refuse plain LDAP; should that ever slip, no secret follows."""
    with fake_directory(lambda request: request.answer(2 if request.operation == EXTENDED else 0)) as fake:
        chosen = replace(
            settings(fake, authority.ca_file), urls=(f"ldap://localhost:{fake.port}",), starttls=False
        )
        refused(make_directory, fake, chosen)


def test_an_answer_that_was_slipped_in_before_tls_counts_for_nothing(
    authority: Authority, make_directory: MakeDirectory
) -> None:
    """Plain bytes behind the StartTLS answer are not taken for the server's word after the handshake."""

    def slip_in(request: Request) -> bytes:
        return request.answer(0) + replace(request, number=request.number + 1, operation=0x60).answer(0)

    with fake_directory(slip_in) as fake:
        chosen = replace(
            settings(fake, authority.ca_file), urls=(f"ldap://localhost:{fake.port}",), starttls=True
        )
        refused(make_directory, fake, chosen)


def test_it_warns_two_weeks_before_a_certificate_ends(
    authority: Authority, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = authority.issue("localhost", label="ending", ends_in=timedelta(days=13, hours=12))
    with fake_directory(agree, certificate=certificate) as fake:
        make_directory(settings(fake, authority.ca_file)).find("29000001")
    assert f"the certificate of the directory server localhost:{fake.port} ends in 13 days" in caplog.text


def test_it_warns_of_nothing_earlier(
    authority: Authority, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = authority.issue("localhost", label="good", ends_in=timedelta(days=15))
    with fake_directory(agree, certificate=certificate) as fake:
        make_directory(settings(fake, authority.ca_file)).find("29000001")
    assert "ends in" not in caplog.text


def test_switching_verification_off_is_told_loudly(
    tmp_path: Path, authority: Authority, make_directory: MakeDirectory, caplog: pytest.LogCaptureFixture
) -> None:
    with fake_directory(agree, certificate=self_signed(tmp_path, "elsewhere.test")) as fake:
        directory = make_directory(replace(settings(fake, authority.ca_file), verify=False))
        assert directory.find("29000001").stable_id is None
    assert "not verified" in caplog.text

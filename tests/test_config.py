"""Settings: all faults at once, nothing guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import MailSecurity, Settings, SettingsError

GOOD = {
    "AROBASE_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyzABCDEF",
    "AROBASE_PORTAL_URL": "https://portal.example.org",
    "AROBASE_DATABASE_URL": "sqlite:///town.sqlite3",
    "AROBASE_TOWN": "Saint-Claude",
}
LDAP = {
    "AROBASE_LDAP_URLS": "ldaps://one.example.org, ldaps://two.example.org",
    "AROBASE_LDAP_BIND_DN": "cn=portal,dc=example,dc=org",
    "AROBASE_LDAP_BIND_PASSWORD": "a-long-bind-password",
    "AROBASE_LDAP_BASE_DN": "dc=example,dc=org",
}
MAIL = {
    "AROBASE_SMTP_URL": "smtp://wifi@mail.example.org",
    "AROBASE_MAIL_FROM": "wifi@example.org",
}
OIDC = {
    "AROBASE_OIDC_ISSUER": "https://login.example.org/realms/town",
    "AROBASE_OIDC_CLIENT_ID": "arobase",
    "AROBASE_OIDC_CLIENT_SECRET": "a-long-client-secret",
}


def faults_of(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env(environ)
    return caught.value.faults


def test_it_reads_good_settings_and_leaves_ldap_out() -> None:
    settings = Settings.from_env({**GOOD, "HOME": "/root"})
    assert settings.portal_host == "portal.example.org"
    assert settings.ldap is None


def test_it_reads_several_directory_servers() -> None:
    settings = Settings.from_env({**GOOD, **LDAP})
    assert settings.ldap is not None
    assert settings.ldap.urls == ("ldaps://one.example.org", "ldaps://two.example.org")
    assert settings.ldap.verify


def test_mail_goes_to_the_port_of_its_scheme_and_its_password_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pässe:wort\n", encoding="utf-8")
    environ = {**GOOD, **MAIL, "AROBASE_SMTP_PASSWORD_FILE": str(tmp_path / "password")}
    smtp = Settings.from_env(environ).smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.security, smtp.user) == (
        "mail.example.org", 587, MailSecurity.STARTTLS, "wifi"
    )  # fmt: skip
    assert smtp.password.reveal() == "pässe:wort"
    assert "pässe" not in repr(smtp)
    of_mailbox = {**GOOD, **MAIL, "AROBASE_SMTP_URL": "smtps://wifi@town.fr:a%40b@[2001:db8::1]"}
    smtp = Settings.from_env(of_mailbox).smtp
    assert smtp is not None
    assert (smtp.host, smtp.port, smtp.user) == ("2001:db8::1", 465, "wifi@town.fr")
    assert smtp.password.reveal() == "a@b"


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"AROBASE_SMTP_URL": ""}, "AROBASE_MAIL_FROM is of no use without AROBASE_SMTP_URL."),
        ({"AROBASE_MAIL_FROM": ""}, "AROBASE_MAIL_FROM is missing"),
        (
            {"AROBASE_SMTP_URL": "smtp://u:one@h.example.org", "AROBASE_SMTP_PASSWORD": "two"},
            "AROBASE_SMTP_PASSWORD stands in AROBASE_SMTP_URL",
        ),
        (
            {"AROBASE_SMTP_URL": "smtp://h.example.org", "AROBASE_SMTP_PASSWORD": "two"},
            "AROBASE_SMTP_PASSWORD belongs to nobody",
        ),
    ],
)
def test_settings_of_mail_belong_together(changed: dict[str, str], fault: str) -> None:
    assert [one[: len(fault)] for one in faults_of({**GOOD, **MAIL, **changed})] == [fault]


def test_it_reports_every_fault_at_once() -> None:
    faults = faults_of(
        {
            "AROBASE_SECRET_KEY": "short",
            "AROBASE_PORTAL_URL": "http://portal.example.org/path",
            "AROBASE_TRUSTED_PROXIES": "10.0.0.0/33",
            "AROBASE_DEVELOPMENT": "maybe",
            "AROBASE_TYPO": "1",
        }
    )
    for name in ("SECRET_KEY", "PORTAL_URL", "DATABASE_URL", "TRUSTED_PROXIES", "DEVELOPMENT", "TYPO"):
        assert [fault for fault in faults if name in fault], name


def test_it_refuses_an_unknown_name() -> None:
    assert faults_of({**GOOD, "AROBASE_SECRETKEY": "x"}) == [
        "AROBASE_SECRETKEY is not a setting of Arobase. See docs/settings.md for the list."
    ]


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "x" * 31,
        "a" * 64,
        "change-me-change-me-change-me-change-me",
        "supersecretsupersecretsupersecret12",
    ],
)
def test_it_refuses_a_default_or_short_secret(secret: str) -> None:
    assert any("SECRET_KEY" in fault for fault in faults_of({**GOOD, "AROBASE_SECRET_KEY": secret}))


def test_it_refuses_plain_http_outside_development() -> None:
    assert faults_of({**GOOD, "AROBASE_PORTAL_URL": "http://portal.example.org"})


@pytest.mark.parametrize("host", ["portal.example.org", "0.0.0.0", "10.0.0.1"])
def test_development_stays_on_this_machine(host: str) -> None:
    """What is only for development cannot be reached from outside."""
    assert faults_of({**GOOD, "AROBASE_DEVELOPMENT": "true", "AROBASE_PORTAL_URL": f"http://{host}:8080"})


def test_it_reads_a_secret_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(GOOD["AROBASE_SECRET_KEY"] + "\n")
    environ = {**GOOD, "AROBASE_SECRET_KEY_FILE": str(path)}
    del environ["AROBASE_SECRET_KEY"]
    assert Settings.from_env(environ).secret_key.reveal() == GOOD["AROBASE_SECRET_KEY"]


def test_it_refuses_a_secret_given_twice_or_in_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert faults_of({**GOOD, "AROBASE_SECRET_KEY_FILE": str(tmp_path / "none")})


def test_a_secret_shows_itself_to_nobody() -> None:
    settings = Settings.from_env({**GOOD, **LDAP})
    assert GOOD["AROBASE_SECRET_KEY"] not in repr(settings)
    assert LDAP["AROBASE_LDAP_BIND_PASSWORD"] not in repr(settings)


def test_it_refuses_a_directory_without_tls() -> None:
    assert faults_of({**GOOD, **LDAP, "AROBASE_LDAP_URLS": "ldap://one.example.org"})


def test_half_a_directory_is_refused() -> None:
    faults = faults_of({**GOOD, "AROBASE_LDAP_URLS": "ldaps://one.example.org"})
    assert len(faults) == 3


def test_it_serves_everything_from_one_address_unless_told_otherwise() -> None:
    settings = Settings.from_env(GOOD)
    assert settings.own_url == "https://portal.example.org"
    apart = {**GOOD, "AROBASE_STAFF_URL": "https://desk.example.org"}
    assert Settings.from_env({**apart, "AROBASE_SERVES": "staff"}).own_url == "https://desk.example.org"
    assert Settings.from_env({**apart, "AROBASE_SERVES": "guests"}).own_url == "https://portal.example.org"


def test_it_refuses_an_unknown_audience_and_an_unsafe_address_of_staff() -> None:
    faults = faults_of({**GOOD, "AROBASE_SERVES": "everyone", "AROBASE_STAFF_URL": "http://desk.example.org"})
    assert any("SERVES" in fault for fault in faults) and any("STAFF_URL" in fault for fault in faults)

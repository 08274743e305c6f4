"""Settings: all faults at once, nothing guessed."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, SettingsError

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

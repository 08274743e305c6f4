"""Every setting with every kind of wrong value that people write: refused by its name, with what to write instead."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from config import LdapSettings, OpenIdSettings, Settings, SettingsError
from tests.test_config import GOOD, LDAP, MAIL, OIDC, faults_of

# Setting, wrong value, and a word of what is to be written instead.
WRONG = [
    ("SECRET_KEY", "too short", "Make one with"),
    ("SECRET_KEY", "0123456789abcdefghijklmnop\nqrstuvwxyzABCDEF", "more than one line"),
    ("SECRET_KEY_FILE", "/nowhere/secret", "cannot be read: /nowhere/secret: No such file"),
    ("SECRET_KEY_FILE", "/etc", "Is a directory"),
    ("SECRET_KEY_FILE", "/dev/null", "empty file"),
    ("PORTAL_URL", "portal.example.org", "must begin with https:// or http://"),
    ("PORTAL_URL", "ftp://portal.example.org", "must begin with https:// or http://"),
    ("PORTAL_URL", "https://", "must begin with"),
    ("PORTAL_URL", "https://portal.example.org/wifi", "without a path"),
    ("PORTAL_URL", "https://portal.example.org?x=1", "without a path"),
    ("PORTAL_URL", "https://portal.example.org#top", "without a path"),
    ("PORTAL_URL", "https://me:secret@portal.example.org", "name or password before the host"),
    ("PORTAL_URL", "https://portal.example.org:https", "cannot be an address"),
    ("PORTAL_URL", "https://portal.example.org:0", "port 0"),
    ("PORTAL_URL", "https://portal.example.org:70000", "cannot be an address"),
    ("PORTAL_URL", "https://portal example.org", "holds a blank"),
    ("PORTAL_URL", "https://portal\\example.org", "a backslash"),
    ("PORTAL_URL", "https://portal..example.org", "no host name that can be"),
    ("PORTAL_URL", "https://-portal.example.org", "no host name that can be"),
    ("PORTAL_URL", "https://*.example.org", "no host name that can be"),
    ("PORTAL_URL", "https://10.0.0.256", "no IPv4 address"),
    ("PORTAL_URL", "https://127.1", "no IPv4 address"),
    ("PORTAL_URL", "https://[2001:db8::1", "cannot be an address"),
    ("PORTAL_URL", "https://[fe80::1%25eth0]", "only one machine"),
    ("PORTAL_URL", "https://straße.example.org", "xn--"),
    ("PORTAL_URL", '"https://portal.example.org"', "without them"),
    ("PORTAL_URL", "http://portal.example.org", "must be https"),
    ("STAFF_URL", "desk.example.org", "must begin with https:// or http://"),
    ("STAFF_URL", "http://desk.example.org", "must be https"),
    ("DATABASE_URL", "arobase.sqlite3", "sqlite:////var/lib/arobase/arobase.sqlite3"),
    ("DATABASE_URL", "mysql://u:p@h/d", "postgresql://user:password@host/name"),
    ("DATABASE_URL", "postgresql+psycopg2://u:p@h/d", "postgresql://user:password@host/name"),
    ("DATABASE_URL", "sqlite://", "names no file"),
    ("DATABASE_URL", "sqlite:///:memory:", "names no file"),
    ("DATABASE_URL", "sqlite:////tmp", "names a folder"),
    ("DATABASE_URL", "postgresql://u:p@h", "names no database"),
    ("DATABASE_URL", "postgresql://u:pa/ss@h/d", "%2F"),
    ("DATABASE_URL", "postgresql://u:pa#ss@h/d", "%23"),
    ("DATABASE_URL", "postgresql://u:p@h:port/d", "%3A"),
    ("TRUSTED_PROXIES", "nginx", "10.0.0.0/24"),
    ("TRUSTED_PROXIES", "10.0.0.5/24", "write 10.0.0.0/24"),
    ("TRUSTED_PROXIES", "10.0.0.5 10.0.0.6", "commas between"),
    ("TRUSTED_PROXIES", "0.0.0.0/0", "everybody"),
    ("TRUSTED_PROXIES", "::/0", "everybody"),
    ("AUTHORITY", "x" * 81, "at most 80"),
    ("METRICS_CLIENTS", "10.0.0.0/33", "10.0.0.0/24"),
    ("METRICS_CLIENTS", "*", "10.0.0.0/24"),
    ("PRINTER_NETWORKS", "printers", "10.0.0.0/24"),
    ("TOWN", "B" * 81, "at most 80"),
    ("TOWN", "Besan\ud800on", "not UTF-8"),
    ("TOWN", '"Besançon"', "write Besançon without them"),
    ("LANGUAGES", "French", "such as fr,en"),
    ("LANGUAGES", "fr en", "such as fr,en"),
    ("LANGUAGES", "fr,,en", "such as fr,en"),
    ("LANGUAGES", "fr,en,fr", "names fr twice"),
    ("ZONE", "Paris", "Europe/Paris"),
    ("ZONE", "UTC+1", "Europe/Paris"),
    ("ZONE", "../Europe/Paris", "Europe/Paris"),
    ("MAP_FILE", "map.geojson", "from the root"),
    ("MAP_FILE", "/nowhere/map.geojson", "No such file"),
    ("MAP_FILE", "/etc", "Is a directory"),
    ("LEGAL_NOTE_FILE", "/nowhere/note.toml", "No such file"),
    ("CONTACT", "wifi@", "wifi@example.org"),
    ("CONTACT", "wifi@town.fr, it@town.fr", "wifi@example.org"),
    ("CONTACT", "0" * 201, "too long"),
    ("DPO_CONTACT", "dpo@town", "wifi@example.org"),
    ("ACCESSIBILITY_AUDIT_ON", "01/03/2027", "2027-03-01"),
    ("ACCESSIBILITY_AUDIT_ON", "2027-02-30", "2027-03-01"),
    ("SERVES", "everything", "guests"),
    ("ANCHOR_FOLDER", "anchors", "from the root"),
    ("ANCHOR_FOLDER", "/etc/passwd", "no folder"),
    ("CACHE_FOLDER", "cache", "from the root"),
    ("CACHE_FOLDER", "/etc/passwd", "no folder"),
    ("FRONT_ADDRESS", "192.0.2.7:443", "without a port"),
    ("FRONT_ADDRESS", "https://front.example.org", "without a port"),
    ("ALERT_WEBHOOK_URL", "chat.example.org", "write one like https://"),
    ("ALERT_WEBHOOK_URL", "https://me:word@chat.example.org/", "write one like https://"),
    ("ALERT_WEBHOOK_URL", "http://chat.example.org/hooks/1", "must be https"),
    ("ALERT_WEBHOOK_KEY", "k" * 31, "shorter than 32"),
    ("DEVELOPMENT", "oui", "true or false"),
    ("LDAP_URLS", "ldap.example.org", "must begin with ldaps:// or ldap://"),
    ("LDAP_URLS", "ldapi:///", "must begin with ldaps:// or ldap://"),
    ("LDAP_URLS", "ldaps://one ldaps://two", "a comma between"),
    ("LDAP_URLS", "ldaps://one:636x", "cannot be an address"),
    ("LDAP_URLS", "ldaps://one:99999", "cannot be an address"),
    ("LDAP_URLS", "ldaps://one/dc=example,dc=org", "AROBASE_LDAP_BASE_DN"),
    ("LDAP_URLS", "ldaps://one/dc=example", "AROBASE_LDAP_BASE_DN"),
    ("LDAP_URLS", "ldaps://", "must begin"),
    ("LDAP_URLS", ",", "names no server"),
    ("LDAP_URLS", "ldaps://one,ldaps://ONE:636", "twice"),
    ("LDAP_URLS", "ldap://one", "AROBASE_LDAP_STARTTLS=true"),
    ("LDAP_BIND_DN", "arobase", "must be a DN"),
    ("LDAP_BIND_DN", "cn=portal,dc", "'dc' is not like"),
    ("LDAP_BIND_PASSWORD_FILE", "/nowhere/password", "cannot be read"),
    ("LDAP_BASE_DN", "example.org", "must be a DN"),
    ("LDAP_BASE_DN", "dc=example,,dc=org", "must be a DN"),
    ("LDAP_BASE_DN", 'ou="people,dc=org', "quotation mark"),
    ("LDAP_BASE_DN", "ou=people,dc=", "'dc=' is not like"),
    ("LDAP_USER_FILTER", "uid={login}", "(uid={login})"),
    ("LDAP_USER_FILTER", "(uid={login}", "closing parenthesis"),
    ("LDAP_USER_FILTER", "(uid={login}))", "goes on after"),
    ("LDAP_USER_FILTER", "(uid={login})(active=1)", "(&(…)(…))"),
    ("LDAP_USER_FILTER", "(&(uid={login})(active=1)", "closing parenthesis"),
    ("LDAP_USER_FILTER", "(&uid={login})", "in parentheses after '&'"),
    ("LDAP_USER_FILTER", "(!(uid={login})(a=b))", "one condition"),
    ("LDAP_USER_FILTER", "(uid)", "{login}"),
    ("LDAP_USER_FILTER", "(uid={Login})", "{login}"),
    ("LDAP_USER_FILTER", "(uid=%s)", "{login}"),
    ("LDAP_USER_FILTER", "(&(uid={login})(x=%s))", "only {login}"),
    ("LDAP_USER_FILTER", "(&(uid={login})(x={0}))", "only {login}"),
    ("LDAP_USER_FILTER", "({login}=uid)", "not like uid={login}"),
    ("LDAP_USER_FILTER", "(uid {login})", "not like uid={login}"),
    ("LDAP_USER_FILTER", "(uid={login}\\)", "\\5c"),
    ("LDAP_USER_FILTER", "(uid={login}(x))", "\\28"),
    ("LDAP_USER_FILTER", "(uid==(x={login}))", "\\28"),
    ("LDAP_STARTTLS", "1", "true or false"),
    ("LDAP_VERIFY", "no", "true or false"),
    ("LDAP_CA_FILE", "/nowhere/ca.pem", "names no file: /nowhere/ca.pem"),
    ("LDAP_CA_FILE", "/etc", "names a folder"),
    ("LDAP_SERVER_NAME", "https://ldap.example.org", "ldap.example.org"),
    ("LDAP_SERVER_NAME", "ldap.example.org:636", "ldap.example.org"),
    ("LDAP_SERVER_NAME", "cn=ldap, dc=x", "ldap.example.org"),
    ("LDAP_TIMEOUT_SECONDS", "5s", "0.5 to 30"),
    ("LDAP_TIMEOUT_SECONDS", "5,5", "0.5 to 30"),
    ("LDAP_TIMEOUT_SECONDS", "nan", "0.5 to 30"),
    ("LDAP_TIMEOUT_SECONDS", "0", "0.5 to 30"),
    ("LDAP_SLOTS", "4.7", "whole number"),
    ("LDAP_SLOTS", "0", "1 to 64"),
    ("LDAP_SLOTS", "-1", "1 to 64"),
    ("LDAP_SLOTS", "４", "1 to 64"),
    ("LDAP_SLOTS", "9" * 5000, "1 to 64"),
    ("LDAP_ID_ATTRIBUTE", "entry UUID", "employeeNumber"),
    ("LDAP_CATEGORY_ATTRIBUTE", "employeeType,title", "employeeNumber"),
    ("LDAP_EXPIRY_ATTRIBUTE", "(cardEnds)", "employeeNumber"),
    ("LDAP_LOCK_ATTRIBUTE", "locked=TRUE", "employeeNumber"),
    ("LDAP_REQUIRED_GROUP", "readers", "must be a DN"),
    ("LDAP_GROUP_BASE_DN", "groups", "must be a DN"),
    ("LDAP_GROUP_BASE_DN", "ou=groups,dc=x", "AROBASE_LDAP_REQUIRED_GROUP"),
    ("LDAP_NESTED_GROUPS", "yes", "walk"),
    ("LDAP_BIND_PASSWORD", "two\nlines", "more than one line"),
    ("SMTP_URL", "mail.example.org", "must begin with smtp://"),
    ("SMTP_URL", "https://mail.example.org", "must begin with smtp://"),
    ("SMTP_URL", "smtp://", "no port or host"),
    ("SMTP_URL", "smtp://mail.example.org:0", "more than"),
    ("SMTP_URL", "smtp://mail.example.org:smtp", "%3A"),
    ("SMTP_URL", "smtp://wifi:pa/ss@mail.example.org", "%2F"),
    ("SMTP_URL", "smtp://wifi:pa%0Ass@mail.example.org", "do not print"),
    ("SMTP_URL", "smtp://mail.example.org/relay", "more than"),
    ("SMTP_URL", "smtp+plain://mail.example.org", "127.0.0.1 or localhost"),
    ("SMTP_URL", "smtp+plain://wifi:pass@localhost", "without user"),
    ("SMTP_PASSWORD_FILE", "/nowhere/password", "cannot be read"),
    ("SMTP_CA_FILE", "/nowhere/ca.pem", "names no file"),
    ("MAIL_FROM", "wifi", "wifi@example.org"),
    ("MAIL_FROM", "Wifi <wifi@example.org>", "wifi@example.org"),
    ("MAIL_FROM", "wifi@example.org, it@example.org", "wifi@example.org"),
    ("MAIL_FROM", "wifi@localhost", "wifi@example.org"),
    ("OIDC_ISSUER", "login.example.org", "https://login.example.org"),
    ("OIDC_ISSUER", "http://login.example.org", "must be https"),
    ("OIDC_ISSUER", "https://login.example.org/town?x=1", "host and a path"),
    ("OIDC_ISSUER", "https://me:secret@login.example.org", "host and a path"),
    ("OIDC_ISSUER", "https://login.example.org:oidc", "cannot be an address"),
    ("OIDC_ISSUER", "https://login.microsoftonline.com/common/v2.0", "own tenant"),
    ("OIDC_ISSUER", "https://login.microsoftonline.com/{tenantid}/v2.0", "own tenant"),
    ("OIDC_CLIENT_ID", "a" * 256, "at most 255"),
    ("OIDC_CLIENT_SECRET", "two\nlines", "more than one line"),
    ("OIDC_SCOPES", "profile groups", "commas between"),
    ("OIDC_LOGIN_CLAIM", "user name", "one word"),
    ("OIDC_GROUPS_CLAIM", "groups,roles", "one word"),
    ("OIDC_ACR_VALUES", "two factors", "commas between"),
    ("OIDC_CA_FILE", "/nowhere/ca.pem", "names no file"),
    ("OIDC_TIMEOUT_SECONDS", "31", "0.5 to 30"),
    ("STAFF_AFFIRMED_MINUTES", "5", "10 to 720"),
    ("STAFF_LDAP_URLS", "ldap://one.example.org", "AROBASE_STAFF_LDAP_STARTTLS"),
    ("STAFF_LDAP_BASE_DN", "staff", "must be a DN"),
    ("STAFF_LDAP_REQUIRED_GROUP", "cn=staff,dc=x", "on a page"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value", "words"), WRONG, ids=[f"{n}={v[:40]!r}" for n, v, _ in WRONG])
def test_a_wrong_value_is_refused_by_name_with_what_to_write(name: str, value: str, words: str) -> None:
    kinds = {"LDAP": LDAP, "SMTP": MAIL, "MAIL": MAIL, "OIDC": OIDC}
    around = kinds.get(name.partition("_")[0], {})
    if name.startswith("STAFF_LDAP_"):
        around = {known.replace("_LDAP_", "_STAFF_LDAP_"): text for known, text in LDAP.items()}
    environ = {**GOOD, **around, f"AROBASE_{name}": value}
    if name.endswith("_FILE"):
        environ.pop(f"AROBASE_{name.removesuffix('_FILE')}", None)
    faults = faults_of(environ)
    assert [fault for fault in faults if fault.startswith(f"AROBASE_{name} ")] == faults, faults
    assert words in faults[0]
    assert faults[0].endswith((".", ")", "'"))


def test_one_directory_answers_for_staff() -> None:
    """With two, the groups of one would be taken for those of the other."""
    staff_ldap = {name.replace("_LDAP_", "_STAFF_LDAP_"): text for name, text in LDAP.items()}
    (fault,) = faults_of({**GOOD, **staff_ldap, **OIDC})
    assert "one directory answers for staff" in fault
    settings = Settings.from_env({**GOOD, **LDAP, **staff_ldap})
    assert settings.staff_issuer == "ldap:dc=example,dc=org" and settings.ldap is not None


def test_every_wrong_value_at_once_is_one_answer() -> None:
    wrong = {f"AROBASE_{name}": value for name, value, _ in WRONG if not name.endswith("_FILE")}
    answer = "\n".join(faults_of(wrong))
    for name in wrong:
        assert name in answer


def test_no_setting_is_left_out_of_the_table() -> None:
    ours = {field.name for field in fields(Settings)} - {"ldap", "smtp", "openid", "staff_ldap"}
    ours |= {f"ldap_{field.name}" for field in fields(LdapSettings)}
    ours |= {f"oidc_{field.name}" for field in fields(OpenIdSettings)}
    # Of a secret, the file alone may be wrong.
    assert {tried.lower() for name, _, _ in WRONG for tried in (name, name.removesuffix("_FILE"))} >= ours


def test_every_setting_stands_in_the_documentation() -> None:
    page = (Path(__file__).parent.parent / "docs" / "settings.md").read_text(encoding="utf-8")
    assert not [name for name, _, _ in WRONG if f"AROBASE_{name.removesuffix('_FILE')}" not in page
                and f"AROBASE_{name}" not in page]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        *("DATABASE_URL", "LDAP_BIND_PASSWORD", "OIDC_CLIENT_SECRET", "SECRET_KEY", "SMTP_URL"),
        "ALERT_WEBHOOK_URL",
    ],
)
def test_no_fault_repeats_a_secret(name: str) -> None:
    secret = "hunter2hunter2"
    urls = {"DATABASE_URL": f"postgresql://u:{secret}#@h/d", "SMTP_URL": f"smtp://u:{secret}#@h"}
    value = urls.get(name, f"{secret}\n{secret}")
    assert secret not in str(faults_of({**GOOD, **LDAP, **OIDC, f"AROBASE_{name}": value}))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("https://Portal.Besancon.FR", "https://portal.besancon.fr"),
        ("HTTPS://portal.besancon.fr", "https://portal.besancon.fr"),
        ("https://portal.besancon.fr:443/", "https://portal.besancon.fr"),
        ("https://portal.besancon.fr:", "https://portal.besancon.fr"),
        ("https://portal.besancon.fr:8443", "https://portal.besancon.fr:8443"),
        ("https://portal.besancon.fr.", "https://portal.besancon.fr"),
        ("https://Besançon.fr", "https://xn--besanon-yxa.fr"),
        ("https://xn--besanon-yxa.fr", "https://xn--besanon-yxa.fr"),
        ("https://[2001:DB8:0::1]:443", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://192.0.2.7", "https://192.0.2.7"),
    ],
)
def test_the_portals_address_is_spelt_as_browsers_spell_it(typed: str, read: str) -> None:
    settings = Settings.from_env({**GOOD, "AROBASE_PORTAL_URL": f" {typed} ", "AROBASE_STAFF_URL": typed})
    assert settings.portal_url == settings.staff_url == read
    assert settings.portal_host == read.removeprefix("https://")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost", "http://[::1]:8080"])
def test_development_may_be_plain_on_this_machine(url: str) -> None:
    environ = {**GOOD, "AROBASE_DEVELOPMENT": "true", "AROBASE_PORTAL_URL": url}
    assert Settings.from_env(environ).portal_url == url


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("postgres://u:p%40@h:5432/d", "postgresql://u:p%40@h:5432/d"),
        ("postgresql:///arobase?host=/run/postgresql", "postgresql:///arobase?host=/run/postgresql"),
        ("postgresql+psycopg://u@[::1]/d", "postgresql+psycopg://u@[::1]/d"),
        ("sqlite:////var/lib/arobase.sqlite3", "sqlite:////var/lib/arobase.sqlite3"),
    ],
)
def test_databases_are_read_as_people_are_given_them(typed: str, read: str) -> None:
    assert Settings.from_env({**GOOD, "AROBASE_DATABASE_URL": typed}).database_url == read


@pytest.mark.parametrize(
    ("name", "value", "field", "read"),
    [
        ("LDAP_URLS", "LDAPS://One.Example.org:636/, ldaps://[::1]:1636", "urls",
         ("ldaps://one.example.org", "ldaps://[::1]:1636")),
        ("LDAP_URLS", "ldaps://ldap_1", "urls", ("ldaps://ldap_1",)),
        ("LDAP_BIND_DN", "portal@town.local", "bind_dn", "portal@town.local"),
        ("LDAP_BIND_DN", "TOWN\\portal", "bind_dn", "TOWN\\portal"),
        ("LDAP_BASE_DN", r"ou=Fonds \, ancien,dc=a", "base_dn", r"ou=Fonds \, ancien,dc=a"),
        ("LDAP_BASE_DN", 'ou="a,b" + l=c ; dc=x', "base_dn", 'ou="a,b" + l=c ; dc=x'),
        ("LDAP_USER_FILTER", "(&(objectClass=person)(|(uid={login})(mail={login}@a.fr)))", "user_filter",
         "(&(objectClass=person)(|(uid={login})(mail={login}@a.fr)))"),
        ("LDAP_USER_FILTER", "(& (uid={login}) (!(locked=*)) )", "user_filter",
         "(& (uid={login}) (!(locked=*)) )"),
        ("LDAP_USER_FILTER", "(&(sAMAccountName={login})(memberOf:1.2.840.113556.1.4.1941:=cn=\\28x\\29,dc=a))",
         "user_filter", "(&(sAMAccountName={login})(memberOf:1.2.840.113556.1.4.1941:=cn=\\28x\\29,dc=a))"),
        ("LDAP_SERVER_NAME", "Ldap.Example.Org", "server_name", "ldap.example.org"),
        ("LDAP_SERVER_NAME", "2001:db8::1", "server_name", "2001:db8::1"),
        ("LDAP_TIMEOUT_SECONDS", "2.5", "timeout_seconds", 2.5),
    ],
)  # fmt: skip
def test_a_directory_is_described_in_any_right_way(name: str, value: str, field: str, read: object) -> None:
    ldap = Settings.from_env({**GOOD, **LDAP, f"AROBASE_{name}": value}).ldap
    assert getattr(ldap, field) == read


@pytest.mark.parametrize("password", [" begins and ends with blanks ", "ünï½", "'quoted'"])
def test_the_directorys_password_is_taken_as_it_is(password: str, tmp_path: Path) -> None:
    environ = {**GOOD, **LDAP, "AROBASE_LDAP_BIND_PASSWORD": password}
    ldap = Settings.from_env(environ).ldap
    assert ldap is not None and ldap.bind_password.reveal() == password
    path = tmp_path / "password"
    for content in (password.encode(), f"{password}\n".encode(), f"\ufeff{password}\r\n".encode(),
                    f"{password}\r\n".encode("utf-16")):  # fmt: skip
        path.write_bytes(content)
        environ = {**GOOD, **LDAP, "AROBASE_LDAP_BIND_PASSWORD_FILE": str(path)}
        del environ["AROBASE_LDAP_BIND_PASSWORD"]
        ldap = Settings.from_env(environ).ldap
        assert ldap is not None and ldap.bind_password.reveal() == password


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes("é".encode("latin-1"))
    environ = {**GOOD, **LDAP, "AROBASE_LDAP_BIND_PASSWORD_FILE": str(path)}
    del environ["AROBASE_LDAP_BIND_PASSWORD"]
    with pytest.raises(SettingsError, match="not text in UTF-8"):
        Settings.from_env(environ)

"""A real OpenLDAP server in a temporary folder, with TLS and the cards of a small library.

    with running_slapd(folder) as slapd:
        slapd.add_patron("29000001", "1234")
        directory = LdapDirectory(slapd.settings())

LDAPS, LDAP (which takes binds only after StartTLS) and a local socket for the test's own administration.
"""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from config import LdapSettings, Secret
from tests.services.certificates import Authority, Certificate
from tests.services.parts import free_port, newest, program

BASE = "dc=library,dc=test"
PEOPLE = f"ou=people,{BASE}"
BIND_DN = f"cn=portal,{BASE}"
BIND_PASSWORD = "the portal's own password, 7f3a"
ROOT_PASSWORD = "only this folder knows it, 90c1"
START_SECONDS = 10.0

_CONFIGURATION = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/nis.schema
attributetype ( 1.3.6.1.4.1.32473.1.1 NAME 'cardEnds' SUP name SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.2 NAME 'cardBlocked'
    EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 SINGLE-VALUE )
attributetype ( 1.3.6.1.4.1.32473.1.3 NAME 'cardBadge'
    EQUALITY caseExactMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 SINGLE-VALUE )
objectclass ( 1.3.6.1.4.1.32473.2.1 NAME 'libraryCard' SUP top AUXILIARY
    MAY ( cardEnds $ cardBlocked $ cardBadge ) )
modulepath {modules}
moduleload back_mdb
moduleload ppolicy
pidfile {folder}/slapd.pid
argsfile {folder}/slapd.args
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
security simple_bind=64
localSSF 128
database mdb
maxsize 268435456
dbnosync
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw "{root_password}"
directory {folder}/db
index objectClass,uid,member eq
overlay ppolicy
ppolicy_default "cn=policy,{base}"
ppolicy_use_lockout
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{bind_dn}" read by * none
"""


@dataclass
class Slapd:
    """A running server. `url` is LDAPS and `plain_url` wants StartTLS; the certificate names localhost."""

    folder: Path
    url: str
    plain_url: str
    port: int
    plain_port: int
    ca_file: Path
    authority: Authority
    base: str = BASE
    people: str = PEOPLE
    bind_dn: str = BIND_DN
    bind_password: str = field(default=BIND_PASSWORD, repr=False)

    def settings(self, **changes: Any) -> LdapSettings:
        """Settings that work, with `changes` to them."""
        settings = LdapSettings(
            urls=(self.url,),
            bind_dn=self.bind_dn,
            bind_password=Secret(self.bind_password),
            base_dn=self.people,
            ca_file=self.ca_file,
            category_attribute="employeeType",
            expiry_attribute="cardEnds",
            lock_attribute="cardBlocked",
        )
        return replace(settings, **changes)

    def add_patron(self, login: str, pin: str, **attributes: str | Sequence[str]) -> str:
        """Add a card and give its DN. `attributes` are LDAP's: employeeType, cardEnds, cardBlocked, …"""
        self.add(_person(login, pin, attributes))
        return f"uid={login},{PEOPLE}"

    def seed(self, count: int, *, first: int = 29_000_000) -> list[tuple[str, str]]:
        """Add `count` patrons at once; their logins and PINs."""
        cards = [(str(first + number), f"{number:04d}") for number in range(count)]
        self.add("\n".join(_person(login, pin, {}) for login, pin in cards))
        return cards

    def add(self, ldif: str) -> None:
        self._administer("ldapadd", ldif)

    def modify(self, ldif: str) -> None:
        self._administer("ldapmodify", ldif)

    def _administer(self, tool: str, ldif: str) -> None:
        admin = ["-D", f"cn=admin,{BASE}", "-w", ROOT_PASSWORD, "-H", _socket_url(self.folder)]
        # The relax rules control lets the tests set what only the server writes, such as pwdReset.
        done = subprocess.run(
            [program(tool), "-x", "-e", "!relax", *admin],
            input=ldif,
            text=True,
            capture_output=True,
            timeout=60,
        )
        if done.returncode:
            raise AssertionError(f"{tool}: {done.stderr}")

    def log(self) -> str:
        """What the server wrote about its operations so far."""
        return (self.folder / "slapd.log").read_text(errors="replace")

    def count(self, text: str, *, least: int, seconds: float = 5.0) -> int:
        """How often `text` stands in the log. The server answers first and writes then: this waits for `least`."""
        deadline = time.monotonic() + seconds
        while (found := self.log().count(text)) < least and time.monotonic() < deadline:
            time.sleep(0.01)
        return found

    def count_binds(self, dn: str, *, least: int) -> int:
        """How often somebody tried to bind as `dn`."""
        return self.count(f'BIND dn="{dn}" method=128', least=least)

    def count_searches(self, text: str, *, least: int) -> int:
        """How often somebody searched with the filter `text`."""
        return self.count(f'filter="{text}"', least=least)


@contextmanager
def running_slapd(
    folder: Path,
    *,
    certificate: Certificate | None = None,
    authority: Authority | None = None,
    port: int | None = None,
    log_operations: bool = True,
) -> Iterator[Slapd]:
    """Run a server in `folder` until the block ends. `log_operations` costs it about a tenth of its speed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "db").mkdir(exist_ok=True)
    authority = authority or Authority(folder)
    certificate = certificate or authority.issue("localhost", "127.0.0.1", label="slapd")
    configuration = _configure(folder, certificate)
    if not (folder / "db" / "data.mdb").exists():
        _load(configuration, _first_entries())
    port, plain_port = port or free_port(), free_port()
    slapd = Slapd(
        folder,
        f"ldaps://localhost:{port}",
        f"ldap://localhost:{plain_port}",
        port,
        plain_port,
        authority.ca_file,
        authority,
    )
    process = _start(slapd, configuration, log_operations)
    try:
        yield slapd
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _configure(folder: Path, certificate: Certificate) -> Path:
    configuration = folder / "slapd.conf"
    configuration.write_text(
        _CONFIGURATION.format(
            modules=newest("usr/lib/ldap/back_mdb.so").parent,
            folder=folder,
            certificate=certificate.certificate_file,
            key=certificate.key_file,
            base=BASE,
            bind_dn=BIND_DN,
            root_password=ROOT_PASSWORD,
        )
    )
    return configuration


def _start(slapd: Slapd, configuration: Path, log_operations: bool) -> subprocess.Popen[bytes]:
    urls = f"{_socket_url(slapd.folder)} ldaps://127.0.0.1:{slapd.port}/ ldap://127.0.0.1:{slapd.plain_port}/"
    level = "stats" if log_operations else "0"
    # With its parent it dies too: a run that is killed leaves no server behind.
    armed = [program("setpriv"), "--pdeathsig", "KILL"]
    command = [*armed, program("slapd"), "-f", str(configuration), "-h", urls, "-d", level]
    with (slapd.folder / "slapd.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + START_SECONDS
    who = [program("ldapwhoami"), "-x", "-H", _socket_url(slapd.folder)]
    while subprocess.run(who, capture_output=True).returncode:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise AssertionError(f"slapd did not start: {slapd.log()[-2000:]}")
        time.sleep(0.02)
    return process


def _load(configuration: Path, ldif: str) -> None:
    done = subprocess.run(
        [program("slapadd"), "-f", str(configuration)], input=ldif, text=True, capture_output=True, timeout=60
    )
    if done.returncode:
        raise AssertionError(f"slapadd: {done.stderr}")


def _first_entries() -> str:
    return "\n".join(
        (
            _entry(BASE, {"objectClass": ("dcObject", "organization"), "dc": "library", "o": "Library"}),
            _entry(PEOPLE, {"objectClass": "organizationalUnit", "ou": "people"}),
            _entry(f"ou=groups,{BASE}", {"objectClass": "organizationalUnit", "ou": "groups"}),
            _entry(
                BIND_DN,
                {
                    "objectClass": ("organizationalRole", "simpleSecurityObject"),
                    "cn": "portal",
                    "userPassword": hash_of(BIND_PASSWORD),
                },
            ),
            _entry(
                f"cn=policy,{BASE}",
                {
                    "objectClass": ("device", "pwdPolicy"),
                    "cn": "policy",
                    "pwdAttribute": "userPassword",
                    "pwdMustChange": "TRUE",
                    "pwdLockout": "TRUE",
                },
            ),
        )
    )


def _person(login: str, pin: str, attributes: Mapping[str, str | Sequence[str]]) -> str:
    basics: dict[str, str | Sequence[str]] = {
        "objectClass": ("inetOrgPerson", "libraryCard"),
        "uid": login,
        "cn": login,
        "sn": login,
        "userPassword": hash_of(pin),
    }
    return _entry(f"uid={login},{PEOPLE}", {**basics, **attributes})


def _entry(dn: str, attributes: Mapping[str, str | Sequence[str]]) -> str:
    lines = [f"dn: {dn}"]
    for name, values in attributes.items():
        for value in (values,) if isinstance(values, str) else values:
            lines.append(f"{name}:: {base64.b64encode(value.encode()).decode()}")
    return "\n".join(lines) + "\n"


def hash_of(secret: str) -> str:
    """What userPassword holds of a password (RFC 2307 section 5.3, salted)."""
    salt = os.urandom(8)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(secret.encode() + salt).digest() + salt).decode()


def _socket_url(folder: Path) -> str:
    return f"ldapi://{quote(str(folder / 'ldapi'), safe='')}/"

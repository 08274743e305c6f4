"""A portal as it is deployed: the unit's own command line with TLS and two workers, on a database of our choice."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from config import LdapSettings, Settings
from lab.doors import LIBRARY, STATION
from lab.hotspot import TOP, now, portal_environment
from lab.namespace import dying_with_us, stop
from lab.records import make_secret, seed
from lab.waiting import await_page
from portal.app import make_services
from portal.services import Services
from tests.services.certificates import Authority
from tests.services.parts import free_port
from tests.services.postgresql import running_postgresql

UNIT = TOP / "deploy" / "arobase-portal.service"
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RunningPortal:
    """A portal that serves. `services` look into its database, and seal what it will accept."""

    port: int
    process: subprocess.Popen[bytes]
    services: Services
    ca_file: Path

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"


def deployed(command: str, changes: dict[str, str]) -> list[str]:
    """The command of the unit's ExecStart after the name of the program, `changes` made to its options."""
    text = UNIT.read_text(encoding="utf-8").replace("\\\n", " ")
    line = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    words = shlex.split(line.removeprefix("ExecStart="))[1:]
    for option, value in changes.items():
        words[words.index(option) + 1] = value
    return [*shlex.split(command), *words]


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of this kind, whose commits reach the disk."""
    with running_postgresql(durable=True) if kind == "postgresql" else nullcontext() as url:
        yield url or f"sqlite:///{folder / 'town.sqlite3'}"


@contextmanager
def running_portal(
    folder: Path, database_url: str, *, ldap: LdapSettings | None = None, app: str = "wsgi:app"
) -> Iterator[RunningPortal]:
    """Run the portal on a fresh town in the database that `database_url` names, empty so far.

    `app` is another application to serve in its place, by the same server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    papers = authority.issue(HOST, label="portal")
    port = free_port()
    environment = _environment(folder, f"https://{HOST}:{port}", database_url, ldap)
    services = _prepare(folder, environment)
    places = {"--host": HOST, "--port": str(port)}
    files = {"--ssl-certificate": str(papers.certificate_file), "--ssl-keyfile": str(papers.key_file)}
    command = deployed(f"{sys.executable} -m granian", {**places, **files})
    log = folder / "portal.log"
    with log.open("ab") as out:
        process = subprocess.Popen(
            dying_with_us([*command[:-1], app]),
            cwd=TOP,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        running = RunningPortal(port, process, services, authority.ca_file)
        await_page(f"{running.url}/healthz", process, log, authority=authority.ca_file)
        yield running
    finally:
        stop(process)
        services.wake.close()
        services.engine.dispose()


def _environment(folder: Path, url: str, database_url: str, ldap: LdapSettings | None) -> dict[str, str]:
    make_secret(folder / "secret")
    environment = portal_environment(folder, url) | {"AROBASE_DATABASE_URL": database_url}
    if ldap is not None:
        environment |= {
            "AROBASE_LDAP_URLS": ",".join(ldap.urls),
            "AROBASE_LDAP_BIND_DN": ldap.bind_dn,
            "AROBASE_LDAP_BIND_PASSWORD": ldap.bind_password.reveal(),
            "AROBASE_LDAP_BASE_DN": ldap.base_dn,
            "AROBASE_LDAP_CA_FILE": str(ldap.ca_file),
            "AROBASE_LDAP_CATEGORY_ATTRIBUTE": ldap.category_attribute or "",
            "AROBASE_LDAP_EXPIRY_ATTRIBUTE": ldap.expiry_attribute or "",
            "AROBASE_LDAP_LOCK_ATTRIBUTE": ldap.lock_attribute or "",
        }
    return environment


def _prepare(folder: Path, environment: dict[str, str]) -> Services:
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=TOP,
        env=environment,
        check=True,
        capture_output=True,
    )
    services = make_services(Settings.from_env(environment))
    credentials = folder / "credentials"
    credentials.mkdir(exist_ok=True)
    with services.make_session.begin() as db:
        seed(db, (STATION, LIBRARY), credentials, now=now())
    return services

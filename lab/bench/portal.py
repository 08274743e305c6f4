"""A portal as it is deployed: nginx, and behind it the units' own command lines, on a database of our choice."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from auth.audit.sealing import seal_all
from auth.audit.signatures import AuditSeals
from auth.vouchers.plans import add_first_plans
from config import LdapSettings, Secret, Settings
from lab.doors import LIBRARY, STATION, Door
from lab.hotspot import now, portal_environment
from lab.records import make_secret, seed
from lab.servers import TOP, front_here, running
from portal.app import create_app, make_services
from portal.cli.nginx import Limits
from portal.services import Services
from sessions.retention import periods
from tests.services.certificates import Authority
from tests.services.postgresql import running_postgresql

HOST = "127.0.0.1"
ANY_NUMBER = 1_000_000
UNLIMITED = Limits(
    connections_of_a_client=4096,
    connections_of_a_neighbourhood=4096,
    requests_a_second=ANY_NUMBER,
    burst_of_a_client=ANY_NUMBER,
)


@dataclass(frozen=True, slots=True)
class RunningPortal:
    """A portal that serves; `process` is that of its pages, or of the gateways' server where that was asked for.

    `services` look into its database, and seal what it will accept.
    """

    port: int
    process: subprocess.Popen[bytes]
    services: Services
    ca_file: Path
    # Where the gateways' server listens, behind the front.
    gateways: str

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of this kind, whose commits reach the disk."""
    with running_postgresql(durable=True) if kind == "postgresql" else nullcontext() as url:
        yield url or f"sqlite:///{folder / 'town.sqlite3'}"


@contextmanager
def running_portal(
    folder: Path,
    database_url: str,
    *,
    ldap: LdapSettings | None = None,
    app: str = "",
    doors: Sequence[Door] = (STATION, LIBRARY),
    server: str = "portal",
) -> Iterator[RunningPortal]:
    """Run the portal on a fresh town in the database that `database_url` names, empty so far.

    Of the servers behind the front only `server` runs, the pages' or the gateways': what the others do while they wait
    would be measured with it. `doors` are the town's gateways. `app` is another application to serve in the place of
    the pages, by the same server.
    """
    folder.mkdir(parents=True, exist_ok=True)
    authority = Authority(folder)
    papers = authority.issue(HOST, label="portal")
    # All the load comes from one address, and says which phone's it would be.
    files = papers.certificate_file, papers.key_file
    front = front_here(folder, *files, limits=UNLIMITED, believes=(HOST,))
    url = f"https://{HOST}:{front.secure_port}"
    environment = _environment(folder, url, database_url, ldap)
    with prepared(folder, url, database_url, ldap=ldap, doors=doors) as services:
        portal = create_app(services)
        with running(
            folder, portal, services.settings, front, environment, behind=(server,), serve=app
        ) as started:
            yield RunningPortal(
                front.secure_port, started[server], services, authority.ca_file, front.gateways
            )


@contextmanager
def prepared(
    folder: Path,
    url: str,
    database_url: str,
    *,
    ldap: LdapSettings | None = None,
    doors: Sequence[Door] = (STATION, LIBRARY),
) -> Iterator[Services]:
    """The services of a fresh town whose portal is at `url`, in the empty database that `database_url` names."""
    services = _prepare(folder, _environment(folder, url, database_url, ldap), doors)
    try:
        yield services
    finally:
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


def _make_tables(engine: Engine, secret: Secret) -> None:
    """An empty database as `flask db upgrade` leaves it, its indexes made in their order: while PostgreSQL has no
    statistics, it goes by the last one of those that seem to do."""
    config = Config()
    config.set_main_option("script_location", str(TOP / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        seal_all(Session(connection), AuditSeals(secret))


def _prepare(folder: Path, environment: dict[str, str], doors: Sequence[Door]) -> Services:
    services = make_services(Settings.from_env(environment))
    _make_tables(services.engine, services.settings.secret_key)
    credentials = folder / "credentials"
    credentials.mkdir(exist_ok=True)
    with services.make_session.begin() as db:
        add_first_plans(db)
        periods.seed(db, now=now())
        seed(db, doors, credentials, now=now())
    return services

"""The live hotspot: portal, gateways with their agents, and an Internet, on a town of namespaces.

All state is in one folder, logs in ``log/`` there. Leaving the context stops everything that was started.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Select, select

from config import Settings
from db.engine import reading
from gateways.nftables import dnsmasq
from gateways.nftables.configuration import read
from lab import internet
from lab.authority import Certificate, issue, make_authority
from lab.dhcp import join
from lab.doors import Door
from lab.guest import Browser, Guest
from lab.namespace import Namespace, contained, environment
from lab.network import Gateway, Phone, Town, client_prefix, town
from lab.records import REDIRECTOR_PORT, make_secret, seed
from lab.report import until
from lab.servers import TOP, deployed, servers
from lab.waiting import await_port, await_portal
from portal.app import create_app, make_services
from portal.cli.nginx import GATEWAYS, STAFF, Front
from portal.services import Services
from sessions.leases import next_feed_version
from sites.demo.town import MAP_FILE
from sites.models import Gateway as Record

PORTAL_HOST = "portal.arobase.test"
PORTAL_URL = f"https://{PORTAL_HOST}"
# The kind of gateways that run our agent.
AGENTS = "nftables"
REPORT_SECONDS = 2.0
# An agent that came before the portal tries again within five.
SPEAK_SECONDS = 30.0
AGENT = """\
portal_url = "{portal}"
gateway = "{identity}"
credential_file = "{credential}"
ca_file = "{authority}"
client_interface = "{clients}"
uplink_interface = "{uplink}"
client_prefixes = [{prefixes}]
portal_addresses = [{addresses}]
state_directory = "{state}"
redirector_port = {redirector}
report_seconds = {report}
radio_interfaces = [{radios}]
"""
# Where the agent is told whom DHCP gave which address; without it, all works a moment later.
LEASES = 'dhcp_leases_file = "{leases}"\n'


@dataclass(frozen=True, slots=True)
class Papers:
    """Who the lab's servers are."""

    authority: Certificate
    portal: Certificate
    internet: Certificate


class Hotspot:
    """Everything that runs. The parts can be stopped and started again one by one."""

    def __init__(self, net: Town, folder: Path, doors: Sequence[Door], *, tells_leases: bool = True) -> None:
        self.net, self.folder, self.doors = net, folder, tuple(doors)
        self._tells_leases = tells_leases
        self.services = prepare_portal(folder, PORTAL_URL)
        self.papers = _make_papers(folder)
        self._servers: dict[str, subprocess.Popen[Any]] = {}
        self._agents: dict[int, subprocess.Popen[Any]] = {}
        self._logs: list[IO[bytes]] = []

    def start(self) -> None:
        """Bring everything up, and wait until it serves."""
        with self.services.make_session.begin() as db:
            seed(db, self.doors, self.folder / "credentials", now=now())
            versions = {
                identity: next_feed_version(db, number) for number, identity in db.execute(self._records())
            }
        self.start_portal(wait=False)
        self._start_internet()
        for gateway in self.net.gateways:
            self.start_gateway(gateway)
        self._await_portal()
        for gateway in self.net.gateways:
            self.await_gateway(gateway)
        until(lambda: self._have_confirmed(versions), SPEAK_SECONDS)
        # It looks at the front as a phone does, and the phones here trust the lab's own authority.
        trusting = self.environment | {"SSL_CERT_FILE": str(self.papers.authority.certificate)}
        flask(self.net.portal, trusting, "sweep", "--every", "1", log=self.log("sweep"))

    def _records(self) -> Select[int, str]:
        """Of the gateways with an agent."""
        return select(Record.id, Record.identity).where(
            Record.identity.in_([door.identity for door in self.doors if door.kind == AGENTS])
        )

    def _have_confirmed(self, versions: dict[str, int]) -> bool:
        """Whether every agent has had the feed's first answer, and with it the key that it signs landings with."""
        with reading(self.services.make_session) as db:
            records = db.scalars(select(Record)).all()
        return all(one.confirmed_version >= versions.get(one.identity, 0) for one in records)

    @property
    def processes(self) -> dict[str, int]:
        """By name, the process of each of the portal's servers and of each agent, above its workers."""
        agents = {f"agent of {self.doors[number].identity}": one for number, one in self._agents.items()}
        return {name: process.pid for name, process in (self._servers | agents).items()}

    @property
    def environment(self) -> dict[str, str]:
        return portal_environment(self.folder, PORTAL_URL)

    def start_portal(self, *, wait: bool = True) -> None:
        """The servers of deploy/, with nginx before them."""
        place, papers = self.folder / "front", self.papers.portal
        # In a user namespace there is nobody but root.
        front = Front(papers.certificate, papers.key, folder=place, pages=place / "pages", user="root")
        for server in servers(create_app(self.services), self.services.settings, front):
            self._servers[server.name] = self.net.portal.popen(
                contained(server.command),
                cwd=TOP,
                env=self.environment | server.environment,
                stdout=self.log(server.name),
                stderr=subprocess.STDOUT,
            )
        if wait:
            self._await_portal()

    def kill_portal(self) -> None:
        """As a power cut would: SIGKILL, to all its servers and their workers."""
        for process in self._servers.values():
            os.killpg(process.pid, 9)
            process.wait()

    def start_gateway(self, gateway: Gateway) -> None:
        """Its access points, its names and addresses for clients, and its agent."""
        gateway.ns.ip(*(f"link add {name} type bridge" for name in self.door(gateway).radios))
        self._start_dnsmasq(gateway)
        self.start_agent(gateway, wait=False)

    def await_gateway(self, gateway: Gateway) -> None:
        self._await_agent(gateway)

    def start_agent(self, gateway: Gateway, *, wait: bool = True) -> None:
        self._agents[gateway.number] = gateway.ns.python(
            "-m",
            "gateways.nftables.agent",
            "--config",
            str(self._agent_file(gateway)),
            stdout=self.log(f"agent-{gateway.number}"),
            stderr=subprocess.STDOUT,
        )
        if wait:
            self._await_agent(gateway)

    def kill_agent(self, gateway: Gateway) -> None:
        """SIGKILL, as the kernel's memory killer would."""
        self._agents[gateway.number].kill()
        self._agents[gateway.number].wait()

    def guest(self, phone: Phone) -> Guest:
        """A guest with this phone, who has not joined yet: see `join`."""
        return Guest(phone, self.papers.authority.certificate)

    def office(self) -> Browser:
        """The browser of somebody at work: on the town's own line, not on the guests' wifi."""
        resolver = str(self.net.internet_address(4))
        return Browser(self.net.internet, self.papers.authority.certificate, resolver=resolver)

    def join(self, guest: Guest, gateway: Gateway) -> str:
        """Walk to a gateway and take a DHCP lease there; gives the RFC 8908 address that was announced."""
        guest.phone.walk(gateway, addressed=False)
        lease = join(guest.phone)
        guest.resolver = str(lease.resolver)
        return lease.capport_url or ""

    def flask(self, *words: str) -> str:
        """Run a command of the portal to its end; gives what it printed."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
        done = subprocess.run(
            command, cwd=TOP, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout

    def close(self) -> None:
        self.services.engine.dispose()
        for log in self._logs:
            log.close()

    def _start_internet(self) -> None:
        papers, node = self.papers.internet, self.net.internet
        process = node.python(
            *("-m", "lab.internet", "--certificate", str(papers.certificate), "--key", str(papers.key)),
            stdout=self.log("internet"),
            stderr=subprocess.STDOUT,
        )
        address = str(self.net.internet_address(4))
        await_port(node, address, internet.WEB, process, self.folder / "log/internet.log")
        names = [f"--address=/#/{self.net.internet_address(version)}" for version in (4, 6)]
        portal = ",".join(str(self.net.portal_address(version)) for version in (4, 6))
        alone = ("--conf-file=/dev/null", "--no-resolv", "--no-hosts")
        self.run_dnsmasq(node, "names", *alone, f"--host-record={PORTAL_HOST},{portal}", *names)

    def _start_dnsmasq(self, gateway: Gateway) -> None:
        resolver = self.net.internet_address(4)
        gateway.ns.resolve_with(resolver)
        file = self.folder / "gateways" / self.door(gateway).identity / "dnsmasq.conf"
        file.write_text(dnsmasq.render(read(self._write_agent_file(gateway)), servers=[resolver]))
        leases = f"--dhcp-leasefile={file.parent / 'dhcp.leases'}"
        self.run_dnsmasq(gateway.ns, f"dnsmasq-{gateway.number}", f"--conf-file={file}", leases)

    def run_dnsmasq(self, node: Namespace, name: str, *more: str) -> None:
        # In debug mode it stays the user it is: a user namespace has no other to become.
        command = ["dnsmasq", "--no-daemon", *more]
        node.popen(command, stdout=self.log(name), stderr=subprocess.STDOUT)

    def _write_agent_file(self, gateway: Gateway) -> Path:
        file = self._agent_file(gateway)
        file.parent.mkdir(parents=True, exist_ok=True)
        (file.parent / "dhcp.leases").unlink(missing_ok=True)
        prefixes = [client_prefix(version, gateway.number) for version in (4, 6)]
        text = AGENT + LEASES if self._tells_leases else AGENT
        file.write_text(
            text.format(
                portal=PORTAL_URL,
                identity=self.door(gateway).identity,
                credential=self.folder / "credentials" / self.door(gateway).identity,
                authority=self.papers.authority.certificate,
                clients=gateway.clients,
                uplink=gateway.uplink,
                prefixes=", ".join(f'"{prefix}"' for prefix in prefixes),
                addresses=", ".join(f'"{self.net.portal_address(version)}"' for version in (4, 6)),
                state=file.parent / "state",
                leases=file.parent / "dhcp.leases",
                redirector=REDIRECTOR_PORT,
                report=REPORT_SECONDS,
                radios=", ".join(f'"{name}"' for name in self.door(gateway).radios),
            )
        )
        return file

    def _agent_file(self, gateway: Gateway) -> Path:
        return self.folder / "gateways" / self.door(gateway).identity / "agent.toml"

    def door(self, gateway: Gateway) -> Door:
        return self.doors[gateway.number]

    def log(self, name: str) -> IO[bytes]:
        log = (self.folder / "log" / f"{name}.log").open("ab")
        self._logs.append(log)
        return log

    def _await_portal(self) -> None:
        for name, address in (("gateways", GATEWAYS), ("staff", STAFF)):
            host, _, port = address.rpartition(":")
            await_port(self.net.portal, host, int(port), self._servers[name], self.folder / f"log/{name}.log")
        address, trust = str(self.net.portal_address(4)), self.papers.authority.certificate
        process, log = self._servers["portal"], self.folder / "log/portal.log"
        await_portal(self.net.portal, address, PORTAL_HOST, trust, process, log)

    def _await_agent(self, gateway: Gateway) -> None:
        process = self._agents[gateway.number]
        log = self.folder / "log" / f"agent-{gateway.number}.log"
        await_port(gateway.ns, str(gateway.address(4)), REDIRECTOR_PORT, process, log)


@contextmanager
def hotspot(
    folder: Path, doors: Sequence[Door], *, phones: int = 1, tells_leases: bool = True
) -> Iterator[Hotspot]:
    """A hotspot for each of `doors`, with `phones` at the first. Not started yet, so that records can be changed.

    `tells_leases` gives the agents the DHCP server's list of leases.
    """
    # The agents turn routing on when their rules stand, as on a real machine.
    with town(phones=phones, gateways=len(doors), addressed=False, routing=False) as net:
        place = Hotspot(net, folder, doors, tells_leases=tells_leases)
        try:
            yield place
        finally:
            # The processes end with the town, which is closed after this.
            place.close()


def prepare_portal(folder: Path, url: str) -> Services:
    """Folder, secret and database (of the newest shape) of a lab's portal; gives its services, for looking in."""
    for name in ("log", "credentials", "gateways", "certificates"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    make_secret(folder / "secret")
    env = portal_environment(folder, url)
    upgraded = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=TOP,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if upgraded.returncode != 0:
        raise RuntimeError(f"the database cannot be made: {upgraded.stderr.strip()}")
    return make_services(Settings.from_env(env))


def portal_environment(folder: Path, url: str) -> dict[str, str]:
    """The settings of a lab's portal. Those of our own environment are left out: they are somebody's real ones."""
    env = {name: value for name, value in environment().items() if not name.startswith("AROBASE_")}
    env |= {
        "AROBASE_SECRET_KEY_FILE": str(folder / "secret"),
        "AROBASE_DATABASE_URL": f"sqlite:///{folder / 'arobase.sqlite3'}",
        "AROBASE_PORTAL_URL": url,
        "AROBASE_TOWN": "Besançon",
        "AROBASE_MAP_FILE": str(MAP_FILE),
    }
    if url.startswith("http:"):
        env["AROBASE_DEVELOPMENT"] = "true"
    return env


def granian(host: str, port: int) -> list[str]:
    """The command of a portal that serves all its pages to this machine, without a front."""
    return deployed("arobase-portal", {"--host": host, "--port": str(port)}).command


def flask(node: Namespace, env: dict[str, str], *words: str, log: IO[bytes]) -> subprocess.Popen[Any]:
    """Start a command of the portal that goes on, in a namespace."""
    return node.python("-m", "flask", "--app", "wsgi", *words, env=env, stdout=log, stderr=subprocess.STDOUT)


def now() -> datetime:
    """The lab's clock is the machine's."""
    return datetime.now(tz=UTC)  # noqa: TID251


def _make_papers(folder: Path) -> Papers:
    place = folder / "certificates"
    authority = make_authority(place)
    return Papers(
        authority,
        issue(authority, place, "portal", [PORTAL_HOST]),
        issue(authority, place, "internet", internet.HOSTS),
    )

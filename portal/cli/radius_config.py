"""``flask gateways radius-config``: FreeRADIUS between the gateways that speak RADIUS and the portal."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
from flask.cli import with_appcontext
from jinja2 import Environment, StrictUndefined

from auth.devices import authority, certificates
from db.engine import reading
from gateways.radius.options import addresses_in
from gateways.registry import kind_of
from portal.cli.machine import radius_server_version
from portal.gateway_api.asgi import QUEUE_OF_ONE
from portal.gateway_api.radius_callers import token_of
from portal.gateway_api.secrets import secret_of
from portal.services import services
from sites.models import Gateway

TEMPLATES = Path(__file__).parents[2] / "deploy" / "freeradius"
FILES = ("radiusd.conf", "site.conf", "clients.conf", "dictionary", "access_reject", "eap.conf")
AUTHORITY, SERVER_CERTIFICATE, SERVER_KEY = (
    "secure-authority.pem",
    "secure-server.pem",
    "secure-server-key.pem",
)
# The first line of each file that this command has written. No other file is ever replaced.
MARK = "# Written by `arobase gateways radius-config`: do not change it here, the next call replaces it."
SHARED_SECRET = "radius"
# RFC 6614 section 2.3: over TLS the shared secret is this word.
RADSEC_SECRET = "radsec"
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/-]*")
# Before these versions: requests without a Message-Authenticator are not refused by the server itself; a long
# NAS-Filter-Rule overruns a buffer before anything is checked.
MENDED = (3, 2, 9)


@dataclass(frozen=True, slots=True)
class Certificates:
    """What the listener for RADIUS over TLS shows, and whose certificates it takes from gateways."""

    certificate: Path
    key: Path
    authority: Path


@dataclass(frozen=True, slots=True)
class SecureFiles:
    """What the encrypted network needs: whose certificates devices show, and what they are shown (PEM)."""

    authority: str
    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """Where FreeRADIUS runs, and how it reaches the portal."""

    folder: Path
    portal: str
    portal_ca: str = "/etc/ssl/certs/ca-certificates.crt"
    addresses: tuple[str, ...] = ("*",)
    auth_port: int = 1812
    acct_port: int = 1813
    radsec_port: int = 2083
    radsec: Certificates | None = None
    # Without these, no device joins with a certificate.
    secure: SecureFiles | None = None
    logs: Path = Path("/var/log/freeradius")
    run: Path = Path("/run/freeradius")
    libraries: Path = Path("/usr/lib/freeradius")
    # As many of one gateway's calls as may wait at the portal.
    threads: int = QUEUE_OF_ONE
    reject_delay: int = 1


@dataclass(frozen=True, slots=True)
class Nas:
    """One client block: an address, or prefix, that a gateway sends from."""

    name: str
    address: str
    secret: str
    token: str
    proto: str


class ImpossibleServer(Exception):
    """No configuration can be made so. The text says why."""


def nas_of(gateways: Sequence[Gateway]) -> list[Nas]:
    """The client blocks of the gateways that speak RADIUS. Raises `ImpossibleServer` where two have one address."""
    found: dict[str, Nas] = {}
    for gateway in gateways:
        if kind_of(gateway.kind).radius is None:
            continue
        over_tls = gateway.option("transport") == "radsec"
        for count, address in enumerate(addresses_in(gateway.option("nas_address"))):
            if address in found:
                raise ImpossibleServer(
                    f"{found[address].name} and {gateway.identity} both send from {address}: FreeRADIUS could not "
                    "tell whose packet it is. Give each an address of its own, by a tunnel if need be."
                )
            found[address] = Nas(
                f"{gateway.identity}-{count}",
                address,
                RADSEC_SECRET if over_tls else secret_of(gateway, SHARED_SECRET),
                token_of(gateway),
                "tls" if over_tls else "*",
            )
    return list(found.values())


def render(server: Server, nas: Sequence[Nas]) -> dict[str, str]:
    """The files of the configuration by name. Raises `ImpossibleServer`."""
    if not _PLAIN_PATH.fullmatch(str(server.folder)):
        raise ImpossibleServer(
            f"{server.folder}: FreeRADIUS reads only plain paths, of letters, digits, . _ and -"
        )
    if not server.radsec and (waiting := [one.name for one in nas if one.proto == "tls"]):
        raise ImpossibleServer(
            f"{', '.join(waiting)} come over TLS: name --certificate, --key and --authority for it."
        )
    template = Environment(
        undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True, autoescape=False
    )
    values = {name: getattr(server, name) for name in Server.__slots__}
    values |= {"mark": MARK, "clients": nas, "portal": server.portal.rstrip("/")}
    values |= {"AUTHORITY": AUTHORITY, "SERVER_CERTIFICATE": SERVER_CERTIFICATE, "SERVER_KEY": SERVER_KEY}
    if not server.portal.startswith("https://"):
        values["portal_ca"] = ""
    files = {
        name: template.from_string((TEMPLATES / name).read_text(encoding="utf-8")).render(values)
        for name in FILES
    }
    return files | _pem_files(server.secure) if server.secure else files


def _pem_files(secure: SecureFiles) -> dict[str, str]:
    """Certificates and key; what stands before a PEM's first line is not read (RFC 7468 section 2)."""
    texts = {AUTHORITY: secure.authority, SERVER_CERTIFICATE: secure.certificate, SERVER_KEY: secure.key}
    return {name: f"{MARK}\n{text}" for name, text in texts.items()}


def secure_files(gateways: Sequence[Gateway]) -> SecureFiles | None:
    """What FreeRADIUS needs for the encrypted network, its own certificate made anew; None where no gateway has one.

    Raises `ImpossibleServer` where the authority was not made yet.
    """
    profiles = [kind_of(gateway.kind).radius for gateway in gateways]
    if not any(profile is not None and profile.joins_by_certificate for profile in profiles):
        return None
    service = services()
    now = service.clock()
    try:
        with reading(service.make_session) as db:
            ours = authority.in_force(db, tokens=service.encrypted_tokens, now=now)
    except authority.NoAuthority:
        raise ImpossibleServer(
            "Gateways with an encrypted network need the authority of its certificates: make it first, with "
            "`arobase secure-network make`."
        ) from None
    shown = certificates.make_server(ours, certificates.server_name(service.settings.portal_url), now=now)
    return SecureFiles(ours.certificate, shown.certificate, shown.key)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files into `folder`, readable by their owner and group alone. Raises `ImpossibleServer` before anything
    is written where a file there is not one of ours."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    for name in files:
        path = folder / name
        if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(MARK):
            raise ImpossibleServer(
                f"{path} was not written by this command: name an empty folder of its own."
            )
    for name, text in files.items():
        descriptor, waiting = tempfile.mkstemp(dir=folder, prefix=f".{name}-")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(waiting).chmod(0o640)
        with contextlib.suppress(PermissionError):
            # The server's own group reads what it could read before.
            os.chown(waiting, -1, folder.stat().st_gid)
        Path(waiting).replace(folder / name)


@click.command("radius-config")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, resolve_path=True))
@click.option("--portal", help="Where FreeRADIUS reaches the portal; else by AROBASE_PORTAL_URL.")
@click.option(
    "--listen", "addresses", multiple=True, default=("*",), show_default=True, help="An address of it."
)
@click.option(
    "--certificate", type=click.Path(path_type=Path), help="Its own certificate, for RADIUS over TLS."
)
@click.option("--key", type=click.Path(path_type=Path), help="The key of that certificate.")
@click.option(
    "--authority", type=click.Path(path_type=Path), help="The authority of the gateways' certificates."
)
@with_appcontext
def radius_config(
    folder: Path,
    portal: str | None,
    addresses: tuple[str, ...],
    certificate: Path | None,
    key: Path | None,
    authority: Path | None,
) -> None:
    """Write the configuration of FreeRADIUS into FOLDER, and say what to do with it."""
    try:
        radsec = None
        if certificate or key or authority:
            if certificate is None or key is None or authority is None:
                raise ImpossibleServer("RADIUS over TLS needs all of --certificate, --key and --authority.")
            radsec = Certificates(certificate, key, authority)
        gateways = services().places.gateways()
        nas = nas_of(gateways)
        server = Server(
            folder,
            portal or services().settings.own_url,
            addresses=addresses,
            radsec=radsec,
            secure=secure_files(gateways),
        )
        write(folder, render(server, nas))
    except ImpossibleServer as reason:
        raise click.ClickException(str(reason)) from reason
    except OSError as error:
        raise click.ClickException(
            f"{error.filename or folder} cannot be written: {error.strerror}."
        ) from error
    click.echo(_what_next(folder, nas))
    if warning := version_warning(radius_server_version()):
        click.echo(warning, err=True)


def version_warning(version: tuple[int, ...] | None) -> str:
    """What to know of this version of FreeRADIUS; empty where nothing is."""
    if version is None:
        return "FreeRADIUS is not installed on this machine: its version was not looked at. It must be 3.2."
    shown = ".".join(map(str, version))
    if version[:2] != (3, 2):
        return f"This is FreeRADIUS {shown}: the configuration is for 3.2, and was tried with 3.2.1 of Debian 12."
    if version < MENDED:
        return (
            f"This is FreeRADIUS {shown}. Before 3.2.9 a long NAS-Filter-Rule could overrun it before anything is "
            "checked, unless your distribution has mended that: let nobody but the gateways reach its ports."
        )
    return ""


def _what_next(folder: Path, nas: Sequence[Nas]) -> str:
    blocks = "\n".join(f"   {one.name}\t{one.address}" for one in nas)
    known = (
        f"It knows these senders:\n{blocks}"
        if nas
        else "It knows no sender yet: add a gateway, then call it again."
    )
    return f"""\
{folder} has FreeRADIUS's configuration. {known}

1. apt install freeradius freeradius-rest
2. chgrp -R freerad {folder}; chmod 2750 {folder}
3. in /etc/default/freeradius: FREERADIUS_OPTIONS="-d {folder}"
4. freeradius -d {folder} -CX, which ends with "Configuration appears to be OK"; then systemctl restart freeradius
5. in each gateway: arobase gateways lines IDENTITY
6. let nobody but the gateways reach UDP 1812 and 1813, or TCP 2083

Call this again, and restart FreeRADIUS, after each gateways add, rotate and remove."""

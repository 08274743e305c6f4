"""``flask secure-network``: the authority of the certificates by which patrons' devices join the encrypted network."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from auth.devices import authority, certificates
from auth.devices import service as devices
from auth.devices.models import CertificateAuthority
from db.engine import reading
from portal.cli.operator import operator
from portal.services import services

secure_network = AppGroup("secure-network", help="The encrypted network beside the open one.")
NONE = "There is no authority yet. Make it once: arobase secure-network make"


@secure_network.command("make")
@click.option(
    "--replace", is_flag=True, help="Make another in the place of the one there is: its key was stolen."
)
def make(replace: bool) -> None:
    """Make the authority, once. With --replace every device needs a new profile."""
    service = services()
    name = f"{service.settings.town or 'Arobase'} Wi-Fi"
    try:
        with service.make_session.begin() as db:
            row = authority.make(
                db,
                name,
                tokens=service.encrypted_tokens,
                actor=operator(),
                now=service.clock(),
                is_replacing=replace,
            )
            revoked = devices.revoke_all(db, now=service.clock()) if replace else 0
            _tell(row)
    except authority.ExistingAuthority:
        raise click.ClickException(
            "There is one already. arobase secure-network show tells about it; --replace makes another."
        ) from None
    if replace:
        click.echo(
            f"{revoked} devices had a certificate of the one before: they need a new profile.", err=True
        )
    click.echo("Now write FreeRADIUS's configuration: arobase gateways radius-config FOLDER", err=True)


@secure_network.command("renew")
def renew() -> None:
    """Give the authority ten years more, with the same key: devices and their profiles go on."""
    service = services()
    try:
        with service.make_session.begin() as db:
            row = authority.renew(db, tokens=service.encrypted_tokens, actor=operator(), now=service.clock())
            _tell(row)
    except authority.NoAuthority:
        raise click.ClickException(NONE) from None
    click.echo("Write FreeRADIUS's configuration anew: arobase gateways radius-config FOLDER", err=True)


@secure_network.command("show")
@click.option("--pem", is_flag=True, help="Print the certificate itself.")
def show(pem: bool) -> None:
    """Show the authority's name, fingerprint and end, and how many devices may join."""
    service = services()
    with reading(service.make_session) as db:
        row = authority.newest(db)
        if row is None:
            raise click.ClickException(NONE)
        if pem:
            click.echo(row.certificate.rstrip())
            return
        _tell(row)
        click.echo(f"devices\t{devices.count_good(db, now=service.clock())}")


def _tell(row: CertificateAuthority) -> None:
    click.echo(f"name\t{certificates.name_of(row.certificate)}")
    click.echo(f"SHA-256\t{certificates.fingerprint(row.certificate)}")
    click.echo(f"good until\t{certificates.ends_at(row.certificate):%Y-%m-%d}")

"""What a lab's portal knows from the start: the demo town, its gateways, and a few patrons."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from ads.demo import load_announcements, read_announcements
from ads.loading import known_names
from auth.patrons.csv_import import import_patrons
from db.engine import SessionMaker
from gateways.types import Client
from lab.doors import Door
from lab.network import FIRST_GATEWAY, client_prefix, outside_address
from sessions.sightings import see
from sites.demo.town import load_demo
from sites.gateways import add_gateway, by_identity, rotate_credential
from sites.models import Gateway, Network, Site

REDIRECTOR_PORT = 8081
# card, PIN: for the demo town only.
PATRONS = "card,pin,category\n20000001,4711\n20000002,1234\n"


def make_secret(path: Path) -> None:
    """A secret key for this lab, kept for the next time."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")


def seed(db: Session, doors: Sequence[Door], credentials: Path, *, now: datetime) -> None:
    """Put everything into the database that is not there yet; the gateways' credentials go to files."""
    _load_town(db, now)
    for number, door in enumerate(doors):
        file = credentials / door.identity
        gateway = by_identity(db, door.identity)
        if gateway is None:
            credential = _add(db, door, number)
        elif not file.exists():
            credential = rotate_credential(db, gateway)
        else:
            continue
        file.touch(mode=0o600)
        file.write_text(credential, encoding="ascii")


def announce_with_pictures(make_session: SessionMaker, *, now: datetime) -> None:
    """The demo town's announcements as its guests see them; without this, `seed` loads them as text alone."""
    with make_session() as db:
        known = known_names(db)
    wanted = read_announcements(known)
    with make_session.begin() as db:
        load_announcements(db, now=now, wanted=wanted)


def _load_town(db: Session, now: datetime) -> None:
    load_demo(db, now=now)
    load_announcements(db, now=now)
    import_patrons(db, PATRONS)


def _add(db: Session, door: Door, number: int) -> str:
    site = db.scalars(select(Site).where(Site.slug == door.site)).one()
    network = db.scalars(select(Network).where(Network.slug == door.network)).one()
    own_address = outside_address(4, FIRST_GATEWAY + number)
    _, credential = add_gateway(
        db,
        identity=door.identity,
        kind=door.kind,
        site=site,
        network=network,
        client_prefixes=[str(client_prefix(version, number)) for version in (4, 6)],
        redirector_url=f"http://{client_prefix(4, number)[1]}:{REDIRECTOR_PORT}/"
        if door.kind == "nftables"
        else "",
        public_addresses=[str(own_address)] if door.translates else (),
        options=door.options,
    )
    return credential


def seed_without_gateway(db: Session, door: Door, client: Client, *, now: datetime) -> None:
    """For a machine without namespaces: a fake gateway, with this machine's own browser as its client."""
    _load_town(db, now)
    gateway = by_identity(db, f"fake-{door.identity}")
    if gateway is None:
        gateway = _add_fake(db, door)
    see(db, gateway_id=gateway.id, client=client, now=now)


def _add_fake(db: Session, door: Door) -> Gateway:
    site = db.scalars(select(Site).where(Site.slug == door.site)).one()
    network = db.scalars(select(Network).where(Network.slug == door.network)).one()
    gateway, _ = add_gateway(
        db,
        identity=f"fake-{door.identity}",
        kind="fake",
        site=site,
        network=network,
        client_prefixes=["127.0.0.0/8", "::1/128"],
    )
    return gateway

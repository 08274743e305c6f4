"""``flask networks preview``: guests' pages in a new look, before it is saved.

The very application answers, on a database of its own that is thrown away: what is shown is what guests would see.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext
from markupsafe import escape
from sqlalchemy.orm import Session

from config import Secret, Serves
from db.engine import reading
from gateways import landing_token
from gateways.landing_token import Landing
from gateways.registry import names
from gateways.types import IpAddress, MacAddress
from portal.app import create_app, make_services
from portal.cli.pictures import prepare_file
from portal.interstitial_preview import in_theme
from portal.services import Services, services
from portal.tables import METADATA
from sites import pictures
from sites.copies import copy_places
from sites.errors import RefusedImport
from sites.gateways import add_gateway
from sites.images import store
from sites.images.preparing import PreparedImage
from sites.images.shapes import LOGO
from sites.import_export import NETWORKS, import_records
from sites.models import Network, SigninMethod, Site, SiteKind, SiteState
from sites.queries import networks, sites

PLACE, PHONE = "a-place-of-the-preview", "02:00:00:00:00:01"
# One address for each network, so that an error page too knows on which of them it is.
ADDRESSES = ipaddress.ip_network("2001:db8::/64")
THEMES = ("light", "dark")
_IMAGE = re.compile(r"/images/([0-9a-f]{24}\.[a-z]+)")
_CHOICES = re.compile(r"<source\b[^>]*>| srcset=\"[^\"]*\"")


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """A page as it came, and what it is."""

    network: str
    name: str
    language: str
    html: str


@dataclass(frozen=True, slots=True)
class PreviewDoor:
    """A gateway of the preview, and the one phone behind it."""

    app: Flask
    stage: Services
    identity: str
    credential: str
    address: IpAddress

    def land(self, language: str) -> str:
        """What the phone is shown when the gateway sends it here."""
        key = self.stage.gateway_secrets.landing_key(landing_token.credential_digest(self.credential))
        seen = Landing(self.identity, MacAddress(PHONE), self.address)
        token = landing_token.sign(seen, key=key, now=self.stage.clock().timestamp())
        # One word more than pages have that are remembered for the next who comes.
        return self.ask("GET", f"/?landing={token}&lang={language}&preview=1")

    def ask(self, method: str, path: str, **values: Any) -> str:
        answer = self.app.test_client().open(
            path,
            method=method,
            base_url=self.stage.settings.portal_url,
            environ_overrides={"REMOTE_ADDR": str(self.address)},
            **values,
        )
        return answer.text


@click.command("preview")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("output", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--logo", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A new logo for them."
)
@with_appcontext
def preview(file: Path, output: Path, logo: Path | None) -> None:
    """Show guests' pages as the networks in FILE would make them, in OUTPUT, for any browser. Nothing is saved."""
    mark = prepare_file(logo, LOGO, remove=False) if logo else None
    try:
        pages = list(make_pages(services(), file.read_bytes(), mark))
    except RefusedImport as error:
        raise click.ClickException(f"This could not be imported.\n{error}") from error
    try:
        output.write_text(album(pages), encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from error
    click.echo(f"{len(pages)} pages in {output}. Nothing was saved.")


def make_pages(town: Services, content: bytes, mark: PreparedImage | None) -> Iterator[PreviewPage]:
    """First page, session page and an error of each network in the file. Raises `RefusedImport`."""
    with tempfile.TemporaryDirectory() as folder, _stage(town, Path(folder)) as (app, stage):
        with stage.make_session.begin() as db:
            done = import_records(db, NETWORKS, content, by="preview", now=stage.clock())
            slugs = [*done.created, *done.changed, *done.unchanged]
            for network in networks(db, slugs=slugs):
                if mark is not None:
                    pictures.set_logo(db, network, mark, alt={town.settings.languages[0]: network.name})
        for number, slug in enumerate(slugs, start=1):
            for page in _pages_of(app, stage, slug, ADDRESSES[number]):
                yield replace(page, html=_with_pictures((stage, town), page.html))


@contextmanager
def _stage(town: Services, folder: Path) -> Iterator[tuple[Flask, Services]]:
    """The application over a copy of the town's networks and sites. Their pictures stay where they are."""
    settings = replace(
        town.settings,
        database_url=f"sqlite:///{folder / 'preview.sqlite3'}",
        secret_key=Secret("preview " * 8),
        serves=Serves.GUESTS,
        ldap=None,
    )
    stage = make_services(settings, clock=town.clock)
    try:
        METADATA.create_all(stage.engine)
        with reading(town.make_session) as source, stage.make_session.begin() as target:
            copy_places(source, target)
        yield create_app(stage), stage
    finally:
        stage.wake.close()
        stage.engine.dispose()


def _pages_of(app: Flask, stage: Services, slug: str, address: IpAddress) -> Iterator[PreviewPage]:
    with stage.make_session.begin() as db:
        identity, credential = _open_door(db, slug, address)
    stage.places.forget()
    door = PreviewDoor(app, stage, identity, credential, address)
    for language in stage.settings.languages:
        yield PreviewPage(slug, "first page", language, door.land(language))
    language = stage.settings.languages[0]
    with stage.make_session.begin() as db:
        # However people sign in there, the session page is the same: it is reached by the shortest way.
        (network,) = networks(db, slugs=[slug])
        network.signin_methods, network.ads = [SigninMethod.FREE.value], False
    stage.places.forget()
    form = dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', door.land(language)))
    door.ask("POST", f"/pause?lang={language}", data=form)
    yield PreviewPage(
        slug, "session page", language, door.ask("GET", f"/status?visit={form['visit']}&lang={language}")
    )
    yield PreviewPage(slug, "error", language, door.ask("GET", f"/nothing-of-this-name?lang={language}"))


def _kind_in_memory() -> str:
    """A kind of gateway for which nothing has to run, and behind which an address is proof enough."""
    return names(lambda can: can.proves_addresses and not can.is_heard)[0]


def _open_door(db: Session, slug: str, address: IpAddress) -> tuple[str, str]:
    """A gateway of memory alone for this network, at a place that has it, with a photograph where one has."""
    (network,) = networks(db, slugs=[slug])
    site = max(
        sites(db, network_ids=[network.id]), key=lambda one: bool(one.photo), default=None
    ) or _make_place(db, network)
    # It is open, whatever the hour.
    site.opening_hours, site.state, site.state_since, site.state_until = "24/7", SiteState.LIVE, None, None
    identity = f"preview-{slug}"[:64]
    _, credential = add_gateway(
        db,
        identity=identity,
        kind=_kind_in_memory(),
        site=site,
        network=network,
        client_prefixes=[str(address)],
    )
    return identity, credential


def _make_place(db: Session, network: Network) -> Site:
    site = Site(
        slug=PLACE,
        name=network.name,
        kind=SiteKind.LIBRARY,
        address="",
        latitude=0,
        longitude=0,
        zone=str(services().settings.zone),
        networks=[network],
    )
    db.add(site)
    return site


def _with_pictures(places: tuple[Services, ...], page: str) -> str:
    """The page with its pictures inside, each in one size: it is shown without a portal."""

    def inside(found: re.Match[str]) -> str:
        for place in places:
            with reading(place.make_session) as db:
                if (file := store.find(db, found[1])) is not None:
                    return f"data:{file.media_type};base64,{base64.b64encode(file.content).decode()}"
        return found[0]

    return _IMAGE.sub(inside, _CHOICES.sub("", page))


def album(pages: list[PreviewPage]) -> str:
    """All pages side by side as on phones, in either theme, in one file that loads nothing."""
    shown = "".join(
        f"<figure><figcaption>{escape(one.network)} · {one.name} · {one.language} · {theme}</figcaption>"
        f'<iframe sandbox title="{escape(one.name)}, {theme}" srcdoc="{escape(in_theme(one.html, theme))}"></iframe>'
        "</figure>"
        for one in pages
        for theme in THEMES
    )
    return (
        '<!doctype html><meta charset="utf-8"><title>Preview</title><style>'
        "body{font:14px system-ui;margin:1rem;display:flex;flex-wrap:wrap;gap:1.5rem;background:#8b9099}"
        "figure{margin:0}figcaption{padding:.3rem 0}iframe{width:360px;height:740px;border:0;border-radius:12px}"
        f"</style>{shown}\n"
    )

"""The composition root: from settings to an application, on one screen."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from jinja2 import StrictUndefined

from auth.audit import signatures
from auth.audit.anchors import AnchorSeals
from auth.audit.signatures import AuditSeals
from auth.encrypted_tokens import EncryptedTokens
from auth.fixed_devices.links import OwnerLinks
from auth.gateway_secrets import GatewaySecrets
from auth.patrons.directory import Directory
from auth.patrons.local import EmbeddedDirectory
from auth.pseudonyms import Pseudonyms
from auth.resume_codes import ResumeCodes
from auth.staff.secrets import StaffSecrets
from auth.tokens import Tokens
from auth.vouchers.keys import VoucherKeys
from config import Settings, SettingsError
from db.engine import SessionMaker, make_engine, make_session_maker
from db.notify import CommitNotifier
from portal import audiences, cli, error_handlers, templating
from portal.caches import templates
from portal.caches.breaks import BreakCache
from portal.caches.creatives import CreativeCache
from portal.caches.gateways import GatewayCache
from portal.caches.images import ImageCache
from portal.caches.pages import PageCache
from portal.caches.served import ServedBuffer
from portal.denials.recorder import Recorder
from portal.http.application import Application
from portal.http.database_faults import FaultLog
from portal.http.health import health
from portal.http.proxy_headers import TrustedProxies
from portal.http.security_headers import init_security, read_styles
from portal.i18n.catalogues import available
from portal.services import Clock, Services
from portal.services import services as own_services
from sessions.legal_requests.note import FRENCH, LegalNote, UnusableNote, read_note
from sessions.legal_requests.signing import Signer
from sites.errors import RefusedImport
from sites.map_background import MapBackground, read_background

if TYPE_CHECKING:
    from auth.staff.ldap import StaffLdap
    from auth.staff.openid.client import OpenIdClient

ROOT = Path(__file__).parent.parent


def system_clock() -> datetime:
    """The one place where the portal reads the time."""
    return datetime.now(tz=UTC)  # noqa: TID251


def make_services(
    settings: Settings, *, clock: Clock = system_clock, directory: Directory | None = None
) -> Services:
    """Everything the views need, wired once. Nothing is contacted yet.

    Raises `SettingsError` with all that is wrong with the languages and files that settings name.
    """
    faults = _unspoken(settings)
    map_background, legal_note = _map_background(settings, faults), _legal_note(settings, faults)
    if faults:
        raise SettingsError(faults)
    engine = make_engine(settings.database_url)
    make_session = make_session_maker(engine)
    # Every entry of the audit log that is written through here bears a seal.
    make_session.configure(info={signatures.INFO: AuditSeals(settings.secret_key)})
    return Services(
        settings=settings,
        engine=engine,
        make_session=make_session,
        wake=CommitNotifier(engine),
        directory=directory or _directory(settings, make_session),
        tokens=Tokens(settings.secret_key),
        encrypted_tokens=EncryptedTokens(settings.secret_key),
        pseudonyms=Pseudonyms(settings.secret_key),
        staff=StaffSecrets(settings.secret_key),
        openid=_openid(settings),
        staff_ldap=_staff_ldap(settings),
        anchors=AnchorSeals(settings.secret_key),
        signer=Signer(settings.secret_key),
        voucher_keys=VoucherKeys(settings.secret_key),
        gateway_secrets=GatewaySecrets(settings.secret_key),
        resume_codes=ResumeCodes(settings.secret_key),
        owner_links=OwnerLinks(settings.secret_key),
        places=GatewayCache(make_session),
        stage=CreativeCache(make_session, settings.zone),
        served=ServedBuffer(make_session, clock),
        breaks=BreakCache(make_session),
        images=ImageCache(make_session),
        page_cache=PageCache(),
        map_background=map_background,
        legal_note=legal_note,
        recorder=Recorder(make_session),
        troubles=FaultLog(),
        clock=clock,
        rng=random.SystemRandom(),
    )


def create_app(services: Services) -> Flask:
    """The application. It wires, and does nothing else."""
    app = Application("arobase", root_path=str(ROOT), template_folder="templates", static_folder=None)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    templates.use_folder(app.jinja_env, services.settings.cache_folder)
    app.extensions["arobase"] = services
    app.extensions["arobase-preview"] = audiences.preview_maker(services, create_app)
    styles = read_styles()
    init_security(app, services.settings, styles)
    templating.init_templates(app, styles)
    error_handlers.init_errors(app)
    app.register_blueprint(health)
    audiences.serve(app, services.settings.serves, styles)
    cli.register(app)
    app.teardown_request(write_down)
    app.wsgi_app = TrustedProxies(app.wsgi_app, services.settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def write_down(_: BaseException | None) -> None:
    """Write what the pages of this process had to remember, where it has waited for long enough."""
    service = own_services()
    service.served.write_if_due()
    service.breaks.write_if_due()


def _unspoken(settings: Settings) -> list[str]:
    there = available()
    return [
        f"AROBASE_LANGUAGES names {code!r}, for which there is no catalogue. There are: {', '.join(sorted(there))}."
        for code in settings.languages
        if code not in there
    ]


def _map_background(settings: Settings, faults: list[str]) -> MapBackground:
    try:
        return read_background(settings.map_file.read_bytes()) if settings.map_file else MapBackground()
    except RefusedImport as error:
        faults += [f"AROBASE_MAP_FILE, {fault}." for fault in error.faults]
        return MapBackground()


def _legal_note(settings: Settings, faults: list[str]) -> LegalNote:
    operator = settings.authority or settings.town
    try:
        content = (settings.legal_note_file or FRENCH).read_bytes()
        return read_note(content, settings.zone, operator=operator)
    except UnusableNote as error:
        faults += [f"AROBASE_LEGAL_NOTE_FILE {fault}." for fault in error.faults]
        return LegalNote({}, settings.zone, operator)


def _directory(settings: Settings, make_session: SessionMaker) -> Directory:
    if settings.ldap is None:
        return EmbeddedDirectory(make_session)
    # ldap3 takes a tenth of the start to import: only who has a directory pays for it.
    from auth.patrons.ldap.client import LdapDirectory

    return LdapDirectory(settings.ldap)


def _openid(settings: Settings) -> OpenIdClient | None:
    if settings.openid is None:
        return None
    from auth.staff.openid.client import OpenIdClient

    address = settings.staff_url or settings.portal_url
    return OpenIdClient(settings.openid, redirect_uri=f"{address}/staff/signin/openid/return")


def _staff_ldap(settings: Settings) -> StaffLdap | None:
    if settings.staff_ldap is None:
        return None
    from auth.staff.ldap import StaffLdap

    return StaffLdap(settings.staff_ldap, issuer=settings.staff_issuer or "")

"""All that a view may need, made once at the composition root and handed over as one value."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, cast
from zoneinfo import ZoneInfo

from portal.here import this_app

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ads.models import Creative
    from auth.audit.anchors import AnchorSeals
    from auth.encrypted_tokens import EncryptedTokens
    from auth.fixed_devices.links import OwnerLinks
    from auth.gateway_secrets import GatewaySecrets
    from auth.patrons.directory import Directory
    from auth.pseudonyms import Pseudonyms
    from auth.resume_codes import ResumeCodes
    from auth.staff.ldap import StaffLdap
    from auth.staff.openid.client import OpenIdClient
    from auth.staff.secrets import StaffSecrets
    from auth.tokens import Tokens
    from auth.vouchers.keys import VoucherKeys
    from config import Settings
    from db.engine import SessionMaker
    from db.notify import CommitNotifier
    from portal.caches.breaks import BreakCache
    from portal.caches.creatives import CreativeCache
    from portal.caches.gateways import GatewayCache
    from portal.caches.images import ImageCache
    from portal.caches.pages import PageCache
    from portal.caches.served import ServedBuffer
    from portal.denials.recorder import Recorder
    from portal.http.database_faults import FaultLog
    from sessions.legal_requests.note import LegalNote
    from sessions.legal_requests.signing import Signer
    from sites.map_background import MapBackground
    from sites.models import Network, Site

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    engine: Engine
    make_session: SessionMaker
    wake: CommitNotifier
    directory: Directory
    tokens: Tokens
    encrypted_tokens: EncryptedTokens
    pseudonyms: Pseudonyms
    staff: StaffSecrets
    # Where staff sign in beside their accounts here, if anywhere.
    openid: OpenIdClient | None
    staff_ldap: StaffLdap | None
    anchors: AnchorSeals
    signer: Signer
    voucher_keys: VoucherKeys
    gateway_secrets: GatewaySecrets
    resume_codes: ResumeCodes
    owner_links: OwnerLinks
    places: GatewayCache
    stage: CreativeCache
    served: ServedBuffer
    breaks: BreakCache
    images: ImageCache
    page_cache: PageCache
    map_background: MapBackground
    legal_note: LegalNote
    recorder: Recorder
    troubles: FaultLog
    clock: Clock
    rng: random.Random


def services() -> Services:
    """The services of the application that answers this request."""
    found: Services = this_app().extensions["arobase"]
    return found


class PreviewRenderer(Protocol):
    """Makes pages as guests would see them: the interstitial of one creative, the first page of a network. Nothing is
    counted or kept."""

    def prepare(self) -> object:
        """Make ready what all pages need, so that the first one does not wait for it."""

    def render(
        self, creative: Creative, *, site: Site, network: Network, language: str, theme: str
    ) -> str: ...

    def first_page(self, *, site: Site, network: Network, language: str, theme: str) -> str: ...


def preview_renderer() -> PreviewRenderer:
    """The one of the application that answers this request (`portal.interstitial_preview`)."""
    return cast("PreviewRenderer", this_app().extensions["arobase-preview"]())


def town_zone() -> ZoneInfo:
    """The zone of pages and files that are about the whole town; what is about one site is told in that site's."""
    return services().settings.zone

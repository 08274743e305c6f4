"""The session page: rendered once for all whom it tells the same, with holes for what is each client's own.

A crowd that came together is told the same: the same minutes left at the same place. Its tokens, its code and the
seconds that its script counts down differ.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from flask import Response, request, url_for

from ads import acceptances
from ads.acceptances import Further
from ads.models import CivicOverride, Creative
from ads.online import Online
from db.engine import reading
from portal.caches.pages import Placeholder, whole_minute
from portal.guest import crowd
from portal.guest.impression_tokens import override_here
from portal.guest.kept_credentials import kept_here
from portal.guest.message_form import message_form
from portal.guest.pages import RESUME, TICKET, VISIT
from portal.guest.profile_grants import ssids_at
from portal.guest.resume_code import code_of
from portal.guest.stay import OpenStay, share_left, stay_of
from portal.http.clients import ClientContext, is_owned
from portal.i18n.translation import chosen_language, language, volume
from portal.public_values import (
    PublicDevice,
    PublicVisit,
    more_of,
    public_device,
    public_network_at,
    render_page,
)
from portal.services import services
from sessions import clients
from sessions.clients import SeenAccess
from sites.models import Gateway

MINUTE = timedelta(minutes=1)
# What its script is told: another key for another page, and the seconds that are left until two moments.
KEY, LEFT, CHANGES = Placeholder("key"), Placeholder("left"), Placeholder("changes")


def session_page(visit: ClientContext, online: Online, *, elsewhere: bool = False) -> Response:
    """The page of an open session that its gateway has confirmed, for a visit that stays with it.

    No script is needed: the browser asks again when what the page says has changed. It asks at the page's own address,
    also where it is shown `elsewhere`.
    """
    now, gateway, access = services().clock(), visit.gateway, online.access
    is_own, override = is_owned(visit, access), override_here(visit)
    stay = stay_of(access, gateway, now=now, override=override)
    page = SessionPage(
        visit,
        online,
        stay,
        now,
        is_owned=is_own,
        devices=_devices(online, gateway, now=now) if is_own else (),
        override=override,
        more=_further(online) if is_own else None,
    )
    response = page.answer(token := visit.issue_token())
    again = f";url={url_for('guests.status', visit=token)}" if elsewhere else ""
    response.headers["Refresh"] = f"{stay.refresh_seconds}{again}"
    return response


def _devices(online: Online, here: Gateway, *, now: datetime) -> list[PublicDevice]:
    # Nearly everybody has one device.
    if online.devices == 1 and online.access.site_id == here.site_id:
        return [public_device(online.access, site=here.site)]
    with reading(services().make_session) as db:
        found = clients.devices(db, online.access, now=now)
        return [public_device(one, site=one.site) for one in found]


def _further(online: Online) -> Further | None:
    if online.further_id is None:
        return None
    with reading(services().make_session) as db:
        return acceptances.further(db, online.further_id)


@dataclass(frozen=True, slots=True)
class SessionPage:
    """All that the page of an open session is made of. `devices` are those of a visit to which it `is_owned`."""

    visit: ClientContext
    online: Online
    stay: OpenStay
    now: datetime
    is_owned: bool
    devices: Sequence[PublicDevice]
    override: CivicOverride | None
    more: Further | None

    @property
    def access(self) -> SeenAccess:
        return self.online.access

    def answer(self, token: str) -> Response:
        """The answer with the page for this client, with its token of the visit."""
        form = message_form(self.visit, self.access) if self.stay.may_renew else {}
        code = code_of(self.access, self.visit.gateway.network) if self.is_owned else None
        own = {
            VISIT: token,
            TICKET: str(form.get("ticket", "")),
            RESUME: code or "",
            KEY: self.stay.key,
            LEFT: str(self.stay.left.total_seconds()),
            CHANGES: str(self.stay.changes_in.total_seconds()),
        }
        shown = form | {"ticket": str(TICKET)} if form else {}
        values = {"resume_code": str(RESUME) if code else None, **shown}
        return crowd.answer(self._alike(**values), lambda: self._render(**values), own)

    def _render(self, **values: object) -> str:
        gateway = self.visit.gateway
        return render_page(
            "guests/status.html",
            visit=PublicVisit(str(VISIT), self.visit.offer),
            network=public_network_at(gateway),
            site=gateway.site,
            access=self.access,
            now=self.now,
            stay=replace(self.stay, key=str(KEY)),
            left_seconds=str(LEFT),
            changes_seconds=str(CHANGES),
            share=self._share,
            devices=self.devices,
            is_owned=self.is_owned,
            usage=self._usage,
            override=self.override,
            has_secure_network=bool(ssids_at(gateway)),
            more=more_of(self.more),
            **values,
        )

    @property
    def _usage(self) -> dict[str, int] | None:
        if not self.visit.gateway.capabilities.accounts:
            return None
        return {"bytes_down": self.online.bytes_down, "bytes_up": self.online.bytes_up}

    @property
    def _share(self) -> int:
        return share_left(self.access, self.visit.gateway.lease_length, self.stay.left)

    def _alike(
        self,
        *,
        resume_code: str | None,
        creative: Creative | CivicOverride | None = None,
        ticket: str = "",
        wait_seconds: int = 0,
        until: datetime | None = None,
    ) -> Hashable | None:
        """All that the page depends on beside its holes; None where it is like no other."""
        online, access, stay = self.online, self.access, self.stay
        if (
            len(self.devices) > 1
            or access.site_id != self.visit.gateway.site_id
            or self.visit.offer is not None
            or kept_here()
            or not request.args.keys() <= {"visit", "lang"}
        ):
            return None
        instants = (self.now, access.started_at, access.until, stay.renewal_opens, until)
        # What has been accepted is no draft, and changes no more.
        messages = (creative, self.override, self.more.id if self.more else None)
        return (
            SessionPage,
            # With its site and network another object when any of them has changed.
            self.visit.gateway,
            # Its links to other languages lead to where it is.
            request.endpoint,
            (language(), chosen_language()),
            (access.method, self.is_owned, len(self.devices), resume_code, ticket),
            (stay.may_renew, stay.is_ending, stay.left // MINUTE, self._share),
            (volume(online.bytes_down), volume(online.bytes_up)),
            messages,
            wait_seconds,
            tuple(whole_minute(at) for at in instants),
        )

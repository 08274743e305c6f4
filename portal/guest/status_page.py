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
from ads.models import CivicOverride, Creative
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
from portal.public_values import PublicVisit, more_of, public_device, public_network_at, render_page
from portal.services import services
from sessions import accounting, clients
from sessions.accounting import Total
from sessions.models import AccessSession

MINUTE = timedelta(minutes=1)
# What its script is told: another key for another page, and the seconds that are left until two moments.
KEY, LEFT, CHANGES = Placeholder("key"), Placeholder("left"), Placeholder("changes")


def session_page(visit: ClientContext, access: AccessSession, *, elsewhere: bool = False) -> Response:
    """The page of an open session that its gateway has confirmed, for a visit that stays with it.

    No script is needed: the browser asks again when what the page says has changed. It asks at the page's own address,
    also where it is shown `elsewhere`.
    """
    now, gateway, is_own = services().clock(), visit.gateway, is_owned(visit, access)
    override = override_here(visit)
    stay = stay_of(access, gateway, now=now, override=override)
    with reading(services().make_session) as db:
        page = SessionPage(
            visit,
            access,
            stay,
            now,
            is_owned=is_own,
            devices=clients.devices(db, access, here=gateway, now=now) if is_own else [],
            usage=accounting.usage(db, access.id) if gateway.capabilities.accounts else None,
            override=override,
            more=acceptances.last_creative(db, access.id) if is_own else None,
        )
        response = page.answer(token := visit.issue_token())
    again = f";url={url_for('guests.status', visit=token)}" if elsewhere else ""
    response.headers["Refresh"] = f"{stay.refresh_seconds}{again}"
    return response


@dataclass(frozen=True, slots=True)
class SessionPage:
    """All that the page of an open session is made of. `devices` are those of a visit to which it `is_owned`."""

    visit: ClientContext
    access: AccessSession
    stay: OpenStay
    now: datetime
    is_owned: bool
    devices: Sequence[AccessSession]
    usage: Total | None
    override: CivicOverride | None
    more: Creative | None

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
            devices=[public_device(one, here=gateway.site) for one in self.devices],
            is_owned=self.is_owned,
            usage=self.usage,
            override=self.override,
            has_secure_network=bool(ssids_at(gateway)),
            more=more_of(self.more),
            **values,
        )

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
        access, stay, usage = self.access, self.stay, self.usage
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
            (volume(usage.bytes_down), volume(usage.bytes_up)) if usage else None,
            messages,
            wait_seconds,
            tuple(whole_minute(at) for at in instants),
        )

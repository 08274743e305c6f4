"""Fixed devices on pages: the words of their columns, and how one stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.fixed_devices.models import DeviceKind, DeviceState
from auth.fixed_devices.records import FIXED_DEVICES
from auth.records import RecordKind
from auth.staff.roles import Action
from portal.i18n.device_words import (
    device_kind_in_words,
    device_state_in_words,
)
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from portal.services import services
from sessions.managed.reconcile import reconcile
from sites import queries
from sites.import_export.records import Change, Records
from sites.models import SigninMethod


def _kinds(_db: Session) -> list[Option]:
    return [(kind.value, device_kind_in_words(kind)) for kind in DeviceKind]


def _states(_db: Session) -> list[Option]:
    return [(state.value, device_state_in_words(state)) for state in DeviceState]


def _sites(db: Session) -> list[Option]:
    return list(queries.site_names(db).items())


def _networks(db: Session) -> list[Option]:
    """Those that admit devices."""
    every = queries.networks(db)
    return [(network.slug, network.name) for network in every if network.allows(SigninMethod.MANAGED)]


def _here() -> Records:
    """The register with what follows from a change: who is not wanted any more is off with it."""

    def write(db: Session, changes: Sequence[Change]) -> dict[str, str]:
        credentials = FIXED_DEVICES.write(db, changes)
        if changes:
            reconcile(db, now=services().clock())
        return credentials

    return replace(FIXED_DEVICES, write=write)


_AS_THE_PLACE = N_("Empty: as the place has it")
DEVICE_PAGES = RecordPages(
    RecordKind(FIXED_DEVICES, Action.DEVICES, ObjectKind.FIXED_DEVICE, lambda values: {values["network"]}),
    title=N_("Fixed devices"),
    new=N_("New device"),
    listed=("name", "kind", "owner", "site", "state", "contract_end"),
    here=_here,
    groups=(
        Group(
            N_("The device"),
            (
                Field("name", N_("Name"), N_("Such as: Camera of the bakery, entrance")),
                Field(
                    "slug",
                    N_("Short name"),
                    N_("In addresses and files, for ever: small letters, digits, dashes"),
                ),
                Field("kind", N_("Kind"), widget=Widget.ONE_OF, options=_kinds),
                Field("purpose", N_("What it is for")),
                Field("state", N_("State"), widget=Widget.ONE_OF, options=_states),
            ),
        ),
        Group(
            N_("Whose it is"),
            (
                Field("owner", N_("Owner"), N_("The name on the contract")),
                Field("contact", N_("Whom to call"), N_("A telephone number or a mail address")),
                Field(
                    "contract_end",
                    N_("Last day of the contract"),
                    N_("It is cut off at the midnight after it; you are told a month before"),
                    Widget.DAY,
                ),
            ),
        ),
        Group(
            N_("Where it is"),
            (
                Field("site", N_("Place"), widget=Widget.ONE_OF, options=_sites),
                Field(
                    "network",
                    N_("Network"),
                    N_("One whose ways to get in name fixed devices"),
                    Widget.ONE_OF,
                    _networks,
                ),
                Field(
                    "mac", N_("Address of its card (MAC)"), N_("It stands on its label: 00:11:22:33:44:55")
                ),
                Field(
                    "address",
                    N_("Fixed IP address"),
                    N_(
                        "Empty: DHCP gives it any. Otherwise DHCP has to reserve it: this page then shows the line"
                    ),
                ),
            ),
        ),
        Group(
            N_("What it may do"),
            (
                Field(
                    "destinations",
                    N_("Where it may go"),
                    N_(
                        "Such as 203.0.113.10 tcp/443; 2001:db8::/32, with semicolons or new lines between; or the one "
                        "word everywhere"
                    ),
                    Widget.TEXT,
                ),
                Field("rate_down_kbps", N_("Highest rate down, in kbit/s"), _AS_THE_PLACE, Widget.WHOLE),
                Field("rate_up_kbps", N_("Highest rate up, in kbit/s"), _AS_THE_PLACE, Widget.WHOLE),
                Field(
                    "hours",
                    N_("When it may be online"),
                    N_("24/7, or as opening hours are written: Mo-Sa 08:00-20:00"),
                ),
            ),
        ),
        Group(
            N_("The sign of a camera"),
            (
                Field(
                    "sign_reference",
                    N_("Authorisation"),
                    N_("The prefect's order that the sign on the spot names; cameras alone"),
                ),
                Field("sign_from", N_("Authorised on"), widget=Widget.DAY),
                Field("sign_until", N_("Authorised until"), N_("Five years at most"), Widget.DAY),
            ),
        ),
        Group(
            N_("For the people who look after it"),
            (Field("note", N_("Notes"), N_("Never shown to the owner"), Widget.TEXT),),
        ),
    ),
)

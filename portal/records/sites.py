"""Sites on pages: the words of their columns."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.records import RecordKind
from auth.staff.roles import Action
from portal.i18n.labels import kind_in_words
from portal.i18n.translation import say
from portal.records import school_cautions
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from portal.services import town_zone
from sites import queries, weekly_hours
from sites.holidays import ZONES
from sites.import_export.records import Records
from sites.import_export.sites import SITES, site_records
from sites.models import SiteKind, SiteState


def _kinds(_db: Session) -> list[Option]:
    return [(kind.value, kind_in_words(kind)) for kind in SiteKind]


def _states(_db: Session) -> list[Option]:
    words = {
        SiteState.PLANNED: say("planned"),
        SiteState.LIVE: say("in service"),
        SiteState.OUTAGE: say("out of order"),
        SiteState.CLOSED: say("closed"),
    }
    return [(state.value, words[state]) for state in SiteState]


def _networks(db: Session) -> list[Option]:
    return [(network.slug, network.name) for network in queries.networks(db)]


def _zones(_db: Session) -> list[Option]:
    return [("", say("none")), *((zone, say("Zone %(zone)s", zone=zone)) for zone in ZONES)]


def _here() -> Records:
    return site_records(town_zone().key)


def week_field(day: str) -> str:
    """The name of the field for the hours of this day."""
    return f"week_{day}"


# Beside them: the hours as the form was shown with them.
SHOWN_HOURS = "hours_shown"


def _compose_hours(typed: Mapping[str, str], cells: dict[str, str]) -> None:
    """What was typed day by day, where the hours as one text were left as they stood."""
    shown = typed.get(SHOWN_HOURS)
    if shown is None or cells.get("opening_hours", "").strip() != shown.strip():
        return
    days = {day: typed.get(week_field(day), "").strip() for day in weekly_hours.DAYS}
    before = weekly_hours.by_day(shown) or dict.fromkeys(weekly_hours.DAYS, "")
    if (text := weekly_hours.as_text(days)) != weekly_hours.as_text(before):
        cells["opening_hours"] = text


_AS_THE_NETWORK = N_("Empty: as the network has it")

SITE_PAGES = RecordPages(
    RecordKind(SITES, Action.SITES, ObjectKind.SITE, lambda values: values["networks"]),
    title=N_("Places"),
    new=N_("New place"),
    cautions=school_cautions.of_site,
    listed=("name", "kind", "state", "networks", "address"),
    here=_here,
    compose=_compose_hours,
    groups=(
        Group(
            N_("Name and kind"),
            (
                Field("name", N_("Name")),
                Field(
                    "slug",
                    N_("Short name"),
                    N_("In addresses and files, for ever: small letters, digits, dashes"),
                ),
                Field(
                    "name", N_("Name (%(language)s)"), N_("Only where it is another one"), by_language=True
                ),
                Field("kind", N_("Kind"), widget=Widget.ONE_OF, options=_kinds),
                Field("networks", N_("Networks"), widget=Widget.SOME_OF, options=_networks),
                Field("step_free", N_("Reached without a step"), widget=Widget.KNOWN),
            ),
        ),
        Group(
            N_("Where it is"),
            (
                Field("address", N_("Address")),
                Field("latitude", N_("Latitude"), N_("Such as 47.2378")),
                Field("longitude", N_("Longitude"), N_("Such as 6.0241")),
                Field("zone", N_("Time zone"), N_("Such as Europe/Paris")),
            ),
        ),
        Group(
            N_("When it is open"),
            (
                Field(
                    "opening_hours",
                    N_("Opening hours"),
                    N_("24/7, or Mo-Fr 09:00-18:30; Sa 10:00-17:00; PH off; SH Mo-Fr 10:00-12:00"),
                ),
                Field(
                    "school_zone",
                    N_("Whose school holidays"),
                    N_("Where the opening hours name SH"),
                    Widget.ONE_OF,
                    _zones,
                ),
            ),
        ),
        Group(
            N_("State and works"),
            (
                Field("state", N_("State"), widget=Widget.ONE_OF, options=_states),
                Field(
                    "state_since", N_("Since, or from"), N_("A time to come: planned works"), Widget.INSTANT
                ),
                Field("state_until", N_("Until"), N_("Empty: nobody knows yet"), Widget.INSTANT),
            ),
        ),
        Group(
            N_("What differs here"),
            (
                Field("ads_allowed", N_("Messages may be shown here"), widget=Widget.YES_NO),
                Field("eu_funded", N_("Paid by the European Union (no messages)"), widget=Widget.YES_NO),
                Field("rate_down_kbps", N_("Highest rate down, in kbit/s"), _AS_THE_NETWORK, Widget.WHOLE),
                Field("rate_up_kbps", N_("Highest rate up, in kbit/s"), _AS_THE_NETWORK, Widget.WHOLE),
                Field("lease_seconds", N_("Longest stay, in seconds"), _AS_THE_NETWORK, Widget.WHOLE),
                Field(
                    "viewing_seconds",
                    N_("A message stays at least, in seconds"),
                    _AS_THE_NETWORK,
                    Widget.WHOLE,
                ),
                Field(
                    "longest_wait_seconds",
                    N_("A message holds at most, in seconds"),
                    _AS_THE_NETWORK,
                    Widget.WHOLE,
                ),
            ),
        ),
        Group(
            N_("For the people who look after it"),
            (
                Field("contact", N_("Contact there"), N_("Never shown to guests")),
                Field("note", N_("Notes of the installer"), N_("Never shown to guests"), Widget.TEXT),
            ),
        ),
    ),
)

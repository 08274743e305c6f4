"""Plans of passes on pages: the words of their columns."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.records import RecordKind
from auth.staff.roles import Action
from auth.vouchers.models import PlanKind
from auth.vouchers.plan_records import PLANS
from portal.i18n.translation import say
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from sites import queries
from sites.models import SigninMethod


def _kinds(_db: Session) -> list[Option]:
    words = {
        PlanKind.UNTIL_MIDNIGHT: say("until midnight of the day of first use"),
        PlanKind.ROLLING_HOURS: say("so many hours from the first use"),
        PlanKind.UNTIL_CLOSING: say("until the place closes on the day of first use"),
        PlanKind.FIXED_MINUTES: say("so many minutes from the first use"),
    }
    return [(kind.value, words[kind]) for kind in PlanKind]


def _networks(db: Session) -> list[Option]:
    return [(one.slug, one.name) for one in queries.networks(db) if one.allows(SigninMethod.PASS)]


def _sites(db: Session) -> list[Option]:
    taking = {one.id for one in queries.networks(db) if one.allows(SigninMethod.PASS)}
    return [(site.slug, site.name) for site in queries.sites(db, network_ids=taking)]


PLAN_PAGES = RecordPages(
    RecordKind(PLANS, Action.PLANS, ObjectKind.PLAN, lambda values: values["networks"]),
    title=N_("Kinds of pass"),
    new=N_("New kind of pass"),
    name="slug",
    listed=("slug", "kind", "length_minutes", "devices", "networks", "is_offered"),
    groups=(
        Group(
            N_("Name and time"),
            (
                Field("name", N_("Name on the ticket (%(language)s)"), N_("Such as Week"), by_language=True),
                Field(
                    "slug",
                    N_("Short name"),
                    N_("In files and for programs, for ever: small letters, digits, dashes"),
                ),
                Field("kind", N_("How its time is counted"), widget=Widget.ONE_OF, options=_kinds),
                Field(
                    "length_minutes",
                    N_("Minutes from the first use"),
                    N_("Where they are counted: 1440 is a day, 10080 a week"),
                    Widget.WHOLE,
                ),
                Field(
                    "grace_minutes",
                    N_("Minutes after closing"),
                    N_("Where it ends with the place"),
                    Widget.WHOLE,
                ),
                Field(
                    "least_minutes",
                    N_("Minutes that one used late has all the same"),
                    N_("Past midnight or closing, if need be"),
                    Widget.WHOLE,
                ),
                Field("ends_at", N_("Last instant of all of them"), N_("May stay empty"), Widget.INSTANT),
            ),
        ),
        Group(
            N_("What it is good for"),
            (
                Field("devices", N_("Devices at a time"), widget=Widget.WHOLE),
                Field(
                    "rate_down_kbps",
                    N_("Ceiling down, in kbit/s"),
                    N_("Empty: that of the place; 0: none"),
                    Widget.WHOLE,
                ),
                Field(
                    "rate_up_kbps",
                    N_("Ceiling up, in kbit/s"),
                    N_("Empty: that of the place; 0: none"),
                    Widget.WHOLE,
                ),
                Field(
                    "networks",
                    N_("Networks on which it holds"),
                    N_("None ticked: on every one that takes passes"),
                    Widget.SOME_OF,
                    _networks,
                ),
                Field(
                    "sites",
                    N_("Places at which it holds"),
                    N_("None ticked: at all of them"),
                    Widget.SOME_OF,
                    _sites,
                ),
                Field(
                    "is_offered",
                    N_("Offered at the desk"),
                    N_("Without it no more are issued; those that were issued stay good"),
                    Widget.YES_NO,
                ),
            ),
        ),
    ),
)

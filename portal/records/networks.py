"""Networks on pages: the words of their columns."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.records import RecordKind
from auth.staff.roles import Action
from portal.i18n.labels import method_in_words
from portal.i18n.translation import say
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from sites.import_export.networks import NETWORKS
from sites.models import NetworkKind, SigninMethod


def _kinds(_db: Session) -> list[Option]:
    words = {
        NetworkKind.PUBLIC: say("public, anywhere"),
        NetworkKind.LIBRARY: say("of libraries, in libraries alone"),
    }
    return [(kind.value, words[kind]) for kind in NetworkKind]


def _methods(_db: Session) -> list[Option]:
    managed = {SigninMethod.MANAGED: say("fixed devices and tablets of classes, by themselves")}
    return [(method.value, managed.get(method) or method_in_words(method)) for method in SigninMethod]


NETWORK_PAGES = RecordPages(
    RecordKind(NETWORKS, Action.NETWORKS, ObjectKind.NETWORK, lambda values: {values["slug"]}),
    title=N_("Networks"),
    new=N_("New network"),
    listed=("name", "ssid", "kind", "signin_methods", "lease_seconds"),
    groups=(
        Group(
            N_("Name and kind"),
            (
                Field("name", N_("Name"), N_("As staff call it")),
                Field(
                    "slug",
                    N_("Short name"),
                    N_("In addresses and files, for ever: small letters, digits, dashes"),
                ),
                Field(
                    "ssid",
                    N_("Name of the wifi (SSID)"),
                    N_("What phones show in their list, up to 32 bytes"),
                ),
                Field("kind", N_("Kind"), widget=Widget.ONE_OF, options=_kinds),
                Field("signin_methods", N_("Ways to get in"), widget=Widget.SOME_OF, options=_methods),
                Field("devices_per_person", N_("Devices of one person at a time"), widget=Widget.WHOLE),
            ),
        ),
        Group(
            N_("How long, how fast"),
            (
                Field(
                    "lease_seconds",
                    N_("Longest stay, in seconds"),
                    N_("With messages: what one accepted message earns. 1800 is half an hour"),
                    Widget.WHOLE,
                ),
                Field(
                    "renewal_seconds",
                    N_("Renewal before the end, in seconds"),
                    N_("From then on a stay can be prolonged without losing its rest"),
                    Widget.WHOLE,
                ),
                Field(
                    "idle_seconds",
                    N_("Silence that ends a stay, in seconds"),
                    N_("0: silence ends none"),
                    Widget.WHOLE,
                ),
                Field(
                    "rate_wanted_kbps",
                    N_("Rate wanted for everybody, in kbit/s"),
                    N_("Measured by the report; 0: none is promised"),
                    Widget.WHOLE,
                ),
                Field("rate_down_kbps", N_("Highest rate down, in kbit/s"), N_("0: no limit"), Widget.WHOLE),
                Field("rate_up_kbps", N_("Highest rate up, in kbit/s"), N_("0: no limit"), Widget.WHOLE),
            ),
        ),
        Group(
            N_("Messages"),
            (
                Field("ads", N_("Free access is earned by a message"), widget=Widget.YES_NO),
                Field(
                    "viewing_seconds",
                    N_("A message stays at least, in seconds"),
                    N_("Before it can be accepted"),
                    Widget.WHOLE,
                ),
                Field("longest_wait_seconds", N_("A message holds at most, in seconds"), "", Widget.WHOLE),
            ),
        ),
        Group(
            N_("Its look"),
            (
                Field("accent", N_("Colour"), N_("Such as #007755; empty: the portal’s own")),
                Field("accent_dark", N_("Colour in the dark"), N_("A lighter tone of it")),
                Field("public_contact", N_("Contact for guests"), N_("A telephone number or a mail address")),
                Field("onward_url", N_("Where guests may go on to"), N_("https://www.example.org/")),
                Field("title", N_("Title of the first page (%(language)s)"), by_language=True),
                Field(
                    "welcome",
                    N_("Welcome (%(language)s)"),
                    N_("One sentence under the title"),
                    by_language=True,
                ),
                Field(
                    "links",
                    N_("Links at the foot (%(language)s)"),
                    N_("Town hall https://… | Library https://…, four at most"),
                    by_language=True,
                ),
            ),
        ),
        Group(
            N_("Terms of use"),
            (
                Field(
                    "terms_version",
                    N_("Version of the terms"),
                    N_("Another one whenever the terms change: each stay keeps which it accepted"),
                ),
                Field("terms", N_("Terms (%(language)s)"), "", Widget.TEXT, by_language=True),
            ),
        ),
    ),
)

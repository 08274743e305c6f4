"""Schools' lines, classes of tablets and tablets on pages: the words of their columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from auth import classes
from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.fixed_devices import cards
from auth.records import RecordKind
from auth.staff.roles import Action
from portal.i18n.translation import say
from portal.records import school_cautions
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from sites import queries
from sites.errors import ImportFault
from sites.import_export.records import Change
from sites.import_export.schools import SCHOOL_LINES, TABLET_CLASSES, TABLETS
from sites.schools.models import LineMedium, Stage, TabletState
from sites.schools.timetable import WifiRule


def _schools(db: Session) -> list[Option]:
    return queries.schools(db)


def _networks(db: Session) -> list[Option]:
    return [(network.slug, network.name) for network in queries.networks(db)]


def _classes(db: Session) -> list[Option]:
    return classes.names(db)


def _stages(_db: Session) -> list[Option]:
    words = {
        Stage.NURSERY: say("nursery school"),
        Stage.ELEMENTARY: say("elementary school"),
        Stage.PRIMARY: say("primary school"),
        Stage.SECONDARY: say("secondary school"),
    }
    return [(stage.value, words[stage]) for stage in Stage]


def _media(_db: Session) -> list[Option]:
    words = {
        LineMedium.FIBRE: say("fibre"),
        LineMedium.ADSL: say("ADSL"),
        LineMedium.MOBILE: say("mobile network"),
        LineMedium.NONE: say("no line"),
    }
    return [(medium.value, words[medium]) for medium in LineMedium]


def _rules(_db: Session) -> list[Option]:
    words = {
        WifiRule.CLASSES: say("only while a class is on there"),
        WifiRule.HOURS: say("in these hours"),
        WifiRule.ALWAYS: say("always (not in a primary school)"),
    }
    return [(rule.value, words[rule]) for rule in WifiRule]


def _states(_db: Session) -> list[Option]:
    words = {
        TabletState.IN_USE: say("in use"),
        TabletState.REPAIR: say("in repair"),
        TabletState.LOST: say("lost"),
        TabletState.RETIRED: say("retired"),
    }
    return [(state.value, words[state]) for state in TabletState]


def _judge_tablets(db: Session, changes: Sequence[Change]) -> Iterator[ImportFault]:
    yield from TABLETS.judge(db, changes)
    yield from cards.judge_tablets(db, changes)


# Lines and tablets belong to the whole town: a trolley's are of several schools.
LINE_PAGES = RecordPages(
    RecordKind(SCHOOL_LINES, Action.CLASSES, ObjectKind.SCHOOL, lambda _: ()),
    title=N_("Schools and their lines"),
    new=N_("New school"),
    name="site",
    town_wide=True,
    cautions=school_cautions.of_line,
    listed=("site", "stage", "medium", "line_down_kbps", "works_on", "wifi"),
    groups=(
        Group(
            N_("The record"),
            (
                Field("site", N_("School"), N_("A place of kind school"), Widget.ONE_OF, options=_schools),
                Field("stage", N_("Stage"), widget=Widget.ONE_OF, options=_stages),
            ),
        ),
        Group(
            N_("Its line"),
            (
                Field("medium", N_("Line"), widget=Widget.ONE_OF, options=_media),
                Field("line_down_kbps", N_("Down, in kbit/s"), N_("0: nobody has measured"), Widget.WHOLE),
                Field("line_up_kbps", N_("Up, in kbit/s"), N_("0: nobody has measured"), Widget.WHOLE),
                Field("works_on", N_("Next works on the line"), widget=Widget.DAY),
            ),
        ),
        Group(
            N_("What children meet"),
            (
                Field(
                    "resolver",
                    N_("Resolver of its tablets"),
                    N_("The address of the filtering resolver that the school names, such as 192.0.2.53"),
                ),
                Field(
                    "wifi",
                    N_("Its wifi is on"),
                    N_("In primary schools it is off while it is not used: law 2015-136, article 7"),
                    Widget.ONE_OF,
                    _rules,
                ),
                Field("wifi_hours", N_("Hours of its wifi"), N_("Such as Mo-Fr 08:00-17:00; PH,SH off")),
            ),
        ),
    ),
)
CLASS_PAGES = RecordPages(
    RecordKind(TABLET_CLASSES, Action.CLASSES, ObjectKind.CLASS, lambda values: {values["network"]}),
    title=N_("Classes of tablets"),
    new=N_("New class"),
    cautions=school_cautions.of_class,
    listed=("name", "stops", "network", "retired"),
    groups=(
        Group(
            N_("The record"),
            (
                Field("name", N_("Name")),
                Field(
                    "slug",
                    N_("Short name"),
                    N_("In addresses and files, for ever: small letters, digits, dashes"),
                ),
                Field("network", N_("Network"), widget=Widget.ONE_OF, options=_networks),
                Field("retired", N_("No longer used"), widget=Widget.YES_NO),
            ),
        ),
        Group(
            N_("Where and when it is on"),
            (
                Field(
                    "stops",
                    N_("Schools and lessons"),
                    N_(
                        "The school where it is kept first, each with its lessons: "
                        "ecole-a Mo,Th 08:30-11:30; SH off | ecole-b Tu 13:30-16:00 | ecole-c"
                    ),
                ),
                Field(
                    "rate_down_kbps",
                    N_("Highest rate down, in kbit/s"),
                    N_("Empty: as the network has it"),
                    Widget.WHOLE,
                ),
                Field(
                    "rate_up_kbps",
                    N_("Highest rate up, in kbit/s"),
                    N_("Empty: as the network has it"),
                    Widget.WHOLE,
                ),
            ),
        ),
        Group(
            N_("For the people who look after it"),
            (Field("note", N_("Notes"), N_("Never shown to guests"), Widget.TEXT),),
        ),
    ),
)
TABLET_PAGES = RecordPages(
    RecordKind(replace(TABLETS, judge=_judge_tablets), Action.CLASSES, ObjectKind.TABLET, lambda _: ()),
    title=N_("Tablets"),
    new=N_("New tablet"),
    name="slug",
    town_wide=True,
    listed=("slug", "class", "mac", "model", "state"),
    groups=(
        Group(
            N_("The record"),
            (
                Field("slug", N_("Inventory number"), N_("Small letters, digits, dashes")),
                Field("class", N_("Class"), widget=Widget.ONE_OF, options=_classes),
                Field("mac", N_("MAC address"), N_("Of its wifi card, such as 02:00:00:00:7a:01")),
                Field("state", N_("State"), widget=Widget.ONE_OF, options=_states),
            ),
        ),
        Group(
            N_("For the people who look after it"),
            (
                Field("model", N_("Model")),
                Field("serial", N_("Serial number")),
                Field("bought_on", N_("Bought on"), widget=Widget.DAY),
                Field("note", N_("Notes"), N_("Never shown to guests"), Widget.TEXT),
            ),
        ),
    ),
)

"""Receipt printers on pages: the words of their columns."""

from __future__ import annotations

from sqlalchemy.orm import Session

from auth.audit.actions import ObjectKind
from auth.denials import N_
from auth.records import RecordKind
from auth.staff.roles import Action
from portal.records.kinds import Field, Group, Option, RecordPages, Widget
from portal.services import services
from sites import queries
from sites.import_export.printers import PAPERS, PRINTERS, printers_within
from sites.import_export.records import Records


def _sites(db: Session) -> list[Option]:
    return list(queries.site_names(db).items())


def _papers(_db: Session) -> list[Option]:
    return [(str(width), f"{width} mm") for width in PAPERS]


def _here() -> Records:
    return printers_within(services().settings.printer_networks)


# The whole town's: whoever names a host has the portal speak to it.
PRINTER_PAGES = RecordPages(
    RecordKind(PRINTERS, Action.PRINTERS, ObjectKind.PRINTER, lambda _: ()),
    title=N_("Receipt printers"),
    new=N_("New printer"),
    town_wide=True,
    listed=("name", "site", "host", "paper_mm"),
    here=_here,
    groups=(
        Group(
            N_("The printer"),
            (
                Field("name", N_("Name"), N_("As the desk calls it, such as: Front desk")),
                Field(
                    "slug",
                    N_("Short name"),
                    N_("In addresses and files, for ever: small letters, digits, dashes"),
                ),
                Field("site", N_("Place"), widget=Widget.ONE_OF, options=_sites),
                Field("paper_mm", N_("Width of its paper"), widget=Widget.ONE_OF, options=_papers),
                Field("retired", N_("No longer used"), widget=Widget.YES_NO),
            ),
        ),
        Group(
            N_("How it is reached"),
            (
                Field("host", N_("Address"), N_("Its IP address or name on the town’s network")),
                Field("port", N_("Port"), N_("9100 with nearly all of them; 9199 at most"), Widget.WHOLE),
                Field(
                    "answers",
                    N_("It says how it does"),
                    N_(
                        "Nearly all do. Without it the desk cannot be told of a missing roll or a printer that hangs"
                    ),
                    Widget.YES_NO,
                ),
            ),
        ),
    ),
)

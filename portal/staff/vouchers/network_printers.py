"""The receipt printers of the desk where somebody works, what they are sent, and how far one has come with a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from flask import session as browser_session
from sqlalchemy.orm import Session

from auth.vouchers.models import Batch
from auth.vouchers.scope import desks
from portal.printing.receipt_printers import Delivery, deliver
from portal.services import services
from portal.staff.access import current_staff
from portal.staff.vouchers.preferences import DESK
from sites.printers import Printer, at_sites, may_stand_at

# The fields of a form, and of an address, that say how far a printer has come.
PRINTER, AFTER = "printer", "after"


@dataclass(frozen=True, slots=True)
class Progress:
    """The first `done` of the tickets are printed, the last of them with the mark `after`; `left` are not."""

    printer: Printer
    done: int
    left: int
    after: str = ""


def printers_here(db: Session, batch: Batch) -> list[Printer]:
    """The printers that this person may use for this batch: those of the home library first, then those of the desk of
    this sign-in and of the one that issued the batch."""
    mine = {site.slug for site in desks(db, current_staff().authority)}
    places = (current_staff().home_site, browser_session.get(DESK, ""), batch.desk_site)
    return at_sites(db, [slug for slug in places if slug in mine])


def printer_called(db: Session, batch: Batch, slug: str) -> Printer | None:
    """The printer of this name, if it is one of them."""
    return next((one for one in printers_here(db, batch) if one.slug == slug), None)


def progress_of(db: Session, batch: Batch, marks: Sequence[str], said: Mapping[str, str]) -> Progress | None:
    """How far the printer has come that an address names; None where it names none."""
    if not said.get(PRINTER):
        return None
    printer = printer_called(db, batch, said[PRINTER])
    if printer is None:
        return None
    after = said.get(AFTER, "")
    done = marks.index(after) + 1 if after in marks else 0
    return Progress(printer, done, len(marks) - done, after if done else "")


def send(content: list[bytes], printer: Printer) -> Delivery:
    """Hand receipts to a printer. No transaction waits for it."""
    allowed = partial(may_stand_at, allowed=services().settings.printer_networks)
    return deliver(content, host=printer.host, port=printer.port, answers=printer.answers, allowed=allowed)

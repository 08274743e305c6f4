"""Tickets on the receipt printer of the clerk's library, by one press; and all that a printer can do instead."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff.models import Staff
from portal.services import Services
from sites.models import Site
from sites.printers import Printer
from tests.portal.staff.conftest import Clerk
from tests.portal.staff.issuing import CODE, deeds, issue, only_batch
from tests.services.receipt_printer import ReceiptPrinter, receipt_printer
from tests.town import make_library_network, make_site

PRINT, RECEIPTS = "/staff/desk/print", "/staff/desk/receipts"
pytestmark = pytest.mark.usefixtures("own_app")


@pytest.fixture
def roll(app: Flask, services: Services) -> Iterator[ReceiptPrinter]:
    """A printer at the library, on this very machine, as the settings allow here."""
    here = replace(services.settings, printer_networks=(ipaddress.ip_network("127.0.0.0/8"),))
    app.extensions["arobase"] = replace(services, settings=here)
    with receipt_printer() as printer:
        add_printer(services, printer)
        yield printer


def add_printer(services: Services, printer: ReceiptPrinter, **changes: object) -> None:
    with services.make_session.begin() as db:
        site = db.scalars(select(Site).where(Site.slug == changes.pop("site", "pierre-bayle"))).one()
        values = {"slug": "accueil", "name": "Accueil", "host": printer.host, "port": printer.port}
        db.add(Printer(site=site, **{**values, **changes}))


def hand(clerk: Clerk, printer: str = "accueil", **fields: str) -> dict[str, str]:
    """Press the button of the present page; what was sent."""
    form = {**clerk.form(PRINT), "language": "fr", "second": "", **fields, "printer": printer}
    clerk.post(RECEIPTS, **form)
    return form


def onward(clerk: Clerk) -> dict[str, str]:
    """The form that goes on with what is not printed yet."""
    (form,) = re.findall(r'<form [^>]*class="notice".*?</form>', clerk.page.text, re.DOTALL)
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', form))


def test_three_passes_come_out_of_the_printer_of_the_library(
    clerk: Clerk, roll: ReceiptPrinter, services: Services, db: Session
) -> None:
    codes = issue(clerk, "3", event="Fête du livre")
    assert "Print 3 tickets · Accueil" in clerk.page.text
    form = hand(clerk)
    assert "All 3 tickets are printed · Accueil" in clerk.follow().text
    assert [paper.lines[0] for paper in roll.receipts] == codes and roll.unknown == []
    first = roll.receipts[0]
    assert "bonne journée" not in first.text and "valable un jour, jusqu’à minuit" in first.text
    assert "Fête du livre" in first.lines and f"n° {only_batch(services).id}-1" in first.lines
    assert first.codes[1] == f"HTTPS://PORTAL.EXAMPLE.ORG/PASS/{codes[0].replace('-', '')}"
    # Pressed twice, it prints once.
    clerk.post(RECEIPTS, **form)
    assert "All 3 tickets are printed" in clerk.follow().text and len(roll.receipts) == 3
    assert deeds(services) == ["passes issued", "slips printed"]
    detail = db.scalars(select(AuditEntry.detail).where(AuditEntry.action == "slips printed")).one()
    assert detail == {"count": 3, "paper": "printer accueil", "languages": ["fr"]}


def test_a_roll_that_ends_loses_no_pass(clerk: Clerk, roll: ReceiptPrinter, services: Services) -> None:
    """Two of four come out; the page says so, still has all codes, and goes on with the third."""
    roll.rolls_for = 2
    codes = issue(clerk, "4")
    batch = only_batch(services).id
    hand(clerk)
    page = clerk.page
    assert page.status_code == 502 and "The printer Accueil has no paper." in page.text
    assert "Nothing is lost. Put a roll in and print again." in page.text
    assert f"2 of 4 tickets are printed, up to no. {batch}-2." in page.text
    assert set(CODE.findall(page.text)) == set(codes) and 'name="paper"' in page.text
    # Nobody's script goes on by itself where something is to be done first.
    assert "data-onward" not in page.text
    roll.rolls_for = 9
    clerk.post(RECEIPTS, **onward(clerk))
    assert "All 4 tickets are printed" in clerk.follow().text
    assert [paper.lines[0] for paper in roll.receipts] == codes
    assert deeds(services) == ["passes issued", "slips printed", "slips printed"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"is_mute": True}, "The printer Accueil does not answer."),
        ({"cause": 0x12 | 0x04}, "The printer Accueil is open."),
        ({"cause": 0x12 | 0x40}, "The printer Accueil reports a fault."),
        ({"port": 9}, "The printer Accueil cannot be reached."),
    ],
)
def test_whatever_the_printer_does_the_codes_are_still_there_and_a_sheet_is_offered(
    clerk: Clerk, roll: ReceiptPrinter, services: Services, state: dict[str, int], said: str
) -> None:
    if "port" in state:
        with services.make_session.begin() as db:
            db.scalars(select(Printer)).one().host = "192.168.0.9"
            # Not of the networks that the settings name: nothing is sent there.
    for name, value in state.items():
        setattr(roll, name, value)
    codes = issue(clerk, "2")
    hand(clerk)
    assert clerk.page.status_code == 502 and said in clerk.page.text
    assert set(CODE.findall(clerk.page.text)) == set(codes) and roll.receipts == []
    assert clerk.post(PRINT, **clerk.form(PRINT), paper="escpos").status_code == 200
    # That which never left is not on record as printed.
    assert deeds(services) == ["passes issued", "slips printed"]


def test_the_printer_of_the_home_library_comes_first_and_none_of_another_town(
    clerk: Clerk, services: Services, roll: ReceiptPrinter
) -> None:
    with services.make_session.begin() as db:
        here = db.scalars(select(Site).where(Site.slug == "pierre-bayle")).one()
        far = make_library_network(slug="other-town")
        db.add_all([make_site("clairs-soleils", *here.networks), make_site("away", far, ads_allowed=False)])
        db.get_one(Staff, clerk.staff_id).home_site = "clairs-soleils"
    add_printer(services, roll, slug="home", name="Clairs-Soleils", site="clairs-soleils", paper_mm=58)
    add_printer(services, roll, slug="away", name="Away", site="away")
    add_printer(services, roll, slug="old", name="Old", retired=True)
    issue(clerk)
    buttons = re.findall(r'name="printer" value="([^"]+)"', clerk.page.text)
    assert buttons == ["home", "accueil"]
    page = clerk.page.text
    assert page.index('value="home"') < page.index('accesskey="p"')
    for foreign in ("away", "old", "nowhere", ""):
        hand(clerk, foreign)
        assert clerk.page.status_code == 404
        clerk.get("/staff/desk")
        issue(clerk)
    hand(clerk, "home")
    assert "1 ticket is printed · Clairs-Soleils" in clerk.follow().text
    # Its paper is narrow, and so are the lines.
    assert max(len(line) for line in roll.receipts[0].lines if not line.startswith("[QR")) <= 32


def test_a_language_without_letters_wants_wide_paper(
    clerk: Clerk, roll: ReceiptPrinter, services: Services
) -> None:
    with services.make_session.begin() as db:
        db.scalars(select(Printer)).one().paper_mm = 58
    issue(clerk)
    hand(clerk, language="ar")
    assert clerk.page.status_code == 400 and "needs paper of 80 mm" in clerk.page.text
    assert roll.receipts == [] and CODE.search(clerk.page.text)


def test_an_administrator_adds_one_and_tries_it(
    admin: Clerk, roll: ReceiptPrinter, services: Services, db: Session
) -> None:
    admin.get("/staff/records/printers/-/new")
    fields = {"slug": "salle", "name": "Salle", "site": "pierre-bayle", "paper_mm": "58", "answers": "true"}
    fields |= {"host": "127.0.0.1", "port": str(roll.port)}
    admin.press("/staff/records/printers/-/new", **{**fields, "host": "8.8.8.8"})
    assert admin.page.status_code == 400 and "no address at which a printer may be" in admin.page.text
    admin.press("/staff/records/printers/-/new", **{**fields, "port": "22"})
    assert admin.page.status_code == 400
    admin.press("/staff/records/printers/-/new", **fields)
    admin.follow()
    admin.press("/staff/records/printers/salle/try")
    assert "has taken the trial receipt" in admin.follow().text
    assert roll.receipts[0].lines[0] == "Salle" and "àâäçéèêëîïôöùûüÿœæ" in roll.receipts[0].text
    roll.is_mute = True
    admin.press("/staff/records/printers/salle/try")
    assert "The printer Salle does not answer." in admin.follow().text
    tried = select(AuditEntry.object).where(AuditEntry.action == "printer tried")
    assert db.scalars(tried).all() == ["printer:salle"] * 2


def test_no_printer_is_put_on_the_portals_own_machine(admin: Clerk) -> None:
    """Where the settings name no networks: neither this machine nor where a cloud tells its secrets."""
    fields = {"slug": "x", "name": "X", "site": "pierre-bayle", "paper_mm": "80", "port": "9100"}
    for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254", "0.0.0.0"):
        admin.get("/staff/records/printers/-/new")
        admin.press("/staff/records/printers/-/new", **fields, host=host)
        assert admin.page.status_code == 400, host
        assert "no address at which a printer may be" in admin.page.text

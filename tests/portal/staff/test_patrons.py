"""The portal's own cards on a page: counted, looked for, foreseen and taken in, and no PIN anywhere."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.patrons.local import PatronRecord, opens
from auth.staff.roles import Role
from portal.staff.operations import patrons
from tests.portal.conftest import ADA, ADA_PIN, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

PIN = "marmotte-4711"
CSV = (
    f"card,pin,category,expires_on,blocked\n{ADA},{ADA_PIN},senior,2027-12-31,no\n25009999,{PIN},adult,,no\n"
)


@pytest.fixture
def admin(desk: Desk, town: Town) -> Clerk:
    return desk.at_work("boss", Role.ADMIN)


def hand_in(clerk: Clerk, action: str, text: str = CSV) -> str:
    clerk.get("/staff/patrons")
    file = (io.BytesIO(text.encode()), "cards.csv")
    return clerk.post(action, **clerk.form("/staff/patrons"), file=file).text


def cards(db: Session) -> dict[str, PatronRecord]:
    db.rollback()
    return {one.card: one for one in db.scalars(select(PatronRecord))}


def test_it_is_foreseen_then_taken_in_and_opens_the_door(admin: Clerk, reader: Phone, db: Session) -> None:
    page = hand_in(admin, "/staff/patrons/look")
    assert "would add 1 cards and change what is written of 1; of 0 others" in page
    assert len(cards(db)) == 3 and PIN not in page and ADA_PIN not in page
    hand_in(admin, "/staff/patrons")
    assert PIN not in admin.page.location
    page = admin.follow().text
    assert "Taken in: 1 new, 1 changed, 0 as they were." in page and "4 cards." in page
    assert PIN not in page and "$argon2" not in page and "25009999" in page
    assert cards(db)[ADA].category == "senior" and opens(cards(db)[ADA].secret_hash, ADA_PIN)
    reader.land()
    assert reader.press("/signin", login="25009999", secret=PIN).status_code == 303
    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "patrons imported")).one()
    assert dict(entry.detail) == {"added": 1, "changed": 1, "unchanged": 0}
    again = hand_in(admin, "/staff/patrons/look")
    assert "would add 0 cards and change what is written of 0; of 2 others" in again


def test_a_card_is_found_by_its_beginning_and_stands_in_no_address(admin: Clerk) -> None:
    admin.get("/staff/patrons")
    page = admin.press("/staff/patrons/find", sought="2500 0003").text
    assert "25000003" in page and "25000001" not in page and "blocked" in page
    assert "No card begins so." in admin.press("/staff/patrons/find", sought="99").text


@pytest.mark.parametrize("action", ["/staff/patrons/look", "/staff/patrons"])
def test_what_is_wrong_with_a_file_is_told_without_its_pins(admin: Clerk, db: Session, action: str) -> None:
    page = hand_in(admin, action, f"card,pin,expires_on\n25009999,{PIN},soon\n,{PIN},\n")
    assert admin.page.status_code == 400 and "Nothing was taken in." in page
    assert "line 2" in page and "line 3" in page and PIN not in page
    assert len(cards(db)) == 3


def test_a_file_that_would_keep_the_page_too_long_is_taken_in_in_parts(
    admin: Clerk, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patrons, "MOST_CARDS", 1)
    assert "more cards than a page takes in at once" in hand_in(admin, "/staff/patrons")
    assert len(cards(db)) == 3


def test_who_works_for_some_networks_sees_no_cards(desk: Desk, town: Town) -> None:
    some = desk.at_work("some", Role.ADMIN, networks=("bibliotheques",))
    assert some.get("/staff/patrons").status_code == 403

"""The limits against guessing on their page: how they stand, and one card or device that may try again."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.models import Attempt
from auth.staff.roles import Role
from tests.portal.conftest import ADA, ADA_PIN, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import ADA_PHONE


@pytest.fixture
def clerk(desk: Desk) -> Clerk:
    return desk.at_work("net", Role.NETWORK)


def guess(reader: Phone, times: int) -> None:
    for _ in range(times):
        reader.land()
        reader.press("/signin", login=ADA, secret="wrong-pin-1")


@pytest.mark.parametrize("who", [ADA, ADA_PHONE])
def test_one_who_was_stopped_may_try_again(clerk: Clerk, reader: Phone, db: Session, who: str) -> None:
    guess(reader, 5)
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 429
    page = clerk.get("/staff/limits").text
    assert "Wrong PINs of one card" in page
    assert [one for one in rows(page) if one[4] == "1"] != []
    refused = clerk.press("/staff/limits", who=who, reason=" ")
    assert refused.status_code == 400 and "Say why" in refused.text
    clerk.press("/staff/limits", who=who, reason="forgot the PIN")
    assert "may try again now" in clerk.follow().text
    if who == ADA_PHONE:
        # The card's own count is another's: of this card from whichever device.
        clerk.press("/staff/limits", who=ADA, reason="forgot the PIN")
    reader.land()
    assert reader.press("/signin", login=ADA, secret=ADA_PIN).status_code == 303
    entry = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
    assert entry is not None and entry.action == "limits cleared"
    assert who not in str(entry.detail) and "forgot the PIN" in str(entry.detail)


def rows(page: str) -> list[list[str]]:
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]


def test_what_a_place_counts_stays(clerk: Clerk, reader: Phone, db: Session) -> None:
    guess(reader, 3)
    clerk.get("/staff/limits")
    clerk.press("/staff/limits", who=ADA_PHONE, reason="a child played with it")
    db.rollback()
    left = db.scalars(select(Attempt.key).where(Attempt.count > 0)).all()
    assert "site:pierre-bayle" in left and not [key for key in left if ADA_PHONE in key]


def test_nobody_and_somebody_unknown(clerk: Clerk) -> None:
    clerk.get("/staff/limits")
    assert "neither a MAC address nor a card" in clerk.press("/staff/limits", who="99999999", reason="x").text
    clerk.press("/staff/limits", who="02:00:00:00:ee:ee", reason="x")
    assert "Nothing was counted for them" in clerk.follow().text

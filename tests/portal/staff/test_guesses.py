"""The desk ends the waiting that wrong codes brought about."""

from __future__ import annotations

from sqlalchemy import select

from auth.models import Attempt
from auth.staff.roles import Role
from portal.services import Services
from tests.portal.conftest import Phone
from tests.portal.staff.conftest import Desk
from tests.portal.visitors import issue, use

WRONG = "7K2M9QXAH"


def guess_until_refused(reader: Phone) -> None:
    for _ in range(6):
        use(reader, WRONG)
    assert reader.page.status_code == 429


def test_a_clerk_lets_codes_be_tried_again(reader: Phone, services: Services, desk: Desk) -> None:
    code = issue(services).codes[0]
    clerk = desk.at_work("cem", Role.DESK)
    assert "Let codes be tried again" not in clerk.get("/staff/desk").text
    guess_until_refused(reader)
    assert use(reader, code).status_code == 429
    page = clerk.get("/staff/desk")
    assert "somebody has to wait: Pierre Bayle." in page.text
    assert clerk.press("/staff/desk/codes").status_code == 303
    assert "Let codes be tried again" not in clerk.get("/staff/desk").text
    assert use(reader, code).status_code == 303
    with services.make_session() as db:
        assert not db.scalars(
            select(Attempt).where(Attempt.key.startswith("guess:client"), Attempt.count > 0)
        ).all()


def test_a_clerk_of_another_network_opens_nothing(reader: Phone, services: Services, desk: Desk) -> None:
    clerk = desk.at_work("noa", Role.DESK, networks=("wifilib",))
    guess_until_refused(reader)
    page = clerk.get("/staff/desk")
    assert "Let codes be tried again" not in page.text
    clerk.post("/staff/desk/codes")
    assert use(reader, WRONG).status_code == 429

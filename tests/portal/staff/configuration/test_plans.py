"""Kinds of pass on pages: the sentence that a visitor reads, before it is saved; and what becomes of it at the desk."""

from __future__ import annotations

import html

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.staff.roles import Role
from auth.vouchers import plans
from auth.vouchers.models import Plan, PlanKind
from auth.vouchers.plan_records import PLANS
from portal.services import Services
from sites.import_export import export_records
from tests.imports import import_records
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

PAGE = "/staff/records/plans"
WEEK = {
    "slug": "week",
    "name_fr": "Semaine",
    "name_en": "Week",
    "kind": "rolling_hours",
    "length_minutes": "10080",
    "grace_minutes": "0",
    "least_minutes": "0",
    "ends_at": "2027-06-30T23:00",
    "devices": "2",
    "networks": "bibliotheques",
    "is_offered": "true",
}


@pytest.fixture
def admin(desk: Desk, town: Town) -> Clerk:
    return desk.at_work("boss", Role.ADMIN)


def found(db: Session, slug: str) -> Plan | None:
    db.rollback()
    return db.scalars(select(Plan).where(Plan.slug == slug)).one_or_none()


def test_the_sentence_is_read_first_then_it_is_offered_at_the_desk(admin: Clerk, db: Session) -> None:
    admin.get(f"{PAGE}/-/new")
    page = html.unescape(admin.post(f"{PAGE}/-/sentence", **admin.form(f"{PAGE}/-/new"), **WEEK).text)
    assert "Week – good for 168 h from the first use, to be used until" in page
    assert 'lang="fr" dir="auto">Semaine – valable' in page
    # Each in its own language, whatever language the clerk reads.
    assert 'lang="de" dir="auto">Semaine – gültig' in page
    assert found(db, "week") is None
    # What was typed stands in the form that it came from.
    assert 'value="10080"' in page and 'value="2027-06-30T23:00"' in page
    admin.press(f"{PAGE}/-/new", **WEEK)
    assert admin.page.location == f"{PAGE}/week"
    assert "Week – good for 168 h" in html.unescape(admin.follow().text)
    plan = found(db, "week")
    assert plan is not None
    assert (plan.kind, plan.devices, plan.networks) == (PlanKind.ROLLING_HOURS, 2, ["bibliotheques"])
    assert 'value="week"' in admin.get("/staff/desk").text
    admin.get(f"{PAGE}/week")
    fields = {name: text for name, text in WEEK.items() if name != "is_offered"}
    admin.press(f"{PAGE}/week", **fields)
    assert 'value="week"' not in admin.get("/staff/desk").text


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"length_minutes": "0"}, "is needed where the time is counted"),
        ({"name_fr": "", "name_en": ""}, "has no name in any language"),
        ({"devices": "0"}, "0 is not between 1 and"),
        ({"networks": "nowhere"}, "there is no network nowhere"),
        ({"slug": "Semaine !"}, "is not 1 to 64"),
    ],
)
def test_what_is_wrong_is_told_by_the_sentence_and_by_saving(
    admin: Clerk, db: Session, fields: dict[str, str], told: str
) -> None:
    admin.get(f"{PAGE}/-/new")
    form = admin.form(f"{PAGE}/-/new")
    for action in (f"{PAGE}/-/sentence", f"{PAGE}/-/new"):
        answer = admin.post(action, **{**form, **WEEK, **fields})
        assert answer.status_code == 400 and told in html.unescape(answer.text), action
    assert found(db, "week") is None


def test_a_file_of_plans_comes_back_as_it_went(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        plans.add_first_plans(db)
        before = export_records(db, PLANS)
        assert import_records(db, PLANS, before).changed == ()
        done = import_records(
            db, PLANS, b"slug,kind,length_minutes,name_fr\n2h,fixed_minutes,180,Trois heures\n"
        )
        assert done.changed == ("2h",)
        plan = plans.by_slug(db, "2h")
        assert (plan.length_minutes, plan.names) == (180, {"fr": "Trois heures", "en": "2 hours"})

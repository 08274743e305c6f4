"""Roles that check each other: never given, begun anew or used by one person alone."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff import lookup
from auth.staff.models import Staff, StaffRequest
from auth.staff.roles import ALL_NETWORKS, Authority, Role, takes_two
from portal.services import Services
from tests.clock import MovingClock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk
from tests.portal.staff.test_accounts import LINK

WORD = re.compile(r'<code class="link">([a-z0-9]{5}-[a-z0-9]{5})</code>')
# The picture of the second factor's key.
KEY = '<svg class="code"'


@pytest.fixture
def pia(desk: Desk) -> Clerk:
    """Pia answers for data protection. Her account came from the command line."""
    return desk.at_work("pia", Role.PRIVACY)


def make(clerk: Clerk, login: str, *roles: Role, networks: tuple[str, ...] = ()) -> str | None:
    """Make an account on the page; the path of the link."""
    clerk.get("/staff/people")
    reach = "some" if networks else "all"
    words = [role.value for role in roles]
    clerk.press(
        "/staff/people", login=login, name=login.title(), roles=words, reach=reach, networks=list(networks)
    )
    found = LINK.search(clerk.led().text)
    return found.group(1) if found else None


def set_up(admin: Clerk, login: str, link: str) -> Clerk:
    """Whoever has the link opens the account with it, and signs in."""
    with admin.services.make_session() as db:
        person = lookup.find(db, login)
        assert person is not None
    clerk = Clerk(admin.app, admin.clock, login, person.id)
    clerk.get(link)
    clerk.press(link, password=PASSWORD, code=clerk.code())
    assert clerk.sign_in().status_code == 303
    return clerk


def request_of(db: Session) -> StaffRequest:
    db.rollback()
    return db.scalars(select(StaffRequest).order_by(StaffRequest.id.desc())).all()[0]


def grant(clerk: Clerk, asked: StaffRequest) -> str | None:
    clerk.get("/staff/two-person")
    clerk.post(f"/staff/two-person/{asked.id}/grant", **clerk.form("/staff/signout"))
    found = WORD.search(clerk.led().text)
    return found.group(1) if found else None


def roles_of(db: Session, login: str) -> list[str]:
    db.rollback()
    person = lookup.find(db, login)
    assert person is not None
    return person.roles


@pytest.mark.parametrize("networks", [(), ("bibliotheques",)])
def test_no_administrator_becomes_the_privacy_officer(
    desk: Desk, db: Session, networks: tuple[str, ...]
) -> None:
    me = desk.at_work("dana", Role.ADMIN, networks=networks)
    path, reach = f"/staff/people/{me.staff_id}", "some" if networks else "all"
    for roles in (["admin", "privacy"], ["privacy"]):
        me.get(path)
        me.press(path, roles=roles, reach=reach, networks=list(networks))
        assert roles_of(db, "dana") == ["admin"]
    asked = request_of(db)
    assert grant(me, asked) is None and me.page.status_code == 400
    assert roles_of(db, "dana") == ["admin"]


def test_an_account_of_the_log_takes_link_and_word(admin: Clerk, pia: Clerk, db: Session, app: Flask) -> None:
    link = make(admin, "quentin", Role.PRIVACY)
    assert link is not None
    # Nobody has granted it: the link opens nothing, and shows no key.
    stranger = Clerk(app, admin.clock)
    assert stranger.get(link).status_code == 410
    asked = request_of(db)
    assert grant(admin, asked) is None
    assert "Somebody asks for a second person" in pia.get("/staff/account").text
    word = grant(pia, asked)
    assert word is not None
    # Who asked has the link alone: no key of the second factor is on the page.
    page = admin.browser.get(link, base_url=admin.base_url)
    assert KEY not in page.text and not re.search(r"<code>[A-Z2-7 ]{32,}", page.text)
    stranger.get(link)
    assert stranger.press(link, word="abcde-fghjk").status_code == 400
    stranger.get(link)
    forced = stranger.post(link, **stranger.form(link), password=PASSWORD, code="000000")
    assert KEY not in forced.text
    quentin = db.scalars(select(Staff).where(Staff.login == "quentin")).one()
    owner = Clerk(app, admin.clock, "quentin", quentin.id)
    owner.get(link)
    assert KEY in owner.press(link, word=f" {word.upper()} ").text
    assert "Recovery codes" in owner.press(link, password=PASSWORD, code=owner.code()).text
    assert owner.sign_in().status_code == 303
    assert owner.get("/staff/retention").status_code == 200
    db.rollback()
    deeds = db.execute(
        select(AuditEntry.actor, AuditEntry.action).where(AuditEntry.object == f"staff:{quentin.id}")
    )
    assert [tuple(deed) for deed in deeds][:3] == [
        ("dana", "second person asked"),
        ("pia", "request granted"),
        ("quentin", "account set up"),
    ]


def test_the_word_is_not_guessed(admin: Clerk, pia: Clerk, db: Session, app: Flask) -> None:
    link = make(admin, "quentin", Role.PRIVACY)
    assert link is not None and grant(pia, request_of(db)) is not None
    stranger = Clerk(app, admin.clock)
    stranger.get(link)
    form = stranger.form(link)
    statuses = [stranger.post(link, **{**form, "word": f"abcde-fgh{n:02}"}).status_code for n in range(12)]
    assert statuses == [400] * 10 + [429] * 2


def test_the_officer_s_account_is_not_begun_anew_by_one(
    admin: Clerk, pia: Clerk, desk: Desk, db: Session
) -> None:
    """Reset, and the link opened: that was how an administrator signed in under her name."""
    path = f"/staff/people/{pia.staff_id}"
    admin.get(path)
    admin.press(f"{path}/reset")
    found = LINK.search(admin.led().text)
    assert found is not None
    assert admin.get(found.group(1)).status_code == 410
    # Pia goes on working, is told, and refuses.
    assert "dana asks that pia begins anew" in pia.get("/staff/account").text
    asked = request_of(db)
    assert grant(pia, asked) is None and "You are not a second person here." in pia.page.text
    pia.get("/staff/two-person")
    pia.press(f"/staff/two-person/{asked.id}/refuse")
    assert "Refused or replaced by pia." in pia.follow().text
    # A disabled officer comes back no other way.
    admin.get(path)
    admin.press(f"{path}/disable")
    admin.get(path)
    admin.press(f"{path}/enable")
    assert admin.page.status_code == 400 and "This takes a second person." in admin.page.text
    db.rollback()
    assert db.get_one(Staff, pia.staff_id).disabled_at is not None


def test_whoever_the_asker_made_is_no_second_person(admin: Clerk, db: Session) -> None:
    """Dana makes an administrator, whose link she could open herself, and that one makes another."""
    first = make(admin, "ghost", Role.ADMIN)
    assert first is not None
    ghost = set_up(admin, "ghost", first)
    second = make(ghost, "spectre", Role.ADMIN)
    assert second is not None
    spectre = set_up(ghost, "spectre", second)
    assert make(admin, "mine", Role.PRIVACY) is not None
    for puppet in (ghost, spectre):
        assert grant(puppet, request_of(db)) is None
    assert make(ghost, "ours", Role.PRIVACY) is not None
    for puppet in (admin, spectre):
        assert grant(puppet, request_of(db)) is None
    assert db.scalars(select(StaffRequest.granted)).all() == [None, None]


def test_an_administrator_of_the_command_line_is_a_second_person(
    admin: Clerk, desk: Desk, db: Session
) -> None:
    assert make(admin, "quentin", Role.PRIVACY) is not None
    asked = request_of(db)
    local = desk.at_work("lou", Role.ADMIN, networks=("bibliotheques",))
    assert local.post(f"/staff/two-person/{asked.id}/grant", **form_of(local)).status_code == 404
    assert grant(desk.at_work("eve", Role.ADMIN), asked) is not None


def form_of(clerk: Clerk) -> dict[str, str]:
    clerk.get("/staff/account")
    return clerk.form("/staff/signout")


def test_a_request_is_granted_once_and_within_a_week(
    admin: Clerk, pia: Clerk, db: Session, clock: MovingClock, services: Services
) -> None:
    assert make(admin, "quentin", Role.PRIVACY) is not None
    asked = request_of(db)
    assert grant(pia, asked) is not None
    assert grant(pia, asked) is None and "This request is over." in pia.page.text
    assert make(admin, "rita", Role.PRIVACY) is not None
    asked = request_of(db)
    clock.advance(days=7)
    pia.sign_in()
    assert grant(pia, asked) is None
    assert "Nobody answered in time." in pia.get("/staff/two-person").text


def test_what_the_command_line_does_alone_is_told_to_everybody_concerned(
    admin: Clerk, pia: Clerk, db: Session
) -> None:
    run = admin.app.test_cli_runner()
    done = run.invoke(args=["staff", "add", "quentin", "--role", "privacy", "--all-networks"])
    assert done.exit_code == 0, done.output
    for clerk in (admin, pia):
        assert (
            "The command line began quentin anew as: Data protection." in clerk.get("/staff/two-person").text
        )
    both = run.invoke(args=["staff", "add", "x1", "--role", "privacy", "--role", "admin", "--all-networks"])
    assert both.exit_code == 1 and "check each other" in both.output
    nowhere = run.invoke(args=["staff", "add", "x1", "--role", "desk"])
    assert nowhere.exit_code == 2 and "Say which networks" in nowhere.output


def test_the_command_line_grants_what_nobody_else_can(admin: Clerk, db: Session) -> None:
    link = make(admin, "quentin", Role.PRIVACY)
    done = admin.app.test_cli_runner().invoke(args=["staff", "grant", "quentin", "--by", "Camille"])
    assert done.exit_code == 0, done.output
    assert link is not None and admin.get(link).status_code == 200
    assert request_of(db).decided_by == "Camille (command line)"


OFFICER = frozenset({Role.PRIVACY})


@pytest.mark.parametrize(
    ("before", "wanted", "two"),
    [
        (None, Authority(OFFICER, ALL_NETWORKS), True),
        (Authority(frozenset({Role.DESK}), ALL_NETWORKS), Authority(OFFICER, ALL_NETWORKS), True),
        (Authority(OFFICER, ALL_NETWORKS), Authority(OFFICER | {Role.REPORT}, ALL_NETWORKS), False),
        (Authority(OFFICER, ALL_NETWORKS), Authority(OFFICER, frozenset({"a"})), False),
        (Authority(OFFICER, frozenset({"a"})), Authority(OFFICER, ALL_NETWORKS), True),
        (Authority(OFFICER, frozenset({"a"})), Authority(OFFICER, frozenset({"a", "b"})), True),
        (Authority(OFFICER, frozenset({"a", "b"})), Authority(OFFICER, frozenset({"b"})), False),
        (Authority(OFFICER, ALL_NETWORKS), Authority(frozenset({Role.DESK}), ALL_NETWORKS), False),
        (None, Authority(frozenset({Role.ADMIN}), ALL_NETWORKS), False),
    ],
)
def test_what_takes_two(before: Authority | None, wanted: Authority, two: bool) -> None:
    assert takes_two(before, wanted) is two

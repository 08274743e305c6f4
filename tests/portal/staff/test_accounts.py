"""Accounts from the first link to the last day: set up, changed, reset, disabled, and all of it in the audit log."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.staff import accounts, lookup
from auth.staff.models import Staff
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from auth.staff.totp import STEP_SECONDS, totp
from portal.services import Services
from tests.actors import TESTER, enter
from tests.clock import MovingClock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk

LINK = re.compile(r"https://portal\.example\.org(/staff/setup/[\w-]+)")


def invited(app: Flask, services: Services, clock: MovingClock) -> tuple[Clerk, str]:
    """Somebody with a link that was made on the command line."""
    result = app.test_cli_runner().invoke(args=["staff", "add", "Dana", "--role", "admin", "--all-networks"])
    assert result.exit_code == 0, result.output
    found = LINK.search(result.output)
    assert found is not None
    with services.make_session() as db:
        person = lookup.find(db, "dana")
        assert person is not None
        return Clerk(app, clock, "dana", person.id), found.group(1)


def deeds_of(services: Services) -> list[tuple[str, str]]:
    with services.make_session() as db:
        return [
            (one.actor, one.action)
            for one in db.scalars(select(AuditEntry).order_by(AuditEntry.number))
            if one.action not in ("signed in", "account set up") and one.actor != TESTER.name
        ]


def test_the_first_admin_comes_from_the_command_line(
    app: Flask, services: Services, clock: MovingClock, town: object
) -> None:
    """A fresh installation has no password that works; the link works once."""
    dana, link = invited(app, services, clock)
    page = dana.get(link)
    assert page.status_code == 200 and "<svg" in page.text
    done = dana.press(link, password=PASSWORD, code=dana.code())
    codes = re.findall(r"<code>([a-z0-9]{5}-[a-z0-9]{5})</code>", done.text)
    assert len(codes) == 10
    assert dana.get(link).status_code == 410
    assert dana.sign_in(code=codes[3]).status_code == 303
    assert dana.get("/staff/people").status_code == 200
    assert deeds_of(services) == [("command line", "account made")]


def test_the_second_factor_is_what_the_page_shows(
    app: Flask, services: Services, clock: MovingClock, town: object
) -> None:
    """Typed from the page's key, as somebody without a camera does."""
    import base64

    dana, link = invited(app, services, clock)
    key = re.search(r"<code>([A-Z2-7 ]{32,})</code>", dana.get(link).text)
    assert key is not None
    secret = base64.b32decode(key.group(1).replace(" ", ""))
    code = totp(secret, int(clock().timestamp()) // STEP_SECONDS)
    assert "Recovery codes" in dana.press(link, password=PASSWORD, code=code).text


@pytest.mark.parametrize(
    ("fields", "status", "answer"),
    [
        ({"password": "short"}, 400, "It needs 12 characters at least."),
        ({"password": "dana dana 12"}, 400, "It is little more than your name"),
        ({"code": "000000"}, 401, "That code is not right."),
    ],
)
def test_a_set_up_that_is_not_right_leaves_the_link_good(
    app: Flask,
    services: Services,
    clock: MovingClock,
    town: object,
    fields: dict[str, str],
    status: int,
    answer: str,
) -> None:
    dana, link = invited(app, services, clock)
    dana.get(link)
    refused = dana.press(link, **{"password": PASSWORD, "code": dana.code(), **fields})
    assert refused.status_code == status and answer in refused.text
    assert "Recovery codes" in dana.press(link, password=PASSWORD, code=dana.code()).text


def test_a_link_is_over_after_a_day(app: Flask, services: Services, clock: MovingClock, town: object) -> None:
    dana, link = invited(app, services, clock)
    clock.advance(hours=24)
    assert dana.get(link).status_code == 410


def test_an_admin_invites_and_hands_over_a_link(admin: Clerk, services: Services) -> None:
    admin.get("/staff/people")
    admin.press(
        "/staff/people",
        login="Cem",
        name="Cem Kaya",
        roles="desk",
        reach="some",
        networks="bibliotheques",
        home="pierre-bayle",
    )
    page = admin.led()
    link = LINK.search(page.text)
    assert link is not None
    assert link.group(1) not in admin.get("/staff/people").text
    with services.make_session() as db:
        cem = lookup.find(db, "cem")
        assert cem is not None
        assert (cem.roles, cem.networks, cem.all_networks) == (["desk"], ["bibliotheques"], False)
        assert cem.home_site == "pierre-bayle"
    assert deeds_of(services) == [("dana", "account made")]


@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ({"login": "dana"}, "There is somebody with this login."),
        ({"login": "<b>"}, "That is not a login."),
        ({"roles": ""}, "No role was chosen."),
        ({"reach": "some", "networks": "nowhere"}, "There is no such network."),
        ({"home": "nowhere"}, "This library has no network of the account."),
        ({"reach": ""}, "For which networks?"),
        ({"reach": "some"}, "For which networks?"),
        ({"reach": "all", "networks": "bibliotheques"}, "For which networks?"),
        ({"roles": ["admin", "privacy"]}, "These two roles are never one person’s."),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_with_what_to_do(
    admin: Clerk, fields: dict[str, str], answer: str
) -> None:
    admin.get("/staff/people")
    page = admin.press(
        "/staff/people", **{"login": "cem", "name": "Cem", "roles": "desk", "reach": "all", **fields}
    )
    assert page.status_code == 400 and answer in page.text


def test_each_role_says_what_it_opens_where_it_is_given(admin: Clerk) -> None:
    page = admin.get("/staff/people").text
    for role in Role:
        hint = re.search(rf'value="{role}"[^>]*aria-describedby="(role-{role})"', page)
        assert hint is not None
        assert re.search(rf'id="{hint[1]}">[^<]{{40,}}<', page)


def test_an_admin_of_one_network_gives_no_more_than_that(desk: Desk, services: Services) -> None:
    local = desk.at_work("local", Role.ADMIN, networks=("bibliotheques",))
    local.get("/staff/people")
    form = local.form("/staff/people")
    for wanted in (
        {"roles": "admin", "reach": "all"},
        {"roles": "desk", "reach": "some", "networks": "wifilib"},
    ):
        refused = local.post("/staff/people", **{**form, "login": "cem", "name": "Cem", **wanted})
        assert refused.status_code == 400 and "That is more than you may give." in refused.text
    assert "wifilib" not in local.get("/staff/people").text.lower()


def test_what_would_hurt_most_asks_for_the_password_again(admin: Clerk, clock: MovingClock) -> None:
    """A desk left alone with its browser open."""
    assert admin.get("/staff/people").status_code == 200
    form = admin.form("/staff/people")
    clock.advance(minutes=10)
    sent = admin.post("/staff/people", **{**form, "login": "cem", "name": "Cem", "roles": "desk"})
    assert "Is it still you?" in sent.text
    assert admin.get("/staff/people").location == "/staff/confirm?next=/staff/people"
    admin.follow()
    assert admin.press("/staff/confirm", password="not-mine-at-all").status_code == 401
    assert admin.press("/staff/confirm", password=PASSWORD).location == "/staff/people"
    assert admin.get("/staff/people").status_code == 200


def test_changed_roles_end_the_sign_in_and_hold_at_the_next(
    admin: Clerk, desk: Desk, services: Services
) -> None:
    cem = desk.at_work("cem", Role.DESK)
    admin.get(f"/staff/people/{cem.staff_id}")
    admin.press(f"/staff/people/{cem.staff_id}", roles="report", reach="all")
    assert cem.get("/staff/desk").location.startswith("/staff/signin")
    cem.sign_in()
    assert cem.get("/staff/desk").status_code == 403


def test_a_reset_ends_everything_and_hands_over_a_link(admin: Clerk, desk: Desk) -> None:
    cem = desk.at_work("cem", Role.DESK)
    admin.get(f"/staff/people/{cem.staff_id}")
    admin.press(f"/staff/people/{cem.staff_id}/reset")
    link = LINK.search(admin.led().text)
    assert link is not None
    assert cem.get("/staff/account").status_code == 303
    assert cem.sign_in().status_code == 401
    cem.get(link.group(1))
    cem.press(link.group(1), password="quite-another-password", code=cem.code())
    assert cem.sign_in(password="quite-another-password").status_code == 303


def test_a_disabled_account_is_out_and_comes_back(admin: Clerk, desk: Desk) -> None:
    cem = desk.at_work("cem", Role.DESK)
    page = f"/staff/people/{cem.staff_id}"
    admin.get(page)
    admin.press(f"{page}/disable")
    assert cem.get("/staff/account").status_code == 303
    admin.follow()
    admin.press(f"{page}/enable")
    assert cem.sign_in().status_code == 303


def test_the_last_admin_cannot_lock_everybody_out(admin: Clerk, services: Services) -> None:
    page = f"/staff/people/{admin.staff_id}"
    admin.get(page)
    refused = admin.press(f"{page}/disable")
    assert refused.status_code == 400
    assert "This is the last administrator of all networks." in refused.text
    result = admin.app.test_cli_runner().invoke(args=["staff", "disable", "dana"])
    assert result.exit_code == 1 and "last local administrator" in result.output
    with services.make_session() as db:
        assert db.get_one(Staff, admin.staff_id).disabled_at is None


def test_a_new_password_signs_the_other_browsers_out(desk: Desk, app: Flask, clock: MovingClock) -> None:
    cem = desk.at_work("cem", Role.DESK)
    other = Clerk(app, clock, "cem", cem.staff_id)
    other.sign_in()
    cem.get("/staff/account")
    assert cem.press("/staff/account/password", password="quite-another-password").status_code == 303
    assert cem.get("/staff/account").status_code == 200
    assert other.get("/staff/account").status_code == 303
    assert other.sign_in().status_code == 401


def test_new_recovery_codes_put_the_old_ones_out(desk: Desk) -> None:
    cem = desk.at_work("cem", Role.DESK)
    cem.get("/staff/account")
    cem.press("/staff/account/recovery")
    fresh = re.findall(r"<code>(\S+)</code>", cem.led().text)
    assert len(fresh) == 10 and not set(fresh) & set(cem.recovery)
    cem.browser = cem.app.test_client()
    assert cem.sign_in(code=cem.recovery[0]).status_code == 401
    assert cem.sign_in(code=fresh[0]).status_code == 303


def test_the_trail_is_read_by_admins_newest_first_and_filtered(admin: Clerk, services: Services) -> None:
    with services.make_session.begin() as db:
        for number in range(60):
            enter(db, actor="cem", action="passes issued", object=f"batch:{number}", now=services.clock())
    page = admin.get("/staff/trail").text
    assert "batch 59<" in page and "batch 5<" not in page
    older = re.search(r'href="(/staff/trail\?[^"]*before=\d+)"', page)
    assert older is not None
    assert "batch 5<" in admin.get(older.group(1)).text
    assert admin.get("/staff/trail?object=batch:7").text.count("<tr>") == 2
    assert "Nothing matches." in admin.get("/staff/trail?actor=nobody").text


def test_a_hostile_name_is_only_a_name(admin: Clerk) -> None:
    """Templates escape it."""
    admin.get("/staff/people")
    admin.press("/staff/people", login="eve", name="<script>alert(1)</script>", roles="desk", reach="all")
    for path in ("/staff/people", "/staff/trail"):
        assert "<script>" not in admin.get(path).text


def test_the_command_line_lists_resets_and_disables(
    admin: Clerk, desk: Desk, services: Services, db: Session
) -> None:
    cem = desk.at_work("cem", Role.DESK, networks=("bibliotheques",))
    run = admin.app.test_cli_runner()
    assert "cem\tactive\tdesk\tbibliotheques\tCem" in run.invoke(args=["staff", "list"]).output
    assert run.invoke(args=["staff", "disable", "cem"]).exit_code == 0
    assert cem.get("/staff/account").status_code == 303
    assert LINK.search(run.invoke(args=["staff", "reset", "cem"]).output)
    assert "cem\tinvited" in run.invoke(args=["staff", "list"]).output
    assert run.invoke(args=["staff", "reset", "nobody"]).exit_code == 1
    assert run.invoke(args=["staff", "add", "CEM", "--role", "desk", "--all-networks"]).exit_code == 1
    wrong = run.invoke(args=["staff", "add", "eve", "--role", "desk", "--network", "nowhere"])
    assert wrong.exit_code == 1 and "nowhere" in wrong.output
    assert deeds_of(services) == [
        ("command line", "account disabled"),
        ("command line", "account enabled"),
        ("command line", "account reset"),
    ]


def test_an_account_of_all_networks_is_no_business_of_a_local_admin(desk: Desk, services: Services) -> None:
    local = desk.at_work("local", Role.ADMIN, networks=("bibliotheques",))
    with services.make_session.begin() as db:
        everywhere = accounts.invite(
            db,
            login="boss",
            name="Boss",
            authority=Authority(frozenset({Role.REPORT}), ALL_NETWORKS),
            actor=TESTER,
            now=services.clock(),
        )
    assert "boss" not in local.get("/staff/people").text
    assert local.get(f"/staff/people/{everywhere.staff.id}").status_code == 404


def test_the_trail_is_searched_by_name_deed_and_day(admin: Clerk, desk: Desk, clock: MovingClock) -> None:
    desk.at_work("zoe", Role.DESK, networks=("bibliotheques",))
    found = admin.get("/staff/trail?actor=ZO%C3%89&deed=signed+in").text
    assert ">zoe</a>" in found and ">dana</a>" not in found
    today = clock().strftime("%d/%m/%Y")
    assert ">zoe</a>" in admin.get(f"/staff/trail?actor=zoe&from={today}&to={today}").text
    assert "Nothing matches" in admin.get("/staff/trail?actor=zoe&to=01/01/2020").text
    assert "Nothing matches" in admin.get("/staff/trail?deed=hold+lifted").text


def test_the_trail_is_told_in_the_readers_language(admin: Clerk, desk: Desk) -> None:
    desk.at_work("zoe", Role.DESK, networks=("bibliotheques",))
    page = admin.get("/staff/trail?lang=fr").text
    assert "par\u00a0: second facteur" in page and "second factor" not in page


def test_a_number_that_nothing_has_is_no_page(admin: Clerk) -> None:
    """Not an error of ours either: numbers are bounded before the database sees them."""
    huge = "9" * 30
    for path in ("people", "batches", "passes"):
        assert admin.get(f"/staff/{path}/{huge}").status_code == 404
    for path in ("trail", "batches"):
        assert admin.get(f"/staff/{path}?before={huge}").status_code == 200
    assert admin.get("/staff/trail?actor=%00").status_code == 400
    admin.get("/staff/people")
    posted = admin.press(
        "/staff/people", login="cem", roles="desk", reach="some", networks=["bibliotheques", "a\0b"]
    )
    assert posted.status_code == 400

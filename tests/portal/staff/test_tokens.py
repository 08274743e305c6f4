"""Tokens of programs on the staff's page and on the command line: shown once, listed, revoked."""

from __future__ import annotations

import re

from click.testing import Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.api_tokens.models import ApiToken
from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from tests.clock import MovingClock
from tests.portal.api.conftest import Program
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town

SHOWN = re.compile(r'<code class="link">(eyJ[\w-]+\.[\w-]+\.[\w-]+)</code>')


def make(clerk: Clerk, name: str = "tickets", **fields: object) -> str:
    """Make a token on the page; the token as shown, or nothing."""
    clerk.get("/staff/tokens")
    clerk.press(
        "/staff/tokens",
        **{
            "name": name,
            "scopes": "passes:read",
            "days": "30",
            "reach": "some" if "networks" in fields else "all",
            **fields,
        },
    )
    return next(iter(SHOWN.findall(clerk.led().text)), "")


def deeds(db: Session) -> list[tuple[str, str, str]]:
    db.rollback()
    rows = db.execute(
        select(AuditEntry.actor, AuditEntry.action, AuditEntry.object)
        .where(AuditEntry.action.contains("token"))
        .order_by(AuditEntry.number)
    )
    return [(row[0], row[1], row[2]) for row in rows]


def test_a_token_is_made_shown_once_and_works(app: Flask, admin: Clerk, db: Session) -> None:
    token = make(admin, networks="bibliotheques")
    assert admin.page.headers["Cache-Control"] == "no-store"
    assert "Good until December 24, 2026." in admin.page.text
    assert token not in admin.get("/staff/tokens").text
    assert "never" in admin.page.text
    assert Program(app, token).get("/plans").status_code == 200
    assert "never" not in admin.get("/staff/tokens").text
    row = db.scalars(select(ApiToken)).one()
    assert (row.name, row.scopes, row.networks, row.created_by) == (
        "tickets",
        ["passes:read"],
        ["bibliotheques"],
        "dana",
    )
    assert deeds(db) == [("dana", "token made", "token:tickets")]


def test_a_token_is_revoked_by_a_button_and_dead_at_once(app: Flask, admin: Clerk, db: Session) -> None:
    program = Program(app, make(admin))
    row = db.scalars(select(ApiToken)).one()
    admin.get("/staff/tokens")
    assert 'aria-label="Revoke tickets"' in admin.page.text
    for _ in range(2):
        admin.get("/staff/account")
        form = admin.form("/staff/account/signout")
        assert admin.post(f"/staff/tokens/{row.id}/revoke", **form).location == "/staff/tokens"
    assert program.get("/plans").status_code == 401
    assert "revoked on November 24, 2026" in admin.get("/staff/tokens").text
    assert "Revoke tickets" not in admin.page.text
    assert deeds(db)[1:] == [("dana", "token revoked", "token:tickets")]


def test_what_a_form_lacks_is_said_beside_it(admin: Clerk, db: Session) -> None:
    for fields, title in (
        ({"name": "Ma Billetterie"}, "That is not a name for a token."),
        ({"name": ""}, "That is not a name for a token."),
        ({"scopes": "everything"}, "Nothing was chosen that the token is for."),
        ({"days": "732"}, "How many days is the token good?"),
        ({"days": "0"}, "How many days is the token good?"),
        ({"days": "ten"}, "How many days is the token good?"),
        ({"networks": "nowhere"}, "There is no such network."),
    ):
        assert make(admin, **fields) == ""
        assert admin.page.status_code == 400
        assert title in admin.page.text
    assert db.scalars(select(ApiToken)).all() == []


def test_a_name_is_taken_for_ever(admin: Clerk, app: Flask) -> None:
    make(admin)
    run(app, "revoke", "tickets")
    assert make(admin) == ""
    assert "There is a token of this name, or there was one." in admin.page.text


def test_an_admin_of_one_network_makes_sees_and_revokes_that_network_s_alone(
    admin: Clerk, desk: Desk, clock: MovingClock, db: Session
) -> None:
    make(admin, "everywhere")
    make(admin, "free", networks="wifilib")
    lou = desk.at_work("lou", Role.ADMIN, networks=("bibliotheques",))
    lou.get("/staff/tokens")
    assert "everywhere" not in lou.page.text and ">free<" not in lou.page.text
    for networks in ([], ["wifilib"], ["wifilib", "bibliotheques"]):
        assert make(lou, "mine", networks=networks) == ""
        answer = "That is more than you may give." if networks else "For which networks?"
        assert answer in lou.page.text
    assert make(lou, "mine", reach="all") == ""
    assert "That is more than you may give." in lou.page.text
    assert make(lou, "mine", networks="bibliotheques")
    assert ">mine<" in lou.get("/staff/tokens").text
    for row in db.scalars(select(ApiToken)):
        lou.get("/staff/account")
        form = lou.form("/staff/account/signout")
        expected = 303 if row.name == "mine" else 404
        assert lou.post(f"/staff/tokens/{row.id}/revoke", **form).status_code == expected


def test_a_name_that_was_meant_to_be_code_stays_text(app: Flask, admin: Clerk) -> None:
    """A name of the pattern only; what was typed comes back as text."""
    make(admin, '"><script>alert(1)</script>')
    assert "<script>" not in admin.page.text


def run(app: Flask, *words: object) -> Result:
    return app.test_cli_runner().invoke(args=["tokens", *map(str, words)])


def test_the_command_line_makes_lists_and_revokes(app: Flask, town: Town, db: Session) -> None:
    done = run(app, "add", "tickets", "--scope", "passes:read", "--network", "bibliotheques", "--days", 30)
    assert done.exit_code == 0, done.output
    program = Program(app, done.stdout.strip())
    assert program.get("/plans").status_code == 200
    listed = run(app, "list").output
    assert re.search(
        r"^tickets\tgood until 2026-12-24\tpasses:read\tbibliotheques\tmade 2026-11-24 by command line\tused ",
        listed,
        re.MULTILINE,
    )
    assert program.token not in listed
    assert "tickets is revoked." in run(app, "revoke", "tickets").output
    assert "as it was" in run(app, "revoke", "tickets").output
    assert program.get("/plans").status_code == 401
    assert "revoked 2026-11-24" in run(app, "list").output
    assert deeds(db) == [
        ("command line", "token made", "token:tickets"),
        ("command line", "token revoked", "token:tickets"),
    ]


def test_the_command_line_says_what_is_wrong(app: Flask, town: Town, db: Session) -> None:
    run(app, "add", "tickets", "--scope", "passes:read", "--all-networks")
    for words, reason in (
        (["add", "tickets", "--scope", "passes:read", "--all-networks"], "Choose another name"),
        (["add", "X!", "--scope", "passes:read", "--all-networks"], "2 to 40 small letters"),
        (["add", "other", "--scope", "passes:read"], "Say which networks"),
        (
            ["add", "other", "--scope", "passes:read", "--network", "a", "--all-networks"],
            "Say which networks",
        ),
        (["add", "other", "--scope", "everything"], "Invalid value for '--scope'"),
        (["add", "other"], "Missing option '--scope'"),
        (["add", "other", "--scope", "passes:read", "--all-networks", "--days", "800"], "1 to 731 days"),
        (["add", "other", "--scope", "passes:read", "--network", "nowhere"], "no network nowhere"),
        (["revoke", "other"], "no token 'other'"),
    ):
        done = run(app, *words)
        assert done.exit_code != 0
        assert reason in done.output
    assert len(db.scalars(select(ApiToken)).all()) == 1

"""Signing in, staying in, and getting out: what a member of staff, a stranger and a thief each meet."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from auth import rate_limits
from auth.audit import log
from auth.staff import accounts
from auth.staff.models import Staff, StaffSession
from auth.staff.roles import Role
from auth.staff.signin import MOST_ADDRESS, SigninSource, of_address
from auth.staff.totp import STEP_SECONDS
from portal.services import Services
from portal.staff.signin import onward
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.staff.conftest import PASSWORD, Clerk, Desk

COOKIE = "__Host-arobase-staff"


def cookie_of(clerk: Clerk) -> str:
    cookie = clerk.browser.get_cookie(COOKIE, domain="portal.example.org")
    return cookie.value if cookie else ""


def is_in(clerk: Clerk) -> bool:
    return clerk.get("/staff/account").status_code == 200


def test_it_takes_a_password_and_a_second_factor(cem: Clerk) -> None:
    cem.get("/staff/signin")
    page = cem.press("/staff/signin", login="Cem", password=PASSWORD)
    assert page.status_code == 200
    assert not is_in(cem)
    assert cem.sign_in().location == "/staff/"
    assert cem.follow().location == "/staff/desk"
    assert "Give a pass" in cem.follow().text


def test_its_cookie_is_for_this_host_over_tls_and_out_of_reach_of_scripts(cem: Clerk) -> None:
    cem.sign_in()
    cookies = [one for one in cem.page.headers.getlist("Set-Cookie") if one.startswith(COOKIE)]
    assert len(cookies) == 1
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookies[0]
    assert "Domain" not in cookies[0] and "Max-Age" not in cookies[0]


def test_unknown_and_wrong_are_told_alike(cem: Clerk, desk: Desk) -> None:
    def answer(login: str, password: str) -> tuple[int, str]:
        stranger = Clerk(cem.app, cem.clock)
        stranger.get("/staff/signin")
        page = stranger.press("/staff/signin", login=login, password=password)
        return page.status_code, page.text.replace(login, "").split("<form")[0]

    gone = desk.hire("gone", Role.DESK)
    with cem.services.make_session.begin() as db:
        accounts.disable(db, db.get_one(Staff, gone.staff_id), actor=TESTER, now=cem.clock())
    wrong = answer("cem", "not-the-password")
    assert wrong[0] == 401
    assert answer("nobody", "not-the-password") == wrong
    assert answer("gone", PASSWORD) == wrong


def test_an_unknown_login_costs_the_same_hash(cem: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    from auth.staff import secrets

    seen: list[str] = []
    real = secrets.opens

    def watch(secret_hash: str, secret: str) -> bool:
        seen.append(secret_hash.rpartition("$")[0].rpartition("$")[0])
        return real(secret_hash, secret)

    monkeypatch.setattr(secrets, "opens", watch)
    for login in ("cem", "nobody"):
        cem.get("/staff/signin")
        cem.press("/staff/signin", login=login, password="not-the-password")
    assert len(seen) == 2 and seen[0] == seen[1]


def test_a_code_opens_once(cem: Clerk, app: Flask) -> None:
    cem.sign_in()
    thief = Clerk(app, cem.clock, "cem", cem.staff_id)
    thief.get("/staff/signin")
    thief.press("/staff/signin", login="cem", password=PASSWORD)
    assert thief.press("/staff/signin/code", code=cem.code()).status_code == 401
    cem.clock.advance(seconds=STEP_SECONDS)
    assert thief.press("/staff/signin/code", code=cem.code()).status_code == 303


def test_a_recovery_code_opens_once_and_leads_to_the_account(cem: Clerk) -> None:
    code = cem.recovery[0].upper().replace("-", " ")
    assert cem.sign_in(code=code).location == "/staff/account"
    assert "9 recovery codes are left." in cem.follow().text
    cem.browser = cem.app.test_client()
    assert cem.sign_in(code=code).status_code == 401


def test_the_second_step_needs_the_first(cem: Clerk) -> None:
    cem.get("/staff/signin")
    form = cem.form("/staff/signin")
    page = cem.post("/staff/signin/code", form=form["form"], step="", code=cem.code())
    assert page.status_code == 400
    assert not is_in(cem)


def test_the_second_step_opens_once(cem: Clerk, app: Flask, clock: MovingClock) -> None:
    """Whoever finds the page of the second factor in a browser's history signs nobody in with it."""
    clock.advance(seconds=STEP_SECONDS)
    cem.get("/staff/signin")
    cem.press("/staff/signin", login="cem", password=PASSWORD)
    form = cem.form("/staff/signin/code")
    assert cem.post("/staff/signin/code", **{**form, "code": "000000"}).status_code == 401
    assert cem.post("/staff/signin/code", **{**form, "code": cem.code()}).status_code == 303
    clock.advance(seconds=STEP_SECONDS)
    other = Clerk(app, clock, "cem", cem.staff_id)
    other.get("/staff/signin")
    again = other.post("/staff/signin/code", **{**other.form("/staff/signin"), **form, "code": cem.code()})
    assert again.status_code == 400 and "Sign in again" in again.text
    spare = other.post("/staff/signin/code", **{**form, "code": cem.recovery[0]})
    assert spare.status_code == 400
    # The recovery code was not used up by that.
    other.get("/staff/signin")
    other.press("/staff/signin", login="cem", password=PASSWORD)
    assert other.press("/staff/signin/code", code=cem.recovery[0]).status_code == 303


def test_the_second_step_is_over_after_five_minutes(cem: Clerk) -> None:
    cem.get("/staff/signin")
    cem.press("/staff/signin", login="cem", password=PASSWORD)
    cem.clock.advance(minutes=5)
    assert "This took too long." in cem.press("/staff/signin/code", code=cem.code()).text
    assert not is_in(cem)


def test_a_sign_in_gets_a_token_that_no_browser_had_before(cem: Clerk) -> None:
    """A cookie that somebody planted is never taken over, and the one before is dead."""
    cem.browser.set_cookie(COOKIE, "planted-by-a-stranger", domain="portal.example.org", secure=True)
    cem.sign_in()
    first = cookie_of(cem)
    assert first != "planted-by-a-stranger"
    cem.get("/staff/account")
    cem.press("/staff/account/password", password="another-four-words-here")
    assert cookie_of(cem) not in ("", first)
    thief = Clerk(cem.app, cem.clock)
    thief.browser.set_cookie(COOKIE, first, domain="portal.example.org", secure=True)
    assert not is_in(thief)


def test_strangers_who_guess_do_not_keep_the_owner_out(cem: Clerk, app: Flask, clock: MovingClock) -> None:
    """The browser that Cem has signed in with keeps a budget of its own."""
    cem.sign_in()
    cem.get("/staff/account")
    cem.press("/staff/signout")
    for number in range(10):
        stranger = Clerk(app, clock, address=f"198.51.100.{number}")
        stranger.get("/staff/signin")
        assert stranger.press("/staff/signin", login="cem", password="a-guess").status_code == 401
    stranger.get("/staff/signin")
    refused = stranger.press("/staff/signin", login="cem", password=PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 900
    assert cem.sign_in().status_code == 303


def test_nothing_is_locked_for_ever(cem: Clerk, clock: MovingClock) -> None:
    for _ in range(11):
        cem.get("/staff/signin")
        cem.press("/staff/signin", login="cem", password="a-guess")
    assert cem.page.status_code == 429
    clock.advance(minutes=15)
    assert cem.sign_in().status_code == 303


def test_one_address_cannot_try_many_logins(cem: Clerk) -> None:
    cem.get("/staff/signin")
    assert cem.press("/staff/signin", login="nobody", password="x").status_code == 401
    for _ in range(MOST_ADDRESS - 1):
        with cem.services.make_session.begin() as db:
            rate_limits.count(db, of_address(SigninSource(cem.address)), now=cem.clock())
    assert cem.press("/staff/signin", login="somebody.else", password="x").status_code == 429


def test_an_ipv6_guest_is_one_address_whatever_they_call_themselves(app: Flask, clock: MovingClock) -> None:
    """A guest has a whole /64 to choose addresses from."""
    answers = []
    for number in range(MOST_ADDRESS + 5):
        stranger = Clerk(app, clock, address=f"2001:db8:1:2:{number:x}::{number:x}")
        stranger.get("/staff/signin")
        page = stranger.press("/staff/signin", login=f"somebody.{number}", password="a-guess")
        answers.append(page.status_code)
    assert answers == [401] * MOST_ADDRESS + [429] * 5
    other = Clerk(app, clock, address="2001:db8:1:3::1")
    other.get("/staff/signin")
    assert other.press("/staff/signin", login="somebody.else", password="a-guess").status_code == 401


def test_the_second_factor_cannot_be_guessed_for_long(cem: Clerk) -> None:
    cem.get("/staff/signin")
    cem.press("/staff/signin", login="cem", password=PASSWORD)
    for _ in range(5):
        assert cem.press("/staff/signin/code", code="000000").status_code == 401
    assert cem.press("/staff/signin/code", code=cem.code()).status_code == 429


def test_it_leads_nowhere_but_to_its_own_pages(app: Flask, cem: Clerk) -> None:
    """An open redirect would lend our name to a forged sign-in page."""
    for wanted in (
        *("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/stafford"),
        *("/staff/../leave", "/staff//evil.example", " /staff", "/staff/\nx", "/staff/?x", "/staff%2f.."),
    ):
        with app.test_request_context("/staff/signin", method="POST", data={"next": wanted}):
            assert onward() == "/staff/", wanted
    cem.get("/staff/signin")
    cem.press("/staff/signin", login="cem", password=PASSWORD, next="//evil.example")
    assert cem.press("/staff/signin/code", code=cem.code(), next="//evil.example").location == "/staff/"


def test_it_leads_to_the_page_that_was_asked_for(cem: Clerk) -> None:
    cem.get("/staff/account")
    cem.follow()
    cem.press("/staff/signin", login="cem", password=PASSWORD)
    assert cem.press("/staff/signin/code", code=cem.code()).location == "/staff/account"


def test_without_its_trail_nothing_is_done(
    cem: Clerk, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failing audit write fails the action."""
    cem.get("/staff/signin")
    cem.press("/staff/signin", login="cem", password=PASSWORD)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the audit log cannot be written")

    monkeypatch.setattr(log, "append", broken)
    assert cem.press("/staff/signin/code", code=cem.code()).status_code == 500
    assert not is_in(cem)
    with services.make_session() as db:
        assert db.scalar(select(StaffSession.id)) is None


def test_a_cookie_without_a_name_cannot_pose_as_ours(cem: Clerk, app: Flask) -> None:
    """CVE-2023-23934: "=__Host-…=token" could be planted by any page of a neighbouring site."""
    cem.sign_in()
    token = cookie_of(cem)
    stranger = Clerk(app, cem.clock)
    stranger.browser = app.test_client(use_cookies=False)
    for cookie, status in ((f"={COOKIE}={token}", 303), (f"{COOKIE}={token}", 200)):
        assert stranger.get("/staff/account", Cookie=cookie).status_code == status, cookie


def test_a_link_in_a_mail_opens_though_its_cookie_is_strict(cem: Clerk) -> None:
    """The browser keeps a strict cookie back from a link on another site; what we ask for ourselves brings it."""
    mail = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    cem.sign_in()
    stranger = Clerk(cem.app, cem.clock, cem.login)
    redirected = stranger.get("/staff/batches?words=fair", **mail)
    page = stranger.get(redirected.location, **mail)
    assert page.status_code == 200
    again = page.headers["Refresh"].removeprefix("0; url=")
    assert again == "/staff/batches?words=fair"
    assert cem.get(again).status_code == 200
    own = {"Sec-Fetch-Site": "same-origin"}
    assert "Refresh" not in stranger.get(redirected.location, **own).headers
    outside = stranger.get("/staff/signin?next=https://evil.example/", **mail)
    assert "evil" not in outside.headers.get("Refresh", "")


def test_a_code_sent_twice_by_a_browser_that_is_signed_in_leads_on(cem: Clerk) -> None:
    """Another browser with the same form gets nothing: the code was good once."""
    cem.clock.advance(seconds=STEP_SECONDS)
    cem.get("/staff/signin")
    cem.press("/staff/signin", login=cem.login, password=PASSWORD)
    form = {**cem.form("/staff/signin/code"), "code": cem.code()}
    assert cem.post("/staff/signin/code", **form).status_code == 303
    assert cem.post("/staff/signin/code", **form).location == "/staff/signin"
    assert cem.follow().location == "/staff/"
    other = Clerk(cem.app, cem.clock, cem.login, cem.staff_id)
    refused = other.post("/staff/signin/code", **form)
    assert refused.status_code == 400 and "each code works only once" in refused.text
    assert 'name="password"' in refused.text

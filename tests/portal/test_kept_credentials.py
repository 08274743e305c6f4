"""Passes and cards that a guest asked this browser to keep: by a tap, used again by one, forgotten by one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from auth.vouchers.models import Batch
from auth.vouchers.voiding import of_batch
from portal.guest.kept_credentials import MOST_KEPT
from portal.services import Services
from sessions import vouchers
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.portal.visitors import issue

COOKIE = "__Host-arobase-kept"
# Well formed, and nobody was ever given it.
UNKNOWN = "23456789Q"
KEEP, KEPT, AGAIN = "Keep this pass on this device", "Kept on this device", "Use again"


def show(code: str) -> str:
    return f"…{code.replace('-', '')[-3:]}"


def online_with_pass(phone: Phone, agent: Agent, services: Services) -> str:
    code = issue(services).codes[0]
    phone.land()
    phone.post("/pass", visit=phone.form("/pass")["visit"], code=code)
    agent.follow()
    phone.get(phone.page.location)
    return code


def sign_in(phone: Phone, agent: Agent) -> None:
    phone.land()
    phone.press("/signin", login=ADA, secret=ADA_PIN)
    agent.follow()
    phone.get(phone.page.location)


def kept_pass(phone: Phone, agent: Agent, services: Services) -> str:
    code = online_with_pass(phone, agent, services)
    phone.press("/keep", follow=True)
    return code


def come_back(phone: Phone, agent: Agent) -> None:
    """Leave, and come to the first page again."""
    phone.get("/status")
    phone.press("/leave")
    agent.follow()
    phone.land()


def cookie(phone: Phone) -> str:
    found = phone.browser.get_cookie(COOKIE, domain="portal.example.org")
    return "" if found is None else found.value


def test_nothing_is_kept_before_the_tap(reader: Phone, bayle: Agent, services: Services) -> None:
    code = online_with_pass(reader, bayle, services)
    assert KEEP in reader.page.text and KEPT not in reader.page.text
    assert cookie(reader) == ""
    # The page carries it for its own button, where nobody can read it.
    assert code not in reader.page.text and code.replace("-", "") not in reader.page.text
    come_back(reader, bayle)
    assert AGAIN not in reader.page.text


def test_one_tap_keeps_it_and_one_uses_it_again(reader: Phone, bayle: Agent, services: Services) -> None:
    code = kept_pass(reader, bayle, services)
    assert KEPT in reader.page.text and KEEP not in reader.page.text
    header = reader.browser.get_cookie(COOKIE, domain="portal.example.org")
    assert header is not None and header.secure and header.http_only and header.same_site == "Lax"
    assert code not in cookie(reader) and code.replace("-", "") not in cookie(reader)
    come_back(reader, bayle)
    assert show(code) in reader.page.text and code not in reader.page.text
    # The sheet of the first page alone has no rules for such a list.
    assert ".rows{" in reader.page.text
    assert reader.press("/pass").status_code == 303
    bayle.follow()
    assert reader.mac in bayle.macs
    # What is kept is not offered again.
    assert KEEP not in reader.get(reader.page.location).text


def test_pressed_twice_it_is_kept_once(reader: Phone, bayle: Agent, services: Services) -> None:
    online_with_pass(reader, bayle, services)
    form = reader.form("/keep")
    for _ in range(2):
        assert reader.post("/keep", **form).status_code == 303
    assert reader.get("/status").text.count('name="kept"') == 1


def test_an_offer_that_is_too_old_is_over(
    reader: Phone, bayle: Agent, services: Services, clock: MovingClock
) -> None:
    online_with_pass(reader, bayle, services)
    form = reader.form("/keep")
    clock.advance(hours=25)
    assert reader.post("/keep", **form).status_code == 410


def test_one_tap_forgets_it(reader: Phone, bayle: Agent, services: Services) -> None:
    kept_pass(reader, bayle, services)
    come_back(reader, bayle)
    form = reader.form("/forget")
    assert reader.press("/forget").status_code == 303
    assert cookie(reader) == ""
    assert AGAIN not in reader.land().text
    # Pressed in another tab that still shows it: nothing more, and no fault.
    assert reader.post("/forget", **form).status_code == 303
    reader.land()
    answer = reader.post("/pass", visit=reader.form("/pass")["visit"], kept=form["kept"])
    assert answer.status_code == 410
    assert "This is no longer kept on this device." in answer.text


def test_of_a_card_the_number_is_kept_and_never_the_pin(
    reader: Phone, bayle: Agent, services: Services
) -> None:
    sign_in(reader, bayle)
    assert "Keep my card number on this device" in reader.page.text
    reader.press("/keep", follow=True)
    come_back(reader, bayle)
    assert ADA not in reader.page.text
    (link,) = re.findall(r'href="(/signin[^"]*kept=[^"]*)"', reader.page.text)
    page = reader.get(link.replace("&amp;", "&")).text
    assert f'value="{ADA}"' in page and ADA_PIN not in page
    claims = services.encrypted_tokens.decrypt("kept", cookie(reader), now=services.clock())
    assert ADA_PIN not in repr(claims) and ADA in repr(claims)
    # A wrong PIN is refused and counted as ever.
    assert reader.press("/signin", login=ADA, secret="wrong").status_code == 403


def test_a_pass_that_is_over_or_void_says_so_and_is_not_to_be_used(
    reader: Phone, bayle: Agent, services: Services, clock: MovingClock
) -> None:
    kept_pass(reader, bayle, services)
    come_back(reader, bayle)
    kept_pass(reader, bayle, services)
    with services.make_session.begin() as db:
        newest = of_batch(db.scalars(select(func.max(Batch.id))).one())
        vouchers.revoke(db, newest, keys=services.voucher_keys, actor=TESTER, now=clock())
    clock.advance(hours=20)
    page = reader.land().text
    assert "This pass was cancelled." in page and "This pass ended:" in page
    assert AGAIN not in page


def test_the_budget_against_guessing_holds_for_what_is_kept(
    reader: Phone, bayle: Agent, services: Services
) -> None:
    kept_pass(reader, bayle, services)
    come_back(reader, bayle)
    again = reader.form("/pass")
    for _ in range(5):
        assert reader.post("/pass", visit=again["visit"], code=UNKNOWN).status_code == 403
    answer = reader.post("/pass", **again)
    assert answer.status_code == 429 and "Too many attempts" in answer.text


def test_a_cookie_that_is_not_ours_keeps_nothing(reader: Phone, services: Services) -> None:
    stale = services.encrypted_tokens.encrypt(
        "offer", {"all": []}, now=services.clock(), life=timedelta(days=1)
    )
    for text in ("", "junk", "a" * 3000, stale):
        reader.browser.set_cookie(COOKIE, text, domain="portal.example.org", secure=True)
        assert reader.land().status_code == 200
        assert KEPT not in reader.page.text


def test_where_no_cookies_are_kept_nothing_is_offered_and_nothing_breaks(
    reader: Phone, bayle: Agent, services: Services
) -> None:
    captive = Phone(reader.app, reader.gateway, address=reader.address, keeps_cookies=False)
    page = captive.land().text
    assert AGAIN not in page
    code = issue(services).codes[0]
    captive.press("/pass", code=code)
    bayle.follow()
    text = captive.get(captive.page.location).text
    assert "You are online" in text and KEEP not in text and KEPT not in text


def test_another_browser_of_the_same_network_sees_none_of_it(
    reader: Phone, bayle: Agent, services: Services
) -> None:
    """The first page is made once for many: what one browser keeps goes into nobody else's."""
    kept_pass(reader, bayle, services)
    come_back(reader, bayle)
    assert AGAIN in reader.page.text
    other = Phone(reader.app, reader.gateway, "02:00:00:00:0c:07", "10.68.0.9")
    assert AGAIN not in other.land().text


def test_only_so_many_are_kept(reader: Phone, bayle: Agent, services: Services) -> None:
    codes = []
    for _ in range(MOST_KEPT + 1):
        codes.append(kept_pass(reader, bayle, services))
        come_back(reader, bayle)
    assert reader.page.text.count(AGAIN) == MOST_KEPT
    assert show(codes[-1]) in reader.page.text
    assert len(cookie(reader)) < 3000


@pytest.mark.parametrize("method", ["get", "post"])
def test_off_our_wifi_the_list_says_what_each_is_worth(
    reader: Phone, bayle: Agent, services: Services, method: str
) -> None:
    code = kept_pass(reader, bayle, services)
    reader.address = "203.0.113.7"
    if method == "get":
        text = reader.get("/").text
        assert "You are not on our wifi" in text and show(code) in text and "until" in text
        assert AGAIN not in text
    else:
        assert reader.post("/forget").status_code == 303
        assert cookie(reader) == ""

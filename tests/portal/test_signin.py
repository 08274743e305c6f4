"""A patron types card and PIN and is online in one step."""

from __future__ import annotations

import re
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from ads.online import Online
from auth import rate_limits
from auth.models import Attempt
from portal.guest import connecting
from portal.http.clients import ClientContext
from portal.services import Services
from sessions.models import AccessSession, Decision
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone, shows_session
from tests.town import ADA_TABLET


def sign_in(phone: Phone, login: str = ADA, secret: str = ADA_PIN):
    phone.land()
    return phone.press("/signin", login=login, secret=secret)


def sessions(db: Session) -> list[AccessSession]:
    db.rollback()
    return list(db.scalars(select(AccessSession).order_by(AccessSession.id)))


def test_one_form_and_the_gateway_opens(reader: Phone, bayle: Agent) -> None:
    answer = sign_in(reader)
    assert (answer.status_code, answer.location.split("?")[0]) == (303, "/opening")
    bayle.follow()
    assert bayle.macs == {reader.mac}
    page = reader.get(answer.location)
    assert page.status_code == 200
    assert "16:00" in page.text


def test_the_success_page_waits_for_the_gateway(reader: Phone, bayle: Agent) -> None:
    """No page says "online" before the kernel has it."""
    answer = sign_in(reader)
    waiting = reader.get(answer.location)
    assert waiting.headers["Refresh"] == "3"
    assert reader.get("/status", follow=False).location.startswith("/opening")
    bayle.follow()
    assert reader.get("/status", follow=False).status_code == 200


def test_the_page_after_the_button_is_the_session_s_and_is_asked_for_again_at_its_own_address(
    reader: Phone, bayle: Agent
) -> None:
    opening = sign_in(reader).location
    bayle.follow()
    page = reader.get(opening, follow=False)
    seconds, _, again = page.headers["Refresh"].partition(";url=")
    assert shows_session(page) and int(seconds) > 60 and again.startswith("/status?visit=")
    # The browser has kept the session from the button on.
    assert "Set-Cookie" not in page.headers
    page = reader.get(again, follow=False)
    assert shows_session(page) and page.headers["Refresh"] == seconds
    reader.press("/leave")
    # That address, loaded once more, says how it ended.
    assert reader.get(opening).request.path == "/status" and not shows_session(reader.page)


def test_a_browser_that_did_not_keep_the_session_is_told_again(reader: Phone, bayle: Agent) -> None:
    reader.keeps_cookies = False
    reader.__post_init__()
    opening = sign_in(reader).location
    bayle.follow()
    assert "Set-Cookie" in reader.get(opening, follow=False).headers


def test_guests_beyond_the_number_that_may_wait_are_asked_back_at_once(
    reader: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent gateway must not hold the threads that every other site needs."""
    answer = sign_in(reader)
    monkeypatch.setattr("portal.guest.connecting.WAIT_SECONDS", 60.0)
    monkeypatch.setattr("portal.guest.connecting.WAITING", threading.BoundedSemaphore(1))
    monkeypatch.setattr("portal.guest.connecting._await", lambda *_: pytest.fail("it waited"))
    with connecting.WAITING:
        assert reader.get(answer.location).headers["Refresh"] == "3"


def test_a_word_of_the_gateway_between_the_look_and_the_wait_is_not_missed(
    reader: Phone, services: Services, bayle: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening, looked, woken = sign_in(reader).location, connecting.online_of, list[bool]()
    wait = services.wake.wait

    def look(visit: ClientContext) -> Online | None:
        online = looked(visit)
        bayle.follow()
        return online

    monkeypatch.setattr(connecting, "online_of", look)
    monkeypatch.setattr(
        type(services.wake), "wait", lambda _wake, *given: woken.append(wait(*given)) or woken[-1]
    )
    assert shows_session(reader.get(opening, follow=False))
    assert woken == [True]


def test_it_works_without_cookies(reader: Phone, bayle: Agent) -> None:
    reader = Phone(reader.app, reader.gateway, address=reader.address, keeps_cookies=False)
    answer = sign_in(reader)
    bayle.follow()
    assert "16:00" in reader.get(answer.location).text


def test_unknown_card_and_wrong_pin_get_the_same_answer(reader: Phone, db: Session) -> None:
    wrong = sign_in(reader, secret="wrong-pin")
    unknown = sign_in(reader, login="99999999")
    assert wrong.status_code == unknown.status_code == 403
    assert without_tokens(wrong.text).replace(ADA, "X") == without_tokens(unknown.text).replace(
        "99999999", "X"
    )
    assert sessions(db) == []


def without_tokens(page: str) -> str:
    return re.sub(r"ey[\w.-]{20,}", "TOKEN", page)


def test_what_was_typed_is_kept_but_never_the_pin(reader: Phone) -> None:
    page = sign_in(reader, secret="wrong-pin").text
    assert ADA in page
    assert "wrong-pin" not in page


@pytest.mark.parametrize(
    ("login", "secret", "words"),
    [("25000002", "pin-of-bo-1970", "renew"), ("25000003", "pin-of-cem-1971", "blocked")],
)
def test_the_cards_state_is_told_after_a_right_pin_only(
    reader: Phone, db: Session, login: str, secret: str, words: str
) -> None:
    assert words not in sign_in(reader, login, "wrong-pin").text.split("</form>")[0]
    result = sign_in(reader, login, secret)
    assert result.status_code == 403
    assert words in result.text
    assert sessions(db) == []


@pytest.mark.parametrize("secret", ["", " ", "\u200b", "\u00ad", "\ufeff\u200b"])
def test_a_blank_pin_is_asked_for_and_costs_nothing(reader: Phone, db: Session, secret: str) -> None:
    page = sign_in(reader, secret=secret)
    assert (page.status_code, beside(page)) == (422, {"secret": "Type your PIN."})
    assert f'value="{ADA}"' in page.text
    assert db.scalars(select(Attempt)).all() == []
    assert db.scalars(select(Decision)).all() == []


def test_an_endless_pin_is_wrong_and_costs_nothing(reader: Phone, db: Session) -> None:
    assert sign_in(reader, secret="x" * 300).status_code == 403
    assert db.scalars(select(Attempt)).all() == []


@pytest.mark.parametrize("login", ["", " ", "\u200b"])
def test_a_blank_card_number_is_asked_for(reader: Phone, login: str) -> None:
    assert beside(sign_in(reader, login=login)) == {"login": "Type your card number."}


def test_an_empty_form_names_both_fields_and_puts_the_focus_in_the_first(reader: Phone) -> None:
    reader.land()
    page = reader.post("/signin", visit=reader.form("/signin")["visit"])
    assert beside(page) == {"login": "Type your card number.", "secret": "Type your PIN."}
    assert re.findall(r'<(\w+) [^>]*id="(\w*)"[^>]*autofocus', page.text) == [("input", "login")]
    assert "wrong." not in page.text and "Incident" not in page.text


def beside(page: TestResponse) -> dict[str, str]:
    """What is said beside each field that is marked as wrong, by what describes it to a screen reader."""
    said = {}
    for field in re.findall(r"<input [^>]*aria-invalid=true[^>]*>", page.text):
        name = re.search(r'name="(\w+)"', field)
        described = re.search(r'aria-describedby="[^"]*\b(\w+-wrong)"', field)
        assert name and described
        text = re.search(rf'id="{described[1]}">([^<]*)<', page.text)
        assert text
        said[name[1]] = text[1]
    return said


def test_strangers_cannot_lock_a_patron_out(reader: Phone, bayle: Agent, db: Session) -> None:
    """A hundred wrong PINs from many devices reach the directory five times; her own phone still gets in."""
    sign_in(reader)
    bayle.follow()
    answers = []
    for number in range(100):
        stranger = Phone(
            reader.app, reader.gateway, f"02:00:00:00:ff:{number:02x}", f"10.68.0.{100 + number}"
        )
        answers.append(sign_in(stranger, secret="guess").status_code)
    assert answers.count(403) == 5
    assert answers.count(429) == 95
    assert sign_in_fresh(reader).status_code == 303


def test_a_spent_site_shuts_out_strangers_alone(
    reader: Phone, bayle: Agent, services: Services, clock: MovingClock
) -> None:
    """One laptop with many addresses spends the whole library's budget."""
    sign_in(reader)
    bayle.follow()
    site = rate_limits.of_site(reader.gateway.site.slug)
    with services.make_session.begin() as db:
        for _ in range(site.most):
            rate_limits.count(db, site, now=clock())
    stranger = Phone(reader.app, reader.gateway, ADA_TABLET, "10.68.0.6")
    assert sign_in(stranger).status_code == 429
    assert sign_in_fresh(reader).status_code == 303


@pytest.mark.parametrize("device", ["0", "-1", "2147483648", "9" * 30])
def test_a_device_that_cannot_be_is_nobody_s(reader: Phone, bayle: Agent, db: Session, device: str) -> None:
    sign_in(reader)
    bayle.follow()
    reader.get("/status")
    assert reader.post("/leave", **{**reader.form("/leave"), "device": device}).status_code == 403
    [access] = sessions(db)
    assert access.ended_at is None


def sign_in_fresh(phone: Phone):
    """Sign in once more with the same device, whose session has ended."""
    phone.get("/status")
    phone.press("/leave")
    return sign_in(phone)


def test_too_many_attempts_say_when_to_come_back(reader: Phone, clock: MovingClock) -> None:
    for _ in range(5):
        sign_in(reader, secret="guess")
    refused = sign_in(reader)
    assert refused.status_code == 429
    assert "12:15" in refused.text
    assert int(refused.headers["Retry-After"]) == 900
    clock.advance(minutes=15)
    assert sign_in(reader).status_code == 303


def test_every_spelling_of_a_card_is_the_same_person(reader: Phone, bayle: Agent, db: Session) -> None:
    for spelling in (ADA, f" {ADA} ", "2500 0001", "2500-0001"):
        assert sign_in(reader, spelling).status_code == 303
        bayle.follow()
        reader.get("/status")
        reader.press("/leave")
    assert len({access.subject for access in sessions(db)}) == 1


def test_a_pseudonym_is_all_that_is_kept(reader: Phone, db: Session) -> None:
    sign_in(reader)
    [access] = sessions(db)
    assert ADA not in repr(vars(access))
    assert len(access.subject) == 32


def test_the_terms_are_kept_with_version_language_and_digest(reader: Phone, db: Session) -> None:
    sign_in(reader)
    [access] = sessions(db)
    assert (access.terms_version, access.terms_language, len(access.terms_digest)) == ("2026-1", "en", 64)


def test_a_second_device_of_a_patron_is_hers_too(reader: Phone, bayle: Agent, db: Session) -> None:
    sign_in(reader)
    tablet = Phone(reader.app, reader.gateway, ADA_TABLET, "10.68.0.6")
    sign_in(tablet)
    bayle.follow()
    assert bayle.macs == {reader.mac, ADA_TABLET}
    page = tablet.get("/status")
    assert page.text.count('name="device"') >= 1


def test_signing_in_by_get_does_nothing(reader: Phone, db: Session) -> None:
    """An address is opened by previews and histories, and a PIN would stand in logs."""
    reader.land()
    visit = reader.form("/signin")["visit"]
    reader.get(f"/signin?visit={visit}&login={ADA}&secret={ADA_PIN}")
    assert sessions(db) == []


def test_patrons_sign_in_on_library_networks_only(phone: Phone, db: Session) -> None:
    phone.land()
    visit = phone.form("/pause")["visit"]
    phone.post("/signin", visit=visit, login=ADA, secret=ADA_PIN)
    assert sessions(db) == []

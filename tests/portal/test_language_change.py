"""Another language keeps what was typed and what was refused, and tries nothing again for it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.models import Attempt
from portal.services import Services
from sessions.models import Decision
from sites.models import Network, SigninMethod
from tests.clock import MovingClock
from tests.portal.conftest import ADA, Phone
from tests.portal.visitors import issue, use


def in_french(phone: Phone, form: str, **typed: str) -> TestResponse:
    """Press *Français* above the form of that name, with what is typed there now."""
    page = phone.page.text
    button = re.search(
        rf'<button form="{form}" formaction="([^"]*)" formnovalidate name="page"[^>]*>Français', page
    )
    body = re.search(rf'<form id="{form}".*?</form>', page, re.DOTALL)
    assert button and body
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', body[0])
    return phone.post(button[1], **{**dict(hidden), "page": form, **typed})


def title_of(page: TestResponse) -> str:
    found = re.search(r'role="alert".*?<h[12]>(?:<a[^>]*>)?(.*?)<', page.text, re.DOTALL)
    assert found, page.text
    return found[1]


def test_a_card_number_that_is_half_typed_is_kept_and_the_pin_is_not(reader: Phone, db: Session) -> None:
    reader.land()
    page = in_french(reader, "card", login="2500", secret="my-secret")
    assert 'lang="fr"' in page.text and 'value="2500"' in page.text
    assert "my-secret" not in page.text and 'role="alert"' not in page.text
    assert db.scalars(select(Attempt)).all() == []


def test_a_refused_card_stays_refused_and_is_not_tried_again(reader: Phone, db: Session) -> None:
    reader.land()
    refused = reader.press("/signin", login=ADA, secret="wrong-pin")
    incident = re.search(r"Incident (\w{3}-\w{3})", refused.text)
    count = db.scalars(select(Attempt.count)).all()
    page = in_french(reader, "card", login=ADA, secret="wrong-again")
    assert (page.status_code, title_of(page)) == (403, "Numéro de carte ou mot de passe inexact.")
    assert incident and f"Incident {incident[1]}\u00a0:" in page.text
    assert f'value="{ADA}"' in page.text and "wrong" not in re.sub(
        r'"[^"]*wrong[^"]*"|<style.*?</style>', "", page.text, flags=re.S
    )
    db.rollback()
    assert db.scalars(select(Attempt.count)).all() == count
    assert len(db.scalars(select(Decision)).all()) == 1
    assert page.headers["Cache-Control"] == "private, no-cache"


def test_an_empty_field_is_named_in_the_other_language_while_it_is_empty(reader: Phone) -> None:
    reader.land()
    reader.press("/signin", login="", secret="")
    page = in_french(reader, "card", login=ADA)
    assert "Saisissez votre mot de passe." in page.text
    assert "Saisissez votre numéro de carte." not in page.text


def test_a_mistyped_pass_is_kept_with_what_is_wrong(reader: Phone) -> None:
    use(reader, "7K2-O9Q-XAH")
    page = in_french(reader, "pass", code="7K2-O9Q-XAH")
    assert (page.status_code, 'value="7K2-O9Q-XAH"' in page.text) == (422, True)
    assert title_of(page) == "Les codes n’ont ni 0, ni O, ni 1, ni I, ni L."


def test_a_pass_that_is_in_use_can_still_be_moved(reader: Phone, services: Services) -> None:
    code = issue(services).codes[0]
    use(reader, code)
    other = Phone(reader.app, reader.gateway, "02:00:00:00:00:09", "10.68.0.9")
    use(other, code)
    page = in_french(other, "move")
    assert (page.status_code, title_of(page)) == (409, "Ce pass est utilisé sur un autre appareil.")
    assert other.press("/pass").status_code == 303


def test_a_page_with_several_ways_in_keeps_them_all(phone: Phone, services: Services) -> None:
    with services.make_session.begin() as db:
        network = db.get_one(Network, phone.gateway.network_id)
        network.signin_methods = [SigninMethod.PASS, SigninMethod.FREE]
    button = re.search(
        r'<button form="pass" formaction="([^"]*)" formnovalidate name="page" value="(\w+)"',
        phone.land().text,
    )
    assert button
    form = phone.form("/pass")
    page = phone.post(button[1], **{**form, "page": button[2], "code": "7K2"})
    assert 'lang="fr"' in page.text and 'value="7K2"' in page.text
    assert phone.form("/pause")["ticket"]


def test_a_page_of_its_own_for_a_refusal_keeps_it(phone: Phone, clock: MovingClock) -> None:
    phone.land()
    form = phone.form("/pause")
    refused = phone.post("/pause", visit=form["visit"], ticket="forged")
    button = re.search(r'<button form="again" formaction="(/language\?lang=fr)"', refused.text)
    carried = phone.form("/language") if button else {}
    assert refused.status_code == 403 and button and carried["refused"]
    page = phone.post(button[1], refused=carried["refused"])
    assert (page.status_code, title_of(page)) == (403, "Cette page n’est pas pour cet appareil.")


@pytest.mark.parametrize("refused", ["", "x.y.z"])
def test_a_refusal_that_is_not_ours_is_none(phone: Phone, refused: str) -> None:
    assert phone.post("/language?lang=fr", refused=refused).status_code == 303


def test_nothing_typed_stands_in_an_address(reader: Phone) -> None:
    reader.land()
    page = reader.press("/signin", login=ADA, secret="wrong-pin").text
    addresses = re.findall(r'(?:href|action|formaction)="([^"]*)"', page)
    assert addresses and not [one for one in addresses if ADA in one or "wrong-pin" in one]

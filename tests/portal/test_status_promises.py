"""Where a page promises a time, it says what ends a stay before."""

from __future__ import annotations

import pytest

from portal.services import Services
from sites.models import Network
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.town import Town

RULE = "A device that is silent for 30 minutes goes offline before that."


def test_the_idle_rule_is_told_by_the_button_the_session_page_and_the_rules(
    reader: Phone, bayle: Agent
) -> None:
    assert RULE in reader.land().text
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    assert RULE in reader.get("/status").text
    assert RULE in reader.get("/pass").text
    assert RULE in reader.get("/terms/bibliotheques").text


@pytest.mark.parametrize("idle_seconds", [0, 1800])
def test_where_it_ends_no_stay_it_is_not_told(
    phone: Phone, town: Town, services: Services, idle_seconds: int
) -> None:
    """On a network of half an hour the end comes first; and where the rule is off there is none."""
    with services.make_session.begin() as db:
        db.get_one(Network, town.free.id).idle_seconds = idle_seconds
    services.places.forget()
    assert "silent" not in phone.land().text


def test_an_open_page_asks_again_for_the_warning_and_for_the_end(
    reader: Phone, bayle: Agent, clock: MovingClock
) -> None:
    """With no script: whoever looks at it reads that the session ended, soon after it did."""
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    bayle.follow()
    first = reader.get("/status")
    assert "Your time online ends" not in first.text
    assert first.headers["Cache-Control"] == "no-store"
    clock.advance(seconds=int(first.headers["Refresh"]))
    warned = reader.get("/status")
    assert "Your time online ends at" in warned.text
    assert 290 <= int(warned.headers["Refresh"]) <= 302
    clock.advance(seconds=int(warned.headers["Refresh"]))
    over = reader.get("/status")
    assert "You are not online" in over.text
    assert "Refresh" not in over.headers


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("de-DE,de;q=0.9", "en"), ("ar", "en"), ("de,fr;q=0.5", "fr"), ("fr-CH", "fr"), ("", "fr")],
)
def test_a_browser_that_lists_no_french_reads_english(phone: Phone, asked: str, spoken: str) -> None:
    phone.headers["Accept-Language"] = asked
    assert f'<html lang="{spoken}">' in phone.get("/privacy").text

"""The interstitial on the free network: terms and message first, then the grant, renewed with one honest tap."""

from __future__ import annotations

import base64
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ads.choice import ImpressionContext
from ads.demo import load_announcements
from ads.models import Campaign, CampaignState, Impression
from portal.services import Services
from sessions.models import AccessSession, Decision, Lease
from sites.models import Network, SigninMethod
from tests.clock import NOON, MovingClock
from tests.portal.conftest import Agent, Phone
from tests.town import ADA_TABLET, BO_PHONE, Town


@pytest.fixture(autouse=True)
def announcements(services: Services, town: Town) -> None:
    with services.make_session.begin() as db:
        load_announcements(db, now=NOON)


def counts(db: Session) -> tuple[int, int]:
    """Leases, and acceptances in the ledger."""
    db.rollback()
    return db.scalar(select(func.count(Lease.id))) or 0, db.scalar(select(func.count(Impression.id))) or 0


def until(db: Session):
    db.rollback()
    return db.scalars(select(AccessSession.until).order_by(AccessSession.id.desc())).first()


def get_on(phone: Phone, clock: MovingClock, agent: Agent | None = None) -> None:
    phone.land()
    clock.advance(seconds=6)
    assert phone.press("/pause").status_code == 303
    if agent is not None:
        agent.follow()


def test_terms_message_and_end_time_come_before_the_grant(phone: Phone, db: Session) -> None:
    page = phone.land()
    assert "12:30" in page.text
    assert "Message from the town" in page.text
    assert "/terms/wifilib" in page.text
    assert counts(db) == (0, 0)


def test_one_tap_after_the_viewing_time_is_one_lease(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    get_on(phone, clock, station)
    assert counts(db) == (1, 1)
    assert station.macs == {phone.mac}
    row = db.scalars(select(Impression)).one()
    assert row.confirmed_at is not None
    assert row.creative_id is not None


def test_the_seconds_say_what_they_are_for(phone: Phone) -> None:
    assert "5 seconds to read a message, then 30 minutes of Internet." in phone.land().text


def test_pressed_too_early_it_says_how_long_and_goes_on_by_itself(
    phone: Phone, clock: MovingClock, db: Session
) -> None:
    phone.land()
    clock.advance(seconds=2)
    early = phone.press("/pause")
    waiting = phone.get(early.location)
    assert (waiting.status_code, waiting.headers["Refresh"]) == (200, "3")
    assert "3 more seconds" in waiting.text
    assert counts(db) == (0, 0)
    assert db.scalars(select(Decision)).all() == []
    clock.advance(seconds=3)
    assert phone.get(early.location, follow=False).location.startswith("/opening")
    assert counts(db) == (1, 1)


def test_an_early_press_counts_once(phone: Phone, clock: MovingClock, db: Session) -> None:
    phone.land()
    form = phone.form("/pause")
    early = phone.post("/pause", **form).location
    clock.advance(seconds=6)
    for _ in range(2):
        phone.get(early, follow=False)
    phone.post("/pause", **form)
    assert counts(db) == (1, 1)


def test_an_early_press_earns_nothing_where_the_free_way_was_closed_meanwhile(
    phone: Phone, clock: MovingClock, db: Session, services: Services
) -> None:
    phone.land()
    early = phone.press("/pause").location
    with services.make_session.begin() as writing:
        writing.get_one(Network, phone.gateway.network_id).signin_methods = [SigninMethod.PATRON]
    services.places.forget()
    clock.advance(minutes=1)
    assert phone.get(early, follow=False).location.startswith("/?")
    assert counts(db) == (0, 0)


def test_an_early_press_keeps_the_terms_as_they_were_shown(
    phone: Phone, clock: MovingClock, db: Session
) -> None:
    phone.land()
    early = phone.press("/pause").location
    clock.advance(seconds=6)
    phone.get(early, follow=False, **{"Accept-Language": "fr"})
    assert db.scalars(select(AccessSession.terms_language)).one() == "en"


def test_another_clients_early_press_earns_nothing(
    phone: Phone, clock: MovingClock, db: Session, town: Town
) -> None:
    phone.land()
    form, early = phone.form("/pause"), phone.press("/pause").location
    other = Phone(phone.app, town.station, BO_PHONE, "10.66.0.7")
    other.land()
    mine, ticket = other.form("/pause"), form["ticket"]
    assert other.post("/pause", **{**mine, "ticket": ticket}).status_code == 403
    clock.advance(seconds=6)
    assert other.get(early, follow=False).status_code == 403
    press = parse_qs(urlsplit(early).query)["press"][0]
    theirs = urlencode({"visit": mine["visit"], "press": press})
    assert other.get(f"/pause/pressed?{theirs}", follow=False).status_code == 403
    assert other.get(f"/pause/pressed?visit={mine['visit']}&press=x", follow=False).status_code == 403
    assert counts(db) == (0, 0)


def test_a_replayed_ticket_earns_nothing(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    """The token's nonce is spent once, in the database."""
    phone.land()
    form = phone.form("/pause")
    clock.advance(seconds=6)
    phone.post("/pause", **form)
    station.follow()
    clock.advance(minutes=26)
    phone.land()
    assert phone.post("/pause", **{**form, "visit": phone.form("/leave")["visit"]}).location.startswith(
        "/status"
    )
    assert counts(db) == (1, 1)


def test_another_clients_ticket_earns_nothing(
    phone: Phone, clock: MovingClock, db: Session, town: Town
) -> None:
    phone.land()
    ticket = phone.form("/pause")["ticket"]
    other = Phone(phone.app, town.station, BO_PHONE, "10.66.0.7")
    other.land()
    clock.advance(seconds=6)
    assert other.press("/pause", ticket=ticket).status_code == 403
    assert counts(db) == (0, 0)


def test_another_gateways_ticket_earns_nothing(
    phone: Phone, clock: MovingClock, db: Session, town: Town
) -> None:
    phone.land()
    ticket = phone.form("/pause")["ticket"]
    there = Phone(phone.app, town.battant, phone.mac, "10.67.0.5")
    there.land()
    clock.advance(seconds=6)
    assert there.press("/pause", ticket=ticket).status_code == 403
    assert counts(db) == (0, 0)


def test_a_changed_or_expired_ticket_earns_nothing(phone: Phone, clock: MovingClock, db: Session) -> None:
    phone.land()
    form = phone.form("/pause")
    head, body, signature = form["ticket"].split(".")
    raw = base64.urlsafe_b64decode(body + "==").replace(b'"creative":', b'"creativf":')
    forged = f"{head}.{base64.urlsafe_b64encode(raw).decode().rstrip('=')}.{signature}"
    clock.advance(seconds=6)
    assert phone.post("/pause", visit=form["visit"], ticket=forged).status_code == 403
    assert phone.post("/pause", visit=form["visit"], ticket="").status_code == 403
    clock.advance(minutes=31)
    phone.land()
    assert phone.press("/pause", ticket=form["ticket"]).status_code == 410
    assert counts(db) == (0, 0)


def test_renewal_opens_in_the_last_five_minutes_and_loses_none(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    get_on(phone, clock, station)
    end = until(db)
    clock.now = end - timedelta(minutes=5, seconds=1)
    page = phone.get("/status")
    assert 'action="/pause' not in page.text
    assert phone.get("/pause", follow=False).status_code == 303
    clock.now = end - timedelta(minutes=5)
    page = phone.get("/status")
    assert "Stay online until 13:00" in page.text
    clock.advance(seconds=6)
    assert phone.press("/pause").status_code == 303
    assert until(db) == end + timedelta(minutes=30)
    assert counts(db) == (2, 2)


def test_after_the_deadline_a_new_lease_counts_from_now(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    get_on(phone, clock, station)
    clock.advance(minutes=40)
    get_on(phone, clock, station)
    assert until(db) == clock.now + timedelta(minutes=30)


def test_without_a_press_nothing_is_extended(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    get_on(phone, clock, station)
    end = until(db)
    clock.now = end - timedelta(minutes=3)
    phone.get("/pause")
    phone.get("/status")
    assert until(db) == end
    clock.now = end
    assert "/leave" not in phone.get("/status").text


def test_fifty_taps_at_once_are_one_extension(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    """Through the whole portal."""
    get_on(phone, clock, station)
    end = until(db)
    clock.now = end - timedelta(minutes=4)
    forms = []
    for _ in range(10):
        phone.get("/pause")
        forms.append(phone.form("/pause"))
    clock.advance(seconds=6)
    taps = [Phone(phone.app, phone.gateway, keeps_cookies=False) for _ in range(50)]
    with ThreadPoolExecutor(16) as pool:
        answers = list(
            pool.map(lambda pair: pair[1].post("/pause", **forms[pair[0] % 10]).status_code, enumerate(taps))
        )
    assert set(answers) <= {303, 503}
    assert until(db) == end + timedelta(minutes=30)
    assert counts(db) == (2, 2)


def test_a_site_without_messages_holds_nobody_up(
    phone: Phone, db: Session, services: Services, town: Town
) -> None:
    with services.make_session.begin() as change:
        change.merge(town.station.site).ads_allowed = False
    services.places.forget()
    page = phone.land()
    assert "Message from the town" not in page.text.split("<footer")[0]
    assert phone.press("/pause").status_code == 303
    assert db.scalars(select(Impression.creative_id)).all() == [None]


def test_with_none_eligible_nobody_is_held_up(phone: Phone, db: Session, services: Services) -> None:
    from ads.models import Campaign, CampaignState

    with services.make_session.begin() as change:
        change.scalars(select(Campaign)).one().state = CampaignState.STOPPED
    phone.land()
    assert phone.press("/pause").status_code == 303
    assert counts(db) == (1, 1)


def test_accepting_by_get_does_nothing(phone: Phone, clock: MovingClock, db: Session) -> None:
    phone.land()
    form = phone.form("/pause")
    clock.advance(seconds=6)
    phone.get(f"/pause?visit={form['visit']}&ticket={form['ticket']}")
    assert counts(db) == (0, 0)


def test_it_works_without_cookies(phone: Phone, clock: MovingClock, db: Session, station: Agent) -> None:
    phone = Phone(phone.app, phone.gateway, keeps_cookies=False)
    get_on(phone, clock, station)
    assert "12:30" in phone.get("/status").text


def test_the_rest_of_the_time_follows_the_browser_to_a_new_address(
    phone: Phone, clock: MovingClock, db: Session, station: Agent
) -> None:
    """A phone that took a new MAC goes on with one tap; rows linked, the old address out."""
    get_on(phone, clock, station)
    end = until(db)
    phone.mac, phone.address = ADA_TABLET, "10.66.0.9"
    clock.advance(minutes=3)
    page = phone.land().text
    # One main button: the other ways are folded below it.
    assert page.count('class="go"', 0, page.index("<details>")) == 1
    assert phone.press("/resume").status_code == 303
    station.follow()
    assert station.macs == {ADA_TABLET}
    assert until(db) == end
    assert counts(db) == (2, 1)


def test_leaving_closes_the_gateway(phone: Phone, clock: MovingClock, db: Session, station: Agent) -> None:
    get_on(phone, clock, station)
    phone.get("/status")
    phone.press("/leave")
    station.follow()
    assert station.macs == set()
    assert db.scalars(select(AccessSession.end_reason)).one() == "left"


def test_a_campaign_that_stops_while_it_is_chosen_breaks_no_page(phone: Phone, services: Services) -> None:
    stage = services.stage

    class Slow(random.Random):
        """Takes so long to choose that another request reads the campaigns meanwhile."""

        def randrange(self, *args: Any, **kwargs: Any) -> int:
            with services.make_session.begin() as db:
                db.execute(update(Campaign).values(state=CampaignState.STOPPED, revision=2))
            stage._read_at = float("-inf")
            assert stage.by_id(1, now=NOON) is None
            return super().randrange(*args, **kwargs)

    moment = ImpressionContext("wifilib", "gare-viotte", "en", NOON)
    assert stage.choose(moment, Slow()).creative is not None

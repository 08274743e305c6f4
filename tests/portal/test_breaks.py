"""A break goes on where it was: in a window opened anew, with the next message, after a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from ads import explanation
from ads.breaks import Break
from ads.ledger.models import ServedImpression
from ads.models import Campaign, CampaignState, Creative, Impression, OpenBreak
from portal.http.clients import MOST_HIDDEN
from portal.services import Services
from sites.models import Site
from tests.clock import MovingClock
from tests.portal.conftest import Agent, Phone
from tests.portal.test_pause import announcements, counts, get_on
from tests.town import BO_PHONE, Town

__all__ = ["announcements"]
FIVE, THREE = "5 seconds to read a message", "3 seconds to read a message"


def ticket(phone: Phone) -> dict[str, Any]:
    """What the ticket of the present page says, once its seconds are over."""
    services: Services = phone.app.extensions["arobase"]
    soon = services.clock() + timedelta(seconds=10)
    return services.tokens.verify("ticket", phone.form("/pause")["ticket"], now=soon)


def objected(phone: Phone, action: str) -> str:
    """The page that follows one tap below the message."""
    return phone.post(action, follow=True, **phone.form("/pause")).text


def again(phone: Phone) -> Phone:
    """The same device with a window that has kept nothing."""
    other = Phone(phone.app, phone.gateway, phone.mac, phone.address, keeps_cookies=False)
    other.land()
    return other


@pytest.mark.parametrize("is_written", [False, True])
def test_a_window_that_was_closed_goes_on_with_the_seconds_already_seen(
    phone: Phone, clock: MovingClock, services: Services, db: Session, is_written: bool
) -> None:
    if not is_written:
        # It was never written before.
        services.breaks._written_at = float("inf")
    assert FIVE in phone.land().text
    first = ticket(phone)
    with services.make_session() as looking:
        assert len(looking.scalars(select(OpenBreak)).all()) == int(is_written)
    clock.advance(seconds=2)
    window = again(phone)
    assert THREE in window.page.text
    same = ticket(window)
    assert (same["jti"], same["creative"], same["shown"]) == (first["jti"], first["creative"], first["shown"])
    clock.advance(seconds=3)
    assert window.press("/pause").location.startswith("/opening")
    assert counts(db) == (1, 1)
    services.served.write()
    db.rollback()
    assert len(db.scalars(select(ServedImpression)).all()) == 1


def test_a_site_has_lengths_of_its_own(
    phone: Phone, town: Town, clock: MovingClock, services: Services, station: Agent
) -> None:
    """Ten minutes for seven seconds; a message that wants more gets what the place allows at most."""
    with services.make_session.begin() as db:
        site = db.get_one(Site, town.station.site_id)
        site.lease_seconds, site.viewing_seconds, site.longest_wait_seconds = 600, 7, 9
    services.places.forget()
    page = phone.land().text
    assert "7 seconds to read a message, then 10 minutes of Internet." in page
    assert "Get online until 12:10" in page
    battant = Phone(phone.app, town.battant, BO_PHONE, "10.67.0.7")
    assert "5 seconds to read a message, then 30 minutes of Internet." in battant.land().text
    clock.advance(seconds=6)
    form = phone.form("/pause")
    assert phone.post("/pause", **form).location.startswith("/pause/pressed")
    clock.advance(seconds=1)
    assert phone.post("/pause", **form).location.startswith("/opening")
    station.follow()
    until = clock.now + timedelta(minutes=10)
    assert f"until {until.astimezone(ZoneInfo('Europe/Paris')):%H:%M}" in phone.get("/status").text
    clock.advance(minutes=6)
    # It is renewed by as much.
    assert "Stay online until 12:20" in phone.get("/status").text


@pytest.mark.parametrize(("wanted", "waits"), [(None, 5), (4, 5), (12, 12), (40, 15)])
def test_a_message_is_read_for_as_long_as_it_wants_within_what_the_place_allows(
    phone: Phone, services: Services, wanted: int | None, waits: int
) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Creative).values(viewing_seconds=wanted))
    services.stage.forget()
    assert f"{waits} seconds to read a message" in phone.land().text


def test_another_device_begins_its_own(phone: Phone, clock: MovingClock, town: Town) -> None:
    phone.land()
    clock.advance(seconds=2)
    other = Phone(phone.app, town.station, BO_PHONE, "10.66.0.7")
    assert FIVE in other.land().text


def test_what_was_accepted_or_is_long_ago_is_not_gone_on_with(
    phone: Phone, clock: MovingClock, station: Agent, services: Services
) -> None:
    get_on(phone, clock, station)
    first = written_break(services)
    phone.get("/status")
    phone.press("/leave")
    station.follow()
    # Written down late, by a process that did not know of the acceptance.
    services.breaks.begin(first)
    assert FIVE in again(phone).page.text
    clock.advance(minutes=30)
    assert FIVE in again(phone).page.text


def written_break(services: Services) -> Break:
    services.breaks.write()
    with services.make_session() as db:
        row = db.scalars(select(OpenBreak)).one()
        return Break(**{name: getattr(row, name) for name in Break.__dataclass_fields__})


def test_the_break_of_another_process_does_not_show_again_what_was_accepted(
    phone: Phone, clock: MovingClock, services: Services, station: Agent
) -> None:
    """Two processes had the same page asked for at once: each began a break, and one of them is written late."""
    get_on(phone, clock, station)
    first = written_break(services)
    phone.get("/status")
    phone.press("/leave")
    station.follow()
    services.breaks.begin(replace(first, nonce="of-the-other-process"))
    phone.land()
    second = ticket(phone)
    assert second["jti"] != "of-the-other-process"
    assert second["creative"] != first.creative_id


def test_what_was_seen_before_one_could_renew_counts_for_no_renewal(
    phone: Phone, clock: MovingClock, station: Agent, db: Session, services: Services
) -> None:
    """A session that something else had opened meanwhile: its renewal has seconds of its own."""
    get_on(phone, clock, station)
    clock.advance(minutes=20)
    old = written_break(services)
    services.breaks.begin(replace(old, nonce="another", began_at=clock.now, shown_at=clock.now))
    clock.advance(minutes=6)
    assert FIVE in phone.get("/status").text
    clock.advance(seconds=6)
    assert phone.press("/pause").location.startswith("/opening")
    assert counts(db) == (2, 2)


@pytest.mark.parametrize("keeps_cookies", [True, False])
def test_a_hidden_message_is_followed_by_the_next_and_no_second_is_lost(
    phone: Phone, clock: MovingClock, db: Session, services: Services, keeps_cookies: bool
) -> None:
    guest = Phone(phone.app, phone.gateway, keeps_cookies=keeps_cookies)
    guest.land()
    first = ticket(guest)
    clock.advance(seconds=2)
    page = objected(guest, "/pause/hide")
    assert "You will not be shown that message again." in page
    assert THREE in page
    second = ticket(guest)
    assert second["creative"] != first["creative"] and second["jti"] != first["jti"]
    # Another window of a browser that keeps nothing goes on with the message that came instead.
    assert ticket(again(guest))["creative"] == second["creative"]
    clock.advance(seconds=3)
    assert guest.press("/pause").location.startswith("/opening")
    row = db.scalars(select(Impression)).one()
    assert (row.creative_id, row.nonce) == (second["creative"], second["jti"])
    assert explanation.explain(db, row.nonce).agrees


def test_nothing_hidden_comes_back_and_where_all_is_hidden_nobody_waits(
    phone: Phone, clock: MovingClock, services: Services, db: Session
) -> None:
    number = len(db.scalars(select(Creative)).all())
    assert 2 < number <= MOST_HIDDEN
    seen = []
    phone.land()
    for _ in range(number):
        seen.append(ticket(phone)["creative"])
        objected(phone, "/pause/hide")
    assert len(set(seen)) == number
    assert ticket(phone)["creative"] is None
    assert "Message from the town" not in phone.page.text.split("<footer")[0]
    clock.advance(minutes=40)
    phone.land()
    assert ticket(phone)["creative"] is None
    assert phone.press("/pause").location.startswith("/opening")


def test_no_more_is_kept_than_a_token_holds(phone: Phone, services: Services, db: Session) -> None:
    with services.make_session.begin() as writing:
        campaign = writing.scalars(select(Campaign)).one()
        texts = campaign.creatives[0].texts
        campaign.creatives += [Creative(slug=f"more-{one}", texts=texts) for one in range(2 * MOST_HIDDEN)]
        campaign.revision += 1
    services.stage.forget()
    phone.land()
    tokens = []
    for _ in range(2 * MOST_HIDDEN):
        objected(phone, "/pause/hide")
        tokens.append(
            services.tokens.verify("visit", phone.form("/pause")["visit"], now=services.clock())["hidden"]
        )
    assert [len(one) for one in tokens[MOST_HIDDEN - 1 :]] == [MOST_HIDDEN] * (MOST_HIDDEN + 1)
    assert len({number for one in tokens for number in one}) > MOST_HIDDEN


def test_a_report_counts_once_for_each_time_that_it_is_shown(
    phone: Phone, clock: MovingClock, services: Services, db: Session
) -> None:
    phone.land()
    first = ticket(phone)
    clock.advance(seconds=2)
    for _ in range(2):
        page = objected(phone, "/pause/report")
        assert "Thank you: the message is reported." in page and THREE in page
        assert ticket(phone)["jti"] == first["jti"]
    objected(again(phone), "/pause/report")
    services.served.write()
    assert [one.reported for one in db.scalars(select(ServedImpression))] == [True]
    clock.advance(seconds=3)
    assert phone.press("/pause").location.startswith("/opening")


def test_another_clients_ticket_hides_and_reports_nothing(phone: Phone, town: Town) -> None:
    phone.land()
    theirs = phone.form("/pause")["ticket"]
    other = Phone(phone.app, town.station, BO_PHONE, "10.66.0.7")
    other.land()
    fields = {**other.form("/pause"), "ticket": theirs}
    for path in ("/pause/hide", "/pause/report"):
        assert other.post(path, **fields).status_code == 403


def test_a_message_that_is_paused_meanwhile_gives_way(
    phone: Phone, clock: MovingClock, services: Services
) -> None:
    phone.land()
    with services.make_session.begin() as db:
        db.execute(update(Campaign).values(state=CampaignState.PAUSED, revision=2))
    services.stage.forget()
    clock.advance(seconds=2)
    assert ticket(again(phone))["creative"] is None


def test_a_database_that_cannot_be_written_shows_the_message_all_the_same(
    phone: Phone, services: Services
) -> None:
    with services.make_session.begin() as db:
        # Whoever writes holds everybody else up.
        db.execute(update(Site).values(note="x"))
        assert FIVE in phone.land().text

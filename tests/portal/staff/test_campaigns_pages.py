"""The pages of campaigns: what the town's communication office does there, by two persons."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from ads import campaigns
from ads.demo import load_announcements
from ads.models import Campaign, Category, CivicOverride, Creative, CreativeDay, Election
from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from config import Serves
from portal.app import create_app
from portal.services import Services
from tests.ads.campaigns import AUTHOR, make_draft, run_campaign
from tests.clock import NOON
from tests.portal.conftest import Phone
from tests.portal.effects import changed_since, state
from tests.portal.staff.conftest import Clerk, Desk
from tests.town import Town


@pytest.fixture
def ada(desk: Desk) -> Clerk:
    """Ada writes campaigns for the whole town, and has just signed in."""
    return desk.at_work("ada.m", Role.ADS)


@pytest.fixture
def bo(desk: Desk) -> Clerk:
    """Bo approves them."""
    return desk.at_work("bo.l", Role.ADS)


def act(clerk: Clerk, slug: str, deed: str) -> str:
    """Press the button of this act on the campaign's page; the page it leads to."""
    clerk.get(f"/staff/campaigns/{slug}")
    clerk.press(f"/staff/campaigns/{slug}/{deed}")
    return clerk.led().text


def test_a_campaign_runs_when_somebody_else_has_approved_it_and_stops_at_one_press(
    services: Services, ada: Clerk, bo: Clerk, phone: Phone
) -> None:
    with services.make_session.begin() as db:
        make_draft(db)
    assert "somebody else looks at it" in act(ada, "bread", "propose")
    assert "/staff/campaigns/bread/approve" not in ada.page.text
    assert "running" in act(bo, "bread", "approve")
    services.stage.forget()
    assert "Fresh bread." in phone.land().text
    assert "stopped" in act(bo, "bread", "stop")
    services.stage.forget()
    assert "Fresh bread." not in phone.land().text
    with services.make_session() as db:
        deeds = db.execute(
            select(AuditEntry.actor, AuditEntry.action)
            .where(AuditEntry.object == "campaign:bread")
            .order_by(AuditEntry.number)
        ).all()
    assert [tuple(deed) for deed in deeds[1:]] == [
        ("ada.m", "campaign proposed"),
        ("bo.l", "campaign approved"),
        ("bo.l", "campaign stopped"),
    ]


def test_whoever_proposed_it_is_told_to_ask_a_colleague(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        make_draft(db)
    act(ada, "bread", "propose")
    form = ada.form("/staff/campaigns/bread/stop")
    answer = ada.post("/staff/campaigns/bread/approve", **form)
    assert answer.status_code == 403 and "Ask a colleague" in answer.text


def test_a_copy_is_a_draft_under_a_free_name(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        run_campaign(db, goal=10)
    act(ada, "bread", "pause")
    assert "draft" in act(ada, "bread", "duplicate")
    with services.make_session() as db:
        copy = db.scalars(select(Campaign).where(Campaign.slug == "bread-2")).one()
        assert (copy.name, copy.goal, copy.authored_by) == ("Bread", 10, "ada.m")


def test_the_list_is_searched_by_words_and_state(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        make_draft(db)
        load_announcements(db, now=NOON)
    everything = ada.get("/staff/campaigns").text
    assert "Bread" in everything and "annonces-de-la-ville" in everything
    assert "annonces-de-la-ville" not in ada.get("/staff/campaigns?words=bakery+BREAD").text
    running = ada.get("/staff/campaigns?state=running").text
    assert "annonces-de-la-ville" in running and "Bakery Ada" not in running
    assert "No campaign matches" in ada.get("/staff/campaigns?words=nothing").text


def test_who_works_for_one_network_sees_what_is_for_it_alone(
    app: Flask, services: Services, desk: Desk
) -> None:
    with services.make_session.begin() as db:
        make_draft(db, "mine", networks=["wifilib"])
        make_draft(db, "both", networks=["wifilib", "bibliotheques"])
        make_draft(db, "everywhere")
    clerk = desk.at_work("eve", Role.ADS, networks=("wifilib",))
    listed = clerk.get("/staff/campaigns").text
    assert "/staff/campaigns/mine" in listed
    for slug in ("both", "everywhere", "none"):
        assert f"/staff/campaigns/{slug}" not in listed
        assert clerk.get(f"/staff/campaigns/{slug}").status_code == 404


BREAD = {
    "payer": "Boulangerie Ada",
    "identity": "Ada SARL, SIREN 123 456 789",
    "name": "Pain de Noël",
    "category": "commerce",
    "starts": "2026-12-01",
    "ends": "24/12/2026",
    "hours": "Mo-Sa 07:00-11:00",
    "site_kinds": ["station"],
    "languages": "fr",
    "weight": "1",
    "goal": "4 000",
    "price": "8,5",
    "message": ["new.1", "new.2"],
    "title-new.1-fr": "Le pain",
    "text-new.1-fr": "Dès sept heures.",
    "more-new.1": "ada.example/noel",
}


def send(clerk: Clerk, path: str, page: str, **fields: Any) -> TestResponse:
    """Fill the form of a page in, and send it."""
    clerk.get(page)
    return clerk.post(path, **{**clerk.form(path), **fields})


def read_campaign(services: Services, slug: str) -> Campaign:
    with services.make_session() as db:
        return campaigns.by_slug(db, slug)


def test_a_campaign_is_made_on_one_page(services: Services, ada: Clerk) -> None:
    send(ada, "/staff/new-campaign", "/staff/new-campaign", **BREAD)
    page = ada.follow().text
    assert all(
        words in page for words in ("Pain de Noël", "Le pain", "draft", "1 December 2026 to 24 December")
    )
    with services.make_session() as db:
        found = campaigns.by_slug(db, "pain-de-noel")
        assert (found.advertiser.slug, found.goal, found.price_cents) == ("boulangerie-ada", 4000, 850)
        assert found.ends_at == datetime(2026, 12, 24, 23, tzinfo=UTC)
        assert [(one.slug, one.more) for one in found.creatives] == [("pain-de-noel-1", "ada.example/noel")]


def test_everything_wrong_is_said_at_once_beside_its_field_and_nothing_typed_is_lost(
    services: Services, ada: Clerk
) -> None:
    faults = {"category": "alcohol", "starts": "soon", "goal": "many", "hours": "at noon", "price": "free"}
    wrong = {**BREAD, **faults, "identity": "", "text-new.1-fr": "", "name": ""}
    answer = send(ada, "/staff/new-campaign", "/staff/new-campaign", **wrong)
    assert answer.status_code == 400
    assert "Code de la santé publique, art. L3323-2" in answer.text
    for field in ("category", "starts", "goal", "hours", "price", "name", "text-new.1-fr"):
        assert re.search(rf'id="{field}"[^>]*aria-invalid=true', answer.text), field
    assert all(f'value="{typed}"' in answer.text for typed in ("soon", "many", "at noon", "free", "Le pain"))
    with services.make_session() as db:
        assert db.scalars(select(Campaign)).all() == []


def test_what_the_law_wants_is_told_without_saving(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        election = Election(name="municipales", first_round=date(2027, 3, 14), last_round=date(2027, 3, 21))
        campaigns.note_election(db, election, actor=AUTHOR, now=NOON)
    wrong = {**BREAD, "category": "political", "identity": "", "ends": ""}
    page = send(ada, "/staff/new-campaign/check", "/staff/new-campaign", **wrong).text
    for law in ("LCEN, art. 20", "règlement (UE) 2024/900", "Code électoral, art. L52-1"):
        assert law in page, law
    page = send(ada, "/staff/new-campaign/check", "/staff/new-campaign", **BREAD).text
    assert "Nothing is wrong with it" in page
    with services.make_session() as db:
        assert db.scalars(select(Campaign)).all() == []


def test_one_more_message_is_asked_for_without_script(ada: Clerk) -> None:
    page = send(ada, "/staff/new-campaign/check", "/staff/new-campaign", **BREAD, more="1").text
    assert page.count('name="message"') == 3 and "Dès sept heures." in page


def test_a_draft_is_changed_and_keeps_what_its_messages_have_beside(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        found = make_draft(db, messages=2, languages=["fr"])
        found.creatives[0].texts = {"fr": {"title": "A", "text": "B", "alt": "Un pain"}}
    changes = {"message": "bread-1", "title-bread-1-fr": "Neuf", "text-bread-1-fr": "Frais."}
    fields = {"name": "Bread", "category": "culture", "advertiser": "bakery", **changes}
    send(ada, "/staff/campaigns/bread/edit", "/staff/campaigns/bread/edit", **fields)
    assert "Neuf" in ada.follow().text
    with services.make_session() as db:
        after = campaigns.by_slug(db, "bread")
        assert (after.category, after.languages, after.authored_by) == (Category.CULTURE, [], "ada.m")
        assert [one.texts for one in after.creatives] == [
            {"fr": {"title": "Neuf", "text": "Frais.", "alt": "Un pain"}}
        ]
        assert db.scalars(select(Creative.slug)).all() == ["bread-1"]


def test_the_page_of_a_draft_shows_what_it_says(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        make_draft(db, goal=4000, price_cents=850, ends_at=datetime(2026, 12, 24, 23, tzinfo=UTC))
    page = ada.get("/staff/campaigns/bread/edit").text
    for said in ('value="4000"', 'value="8.50"', 'value="2026-12-24"', 'value="Bonjour"', "Fresh bread."):
        assert said in page, said


def test_two_who_change_one_draft_do_not_undo_each_other(services: Services, ada: Clerk, bo: Clerk) -> None:
    with services.make_session.begin() as db:
        make_draft(db)
    path, fields = "/staff/campaigns/bread/edit", {**BREAD, "payer": "", "advertiser": "bakery"}
    for clerk in (ada, bo):
        clerk.get(path)
    first, second = ({**clerk.form(path), **fields} for clerk in (ada, bo))
    assert ada.post(path, **first).status_code == 303
    answer = bo.post(path, **{**second, "name": "Bo’s bread"})
    assert answer.status_code == 409 and "Somebody has changed" in answer.text and "Bo’s bread" in answer.text
    assert read_campaign(services, "bread").name == "Pain de Noël"


def test_what_was_proposed_is_changed_no_more(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        make_draft(db)
    path = "/staff/campaigns/bread/edit"
    ada.get(path)
    form = {**ada.form(path), **BREAD, "payer": "", "advertiser": "bakery"}
    act(ada, "bread", "propose")
    assert ada.post(path, **form).status_code == 409
    assert read_campaign(services, "bread").name == "Bread"


def test_who_works_for_one_network_makes_campaigns_for_it_alone(services: Services, desk: Desk) -> None:
    clerk = desk.at_work("eve", Role.ADS, networks=("wifilib",))
    for chosen in ([], ["bibliotheques"], ["wifilib", "bibliotheques"]):
        answer = send(clerk, "/staff/new-campaign", "/staff/new-campaign", **BREAD, networks=chosen)
        assert answer.status_code == 400 and "the networks that you work for" in answer.text
    send(clerk, "/staff/new-campaign", "/staff/new-campaign", **BREAD, networks=["wifilib"])
    assert "Pain de Noël" in clerk.follow().text


def phones_on(page: str) -> list[str]:
    """The pages in the frames."""
    return [html.unescape(one) for one in re.findall(r'srcdoc="([^"]*)"', page)]


@pytest.mark.parametrize("serves", [Serves.ALL, Serves.STAFF])
def test_a_message_is_previewed_by_the_guests_own_page_and_nothing_is_recorded(
    services: Services, town: Town, desk: Desk, serves: Serves
) -> None:
    with services.make_session.begin() as db:
        make_draft(db, site_kinds=["station"])
    settings = replace(services.settings, serves=serves)
    clerk = Desk(create_app(replace(services, settings=settings)), desk.clock).at_work("lou", Role.ADS)
    before = state(services)
    page = clerk.get("/staff/campaigns/bread/preview?spoken=en")
    light, dark, narrow = phones_on(page.text)
    assert all(words in light for words in ("Fresh bread.", "Advertisement", "Bakery Ada", "Gare Viotte"))
    assert "<script" not in light and light == narrow != dark and "color-scheme:dark" in dark
    assert "Du pain frais." in phones_on(clerk.get("/staff/campaigns/bread/preview?spoken=fr").text)[0]
    services.served.write()
    services.breaks.write()
    assert changed_since(before, services) == set()
    # The frames have their style by its digest; a script runs from a file of ours alone.
    policy = page.headers["Content-Security-Policy"]
    assert policy.count("'sha256-") == 3 and "; script-src 'self'; " in policy


def test_what_is_typed_is_seen_on_a_phone_before_it_is_saved(ada: Clerk) -> None:
    page = send(ada, "/staff/new-campaign/check", "/staff/new-campaign", **BREAD).text
    (phone,) = phones_on(page)
    assert "Dès sept heures." in phone and "Boulangerie Ada" in phone


def test_a_campaign_for_places_without_ads_has_no_preview(services: Services, ada: Clerk) -> None:
    with services.make_session.begin() as db:
        make_draft(db, site_kinds=["library"])
    page = ada.get("/staff/campaigns/bread/preview").text
    assert "No place that shows ads" in page and "<iframe" not in page


FLOOD = {
    "title-fr": "Crue",
    "text-fr": "Quittez les quais.",
    "title-en": "Flood",
    "text-en": "Leave the quays.",
}


def test_a_crisis_message_is_started_by_one_button_and_stopped_by_another(
    services: Services, ada: Clerk, phone: Phone
) -> None:
    send(ada, "/staff/crisis", "/staff/crisis", **FLOOD, where="some", sites="gare-viotte", hours="2")
    page = ada.follow().text
    assert "Leave the quays." in page and "Gare Viotte" in page
    services.stage.forget()
    assert "Leave the quays." in phone.land().text
    ada.press("/staff/crisis/1/stop")
    assert "stopped by ada.m" in ada.follow().text
    services.stage.forget()
    assert "Leave the quays." not in phone.land().text
    with services.make_session() as db:
        one = db.scalars(select(CivicOverride)).one()
        assert one.ends_at - one.starts_at == timedelta(hours=2)
        deeds = db.scalars(select(AuditEntry.action).where(AuditEntry.object == "override:1")).all()
    assert deeds == ["override started", "override stopped"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"hours": "200"}, "within seven days"),
        ({"hours": "soon"}, "a whole number"),
        ({"where": "some", "sites": []}, "missing"),
        ({"where": "some", "sites": "nowhere"}, "not known here"),
        ({"text-en": ""}, "missing"),
        ({"title-fr": "", "text-fr": ""}, "missing"),
    ],
)
def test_a_crisis_message_that_says_too_little_is_not_started(
    services: Services, ada: Clerk, changes: dict[str, Any], says: str
) -> None:
    wrong = {**FLOOD, "where": "everywhere", "hours": "6", **changes}
    answer = send(ada, "/staff/crisis", "/staff/crisis", **wrong)
    assert answer.status_code == 400 and says in answer.text and "Flood" in answer.text
    with services.make_session() as db:
        assert db.scalars(select(CivicOverride)).all() == []


def test_an_advertiser_is_written_down_and_changed(services: Services, ada: Clerk) -> None:
    page = "/staff/payers"
    answer = send(ada, page, page, name="Fleurs Bo")
    assert answer.status_code == 400 and "LCEN, art. 20" in answer.text and "Fleurs Bo" in answer.text
    send(ada, page, page, name="Fleurs Bo", identity="Bo SARL, SIREN 1")
    assert "Bo SARL, SIREN 1" in ada.follow().text
    send(ada, f"{page}/fleurs-bo", f"{page}/fleurs-bo", name="Fleurs de Bo", identity="Bo SA, SIREN 1")
    assert "Fleurs de Bo" in ada.follow().text
    with services.make_session() as db:
        deeds = db.scalars(select(AuditEntry.action).where(AuditEntry.object == "advertiser:fleurs-bo")).all()
    assert deeds == ["advertiser made", "advertiser changed"]


def test_an_election_is_written_down_once(services: Services, ada: Clerk) -> None:
    page = "/staff/elections"
    days = {"name": "municipales", "first_round": "14/03/2027", "last_round": "2027-03-21"}
    send(ada, page, page, **days)
    assert "1 September 2026 to 21 March 2027" in ada.follow().text
    assert "there already" in send(ada, page, page, **days).text
    assert "ends before it starts" in send(ada, page, page, **days | {"last_round": "2027-03-01"}).text
    assert "a day, such as" in send(ada, page, page, **days | {"first_round": "in March"}).text


def test_a_campaign_tells_what_may_be_expected_and_what_came_of_it(
    services: Services, town: Town, ada: Clerk
) -> None:
    with services.make_session.begin() as db:
        campaign = run_campaign(db, goal=100, hours="08:00-09:00", sites=["gare-viotte"])
        row = CreativeDay(
            day=NOON.date(), served=9, viewed=8, accepted=7, creative_id=campaign.creatives[0].id
        )
        row.network_id, row.site_id = town.free.id, town.station.site_id
        db.add(row)
    page = ada.get("/staff/campaigns/bread").text
    assert "About 1 breaks a day at its places and hours" in page
    assert "about 48 of its goal of 100 would be missing" in page
    assert "7 messages were accepted. That is 7\u00a0% of the goal of 100." in page
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="chart"' in page
    assert re.search(r"Nov</th><td[^>]*>9</td><td[^>]*>8</td><td[^>]*>7</td>", page)


def test_the_calendar_shows_a_place(services: Services, town: Town, ada: Clerk, desk: Desk) -> None:
    with services.make_session.begin() as db:
        run_campaign(db, hours="07:00-11:00", goal=5000, ends_at=NOON + timedelta(days=9))
    page = ada.get("/staff/calendar").text
    assert "07:00–11:00" in page and "00:00–07:00, 11:00–24:00" in page and "Not all goals fit in" in page
    assert "Gare Viotte ·" in ada.get("/staff/calendar?place=gare-viotte.wifilib").text
    # Whoever works for one network is not led to campaigns of all.
    eve = desk.at_work("eve", Role.ADS, networks=("wifilib",))
    assert "/staff/campaigns/bread" not in eve.get("/staff/calendar").text

"""The pages of campaigns: what the town's communication office does there, by two persons."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from ads.demo import load_announcements
from ads.models import Campaign
from auth.audit.log import AuditEntry
from auth.staff.roles import Role
from portal.services import Services
from tests.ads.campaigns import make_draft, run_campaign
from tests.clock import NOON
from tests.portal.conftest import Phone
from tests.portal.staff.conftest import Clerk, Desk


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

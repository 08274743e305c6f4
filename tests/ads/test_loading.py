"""Campaigns from a document: all of it, or nothing and all that is wrong with it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from ads import loading
from ads.demo import load_announcements
from ads.errors import ForbiddenCategory
from ads.loading import Loaded, UnreadableCampaigns
from ads.models import Campaign, CampaignState, Creative
from tests.ads.campaigns import AUTHOR, PARIS, TEXTS
from tests.clock import NOON
from tests.town import build_town

PAYER = {"slug": "bakery", "name": "Bakery", "identity": "Ada SARL, SIREN 123"}


def document(**changes: Any) -> dict[str, Any]:
    campaign = {
        "slug": "bread",
        "name": "Bread",
        "advertiser": "bakery",
        "category": "commerce",
        "starts": "2026-12-01",
        "ends": "2026-12-31",
        "hours": "Mo-Fr 07:00-10:00",
        "sites": ["battant"],
        "site_kinds": ["square"],
        "networks": ["wifilib"],
        "languages": ["fr"],
        "weight": 3,
        "goal": 1000,
        "daily_cap": 100,
        "total_cap": 1000,
        "price_cents": 850,
        "creatives": [{"slug": "bread-1", "texts": TEXTS, "more": "ada.example/bread"}],
        **changes,
    }
    return {"advertisers": [PAYER], "campaigns": [{k: v for k, v in campaign.items() if v is not None}]}


def load(db: Session, content: Any) -> Loaded:
    wanted = loading.read(content, loading.known_names(db), zone=PARIS)
    return loading.save(db, wanted, actor=AUTHOR, now=NOON)


def test_a_document_becomes_drafts_once(db: Session) -> None:
    build_town(db)
    assert load(db, document()) == Loaded(("bakery",), ("bread",), 1)
    one = db.scalars(select(Campaign)).one()
    assert one.state is CampaignState.DRAFT
    assert one.starts_at == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    # The last day belongs to it.
    assert one.ends_at == datetime(2026, 12, 31, 23, 0, tzinfo=UTC)
    assert (one.weight, one.goal, one.daily_cap, one.price_cents) == (3, 1000, 100, 850)
    assert load(db, document(name="Other")) == Loaded((), (), 0)
    db.expire_all()
    assert one.name == "Bread"


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"name": None}, "campaign bread: name: it is missing"),
        ({"slug": "Bread!"}, "campaign Bread!: slug: a name is small letters"),
        ({"colour": "red"}, "campaign bread: colour: there is no such field"),
        ({"category": "cake"}, "campaign bread: category: 'cake' is not a valid Category"),
        ({"sites": ["nowhere"]}, "campaign bread: sites: not known here: nowhere"),
        ({"networks": ["none"]}, "campaign bread: networks: not known here: none"),
        ({"site_kinds": ["moon"]}, "campaign bread: site_kinds: not known here: moon"),
        ({"weight": 0}, "campaign bread: weight: a whole number, 1 at least"),
        ({"goal": True}, "campaign bread: goal: a whole number, 1 at least"),
        ({"price_cents": -1}, "campaign bread: price_cents: a whole number, 0 at least"),
        ({"hours": "always"}, "campaign bread: hours: "),
        ({"starts": "2027-02-01"}, "campaign bread: ends: it ends before it starts"),
        ({"starts": "2026-12-01T08:00"}, "campaign bread: starts: an instant needs its zone"),
        ({"starts": "soon"}, "campaign bread: starts: "),
        ({"languages": ["french"]}, "campaign bread: languages: "),
        ({"advertiser": "stranger"}, "campaign bread: advertiser: not known here: stranger"),
        ({"creatives": [{"slug": "x"}]}, "campaign bread, creative x: texts: it is missing"),
        ({"creatives": [{"slug": "x", "texts": {"fr": {"title": "T"}}}]}, "creative x: texts: fr: a title"),
        ({"creatives": [{"slug": "x", "texts": TEXTS, "kind": "song"}]}, "creative x: kind: "),
        ({"creatives": [{"slug": "x", "texts": TEXTS, "viewing_seconds": 61}]}, "60 seconds at most"),
        *(
            ({"creatives": [{"slug": "x", "texts": TEXTS, "more": one}]}, "creative x: more: an address such")
            for one in ("https://ville.fr", "javascript:alert(1)", "ville", "ville.fr/a b", "//ville.fr")
        ),
    ],
)
def test_a_fault_is_named_and_nothing_is_saved(db: Session, changes: dict[str, Any], fault: str) -> None:
    build_town(db)
    with pytest.raises(UnreadableCampaigns) as caught:
        load(db, document(**changes))
    assert any(fault in one for one in caught.value.faults), caught.value.faults
    assert db.scalars(select(Campaign)).all() == []


@pytest.mark.parametrize("content", [[], "text", {"campaign": []}, None])
def test_another_document_is_refused(db: Session, content: Any) -> None:
    with pytest.raises(UnreadableCampaigns):
        load(db, content)


def test_all_faults_are_named_at_once(db: Session) -> None:
    build_town(db)
    with pytest.raises(UnreadableCampaigns) as caught:
        load(db, document(weight=0, goal=0, colour="red"))
    assert len(caught.value.faults) == 3


def test_alcohol_is_refused_with_the_law(db: Session) -> None:
    build_town(db)
    with pytest.raises(ForbiddenCategory, match="L3323-2"):
        load(db, document(category="alcohol"))


def test_the_demo_town_runs_its_announcements(db: Session) -> None:
    assert load_announcements(db, now=NOON) >= 4
    one = db.scalars(select(Campaign)).one()
    assert (one.state, one.authored_by, one.approved_by) == ("running", "system", "command line")
    assert load_announcements(db, now=NOON) == 0


def test_no_line_of_a_shipped_message_in_french_begins_with_a_sign(db: Session) -> None:
    build_town(db)
    load_announcements(db, now=NOON)
    texts = [text for one in db.scalars(select(Creative)) for text in one.texts["fr"].values()]
    assert texts and not [text for text in texts if re.search(" [:;!?»]|« ", text)]

"""``flask campaigns``: what two people of the town do with a campaign on the command line."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import delete, select, update

from ads.choice import ImpressionContext
from ads.demo import load_announcements
from ads.models import Campaign, ChoiceInputs, Impression
from auth.audit.log import AuditEntry
from portal.services import Services
from sessions.models import AccessSession
from sites.models import Site
from tests.clock import NOON, MovingClock
from tests.portal.conftest import Agent, Phone
from tests.town import Town

PAYER = {"slug": "bakery", "name": "Boulangerie Ada", "identity": "Ada SARL, SIREN 123"}
TEXTS = {"fr": {"title": "Du pain", "text": "Tous les jours."}, "en": {"title": "Bread", "text": "Each day."}}


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["campaigns", *words])


def done(app: Flask, *words: str) -> str:
    result = run(app, *words)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def file(tmp_path: Path, town: Town) -> Path:
    return write(tmp_path)


def write(folder: Path, **changes: Any) -> Path:
    campaign = {
        "slug": "bread",
        "name": "Bread",
        "advertiser": "bakery",
        "category": "commerce",
        "creatives": [{"slug": "bread-1", "texts": TEXTS}],
        **changes,
    }
    path = folder / "campaigns.json"
    path.write_text(json.dumps({"advertisers": [PAYER], "campaigns": [campaign]}), encoding="utf-8")
    return path


def test_from_a_file_to_a_phone_by_two_people(
    app: Flask, services: Services, file: Path, phone: Phone
) -> None:
    assert "bread" in done(app, "load", str(file), "--by", "ada")
    assert "bread\tdraft\tcommerce" in done(app, "list")
    assert "Bread" not in phone.land().text
    assert "bread\tproposed" in done(app, "propose", "bread", "--by", "ada")
    refused = run(app, "approve", "bread", "--by", "ada")
    assert refused.exit_code == 1 and "Somebody else approves" in refused.output
    assert "bread\trunning" in done(app, "approve", "bread", "--by", "bo")
    services.stage.forget()
    page = phone.get("/?lang=en").text
    assert all(words in page for words in ("Bread", "Advertisement", "Boulangerie Ada"))
    shown = done(app, "show", "bread")
    assert "written by\tada (command line)" in shown and "approved by\tbo (command line)" in shown
    with services.make_session() as db:
        of_bread = select(AuditEntry).where(AuditEntry.object == "campaign:bread")
        entries = db.scalars(of_bread.order_by(AuditEntry.number)).all()
        assert [one.actor for one in entries] == ["ada (command line)"] * 2 + ["bo (command line)"]


def test_what_is_stopped_is_shown_no_more_within_a_minute(app: Flask, services: Services, file: Path) -> None:
    for words in (
        ("load", str(file)),
        ("propose", "bread", "--by", "ada"),
        ("approve", "bread", "--by", "bo"),
    ):
        done(app, *words)
    here = ImpressionContext("wifilib", "gare-viotte", "en", NOON)
    services.stage.forget()
    assert services.stage.choose(here, services.rng).creative is not None
    assert "bread\tstopped" in done(app, "stop", "bread")
    # What a process remembers of the campaigns is read again after this.
    assert services.stage.fresh_seconds < 60
    services.stage.forget()
    assert services.stage.choose(here, services.rng).creative is None


def test_a_choice_is_explained_by_what_it_was_made_from(
    app: Flask, services: Services, file: Path, phone: Phone, clock: MovingClock
) -> None:
    for words in (
        ("load", str(file)),
        ("propose", "bread", "--by", "ada"),
        ("approve", "bread", "--by", "bo"),
    ):
        done(app, *words)
    services.stage.forget()
    with services.make_session.begin() as db:
        load_announcements(db, now=NOON)
    phone.land()
    clock.advance(seconds=30)
    assert phone.press("/pause").status_code == 303
    with services.make_session() as db:
        row = db.scalars(select(Impression)).one()
        shown = row.creative.slug
    said = done(app, "explain", row.nonce)
    assert f"candidate\t{shown}\t" in said and said.count("\tshown\n") == 1
    assert f"drawn\t{row.draw} of" in said and "The same choice comes of it again." in said
    # What has changed since changes nothing of it.
    done(app, "stop", "bread")
    done(app, "stop", "annonces-de-la-ville")
    assert done(app, "explain", row.nonce) == said
    assert "no such impression" in run(app, "explain", "none").output


def test_a_choice_whose_inputs_are_gone_is_not_explained(
    app: Flask, services: Services, file: Path, phone: Phone
) -> None:
    phone.land()
    assert phone.press("/pause").status_code == 303
    with services.make_session.begin() as db:
        db.scalars(select(Impression)).one().nonce = "-6begins-with-a-hyphen"
        db.execute(delete(ChoiceInputs))
    assert "is not kept" in run(app, "explain", "-6begins-with-a-hyphen").output


def test_the_next_message_is_another_one(
    app: Flask, services: Services, town: Town, phone: Phone, clock: MovingClock
) -> None:
    """Kept in the phone's own tokens: with cookies and without."""
    with services.make_session.begin() as db:
        load_announcements(db, now=NOON)
    agent = Agent(app, town.station)
    phone.land()
    for number in range(12):
        clock.advance(seconds=30)
        assert phone.press("/pause").status_code == 303
        agent.follow()
        phone.get(phone.page.location)
        # Half an hour is added to the old end each time: renewed three minutes and a half before it.
        clock.advance(minutes=29 if number else 26, seconds=30 if number else 0)
        phone.get("/status")
    with services.make_session() as db:
        shown = db.scalars(select(Impression.creative_id).order_by(Impression.id)).all()
    assert len(shown) == 12
    assert all(first != second for first, second in itertools.pairwise(shown))


def test_paused_copied_and_told_of_an_election(app: Flask, file: Path) -> None:
    for words in (
        ("load", str(file)),
        ("propose", "bread", "--by", "ada"),
        ("approve", "bread", "--by", "bo"),
    ):
        done(app, *words)
    assert "bread\tpaused" in done(app, "pause", "bread")
    assert "bread\trunning" in done(app, "resume", "bread")
    assert "cake\tdraft" in done(app, "duplicate", "bread", "cake")
    assert "2026-09-01 to 2027-03-22" in done(app, "election", "municipales", "2027-03-14", "2027-03-21")
    again = run(app, "election", "municipales", "2027-03-14", "2027-03-21")
    assert again.exit_code == 1 and "Nothing was written" in again.output


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"category": "alcohol"}, "Code de la santé publique, art. L3323-2"),
        ({"category": "credit"}, "Code de la consommation, art. L312-5"),
        ({"weight": 0}, "campaign bread: weight: a whole number, 1 at least"),
    ],
)
def test_what_may_not_be_saved_is_said(
    app: Flask, services: Services, town: Town, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    result = run(app, "load", str(write(tmp_path, **changes)))
    assert result.exit_code == 1 and says in result.output
    with services.make_session() as db:
        assert db.scalars(select(Campaign)).all() == []


def test_a_file_that_is_no_json_is_refused(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_text("{", encoding="utf-8")
    assert "is no JSON" in run(app, "load", str(path)).output


def test_an_unknown_campaign_is_said(app: Flask) -> None:
    assert "There is no campaign none." in run(app, "show", "none").output


FLOOD = ("--title", "en=Flood", "--text", "en=Leave the quays.", "--title", "fr=Crue", "--text", "fr=Partez.")


def test_a_crisis_message_is_in_the_place_of_all_others_and_nobody_waits(
    app: Flask, services: Services, town: Town, phone: Phone, clock: MovingClock
) -> None:
    with services.make_session.begin() as db:
        load_announcements(db, now=NOON)
    done(app, "override", "start", *FLOOD, "--site", "gare-viotte", "--hours", "6", "--by", "ada")
    services.stage.forget()
    page = phone.get(f"/?lang=en&landing={phone.landing_token()}").text
    assert "Flood" in page and "Leave the quays." in page and "Message from the town" in page
    # No second has to pass before the button counts.
    assert phone.press("/pause").status_code == 303
    assert "/opening" in phone.page.location
    with services.make_session() as db:
        assert db.scalars(select(Impression.creative_id)).all() == [None]
    assert "gare-viotte\tada (command line)\ten: Flood" in done(app, "override", "list")
    agent = Agent(app, town.station)
    agent.follow()
    clock.advance(minutes=26)
    assert app.test_cli_runner().invoke(args=["sweep"]).exit_code == 0
    with services.make_session() as db:
        assert db.scalars(select(AccessSession.until)).one() == NOON + timedelta(minutes=60)
    assert "1\tstopped" in done(app, "override", "stop", "1")
    services.stage.forget()
    assert "Flood" not in Phone(app, town.station, mac="02:00:00:00:0c:09", address="10.66.0.9").land().text
    assert "it is over" in run(app, "override", "stop", "1").output


def test_a_crisis_message_is_shown_where_no_ads_are(app: Flask, services: Services, phone: Phone) -> None:
    with services.make_session.begin() as db:
        db.execute(update(Site).values(ads_allowed=False))
    done(app, "override", "start", *FLOOD, "--hours", "1")
    services.stage.forget()
    assert "Leave the quays." in phone.get(f"/?lang=en&landing={phone.landing_token()}").text


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--hours", "200"), "within seven days"),
        (("--hours", "1", "--site", "nowhere"), "No such site: nowhere"),
        (("--hours", "1", "--title", "de=Flut"), "Each language needs"),
        (("--hours", "1", "--title", "Flut"), "is LANGUAGE=WORDS"),
    ],
)
def test_what_is_no_crisis_message_is_said(app: Flask, town: Town, words: tuple[str, ...], says: str) -> None:
    refused = run(app, "override", "start", *FLOOD, *words)
    assert refused.exit_code != 0 and says in refused.output

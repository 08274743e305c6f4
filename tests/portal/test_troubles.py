"""The round of troubles: of this machine, in words, and with detectors that fail."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from lab import authority as lab_authority
from portal import audit_anchors
from portal.i18n.catalogues import catalogue
from portal.i18n.translation import speaking
from portal.services import Services
from portal.trouble_words import advice_of, path_of, severity_in_words, title_of
from portal.troubles import Rounds, detectors_of, judge_disk, look_once
from sessions.models import Decision
from sessions.troubles import kinds
from sessions.troubles.kinds import KINDS, Severity
from sessions.troubles.models import Trouble
from sessions.troubles.service import Detector, Found, open_troubles
from tests.actors import enter
from tests.clock import NOON, MovingClock
from tests.services.certificates import Authority, self_signed
from tests.test_certificates import front
from tests.town import Town

FACTS = {
    "fast": 1,
    "devices": 6,
    "device": "Caméra de la boulangerie",
    "owner": "Boulangerie Ada",
    "site": "Gare Viotte",
    "network": "wifilib",
    "network_name": "Wifilib",
    "reason": "wrong_credentials",
    "count": 40,
    "usual": 3,
    "by": "camille.martin",
    "reference": "PV 2026/112",
    "free": 90,
    "days": 9,
    "until": "2026-12-05T12:00:00+00:00",
    "why": "certificate has expired",
    "asked": "portal.example.org",
    "last": "2026-11-24T11:00:00+00:00",
    "own": "127.0.0.1",
}


def lasting(services: Services) -> list[tuple[str, str]]:
    with services.make_session() as db:
        return [(row.kind, row.subject) for row in open_troubles(db)]


def test_a_detector_that_fails_hides_no_other_and_keeps_what_it_found(
    services: Services, town: Town, clock: MovingClock
) -> None:
    found = [Found(kinds.GATEWAY_SILENT, "gw-viotte", NOON)]

    def find(db: Session, now: datetime) -> Iterator[Found]:
        yield from found
        if not found:
            raise RuntimeError("no")

    shaky = Detector("gateways", (kinds.GATEWAY_SILENT,), find)
    look_once(services, shaky, now=NOON)
    found.clear()
    look_once(services, shaky, now=NOON)
    look_once(services, Detector("other", (kinds.DISK_LOW,), lambda *_: []), now=NOON)
    assert lasting(services) == [("gateway_silent", "gw-viotte"), ("check_failed", "gateways")]
    found.append(Found(kinds.GATEWAY_SILENT, "gw-battant", NOON))
    look_once(services, shaky, now=NOON)
    assert lasting(services) == [("gateway_silent", "gw-battant")]


def test_the_sweep_looks_and_not_more_often_than_it_should(
    app: Flask, services: Services, town: Town, clock: MovingClock
) -> None:
    refused = [
        Decision(code=f"aa{n:04}", at=NOON, rule="not_here", step="page", network_id=town.free.id, detail={})
        for n in range(12)
    ]
    with services.make_session.begin() as db:
        db.add_all(refused)
    rounds = Rounds()
    with app.app_context():
        rounds.look(services)
        assert ("refusals", "wifilib/not_here") in lasting(services)
        with services.make_session.begin() as db:
            db.query(Decision).delete()
        clock.advance(seconds=20)
        rounds.look(services)
        assert ("refusals", "wifilib/not_here") in lasting(services)
        clock.advance(seconds=20)
        rounds.look(services)
    assert ("refusals", "wifilib/not_here") not in lasting(services)


def test_a_disk_that_fills_up_is_told_before_it_is_full(tmp_path: Path) -> None:
    def judged(free: int, total: int = 10_000_000_000) -> str | None:
        found = judge_disk(tmp_path, now=NOON, usage=(total, free))
        return found.kind.name if found else None

    assert judged(9_000_000_000) is None
    assert judged(499_000_000) == "disk_low"
    assert judged(10_000_000) == "disk_full"
    # A small disk that is half empty is well.
    assert judged(100_000_000, total=200_000_000) is None
    real = os.statvfs(tmp_path)
    assert (judge_disk(tmp_path, now=NOON) is None) is (judged(real.f_bavail * real.f_frsize) is None)


def test_entries_that_wait_for_an_anchor_are_told(
    services: Services, town: Town, clock: MovingClock, tmp_path: Path
) -> None:
    anchored = replace(services, settings=replace(services.settings, anchor_folder=tmp_path / "away"))
    look = next(one for one in detectors_of(anchored) if one.name == "anchor")

    def found() -> list[str]:
        with anchored.make_session() as db:
            return [one.kind.name for one in look.find(db, clock())]

    with anchored.make_session.begin() as db:
        enter(db, actor="tests", action="patrons.imported", object="x", now=NOON)
    assert audit_anchors.write_checkpoint(anchored) is None
    assert found() == ["anchor_ageing"]
    (tmp_path / "away").mkdir()
    audit_anchors.write_checkpoint(anchored)
    assert found() == []
    clock.advance(days=2)
    # Without new entries none is due.
    assert found() == []
    with anchored.make_session.begin() as db:
        enter(db, actor="tests", action="patrons.imported", object="y", now=clock())
    assert found() == ["anchor_ageing"]


def test_a_sign_in_past_the_directory_is_told_once_for_a_day(
    services: Services, town: Town, clock: MovingClock
) -> None:
    look = next(one for one in detectors_of(services) if one.name == "local_accounts")

    def found() -> list[tuple[str, datetime, str]]:
        with services.make_session() as db:
            return [(one.subject, one.since, one.detail["last"]) for one in look.find(db, clock())]

    with services.make_session.begin() as db:
        enter(db, actor="dana", action="signed in", object="staff:1", now=NOON)
    assert found() == []
    with services.make_session.begin() as db:
        for at in (NOON, NOON + timedelta(hours=2)):
            enter(db, actor="dana", action="signed in past directory", object="staff:1", now=at)
    clock.advance(hours=3)
    assert found() == [("dana", NOON, (NOON + timedelta(hours=2)).isoformat())]
    clock.advance(hours=24)
    assert found() == []


def looked_at(services: Services, **settings: Any) -> list[Trouble]:
    """What the look at the certificate leaves on record, with these settings."""
    asking, now = replace(services, settings=replace(services.settings, **settings)), time.time()
    look = next(one for one in detectors_of(asking) if one.name == "certificate")
    look_once(asking, look, now=datetime.fromtimestamp(now, UTC))
    with services.make_session() as db:
        return open_troubles(db)


def test_what_nobody_answers_at_is_told(services: Services, town: Town) -> None:
    [found] = looked_at(services, portal_url="https://127.0.0.1:9", front_address="127.0.0.2")
    assert (found.kind, found.subject) == ("front_unreachable", "127.0.0.1")
    assert found.detail["own"] == "127.0.0.2"


def test_a_front_that_its_own_machine_does_not_reach_by_name_is_asked_at_its_address(
    services: Services, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a router that does not lead back; what it shows is judged for the portal's name, as a phone judges it."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca_file))
    at = "https://portal.invalid:{}".format

    def shown(*names: str, days: int, trusted: bool = True) -> list[tuple[str, dict[str, Any]]]:
        made = (
            authority.issue(*names, ends_in=timedelta(days=days))
            if trusted
            else self_signed(tmp_path, *names)
        )
        with front(lab_authority.Certificate(made.certificate_file, made.key_file)) as port:
            found = looked_at(services, portal_url=at(port))
        return [(one.kind, one.detail) for one in found]

    assert shown("portal.invalid", days=90) == []
    [(kind, detail)] = shown("portal.invalid", days=9)
    assert (kind, detail["asked"]) == ("certificate_ageing", "127.0.0.1")
    [(kind, detail)] = shown("portal.invalid", days=9, trusted=False)
    assert (kind, detail["asked"]) == ("certificate_refused", "127.0.0.1")
    # Another server of this machine.
    [(kind, detail)] = shown("other.invalid", days=90)
    assert (kind, detail["own"]) == ("front_unreachable", "127.0.0.1")


def test_a_trouble_that_an_older_version_wrote_down_has_words(app: Flask, town: Town) -> None:
    old = Trouble(
        kind="certificate_ageing", subject="portal.example.org", networks=[], detail={"days": 3}, since=NOON
    )
    with app.test_request_context("/staff/"):
        assert "3 jours" in title_of(old) and "présente ?" in advice_of(old)


def test_each_kind_has_words_in_french_and_a_page(app: Flask, town: Town) -> None:
    pages = app.url_map.bind("portal.example.org")
    for kind in KINDS.values():
        assert {name for _, name, _, _ in Formatter().parse(kind.page) if name} <= {"subject", *FACTS}
        trouble = Trouble(kind=kind.name, subject="gw-viotte", networks=[], detail=FACTS, since=NOON)
        with app.test_request_context("/staff/"), speaking("fr"):
            words = [title_of(trouble), advice_of(trouble)]
            endpoint, _ = pages.match(path_of(trouble).partition("?")[0])
        assert endpoint.startswith("staff.")
        for text, word in zip((kind.title, kind.advice), words, strict=True):
            assert catalogue("fr").gettext(text) != text
            assert "%(" not in word


def test_severities_are_told_apart_in_words(app: Flask, town: Town) -> None:
    with app.test_request_context("/staff/"):
        assert len({severity_in_words(one) for one in Severity}) == len(Severity)

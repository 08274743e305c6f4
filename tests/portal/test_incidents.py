"""The incident code: on every page that keeps somebody outside, findable, and never in the page's way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.errors import DirectoryUnavailable, PasswordToChange
from auth.patrons.directory import Directory, DirectoryEntry
from auth.vouchers import issuing, plans
from auth.vouchers.issuing import Order
from auth.vouchers.models import Voucher
from db.engine import make_engine
from portal.denials.incidents import device_in
from portal.services import Services
from sessions.log.denials import Step, find, read_code
from sessions.models import AccessSession, Decision
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone
from tests.town import ADA_PHONE, BO_PHONE, Town

SHOWN = re.compile(r"Incident ([2-9A-HJKMNP-Z]{3}-[2-9A-HJKMNP-Z]{3})")


def shown(page: TestResponse) -> str | None:
    found = SHOWN.search(page.text)
    return found[1] if found else None


def written(db: Session, page: TestResponse) -> Decision:
    """The decision behind the code on a page."""
    db.rollback()
    found = find(db, read_code(shown(page) or "") or "")
    assert found is not None, page.text
    return found


@pytest.fixture
def passes(services: Services, town: Town) -> list[str]:
    """The codes of two day passes of the library."""
    with services.make_session.begin() as db:
        plans.add_first_plans(db)
        order = Order(count=2, desk_site="pierre-bayle")
        made = issuing.issue(
            db,
            keys=services.voucher_keys,
            plan=plans.by_slug(db, "day"),
            order=order,
            actor=TESTER,
            now=services.clock(),
        )
        return [ticket.code for ticket in made.tickets]


def sign_in(phone: Phone, login: str = ADA, secret: str = ADA_PIN) -> TestResponse:
    phone.land()
    return phone.press("/signin", login=login, secret=secret)


def test_a_wrong_pin_is_found_with_device_place_landing_and_person(
    reader: Phone, town: Town, services: Services, clock: MovingClock, db: Session
) -> None:
    reader.headers["User-Agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X)"
    reader.land()
    clock.advance(minutes=2)
    page = reader.press("/signin", login=ADA, secret="wrong-pin-4711")
    found = written(db, page)
    assert (found.rule, found.step) == ("wrong_credentials", Step.SIGNIN)
    assert (found.mac, found.address, found.site_id) == (ADA_PHONE, "10.68.0.5", town.pierre_bayle.site_id)
    assert (clock() - found.landed_at).total_seconds() == 120 if found.landed_at else False
    assert found.detail == {"device": "iphone"}
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    db.rollback()
    assert found.subject == db.scalars(select(AccessSession.subject)).one()


def test_what_was_typed_is_written_nowhere(reader: Phone, db: Session, passes: list[str]) -> None:
    sign_in(reader, login="99887766", secret="my-secret-pin")
    page = reader.press("/pass", code="7K2M9QXAJ")
    reader.press("/pass", code=passes[0])
    reader.land()
    db.rollback()
    every = str([[str(value) for value in vars(one).values()] for one in db.scalars(select(Decision))])
    assert shown(page) is not None
    for typed in ("99887766", "my-secret-pin", "7K2M9QXAJ", passes[0]):
        assert typed not in every
    assert db.scalars(select(Decision.subject).where(Decision.rule == "wrong_credentials")).one() is None


@pytest.mark.parametrize(
    ("login", "secret", "rule", "detail"),
    [
        ("25000002", "pin-of-bo-1970", "expired_card", {"on": "2020-01-01"}),
        ("25000003", "pin-of-cem-1971", "blocked_card", {}),
    ],
)
def test_a_card_that_is_refused_says_by_which_rule(
    reader: Phone, db: Session, login: str, secret: str, rule: str, detail: dict[str, str]
) -> None:
    found = written(db, sign_in(reader, login, secret))
    assert (found.rule, found.detail) == (rule, detail)
    assert found.subject is not None


def test_too_many_attempts_say_until_when(reader: Phone, clock: MovingClock, db: Session) -> None:
    for _ in range(6):
        page = sign_in(reader, secret="wrong")
    found = written(db, page)
    assert found.rule == "too_many_attempts"
    assert found.detail["until"] > clock().isoformat()


def test_a_pin_that_must_be_changed_is_said_to_be_that(
    reader: Phone, services: Services, db: Session
) -> None:
    class Strict(Directory):
        def find(self, login: str) -> Any:
            return DirectoryEntry(login, "somebody", "")

        def prove(self, found: Any, secret: str, *, today: Any) -> Any:
            raise PasswordToChange

    object.__setattr__(services, "directory", Strict())
    reader.headers["Accept-Language"] = "fr"
    page = sign_in(reader)
    assert page.status_code == 403
    assert "Vous devez d’abord changer de mot de passe" in page.text and "n’est pas bloquée" in page.text
    found = written(db, page)
    assert (found.rule, found.detail) == ("password_to_change", {})


def test_a_directory_that_is_away_is_said(
    reader: Phone, services: Services, monkeypatch: pytest.MonkeyPatch, db: Session
) -> None:
    class Away(Directory):
        def find(self, login: str) -> Any:
            raise DirectoryUnavailable("no answer from ldap.example.org about uid=secret")

        def prove(self, found: Any, secret: str, *, today: Any) -> Any:
            raise AssertionError

    object.__setattr__(services, "directory", Away())
    found = written(db, sign_in(reader))
    assert (found.rule, found.detail) == ("directory_away", {})


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda code: "7K2M9QXAH", "unknown_pass"),
        (lambda code: code[:7], "unreadable_code"),
        (lambda code: "O" + code[1:], "unreadable_code"),
    ],
)
def test_a_code_that_opens_nothing_says_by_which_rule(
    reader: Phone, passes: list[str], db: Session, change: Callable[[str], str], rule: str
) -> None:
    reader.land()
    found = written(db, reader.press("/pass", code=change(passes[0])))
    assert (found.rule, found.step, found.voucher_id) == (rule, Step.PASS, None)


def test_a_pass_that_is_known_is_named_in_the_books(
    reader: Phone, app: Flask, town: Town, passes: list[str], services: Services, db: Session
) -> None:
    reader.land()
    reader.press("/pass", code=passes[0])
    other = Phone(app, town.pierre_bayle, BO_PHONE, "10.68.0.6")
    other.land()
    found = written(db, other.press("/pass", code=passes[0]))
    voucher = db.scalars(select(Voucher).order_by(Voucher.number)).first()
    assert voucher is not None
    assert (found.rule, found.voucher_id) == ("pass_in_use", voucher.id)
    assert found.subject == services.voucher_keys.subject(voucher.id)


def test_a_page_of_another_device_is_refused_with_a_code(
    phone: Phone, app: Flask, town: Town, db: Session
) -> None:
    thief = Phone(app, town.station, BO_PHONE, "10.66.0.66")
    found = written(db, thief.get(f"/?landing={phone.landing_token()}"))
    assert (found.rule, found.step) == ("foreign_page", Step.LANDING)
    assert (found.mac, found.address, found.gateway_id) == (None, "10.66.0.66", town.station.id)


def test_a_form_of_another_site_is_refused_with_a_code(phone: Phone, db: Session) -> None:
    phone.land()
    page = phone.post("/pause", headers={"Origin": "https://evil.example"}, **phone.form("/pause"))
    assert written(db, page).rule == "foreign_form"


def test_somebody_elsewhere_is_told_a_code(app: Flask, town: Town, db: Session) -> None:
    stranger = Phone(app, town.station, address="192.0.2.9")
    found = written(db, stranger.get("/"))
    assert (found.rule, found.site_id, found.mac) == ("not_here", None, None)
    assert found.address == "192.0.2.9"
    assert shown(stranger.get("/pass/7K2-M9Q-XAH")) is None


def test_a_way_in_that_this_network_does_not_offer_has_its_own_rule(phone: Phone, db: Session) -> None:
    phone.land()
    visit = phone.form("/pause")["visit"]
    assert written(db, phone.post("/signin", visit=visit, login="x", secret="y")).rule == "not_offered"
    found = written(db, phone.post("/pass", visit=visit, code="7K2M9QXAH"))
    assert (found.rule, found.step, found.mac) == ("not_offered", Step.PASS, ADA_PHONE)


def test_a_gateway_that_does_not_confirm_has_a_code(phone: Phone, station: Agent, db: Session) -> None:
    phone.land()
    phone.press("/pause")
    found = written(db, phone.get(f"/opening?landing={phone.landing_token()}"))
    access = db.scalars(select(AccessSession)).one()
    assert (found.rule, found.access_id, found.subject) == ("unconfirmed", access.id, access.subject)
    assert "lease" in found.detail


def test_a_session_knows_when_its_device_landed(
    phone: Phone, clock: MovingClock, station: Agent, db: Session
) -> None:
    landed = clock()
    phone.land()
    clock.advance(minutes=3)
    phone.press("/pause")
    access = db.scalars(select(AccessSession)).one()
    assert access.landed_at == landed.replace(microsecond=0)
    assert access.started_at == clock()


def test_another_look_at_the_first_page_is_another_landing(
    phone: Phone, clock: MovingClock, db: Session
) -> None:
    phone.land()
    visit = phone.form("/pause")["visit"]
    clock.advance(minutes=10)
    again = clock()
    phone.get(f"/?visit={visit}")
    clock.advance(minutes=1)
    phone.press("/pause")
    landed_at = db.scalars(select(AccessSession.landed_at)).one()
    assert landed_at == again.replace(microsecond=0)


def test_no_page_and_no_machine_leaves_a_row(phone: Phone, station: Agent, db: Session) -> None:
    assert shown(phone.get("/nowhere")) is None
    assert shown(phone.get("/leave")) is None
    assert phone.post("/gateways/nftables/confirm").status_code == 401
    assert db.scalars(select(Decision)).all() == []


# The database is away, or busy


def lock_out(engine: Engine) -> Any:
    """Another program that has the table of refusals for itself."""
    if engine.dialect.name == "sqlite":
        other = make_engine(str(engine.url)).connect()
        other.execute(text("SELECT 1"))
        return other
    other = make_engine(engine.url.render_as_string(hide_password=False)).connect()
    other.execute(text("LOCK TABLE decisions IN ACCESS EXCLUSIVE MODE"))
    return other


def test_a_busy_database_takes_the_code_and_not_the_page(
    phone: Phone, app: Flask, town: Town, services: Services, monkeypatch: pytest.MonkeyPatch, db: Session
) -> None:
    # What is asked over and over is in memory by then.
    Phone(app, town.station, address="192.0.2.9").get("/")
    other = lock_out(services.engine)
    try:
        page = Phone(app, town.station, address="192.0.2.10").get("/")
        assert page.status_code == 200
        assert "WIFILIB" in page.text
        assert shown(page) is None
    finally:
        other.rollback()
        other.close()
        other.engine.dispose()
    # It is left alone for a while, and then tried again.
    assert shown(Phone(app, town.station, address="192.0.2.11").get("/")) is None
    monkeypatch.setattr(services.recorder, "_resting_until", float("-inf"))
    assert shown(Phone(app, town.station, address="192.0.2.12").get("/")) is not None


def test_a_table_that_is_gone_takes_the_code_and_not_the_page(
    phone: Phone, app: Flask, town: Town, services: Services
) -> None:
    with services.engine.begin() as connection:
        connection.execute(text("ALTER TABLE decisions RENAME TO decisions_elsewhere"))
    try:
        page = Phone(app, town.station, address="192.0.2.9").get("/")
    finally:
        with services.engine.begin() as connection:
            connection.execute(text("ALTER TABLE decisions_elsewhere RENAME TO decisions"))
    assert page.status_code == 200
    assert shown(page) is None


@pytest.mark.parametrize(
    ("says", "kind"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X)", "iphone"),
        ("CaptiveNetworkSupport-481.80.5 wispr", "iphone"),
        ("Mozilla/5.0 (iPad; CPU OS 18_0)", "ipad"),
        ("Mozilla/5.0 (Linux; Android 15; Pixel 9)", "android"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64)", "windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)", "mac"),
        ("Mozilla/5.0 (X11; Linux x86_64)", "linux"),
        ("curl/8", None),
        ("", None),
    ],
)
def test_a_device_is_told_by_its_kind_alone(says: str, kind: str | None) -> None:
    assert device_in(says) == kind

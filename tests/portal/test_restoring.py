"""An old backup gives nothing back that was taken away since: spent passes, disabled clerks, tokens, credentials."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import make_url, select, text, update

from ads.media import store as media
from ads.models import Creative
from auth.api_tokens import service
from auth.api_tokens.models import ApiToken
from auth.api_tokens.scopes import Scope
from auth.audit import verification
from auth.audit.log import AuditEntry
from auth.staff import lookup
from auth.staff.models import Staff
from auth.staff.roles import Role
from auth.vouchers import voiding
from auth.vouchers.models import Batch, Voucher
from config import Secret, Settings
from db.engine import make_engine, snapshot
from portal.app import create_app, make_services
from portal.services import Services
from sessions.models import AccessSession
from sessions.retention import holds
from sessions.retention.models import LegalHold
from sites import pictures
from sites.gateways import by_identity, rotate_credential
from sites.images.preparing import PreparedFile, PreparedImage, prepare
from sites.images.shapes import PHOTOGRAPH
from sites.models import Site
from tests.actors import TESTER
from tests.ads.campaigns import make_draft
from tests.clock import MovingClock
from tests.portal.api.conftest import Program, give_token
from tests.portal.conftest import PORTAL, SECRET, Phone
from tests.portal.staff.conftest import Clerk, Desk
from tests.portal.visitors import issue, use
from tests.services.parts import newest
from tests.sites.images import made
from tests.town import BO_PHONE, Town, build_town, credential_of


@dataclass
class House:
    """A portal over one database, which can be copied and put back the way its operator would."""

    url: str
    clock: MovingClock
    copy: Callable[[], None]
    put_back: Callable[..., Result]
    open: list[Services]

    def portal(self, url: str | None = None) -> tuple[Flask, Services]:
        settings = Settings(secret_key=Secret(SECRET), portal_url=PORTAL, database_url=url or self.url)
        services = make_services(settings, clock=self.clock)
        self.open.append(services)
        return create_app(services), services

    def run(self, *words: str, url: str | None = None) -> Result:
        app, services = self.portal(url)
        done = app.test_cli_runner().invoke(args=["db", *words])
        services.engine.dispose()
        return done


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path, clock: MovingClock) -> Iterator[House]:
    opened: list[Services] = []
    make = _on_sqlite if request.param == "sqlite" else _on_postgresql
    yield make(request, tmp_path, clock, opened)
    for services in opened:
        services.wake.close()
        services.engine.dispose()


def upgrade(url: str) -> None:
    """Bring an empty database up to date, as its operator does."""
    services = make_services(Settings(secret_key=Secret(SECRET), portal_url=PORTAL, database_url=url))
    done = create_app(services).test_cli_runner().invoke(args=["db", "upgrade"])
    assert done.exit_code == 0, done.output
    services.wake.close()
    services.engine.dispose()


@pytest.fixture(scope="module")
def upgraded_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("upgraded") / "upgraded.sqlite3"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="module")
def upgraded_postgresql(postgresql_url: str) -> str:
    """The name of a database on the server."""
    name = "upgraded"
    _make_databases(postgresql_url, name)
    upgrade(make_url(postgresql_url).set(database=name).render_as_string(hide_password=False))
    return name


def _make_databases(server: str, *names: str, template: str = "template1") -> None:
    admin = make_engine(server)
    with admin.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for name in names:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()


def _on_sqlite(
    request: pytest.FixtureRequest, folder: Path, clock: MovingClock, opened: list[Services]
) -> House:
    backup = folder / "backup.sqlite3"
    shutil.copy(request.getfixturevalue("upgraded_sqlite"), folder / "lived.sqlite3")

    def copy() -> None:
        done = house.run("backup", str(backup))
        assert done.exit_code == 0, done.output
        assert backup.stat().st_mode & 0o077 == 0

    def put_back(*words: str) -> Result:
        return house.run("restore", str(backup), *words)

    house = House(f"sqlite:///{folder}/lived.sqlite3", clock, copy, put_back, opened)
    return house


def _on_postgresql(
    request: pytest.FixtureRequest, folder: Path, clock: MovingClock, opened: list[Services]
) -> House:
    """With PostgreSQL's own tools, into a database beside the one that was lived in."""
    server, dump = request.getfixturevalue("postgresql_url"), folder / "backup.dump"
    binaries = newest("usr/lib/postgresql/*/bin/initdb").parent
    urls = {name: make_url(server).set(database=name) for name in ("lived", "fresh")}
    _make_databases(server, "lived", template=request.getfixturevalue("upgraded_postgresql"))
    _make_databases(server, "fresh")
    at = ["-h", str(urls["lived"].query["host"]), "-U", "arobase"]

    def copy() -> None:
        command = [str(binaries / "pg_dump"), *at, "--format=custom", f"--file={dump}", "lived"]
        subprocess.run(command, check=True, capture_output=True)

    def put_back(*words: str) -> Result:
        subprocess.run(
            [str(binaries / "pg_restore"), *at, "--dbname=fresh", str(dump)], check=True, capture_output=True
        )
        before = text_of("lived")
        house.url = text_of("fresh")
        return house.run("restored", *(words or ("--before", before)))

    def text_of(name: str) -> str:
        return urls[name].render_as_string(hide_password=False)

    house = House(text_of("lived"), clock, copy, put_back, opened)
    return house


@dataclass
class Lived:
    """A town before its backup: a clerk who is signed in, two passes, a token, a session."""

    app: Flask
    services: Services
    town: Town
    clerk: Clerk
    codes: list[str]
    token: str


@pytest.fixture
def lived(house: House) -> Lived:
    app, services = house.portal()
    with services.make_session.begin() as db:
        town = build_town(db)
    clerk = Desk(app, house.clock).at_work("cem", Role.DESK)
    codes = [ticket.code for ticket in issue(services, 2).tickets]
    token = give_token(services, "tickets", Scope.READ).token
    return Lived(app, services, town, clerk, codes, token)


def take_away(lived: Lived) -> str:
    """What happens after the backup; the gateway's new credential."""
    phone = Phone(lived.app, lived.town.pierre_bayle, address="10.68.0.5")
    assert use(phone, lived.codes[0]).status_code == 303
    with lived.services.make_session.begin() as db:
        now = lived.services.clock()
        redeemed = db.scalars(select(Voucher).where(Voucher.used_at.is_not(None))).one()
        assert voiding.revoke(db, voiding.of_ids([redeemed.id]), actor=TESTER, now=now).voucher_ids
        person = lookup.find(db, "cem")
        assert person is not None
        person.disabled_at, person.session_version = now, person.session_version + 1
        assert service.revoke(db, db.get_one(ApiToken, 1), actor=TESTER, now=now)
        gateway = by_identity(db, lived.town.pierre_bayle.identity)
        assert gateway is not None
        credential = rotate_credential(db, gateway)
        holds.place(
            db,
            holds.HoldScope(mac=BO_PHONE),
            reference="Réq. 12",
            reason="Enquête",
            expires_at=now.replace(year=now.year + 1),
            actor=TESTER,
            now=now,
        )
    return credential


def cookie_of(clerk: Clerk) -> str:
    found = clerk.browser.get_cookie("__Host-arobase-staff", domain="portal.example.org")
    assert found is not None
    return found.value


def knock(app: Flask, credential: str) -> int:
    headers = {"Authorization": f"Bearer {credential}"}
    return (
        app.test_client().get("/gateways/nftables/feed?since=1", base_url=PORTAL, headers=headers).status_code
    )


def test_what_was_taken_away_since_is_taken_away_again(house: House, lived: Lived) -> None:
    cookie = cookie_of(lived.clerk)
    house.copy()
    credential = take_away(lived)
    lived.services.engine.dispose()
    done = house.put_back()
    assert done.exit_code == 0, done.output
    for line in (
        "passes\t1 carried over",
        "accounts\t1 carried over",
        "tokens\t1 carried",
        "gateways\t1 carried",
    ):
        assert line in done.output
    app, services = house.portal()
    # The pass, on another device; its neighbour in the batch is still good.
    with services.make_session() as db:
        town_gateway = by_identity(db, lived.town.pierre_bayle.identity)
    assert town_gateway is not None
    phone = Phone(app, lived.town.pierre_bayle, "02:00:00:00:0c:09", "10.68.0.9")
    with services.make_session() as db:
        spent, good = db.scalars(select(Voucher).order_by(Voucher.number))
        assert spent.voided_at is not None and spent.used_at is not None and good.used_at is None
        assert db.scalars(select(LegalHold.reference)).all() == ["Réq. 12"]
        held = db.scalars(select(Staff)).one()
        assert held.disabled_at is not None
        said = db.scalars(select(AuditEntry).order_by(AuditEntry.number.desc())).first()
        assert said is not None and said.action == "database restored" and said.detail["known"] == "yes"
    # The clerk's old cookie.
    clerk = Clerk(app, house.clock, "cem", lived.clerk.staff_id)
    clerk.browser.set_cookie("__Host-arobase-staff", cookie, domain="portal.example.org", secure=True)
    assert clerk.get("/staff/account").location.startswith("/staff/signin")
    assert clerk.sign_in().status_code == 401
    assert Program(app, lived.token).get("/plans").status_code == 401
    assert knock(app, credential_of(lived.town.pierre_bayle.identity)) == 401
    assert knock(app, credential) == 200
    assert knock(app, credential_of(lived.town.station.identity)) == 200
    with snapshot(services.make_session) as db:
        assert verification.verify(db).is_whole
    assert phone.gateway is not None


def test_a_photograph_comes_back_with_the_backup(house: House, lived: Lived) -> None:
    photo = prepare(made.photograph(), "gare.jpg", PHOTOGRAPH)
    with lived.services.make_session.begin() as db:
        pictures.set_photograph(
            db, db.get_one(Site, lived.town.station.site_id), photo, alt={"fr": "La gare"}
        )
    house.copy()
    with lived.services.make_session.begin() as db:
        pictures.remove_photograph(db, db.get_one(Site, lived.town.station.site_id))
    lived.services.engine.dispose()
    assert house.put_back().exit_code == 0
    app, services = house.portal()
    with services.make_session() as db:
        found = pictures.photograph(db.get_one(Site, lived.town.station.site_id))
    assert found is not None and len(found.files) == len(photo.files)
    for one in found.files:
        answer = app.test_client().get(f"/images/{one.name}", base_url=PORTAL)
        assert made.opened(answer.data).size == (one.width, one.height)


def test_the_picture_of_a_message_comes_back_with_the_backup(house: House, lived: Lived) -> None:
    kept = PreparedImage((PreparedFile("page", "image/jpeg", 400, 300, made.photograph()),))
    alt = {"fr": "Une miche", "en": "A loaf"}
    with lived.services.make_session.begin() as db:
        make_draft(db)
        media.set_picture(db, "bread-1", kept, alt=alt, actor=TESTER, now=house.clock())
    house.copy()
    with lived.services.make_session.begin() as db:
        media.remove(db, "bread-1", actor=TESTER, now=house.clock())
    lived.services.engine.dispose()
    assert house.put_back().exit_code == 0
    app, services = house.portal()
    with services.make_session() as db:
        creative = db.scalars(select(Creative)).one()
        ((_, name, *_),) = creative.media["picture"]["files"]
        assert creative.texts["fr"]["alt"] == "Une miche"
    answer = app.test_client().get(f"/images/{name}", base_url=PORTAL)
    assert answer.data == made.photograph()


def test_where_nothing_is_known_all_is_closed_until_a_person_opens_it(house: House, lived: Lived) -> None:
    house.copy()
    take_away(lived)
    lived.services.engine.dispose()
    done = house.put_back("--lost")
    assert done.exit_code == 0, done.output
    for line in ("passes\t2 closed", "batches\t1 closed", "accounts\t1 closed", "tokens\t1 closed"):
        assert line in done.output
    app, services = house.portal()
    with services.make_session() as db:
        assert all(one.suspended_at is not None for one in db.scalars(select(Batch)))
    clerk = Clerk(app, house.clock, "cem", lived.clerk.staff_id)
    assert clerk.sign_in().status_code == 401
    assert Program(app, lived.token).get("/plans").status_code == 401
    assert knock(app, credential_of(lived.town.station.identity)) == 401
    run = app.test_cli_runner()
    assert run.invoke(args=["staff", "enable", "cem"]).exit_code == 0
    assert clerk.sign_in().status_code == 303


def test_gateways_that_kept_their_credentials_may_be_left_open(house: House, lived: Lived) -> None:
    house.copy()
    lived.services.engine.dispose()
    assert house.put_back("--lost", "--gateways-kept").exit_code == 0
    app, _ = house.portal()
    assert knock(app, credential_of(lived.town.station.identity)) == 200


def test_a_session_that_ended_since_does_not_go_on(house: House, lived: Lived) -> None:
    phone = Phone(lived.app, lived.town.pierre_bayle, address="10.68.0.5")
    assert use(phone, lived.codes[0]).status_code == 303
    house.copy()
    with lived.services.make_session.begin() as db:
        db.execute(update(AccessSession).values(ended_at=house.clock(), end_reason="staff"))
    lived.services.engine.dispose()
    assert "sessions\t1 carried over" in house.put_back().output
    _, services = house.portal()
    with services.make_session() as db:
        assert db.scalars(select(AccessSession.end_reason)).one() == "staff"


def test_a_file_that_is_no_backup_changes_nothing(house: House, lived: Lived, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_bytes(b"not a database at all" * 100)
    done = house.run("restore", str(wrong))
    assert done.exit_code == 1
    answer = "no whole database of Arobase" if house.url.startswith("sqlite") else "pg_restore"
    assert answer in done.output
    with lived.services.make_session() as db:
        assert len(db.scalars(select(Voucher)).all()) == 2


def test_a_database_that_cannot_be_read_is_not_passed_over(
    lived: Lived, house: House, tmp_path: Path
) -> None:
    house.copy()
    lived.services.engine.dispose()
    if house.url.startswith("sqlite"):
        (tmp_path / "lived.sqlite3").write_bytes(b"torn" * 5000)
        done = house.put_back()
    else:
        done = house.put_back("--before", house.url.replace("/lived", "/nowhere"))
    assert done.exit_code == 1 and "--lost" in done.output
    if house.url.startswith("sqlite"):
        assert house.put_back("--lost").exit_code == 0


def test_a_backup_overwrites_nothing(house: House, lived: Lived, tmp_path: Path) -> None:
    if not house.url.startswith("sqlite"):
        assert "pg_dump" in house.run("backup", str(tmp_path / "x")).output
        return
    house.copy()
    done = house.run("backup", str(tmp_path / "backup.sqlite3"))
    assert done.exit_code == 1 and "overwrites nothing" in done.output


def test_every_browser_of_staff_is_signed_out(house: House, lived: Lived) -> None:
    """Of those too whose account is as it was."""
    house.copy()
    cookie = cookie_of(lived.clerk)
    lived.services.engine.dispose()
    assert house.put_back().exit_code == 0
    app, _ = house.portal()
    clerk = Clerk(app, house.clock, "cem", lived.clerk.staff_id)
    clerk.browser.set_cookie("__Host-arobase-staff", cookie, domain="portal.example.org", secure=True)
    assert clerk.get("/staff/account").location.startswith("/staff/signin")
    assert clerk.sign_in().status_code == 303

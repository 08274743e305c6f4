"""Staff of the town's own LDAP directory, at a real OpenLDAP server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.audit.log import AuditEntry
from auth.patrons.ldap.client import id_filter
from auth.staff import group_grants, lookup
from auth.staff.models import Staff
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from auth.staff.totp import STEP_SECONDS
from config import Secret, Settings
from portal import staff_directory
from portal.app import make_services
from portal.services import Services
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, SECRET
from tests.portal.staff.conftest import Clerk, Desk
from tests.services.slapd import BASE, Slapd, running_slapd
from tests.town import Town

pytestmark = pytest.mark.usefixtures("own_app")
PASSWORD = "mot de passe de la ville"
DESK = f"cn=wifi-desk,ou=groups,{BASE}"


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    with running_slapd(tmp_path_factory.mktemp("town")) as slapd:
        yield slapd


@pytest.fixture
def services(database_url: str, clock: MovingClock, slapd: Slapd) -> Iterator[Services]:
    settings = Settings(
        secret_key=Secret(SECRET),
        portal_url=PORTAL,
        database_url=database_url,
        town="Besançon",
        staff_ldap=slapd.settings(),
    )
    services = make_services(settings, clock=clock)
    yield services
    if services.staff_ldap is not None:
        services.staff_ldap.close()
    services.wake.close()
    services.engine.dispose()


@pytest.fixture
def ada(app: Flask, town: Town, clock: MovingClock, services: Services, slapd: Slapd) -> Iterator[Clerk]:
    """Ada is in the town's directory, and in the group of the libraries' desk through another one."""
    dn = slapd.add_patron("ada.martin", PASSWORD, displayName="Ada Martin")
    slapd.add(group("all-desks", dn))
    slapd.add(group("wifi-desk", f"cn=all-desks,ou=groups,{BASE}"))
    with services.make_session.begin() as db:
        authority = Authority(frozenset({Role.DESK}), ALL_NETWORKS)
        drafted = group_grants.draft(db, services.settings.staff_issuer or "", DESK, authority)
        group_grants.put(db, drafted, actor=TESTER, now=clock())
    yield Clerk(app, clock, "ada.martin")
    for name in (dn, f"cn=all-desks,ou=groups,{BASE}", DESK):
        slapd.modify(f"dn: {name}\nchangetype: delete\n")


def group(name: str, member: str) -> str:
    return f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\nmember: {member}\n"


def sign_in(clerk: Clerk, services: Services, password: str = PASSWORD) -> int:
    clerk.clock.advance(seconds=STEP_SECONDS)
    clerk.get("/staff/signin")
    if clerk.press("/staff/signin", login=clerk.login, password=password).status_code != 200:
        return clerk.page.status_code
    with services.make_session() as db:
        person = lookup.find(db, clerk.login)
        assert person is not None
        clerk.staff_id = person.id
    return clerk.press("/staff/signin/code", code=clerk.code()).status_code


def is_in(clerk: Clerk) -> bool:
    return clerk.get("/staff/account").status_code == 200


def deeds(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def test_password_and_second_factor_and_whoever_leaves_is_out(
    ada: Clerk, services: Services, slapd: Slapd, db: Session
) -> None:
    ada.get("/staff/signin")
    assert ada.press("/staff/signin", login="ada.martin", password="a guess").status_code == 401
    assert lookup.find(db, "ada.martin") is None
    db.rollback()
    ada.get("/staff/signin")
    first = ada.press("/staff/signin", login="ada.martin", password=PASSWORD)
    # Whoever has never had a second factor is shown one, once.
    assert first.status_code == 200 and "<svg" in first.text and first.headers["Cache-Control"] == "no-store"
    assert sign_in(ada, services) == 303 and is_in(ada)
    person = db.scalars(select(Staff)).one()
    assert (person.name, person.roles, person.all_networks, person.password_hash) == (
        "Ada Martin", ["desk"], True, None
    )  # fmt: skip
    ada.get("/staff/signin")
    other = Clerk(ada.app, ada.clock, "ada.martin")
    other.get("/staff/signin")
    assert 'viewBox="0 0 29' not in other.press("/staff/signin", login="ada.martin", password=PASSWORD).text
    assert "type this key" not in other.page.text
    # What hurts is asked at the directory once more.
    ada.clock.advance(minutes=11)
    form = {"password": "a guess"}
    ada.get("/staff/confirm")
    assert ada.press("/staff/confirm", **form).status_code == 401
    ada.get("/staff/confirm")
    assert ada.press("/staff/confirm", password=PASSWORD).status_code == 303

    staff_directory.check(services)
    assert is_in(ada)
    slapd.modify(f"dn: cn=all-desks,ou=groups,{BASE}\nchangetype: modify\nreplace: member\nmember: {BASE}\n")
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert not is_in(ada) and deeds(db)[-1] == "directory left"
    assert sign_in(ada, services) == 403


def run(app: Flask, *args: str) -> tuple[int, str]:
    done = app.test_cli_runner().invoke(args=["staff", *args])
    return done.exit_code, done.output


def test_an_operator_binds_a_local_account_to_the_person_in_the_directory(
    app: Flask, ada: Clerk, services: Services, db: Session, town: Town, clock: MovingClock
) -> None:
    assert services.staff_ldap is not None
    subject = services.staff_ldap.prove("ada.martin", PASSWORD, [DESK], today=clock().date()).subject
    local = Desk(app, clock).at_work("ada.martin", Role.DESK, Role.REPORT)
    assert (
        run(app, "bind", "ada.martin", subject)[1]
        == f"ada.martin is now an account of {services.settings.staff_issuer}.\n"
    )
    person = db.scalars(select(Staff)).one()
    assert (person.id, person.subject, person.password_hash) == (local.staff_id, subject, None)
    assert not is_in(local) and "account bound" in deeds(db)
    # The directory's password opens it from now on, and the groups say what it may do.
    assert sign_in(ada, services) == 303
    db.rollback()
    assert [(one.id, one.roles) for one in db.scalars(select(Staff))] == [(local.staff_id, ["desk"])]


def test_what_cannot_be_bound_is_told_and_nothing_changes(
    app: Flask, ada: Clerk, services: Services, db: Session, town: Town, clock: MovingClock
) -> None:
    desk = Desk(app, clock)
    desk.hire("dana", Role.ADMIN)
    desk.hire("pia", Role.PRIVACY)
    desk.hire("cem", Role.DESK)
    assert sign_in(ada, services) == 303
    taken = db.scalars(select(Staff.subject).where(Staff.login == "ada.martin")).one()
    before = deeds(db)
    for login, subject, words in (
        ("nobody", "x", "There is nobody called 'nobody'"),
        ("cem", " ", "what the directory calls the person for ever"),
        ("cem", "x" * 256, "at most 255 characters"),
        ("cem", "two\nlines", "one word"),
        ("cem", taken or "", "Another account is bound to this subject."),
        ("pia", "x", "two people"),
        ("dana", "x", "administrator"),
    ):
        code, said = run(app, "bind", login, subject)
        assert code == 1 and words in said, (login, subject, said)
    assert run(app, "bind", "cem")[0] == 2
    assert deeds(db) == before


def test_a_lost_phone_is_another_second_factor_at_the_next_sign_in(
    app: Flask, ada: Clerk, services: Services, db: Session
) -> None:
    assert sign_in(ada, services) == 303
    seed = db.scalars(select(Staff.totp_seed)).one()
    assert (
        run(app, "reset", "ada.martin")[1]
        == "ada.martin is shown another second factor at the next sign-in.\n"
    )
    assert not is_in(ada) and deeds(db)[-1] == "account reset"
    person = db.scalars(select(Staff)).one()
    assert person.totp_seed != seed and person.issuer == services.settings.staff_issuer
    ada.get("/staff/signin")
    assert "<svg" in ada.press("/staff/signin", login="ada.martin", password=PASSWORD).text
    assert sign_in(ada, services) == 303
    code, said = run(app, "reset", "nobody")
    assert code == 1 and "There is nobody called 'nobody'" in said


def test_a_lock_in_the_directory_ends_a_sign_in(ada: Clerk, services: Services, slapd: Slapd) -> None:
    assert sign_in(ada, services) == 303
    slapd.modify(
        f"dn: uid=ada.martin,{slapd.people}\nchangetype: modify\nreplace: cardBlocked\ncardBlocked: TRUE\n"
    )
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert not is_in(ada)
    assert sign_in(ada, services) == 403


def test_with_the_directory_away_local_accounts_open_and_no_guess_is_charged(
    ada: Clerk, desk: Desk, services: Services, slapd: Slapd, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sign_in(ada, services) == 303
    dana = desk.hire("dana", Role.ADMIN)
    assert services.staff_ldap is not None
    # Nobody listens there: the next question finds no server.
    for server in services.staff_ldap._directory._servers:
        server.close()
        monkeypatch.setattr(server, "_port", 1)
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert is_in(ada)
    stranger = Clerk(ada.app, ada.clock, "ada.martin")
    for _ in range(12):
        assert sign_in(stranger, services) == 503
    assert dana.sign_in().status_code == 303
    assert deeds(db)[-2:] == ["signed in", "signed in past directory"]
    ada.clock.advance(minutes=61)
    assert not is_in(ada)


def test_a_local_account_is_never_opened_by_the_directory(
    ada: Clerk, desk: Desk, services: Services, slapd: Slapd
) -> None:
    """Somebody of the directory has the login of a local account."""
    desk.hire("dana", Role.ADMIN)
    dn = slapd.add_patron("dana", "another password")
    try:
        eve = Clerk(ada.app, ada.clock, "dana")
        assert sign_in(eve, services, "another password") == 401
        assert not is_in(eve)
    finally:
        slapd.modify(f"dn: {dn}\nchangetype: delete\n")


def test_octets_of_active_directory_are_asked_for_as_octets() -> None:
    asked = id_filter("objectGUID", "00112233-4455-6677-8899-aabbccddeeff")
    assert asked == r"(objectGUID=\33\22\11\00\55\44\77\66\88\99\aa\bb\cc\dd\ee\ff)"
    assert id_filter("entryUUID", "a)(uid=*") == r"(entryUUID=a\29\28uid=\2a)"

"""Signing in at the town's OpenID provider, as people do it, and as somebody would who wants in without being known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from auth.audit.log import AuditEntry
from auth.staff import directory_accounts, group_grants, lookup, passkeys, requests
from auth.staff.errors import DirectoryDecides
from auth.staff.models import Staff
from auth.staff.roles import ALL_NETWORKS, Authority, Role
from config import Secret, Settings
from portal import staff_directory
from portal.app import make_services
from portal.services import Services
from tests.actors import TESTER
from tests.clock import MovingClock
from tests.portal.conftest import PORTAL, SECRET
from tests.portal.staff.conftest import Clerk, Desk
from tests.services.openid_provider import OpenIdProvider, Person, running_provider
from tests.town import Town

pytestmark = pytest.mark.usefixtures("own_app")
DESK, BOSS = "wifi-desk", "wifi-admins"


@pytest.fixture
def provider(clock: MovingClock) -> Iterator[OpenIdProvider]:
    with running_provider(clock) as provider:
        provider.people["ada"] = Person("248289", "ada.martin", "Ada Martin", [DESK, "chess"])
        yield provider


@pytest.fixture
def services(database_url: str, clock: MovingClock, provider: OpenIdProvider) -> Iterator[Services]:
    settings = Settings(
        secret_key=Secret(SECRET),
        portal_url=PORTAL,
        database_url=database_url,
        town="Besançon",
        openid=provider.settings(),
    )
    services = make_services(settings, clock=clock)
    yield services
    services.wake.close()
    services.engine.dispose()


@pytest.fixture
def ada(app: Flask, town: Town, clock: MovingClock, services: Services) -> Clerk:
    """Ada has a browser, and her group works at the desk of the libraries."""
    grant(services, DESK, Role.DESK, networks=("bibliotheques",))
    return Clerk(app, clock, "ada.martin")


def grant(services: Services, group: str, *roles: Role, networks: tuple[str, ...] = ()) -> None:
    issuer = services.settings.staff_issuer or ""
    with services.make_session.begin() as db:
        authority = Authority(frozenset(roles), frozenset(networks) or ALL_NETWORKS)
        drafted = group_grants.draft(db, issuer, group, authority)
        group_grants.put(db, drafted, actor=TESTER, now=services.clock())


def go(clerk: Clerk, path: str = "/staff/signin/openid") -> str:
    """To the provider; the address that the browser is sent to."""
    assert clerk.get(path).status_code == 303, clerk.page.text
    return str(clerk.page.location)


def come_back(clerk: Clerk, address: str) -> TestResponse:
    parts = urlsplit(address)
    return clerk.get(f"{parts.path}?{parts.query}", **{"Sec-Fetch-Site": "cross-site"})


def sign_in(clerk: Clerk, provider: OpenIdProvider, who: str = "ada") -> TestResponse:
    return come_back(clerk, provider.sign_in(who, go(clerk)))


def is_in(clerk: Clerk) -> bool:
    return clerk.get("/staff/account").status_code == 200


def deeds(db: Session) -> list[str]:
    db.rollback()
    return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))


def test_whoever_the_provider_vouches_for_works_by_their_groups(
    ada: Clerk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    ada.get("/staff/desk")
    first = ada.follow()
    assert "/staff/signin/openid?next=/staff/desk" in first.text
    asked = go(ada, "/staff/signin/openid?next=/staff/desk")
    assert parse_qs(urlsplit(asked).query)["redirect_uri"] == [f"{PORTAL}/staff/signin/openid/return"]
    page = come_back(ada, provider.sign_in("ada", asked))
    assert page.status_code == 200 and page.headers["Refresh"] == "0; url=/staff/desk"
    assert ada.get("/staff/desk").status_code == 200
    assert ada.get("/staff/people").status_code == 403
    person = lookup.find(db, "ada.martin")
    assert person is not None and person.authority == Authority(
        frozenset({Role.DESK}), frozenset({"bibliotheques"})
    )
    assert person.password_hash is None and person.issuer == provider.url
    assert deeds(db)[-2:] == ["account from directory", "signed in"]


def test_an_answer_belongs_to_the_browser_that_began_and_is_good_once(
    ada: Clerk, provider: OpenIdProvider, app: Flask
) -> None:
    """Somebody sends a victim the answer to a sign-in of their own; somebody reads an answer and sends it again."""
    back = provider.sign_in("ada", go(ada))
    victim = Clerk(app, ada.clock)
    assert come_back(victim, back).status_code == 400 and not is_in(victim)
    # Another sign-in under way in the victim's browser takes it no more than none.
    go(victim)
    assert come_back(victim, back).status_code == 400 and not is_in(victim)
    cookie = ada.browser.get_cookie("__Host-arobase-openid", "portal.example.org")
    assert cookie is not None
    assert come_back(ada, back).status_code == 200 and is_in(ada)
    thief = Clerk(app, ada.clock)
    thief.browser.set_cookie("__Host-arobase-openid", cookie.value, domain="portal.example.org", secure=True)
    assert come_back(thief, back).status_code == 400 and not is_in(thief)
    late = provider.sign_in("ada", go(thief))
    ada.clock.advance(minutes=11)
    assert come_back(thief, late).status_code == 400 and not is_in(thief)


# What the claims of a token may not be.
WRONG: tuple[dict[str, Any], ...] = (
    {"iss": "https://login.other-town.example"},
    {"aud": "another-client"},
    {"aud": ["arobase", "another-client"]},
    {"azp": "another-client"},
    {"nonce": "of-another-sign-in"},
    {"nonce": None},
    {"exp": 1},
    {"exp": None},
    {"iat": None},
    {"sub": None},
    {"sub": ""},
    {"sub": ["248289"]},
    {"at_hash": "bm90IHRoaXMgb25l"},
)


def test_a_token_counts_for_who_signed_it_whom_it_is_for_and_when(
    ada: Clerk, provider: OpenIdProvider
) -> None:
    for changes in WRONG:
        provider.changes = changes
        assert sign_in(ada, provider).status_code == 403, changes
        assert not is_in(ada), changes
    provider.changes = {}
    for signer in ("sign_with_another_key", "sign_with_the_public_key", "sign_with_nothing"):
        provider.signer = getattr(provider, signer)
        assert sign_in(ada, provider).status_code == 403, signer
        assert not is_in(ada), signer
    # Keys are not asked for anew for whatever strangers send.
    assert provider.asked.count("/keys") <= 2
    provider.signer = None
    assert sign_in(ada, provider).status_code == 200


def test_the_provider_changes_its_keys_and_people_go_on_signing_in(
    ada: Clerk, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.staff.openid.provider.KEYS_AGAIN_SECONDS", 0.0)
    assert sign_in(ada, provider).status_code == 200
    provider.rotate_keys()
    assert sign_in(ada, provider).status_code == 200
    assert provider.asked.count("/keys") == 2


def test_an_answer_of_another_provider_is_no_answer(ada: Clerk, provider: OpenIdProvider) -> None:
    """RFC 9207: the answer says whose it is, and this provider has promised to say so."""
    for change in ({"iss": "https://attacker.example"}, {"iss": None}):
        parts = urlsplit(provider.sign_in("ada", go(ada)))
        answer = {**{name: texts[0] for name, texts in parse_qs(parts.query).items()}, **change}
        query = urlencode({name: text for name, text in answer.items() if text is not None})
        assert come_back(ada, f"{parts.path}?{query}").status_code == 403
        assert not is_in(ada)


def test_a_provider_that_calls_itself_otherwise_is_not_ours(ada: Clerk, provider: OpenIdProvider) -> None:
    provider.metadata_changes = {"issuer": "https://login.other-town.example"}
    assert ada.get("/staff/signin/openid").status_code == 503


def test_nobody_is_joined_to_an_account_by_login_or_name(
    ada: Clerk, desk: Desk, provider: OpenIdProvider, db: Session
) -> None:
    desk.hire("dana", Role.ADMIN)
    provider.people["eve"] = Person("666", "dana", "Dana", [DESK])
    eve = Clerk(ada.app, ada.clock)
    assert sign_in(eve, provider, "eve").status_code == 409
    assert not is_in(eve)
    # Whoever gets Ada's login one day is somebody else.
    assert sign_in(ada, provider).status_code == 200
    provider.people["new"] = Person("777", "ada.martin", "Ada Martin", [DESK])
    assert sign_in(eve, provider, "new").status_code == 409
    assert not is_in(eve)
    # And whoever marries is the same person.
    provider.people["ada"].login, provider.people["ada"].name = "ada.durand", "Ada Durand"
    assert sign_in(ada, provider).status_code == 200
    person = db.scalars(select(Staff).where(Staff.subject == "248289")).one()
    assert (person.login, person.name) == ("ada.martin", "Ada Durand")


def test_without_a_group_of_ours_nobody_is_in(
    ada: Clerk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    provider.people["bo"] = Person("1", "bo", "Bo", ["chess"])
    bo = Clerk(ada.app, ada.clock)
    assert sign_in(bo, provider, "bo").status_code == 403
    assert not is_in(bo) and lookup.find(db, "bo") is None
    # The same group in the words of another provider is another group.
    with services.make_session.begin() as writing:
        theirs = group_grants.draft(
            writing,
            "https://login.other-town.example",
            "chess",
            Authority(frozenset({Role.ADMIN}), ALL_NETWORKS),
        )
        group_grants.put(writing, theirs, actor=TESTER, now=services.clock())
    assert sign_in(bo, provider, "bo").status_code == 403


def test_who_loses_the_group_or_leaves_is_out_after_the_next_round(
    ada: Clerk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    grant(services, BOSS, Role.ADMIN)
    sign_in(ada, provider)
    provider.groups_in_token = False
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert is_in(ada)
    # Another group, another role: the sign-in ends, and the next one is by the new group.
    provider.people["ada"].groups = [BOSS]
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert not is_in(ada)
    sign_in(ada, provider)
    assert ada.get("/staff/people").status_code == 200
    provider.people["ada"].groups = ["chess"]
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert not is_in(ada)
    assert deeds(db)[-1] == "directory left"
    provider.people["ada"].groups = [DESK]
    sign_in(ada, provider)
    assert is_in(ada)
    provider.forget("ada")
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert not is_in(ada)


def test_while_the_provider_is_away_sign_ins_go_on_for_an_hour_and_local_accounts_open(
    ada: Clerk, desk: Desk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    dana = desk.hire("dana", Role.ADMIN)
    officer = desk.hire("pia", Role.PRIVACY)
    sign_in(ada, provider)
    provider.is_down = True
    for _ in range(5):
        ada.clock.advance(minutes=11)
        staff_directory.check(services)
        assert is_in(ada)
    ada.clock.advance(minutes=6)
    staff_directory.check(services)
    assert not is_in(ada)
    assert dana.sign_in().status_code == 303
    assert deeds(db)[-2:] == ["signed in", "signed in past directory"]
    # Data protection has no other accounts than local ones.
    assert officer.sign_in().status_code == 303
    assert deeds(db)[-1] == "signed in"


def test_a_provider_that_says_nothing_costs_two_seconds_and_no_more(
    ada: Clerk, desk: Desk, provider: OpenIdProvider
) -> None:
    back = provider.sign_in("ada", go(ada))
    provider.is_silent.set()
    answer = come_back(ada, back)
    assert answer.status_code == 503 and answer.headers["Retry-After"]
    assert not is_in(ada)


def test_the_provider_ends_a_sign_in_by_itself(ada: Clerk, provider: OpenIdProvider, app: Flask) -> None:
    sign_in(ada, provider)
    session = provider.session_of("ada")
    good = {"sub": "248289", "sid": session}
    for changes in (
        {**good, "aud": "another-client"},
        {**good, "iss": "https://login.other-town.example"},
        {**good, "events": {}},
        {**good, "nonce": "x"},
        {**good, "jti": None},
        {**good, "iat": 1},
        {},
    ):
        token = provider.logout_token(**changes)
        assert (
            Clerk(app, ada.clock).post("/staff/signin/openid/logout", logout_token=token).status_code == 400
        )
        assert is_in(ada), changes
    token = provider.logout_token(**good)
    caller = Clerk(app, ada.clock)
    assert caller.post("/staff/signin/openid/logout", logout_token=token).status_code == 200
    assert not is_in(ada)
    assert caller.post("/staff/signin/openid/logout", logout_token=token).status_code == 400
    sign_in(ada, provider)
    caller.post("/staff/signin/openid/logout", logout_token=provider.logout_token(sub="248289"))
    assert not is_in(ada)


def test_whoever_signs_out_here_is_led_to_sign_out_there(ada: Clerk, provider: OpenIdProvider) -> None:
    """On a desk's computer, the next person would else be one press away from being Ada."""
    sign_in(ada, provider)
    ada.get("/staff/account")
    ada.press("/staff/signout")
    page = ada.follow()
    assert f'href="{provider.url}/logout?client_id=arobase"' in page.text
    assert not is_in(ada)
    assert "/logout?" not in ada.get("/staff/signin").text


def test_what_hurts_asks_the_provider_once_more(
    ada: Clerk, provider: OpenIdProvider, services: Services
) -> None:
    """And it has to say that the person has just shown it who they are, and be about the same person."""
    grant(services, BOSS, Role.ADMIN)
    provider.people["ada"].groups = [BOSS]
    provider.people["bo"] = Person("1", "bo", "Bo", [BOSS])
    sign_in(ada, provider)
    ada.clock.advance(minutes=11)
    ada.get("/staff/people")
    page = ada.follow()
    assert "/staff/signin/openid?again=1" in page.text and 'type="password"' not in page.text
    again = "/staff/signin/openid?again=1&next=/staff/people"
    asked = parse_qs(urlsplit(go(ada, again)).query)
    assert asked["prompt"] == ["login"] and asked["max_age"] == ["0"]
    provider.changes = {"auth_time": int(ada.clock().timestamp()) - 3600}
    assert come_back(ada, provider.sign_in("ada", go(ada, again))).status_code == 403
    provider.changes = {}
    assert come_back(ada, provider.sign_in("bo", go(ada, again))).status_code == 403
    assert ada.get("/staff/people").status_code == 303
    assert come_back(ada, provider.sign_in("ada", go(ada, again))).status_code == 200
    assert ada.get("/staff/people").status_code == 200


def test_an_administrator_says_what_groups_may_do_and_sees_whom_it_changes(
    ada: Clerk, desk: Desk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    sign_in(ada, provider)
    dana = desk.at_work("dana", Role.ADMIN)
    dana.get("/staff/groups")
    fields = {"group": "chess", "roles": ["report"], "reach": "some", "networks": ["bibliotheques"]}
    shown = dana.press("/staff/groups", **fields)
    assert shown.status_code == 200 and "ada.martin" in shown.text
    assert is_in(ada)
    assert dana.press("/staff/groups", **fields, keep="1").status_code == 303
    # Two grants for the same networks add up; it holds from the next sign-in on.
    assert not is_in(ada)
    sign_in(ada, provider)
    person = lookup.find(db, "ada.martin")
    assert person is not None and person.roles == ["desk", "report"]
    # No grant gives a role for a network that no single grant gives it for.
    dana.get("/staff/groups")
    dana.press("/staff/groups", group="chess", roles=["ads"], reach="all", keep="1")
    db.rollback()
    assert person.roles == ["desk"] and person.networks == ["bibliotheques"]
    for refused in ("privacy", "school"):
        dana.get("/staff/groups")
        page = dana.press("/staff/groups", group="chess", roles=[refused], reach="all", keep="1")
        assert page.status_code == 400, refused
    with services.make_session() as reading:
        (first, *_) = group_grants.read(reading, provider.url)
    dana.get("/staff/groups")
    asked = dana.press(f"/staff/groups/{first.id}/remove")
    assert asked.status_code == 200 and "ada.martin" in asked.text
    dana.press(f"/staff/groups/{first.id}/remove", keep="1")
    assert not is_in(Clerk(ada.app, ada.clock)) and deeds(db).count("group revoked") == 1


def test_the_directory_alone_never_makes_a_second_person(
    ada: Clerk, desk: Desk, provider: OpenIdProvider, services: Services
) -> None:
    """Whoever keeps the groups could be both of two people; and such an account never gets data protection."""
    grant(services, BOSS, Role.ADMIN)
    provider.people["ada"].groups = [BOSS]
    provider.people["bo"] = Person("1", "bo", "Bo", [BOSS])
    sign_in(ada, provider)
    sign_in(Clerk(ada.app, ada.clock), provider, "bo")
    cem = desk.hire("cem", Role.DESK)
    dana = desk.hire("dana", Role.ADMIN)
    officer = Authority(frozenset({Role.PRIVACY}), ALL_NETWORKS)
    with services.make_session.begin() as db:
        first, second = (lookup.find(db, login) for login in ("ada.martin", "bo"))
        assert first is not None and second is not None
        requests.ask(
            db, db.get_one(Staff, cem.staff_id), officer, by=first, actor=TESTER, now=services.clock()
        )
        asked = requests.open_about(db, db.get_one(Staff, cem.staff_id), now=services.clock())
        assert asked is not None
        assert not requests.may_grant(db, asked, second)
        assert requests.may_grant(db, asked, db.get_one(Staff, dana.staff_id))
        with pytest.raises(DirectoryDecides):
            requests.ask(db, second, officer, by=first, actor=TESTER, now=services.clock())


def test_nothing_of_ours_opens_an_account_of_the_directory(
    ada: Clerk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    """A password, a recovery code or a passkey here would be a way past it."""
    sign_in(ada, provider)
    page = ada.get("/staff/account")
    assert 'type="password"' not in page.text and "/staff/account/passkey" not in page.text
    form: dict[str, Any] = ada.form("/staff/signout")
    for path in ("/staff/account/password", "/staff/account/recovery"):
        refused = ada.post(path, **form, password="four-words-of-my-own")
        assert refused.status_code == 400 and "directory decides" in refused.text
    person = lookup.find(db, "ada.martin")
    assert person is not None and person.password_hash is None
    with services.make_session() as writing, pytest.raises(DirectoryDecides):
        party = passkeys.RelyingParty("portal.example.org", PORTAL, "Arobase")
        passkeys.add(
            writing,
            writing.get_one(Staff, person.id),
            "{}",
            party=party,
            challenge=b"",
            name="",
            actor=TESTER,
            now=services.clock(),
        )


def test_an_account_ends_with_the_directory_that_vouched_for_it(
    ada: Clerk, provider: OpenIdProvider, services: Services, db: Session
) -> None:
    sign_in(ada, provider)
    person = lookup.find(db, "ada.martin")
    assert person is not None
    hour = timedelta(hours=1)
    ask = {"affirmed_for": hour, "now": services.clock()}
    assert directory_accounts.lasts(person, issuer=provider.url, **ask)
    assert not directory_accounts.lasts(person, issuer=None, **ask)
    assert not directory_accounts.lasts(person, issuer="https://login.other-town.example", **ask)

"""Accounts of staff: a link that works once, secrets that a stolen database does not give away, one admin at least."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from auth.patrons.local import HASHER
from auth.staff import accounts, lookup, own_account
from auth.staff.accounts import Invitation
from auth.staff.errors import (
    BeyondAuthority,
    BusyHashing,
    LastAdmin,
    NoReach,
    NoRole,
    NoSchool,
    SpentSetup,
    TakenLogin,
    UnknownHome,
    UnknownNetworks,
    UnknownSchools,
    UnreadableLogin,
    Weakness,
    WeakPassword,
)
from auth.staff.models import RecoveryCode, Staff, StaffState
from auth.staff.roles import ALL_NETWORKS, Authority, Role, covers, may_appoint
from auth.staff.secrets import NOBODY, StaffSecrets, check_password
from auth.staff.signin import claim_step
from config import Secret
from db.engine import SessionMaker
from sites.models import SiteKind
from tests.actors import TESTER
from tests.clock import NOON
from tests.town import build_town, make_site

pytestmark = pytest.mark.usefixtures("real_passwords")
SECRETS = StaffSecrets(Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF"))
EVERYWHERE = Authority(frozenset({Role.ADMIN}), ALL_NETWORKS)
DESK = Authority(frozenset({Role.DESK}), frozenset({"bibliotheques"}))


@pytest.fixture(autouse=True)
def _town(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        build_town(db)


def invite(db: Session, login: str = "cem", authority: Authority = DESK) -> Invitation:
    return accounts.invite(db, login=login, name="Cem Kaya", authority=authority, actor=TESTER, now=NOON)


def hire(db: Session, login: str = "cem", authority: Authority = DESK) -> Staff:
    token = invite(db, login, authority).token
    return own_account.set_up(db, token, password_hash="a hash", totp_step=1, now=NOON)


def test_a_new_account_has_no_password(db: Session) -> None:
    person = invite(db).staff
    assert person.state is StaffState.INVITED
    assert person.password_hash is None
    assert not SECRETS.opens(person.password_hash, "")


def test_a_setup_link_works_once(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        token = invite(db).token
    with make_session.begin() as db:
        own_account.set_up(db, token, password_hash="first", totp_step=1, now=NOON)
    with make_session.begin() as db, pytest.raises(SpentSetup):
        own_account.set_up(db, token, password_hash="second", totp_step=1, now=NOON)
    with make_session() as db:
        person = db.scalars(select(Staff)).one()
        assert (person.password_hash, person.state) == ("first", StaffState.ACTIVE)


def test_a_setup_link_dies_after_a_day_and_with_the_account(db: Session) -> None:
    token = invite(db).token
    with pytest.raises(SpentSetup):
        own_account.find_setup(db, token, now=NOON + timedelta(hours=24))
    person = own_account.find_setup(db, token, now=NOON + timedelta(hours=23))
    accounts.disable(db, person, actor=TESTER, now=NOON)
    with pytest.raises(SpentSetup):
        own_account.find_setup(db, token, now=NOON)


def test_two_who_use_a_link_at_once_are_not_both_let_in(make_session: SessionMaker) -> None:
    with make_session.begin() as db:
        token = invite(db).token
    start, outcomes = threading.Barrier(4), list[str]()

    def use() -> None:
        start.wait()
        try:
            with make_session.begin() as db:
                own_account.set_up(db, token, password_hash="a hash", totp_step=1, now=NOON)
            outcomes.append("in")
        except SpentSetup:
            outcomes.append("refused")

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["in", "refused", "refused", "refused"]


def test_a_stolen_database_gives_no_second_factor(db: Session) -> None:
    """The rows hold a seed; without the installation's secret it makes other codes."""
    person = hire(db)
    ours = SECRETS.totp_secret(person.totp_seed)
    assert len(ours) == 20
    assert ours not in person.totp_seed
    assert (
        StaffSecrets(Secret("another-secret-of-forty-two-characters-yes")).totp_secret(person.totp_seed)
        != ours
    )


def test_recovery_codes_are_bound_to_their_account() -> None:
    assert SECRETS.recovery_digest(1, "abcdefgh23") != SECRETS.recovery_digest(2, "abcdefgh23")


def test_a_time_step_is_used_once_and_takes_the_earlier_ones_with_it(db: Session) -> None:
    person = hire(db)
    assert claim_step(db, person, 100)
    assert not claim_step(db, person, 100)
    assert not claim_step(db, person, 99)
    assert claim_step(db, person, 101)


def test_a_reset_takes_everything_but_the_roles(db: Session) -> None:
    person = hire(db)
    own_account.replace_recovery_codes(db, person, ["digest"], actor=TESTER, now=NOON)
    seed, version = person.totp_seed, person.session_version
    invitation = accounts.reset(db, person, actor=TESTER, now=NOON)
    assert person.state is StaffState.INVITED
    assert person.totp_seed != seed and person.session_version > version
    assert db.scalars(select(RecoveryCode)).all() == []
    assert person.roles == ["desk"]
    assert own_account.find_setup(db, invitation.token, now=NOON) is person


def test_every_change_of_what_somebody_may_do_ends_their_sign_ins(db: Session) -> None:
    person = hire(db)
    version = person.session_version
    report = Authority(frozenset({Role.REPORT}), ALL_NETWORKS)
    accounts.appoint(db, person, report, by=EVERYWHERE, actor=TESTER, now=NOON)
    assert person.session_version == version + 1
    hire(db, "dana", EVERYWHERE)
    accounts.disable(db, person, actor=TESTER, now=NOON)
    assert person.session_version == version + 2


@pytest.mark.parametrize("login", ["", "a", "x" * 65, "<script>", "a b@c", "é", "-", ".cem"])
def test_it_refuses_what_is_no_login(db: Session, login: str) -> None:
    with pytest.raises(UnreadableLogin):
        invite(db, login)


def test_a_login_is_taken_in_any_spelling(db: Session) -> None:
    invite(db, "Cem")
    with pytest.raises(TakenLogin):
        invite(db, "CEM")
    assert lookup.find(db, "ｃｅｍ") is not None


def test_a_head_is_one_of_schools_and_nobody_else_is(db: Session) -> None:
    db.add_all([make_site("ecole-bregille", kind=SiteKind.SCHOOL), make_site("place-pasteur")])
    db.flush()
    head, bregille = frozenset({Role.SCHOOL}), frozenset({"ecole-bregille"})
    for authority in (
        Authority(head, ALL_NETWORKS),
        Authority(frozenset({Role.DESK}), ALL_NETWORKS, bregille),
    ):
        with pytest.raises(NoSchool):
            invite(db, authority=authority)
    with pytest.raises(UnknownSchools):
        invite(db, authority=Authority(head, ALL_NETWORKS, frozenset({"place-pasteur"})))
    person = invite(db, authority=Authority(head, ALL_NETWORKS, bregille)).staff
    assert person.authority.sites == bregille


def test_it_refuses_an_account_that_could_do_nothing_or_is_nowhere(db: Session) -> None:
    with pytest.raises(NoRole):
        invite(db, authority=Authority(frozenset(), ALL_NETWORKS))
    with pytest.raises(UnknownNetworks) as caught:
        invite(db, authority=Authority(frozenset({Role.DESK}), frozenset({"bibliotheques", "nowhere"})))
    assert caught.value.slugs == ["nowhere"]


def test_an_empty_list_of_networks_is_none_of_them(db: Session) -> None:
    """All networks are somebody's choice: whoever takes the last one out of a row has given nothing."""
    with pytest.raises(NoReach):
        invite(db, authority=Authority(frozenset({Role.DESK})))
    chosen, emptied = hire(db, "dana", EVERYWHERE), hire(db, "eve", DESK)
    emptied.networks = []
    db.flush()
    assert (chosen.all_networks, covers(chosen.authority, "bibliotheques")) == (True, True)
    assert not covers(emptied.authority, "bibliotheques")
    assert emptied.actor.networks and not may_appoint(emptied.authority, DESK)


def test_a_home_library_is_one_of_the_accounts_own(db: Session) -> None:
    person = hire(db)
    accounts.set_home(db, person, "pierre-bayle")
    assert person.home_site == "pierre-bayle"
    for slug in ("nowhere", "gare-viotte"):
        with pytest.raises(UnknownHome):
            accounts.set_home(db, person, slug)
    accounts.set_home(db, person, "")
    assert person.home_site == ""


def test_the_last_admin_of_all_networks_stays(db: Session) -> None:
    dana = hire(db, "dana", EVERYWHERE)
    invite(db, "eve", EVERYWHERE)
    hire(db, "finn", Authority(frozenset({Role.ADMIN}), frozenset({"bibliotheques"})))
    with pytest.raises(LastAdmin):
        accounts.disable(db, dana, actor=TESTER, now=NOON)
    with pytest.raises(LastAdmin):
        accounts.appoint(db, dana, DESK, by=EVERYWHERE, actor=TESTER, now=NOON)
    hire(db, "gil", EVERYWHERE)
    accounts.disable(db, dana, actor=TESTER, now=NOON)
    assert dana.state is StaffState.DISABLED


def test_an_admin_of_one_network_reaches_no_further(db: Session) -> None:
    here = Authority(frozenset({Role.ADMIN}), frozenset({"bibliotheques"}))
    cem, dana = hire(db), hire(db, "dana", EVERYWHERE)
    assert lookup.everybody(db, visible_to=here) == [cem]
    with pytest.raises(BeyondAuthority):
        accounts.appoint(db, cem, EVERYWHERE, by=here, actor=TESTER, now=NOON)
    with pytest.raises(BeyondAuthority):
        accounts.appoint(db, dana, DESK, by=here, actor=TESTER, now=NOON)


@pytest.mark.parametrize(
    ("password", "weakness"),
    [
        ("short", Weakness.SHORT),
        ("x" * 257, Weakness.LONG),
        ("abababababab", Weakness.MONOTONOUS),
        ("cem.kaya.2026", Weakness.NAMED),
        ("Cem Kaya Cem Kaya", Weakness.NAMED),
    ],
)
def test_a_password_that_would_be_guessed_is_refused(password: str, weakness: Weakness) -> None:
    with pytest.raises(WeakPassword) as caught:
        check_password(password, login="cem.kaya", name="Cem Kaya")
    assert caught.value.weakness is weakness


def test_a_password_opens_however_the_keyboard_writes_it() -> None:
    password_hash = SECRETS.hash("pâquerette-éternelle")
    assert SECRETS.opens(password_hash, "pa\u0302querette-e\u0301ternelle")
    assert not SECRETS.opens(password_hash, "paquerette-eternelle")
    assert not SECRETS.opens(password_hash, "x" * 100_000)


def test_nobody_costs_as_much_as_somebody() -> None:
    assert not HASHER.check_needs_rehash(NOBODY)


def test_strangers_who_guess_keep_nobody_from_the_hash_who_is_known() -> None:
    """Their queue is another one, and one address has few places in it."""
    secrets = StaffSecrets(Secret("0" * 42), queue=4, wait_seconds=30)
    password_hash = secrets.hash("four-words-of-the-owner")
    began, over = threading.Barrier(25), threading.Event()
    refused: list[bool] = []

    def guess() -> None:
        began.wait()
        while not over.is_set():
            try:
                assert not secrets.opens(password_hash, "a-guess", stranger_at="2001:db8::/64")
            except BusyHashing:
                refused.append(True)
                over.wait(0.01)

    guessers = [threading.Thread(target=guess) for _ in range(24)]
    for each in guessers:
        each.start()
    began.wait()
    try:
        for stranger_at in (None, "198.51.100.7", None, "198.51.100.8"):
            assert secrets.opens(password_hash, "four-words-of-the-owner", stranger_at=stranger_at)
    finally:
        over.set()
        for each in guessers:
            each.join()
    assert refused, "the guessers did not stand in each other's way"


def test_hashing_has_a_queue_with_an_end() -> None:
    narrow = StaffSecrets(Secret("0" * 42), queue=0, wait_seconds=0)
    with narrow._hashing.slot(), pytest.raises(BusyHashing):
        narrow.opens(None, "anything")

"""Any front end lets people in by the same services: values in, a session or a denial out, no request of Flask."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from auth import rate_limits
from auth.errors import BlockedCard, TooManyAttempts, WrongCredentials
from auth.models import Attempt
from auth.patrons.csv_import import import_patrons
from auth.patrons.local import EmbeddedDirectory
from auth.pseudonyms import Pseudonyms
from auth.vouchers import issuing, plans
from auth.vouchers.errors import AlreadyUsed, UnknownVoucher
from auth.vouchers.issuing import Order
from auth.vouchers.keys import VoucherKeys
from config import Secret
from db.engine import SessionMaker
from sessions import clients, patrons, vouchers
from sessions.arrival import Acceptance, Arrival
from sessions.models import AccessSession, EndReason
from sites.models import Gateway, SigninMethod
from tests.actors import TESTER
from tests.clock import NOON
from tests.town import ADA_PHONE, ADA_TABLET, BO_PHONE, build_town, make_client

SECRET = Secret("0123456789abcdefghijklmnopqrstuvwxyzABCDEF")
PSEUDONYMS, KEYS = Pseudonyms(SECRET), VoucherKeys(SECRET)
CARDS = "card,pin,category,expires_on,blocked\n29001,1234,adult,,\n29002,1234,adult,,true\n"


@pytest.fixture
def library(make_session: SessionMaker) -> Gateway:
    """The gateway at the library, as every front end holds it: with its site and network, of no open transaction."""
    with make_session.begin() as db:
        import_patrons(db, CARDS, allow_short=True)
        plans.add_first_plans(db)
        gateway = build_town(db).pierre_bayle
        assert gateway.site.slug != gateway.network.slug
    return gateway


def sign_in(make_session: SessionMaker, library: Gateway, login: str, secret: str) -> int:
    return patrons.sign_in(
        make_session,
        arrival(library),
        login=login,
        secret=secret,
        directory=EmbeddedDirectory(make_session),
        pseudonyms=PSEUDONYMS,
        now=NOON,
    )


def arrival(library: Gateway, mac: str = ADA_PHONE) -> Arrival:
    return Arrival(library, make_client(mac, "10.68.0.5"), Acceptance("1", "fr", "0" * 64), NOON)


def redeem(make_session: SessionMaker, library: Gateway, code: str, mac: str, *, move: bool = False) -> int:
    return vouchers.redeem(make_session, arrival(library, mac), code=code, keys=KEYS, now=NOON, move=move)


def attempts(make_session: SessionMaker) -> int:
    with make_session() as db:
        return db.scalar(select(func.coalesce(func.sum(Attempt.count), 0))) or 0


def test_a_patron_is_let_in(make_session: SessionMaker, library: Gateway) -> None:
    access_id = sign_in(make_session, library, "29001", "1234")
    with make_session() as db:
        access = db.get_one(AccessSession, access_id)
        assert (access.method, access.mac, access.landed_at) == (SigninMethod.PATRON, ADA_PHONE, NOON)
    assert attempts(make_session) == 0


def test_a_wrong_pin_counts_for_card_client_and_site_and_says_whose_card(
    make_session: SessionMaker, library: Gateway
) -> None:
    with pytest.raises(WrongCredentials) as denied:
        sign_in(make_session, library, "29001", "4321")
    assert denied.value.subject == sign_in_subject(make_session, library)
    assert attempts(make_session) >= 3


def sign_in_subject(make_session: SessionMaker, library: Gateway) -> str:
    access_id = sign_in(make_session, library, "29001", "1234")
    with make_session() as db:
        return db.get_one(AccessSession, access_id).subject


def test_a_right_pin_of_a_blocked_card_is_no_guess(make_session: SessionMaker, library: Gateway) -> None:
    with pytest.raises(BlockedCard):
        sign_in(make_session, library, "29002", "1234")
    assert attempts(make_session) == 0


def test_a_login_that_nobody_has_concerns_nobody(make_session: SessionMaker, library: Gateway) -> None:
    with pytest.raises(WrongCredentials) as denied:
        sign_in(make_session, library, "29999", "1234")
    assert denied.value.subject is None


@pytest.mark.parametrize("is_known", [False, True], ids=["a stranger", "somebody who has been on"])
@pytest.mark.parametrize("limit", ["client", "site"])
def test_where_a_broad_limit_is_reached_no_attempt_is_charged_and_only_the_known_are_heard(
    make_session: SessionMaker, library: Gateway, *, limit: str, is_known: bool
) -> None:
    if is_known:
        sign_in(make_session, library, "29001", "1234")
    of_client = rate_limits.of_client(library.identity, ADA_PHONE)
    spent = of_client if limit == "client" else rate_limits.of_site(library.site.slug)
    with make_session.begin() as db:
        for _ in range(spent.most):
            rate_limits.take(db, spent, now=NOON)
    if (limit, is_known) == ("site", True):
        assert sign_in(make_session, library, "29001", "1234")
    else:
        with pytest.raises(TooManyAttempts) as denied:
            sign_in(make_session, library, "29001", "1234")
        assert denied.value.until == NOON + spent.window
    assert attempts(make_session) == spent.most


def test_a_voucher_lets_one_device_in_and_another_takes_its_place_when_asked(
    make_session: SessionMaker, library: Gateway
) -> None:
    with make_session.begin() as db:
        plan = plans.by_slug(db, "day")
        plan.devices = 1
        (code,) = issuing.issue(db, keys=KEYS, plan=plan, order=Order(1), actor=TESTER, now=NOON).codes
    first = redeem(make_session, library, code, ADA_PHONE)
    with pytest.raises(AlreadyUsed):
        redeem(make_session, library, code, BO_PHONE)
    second = redeem(make_session, library, code, BO_PHONE, move=True)
    with make_session() as db:
        assert db.get_one(AccessSession, first).end_reason is EndReason.DEVICE_LIMIT
        assert db.get_one(AccessSession, second).method is SigninMethod.PASS
    assert attempts(make_session) == 0


def test_only_a_code_that_does_not_exist_stays_charged(make_session: SessionMaker, library: Gateway) -> None:
    with pytest.raises(UnknownVoucher):
        redeem(make_session, library, issuing.draw_at_random(1, 1), ADA_PHONE)
    assert attempts(make_session) > 0


def test_a_device_ends_another_one_of_the_same_person_and_nobody_elses(
    make_session: SessionMaker, library: Gateway
) -> None:
    phone = sign_in(make_session, library, "29001", "1234")
    with make_session.begin() as db:
        plan = plans.by_slug(db, "day")
        (code,) = issuing.issue(db, keys=KEYS, plan=plan, order=Order(1), actor=TESTER, now=NOON).codes
    strangers = redeem(make_session, library, code, ADA_TABLET)
    with make_session.begin() as db:
        mine = db.get_one(AccessSession, phone)
        assert not clients.leave(db, mine, device=strangers, now=NOON)
        assert [one.id for one in clients.devices(db, mine, now=NOON)] == [phone]
        assert clients.leave(db, mine, device=phone, now=NOON)
        assert db.get_one(AccessSession, strangers).ended_at is None
        assert clients.last(db, network_id=mine.network_id, mac=ADA_PHONE).end_reason is EndReason.LEFT

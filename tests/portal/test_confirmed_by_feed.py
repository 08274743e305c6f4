"""A gateway's question says that the kernel has taken all before it, in place of a call of its own."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.gateway_api.nftables import LONG_POLL, LongPoll
from sessions.models import Lease
from tests.portal.conftest import ADA, ADA_PIN, Agent, Phone


def test_a_question_confirms_what_was_told_before_it_and_nothing_later(
    db: Session, reader: Phone, bayle: Agent
) -> None:
    told = bayle.call("GET", "/gateways/nftables/feed?since=0").get_json()
    assert told["hears_confirmed"] is True
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    answer = bayle.call("GET", f"/gateways/nftables/feed?since={told['version']}&confirmed=1").get_json()
    assert answer["grants"] and confirmed_at(db) is None
    bayle.call("GET", f"/gateways/nftables/feed?since={answer['version']}")
    assert confirmed_at(db) is None
    bayle.call("GET", f"/gateways/nftables/feed?since={answer['version']}&confirmed=1")
    assert confirmed_at(db) is not None


def test_a_question_that_has_waited_does_not_confirm_once_more(
    db: Session, reader: Phone, bayle: Agent
) -> None:
    reader.land()
    reader.press("/signin", login=ADA, secret=ADA_PIN)
    version = bayle.call("GET", "/gateways/nftables/feed?since=0").get_json()["version"]
    asked = f"/gateways/nftables/feed?since={version}&wait=25&confirmed=1"
    bayle.call("GET", asked, environ_overrides={LONG_POLL: LongPoll(is_again=True)})
    assert confirmed_at(db) is None
    poll = LongPoll()
    bayle.call("GET", asked, environ_overrides={LONG_POLL: poll})
    assert poll.gateway_id is not None and confirmed_at(db) is not None


def confirmed_at(db: Session) -> object:
    db.rollback()
    return db.scalars(select(Lease.confirmed_at)).one()

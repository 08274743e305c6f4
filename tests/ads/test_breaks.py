"""Breaks that have begun: one row for each client, until its message is accepted or half an hour has passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ads import breaks
from ads.breaks import BREAK_LIFE, Break
from ads.models import Impression, OpenBreak
from tests.ads.campaigns import accept, run_campaign
from tests.clock import NOON
from tests.town import Town, build_town

MINUTE = timedelta(minutes=1)


@pytest.fixture
def town(db: Session) -> Town:
    return build_town(db)


@pytest.fixture
def begun(db: Session, town: Town) -> Break:
    creative = run_campaign(db).creatives[0]
    one = Break("somebody", "nonce-7", creative.id, NOON, NOON, 1, None, "digest")
    breaks.write(db, [one])
    return one


def test_it_is_found_for_half_an_hour(db: Session, begun: Break) -> None:
    assert breaks.find(db, "somebody", now=NOON + BREAK_LIFE - MINUTE) == begun
    assert breaks.find(db, "somebody", now=NOON + BREAK_LIFE) is None
    assert breaks.find(db, "somebody else", now=NOON) is None


def test_the_next_message_takes_its_place(db: Session, begun: Break) -> None:
    other = replace(begun, nonce="nonce-8", shown_at=NOON + MINUTE, draw=None)
    breaks.write(db, [other])
    assert breaks.find(db, "somebody", now=NOON + MINUTE) == other
    assert db.scalar(select(func.count()).select_from(OpenBreak)) == 1


def test_it_is_over_once_its_message_was_accepted(db: Session, town: Town, begun: Break) -> None:
    assert not breaks.is_spent(db, begun.nonce)
    accept(db, town.station, begun.creative_id, 7)
    spent = db.scalars(select(Impression.nonce)).one()
    breaks.write(db, [replace(begun, nonce=spent)])
    assert breaks.is_spent(db, spent)
    assert breaks.find(db, "somebody", now=NOON) is None


def test_it_is_forgotten(db: Session, begun: Break) -> None:
    breaks.forget(db, before=NOON)
    assert breaks.find(db, "somebody", now=NOON) == begun
    breaks.forget(db, before=NOON + MINUTE)
    assert breaks.find(db, "somebody", now=NOON) is None

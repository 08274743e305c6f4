"""A process that accepts messages as fast as it can, until it is killed."""

from __future__ import annotations

from multiprocessing.connection import Connection

from sqlalchemy import select

from ads.ledger import served
from db.engine import make_engine, make_session_maker
from sites.models import Gateway
from tests.ads.campaigns import accept
from tests.clock import NOON


def accept_until_killed(url: str, identity: str, creative_id: int, first: int, told: Connection) -> None:
    """Serve and accept one number after the other; what was committed is told, and every second time served is not."""
    make_session = make_session_maker(make_engine(url))
    number = first
    while True:
        number += 1
        with make_session.begin() as db:
            gateway = db.scalars(select(Gateway).where(Gateway.identity == identity)).one()
            if number % 2:
                served.write(db, [served.of(gateway, f"n{number}", creative_id, shown_at=NOON)], now=NOON)
        with make_session.begin() as db:
            gateway = db.scalars(select(Gateway).where(Gateway.identity == identity)).one()
            accept(db, gateway, creative_id, number)
        told.send(number)

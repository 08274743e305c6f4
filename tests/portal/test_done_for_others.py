"""A guest's act on SQLite may be done in the thread of whoever has the turn to write (docs/adr/0017)."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from db.engine import group_commit
from db.sqlite_queue import WRITE_QUEUE
from lab.costs.__main__ import town

ACTS = ["patron's sign-in", "pass redeemed", "message accepted", "renewal", "feed, which confirms"]


@pytest.mark.parametrize("act", ACTS)
def test_an_act_needs_nothing_of_the_request_it_came_with(tmp_path: Path, act: str) -> None:
    """It is done by a thread that answers no request; where it asked for one, its guest would get an error."""
    with town(tmp_path, "sqlite", most=3) as (services, acts):
        queue = services.engine.get_execution_options()[WRITE_QUEUE]
        call, met = acts[act](), list[BaseException]()

        def ask() -> None:
            try:
                call()
            except BaseException as error:
                met.append(error)

        guest = threading.Thread(target=ask)

        def wait_until_it_queues(_db: Session) -> None:
            guest.start()
            while guest.is_alive() and not queue.waiting:
                guest.join(0.001)
            assert queue.waiting, "it did not queue"

        group_commit(services.make_session, wait_until_it_queues)
        guest.join(60)
    assert not guest.is_alive()
    assert met == []

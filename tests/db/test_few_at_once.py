"""Few short transactions are under way at one time on PostgreSQL, and nobody waits for long for that."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from db.engine import async_commit, group_commit, make_engine, make_session_maker
from db.few_at_once import FEW_AT_ONCE, MOST, FewAtOnce
from tests.conftest import empty_database

LONG, SHORT = 60.0, 0.001


class Crowd:
    """Threads that come again and again; the most of them that were inside at one time."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._inside = self.most = 0

    def inside(self, _db: Session | None = None) -> None:
        with self._guard:
            self._inside += 1
            self.most = max(self.most, self._inside)
        # Others run meanwhile.
        time.sleep(0)
        with self._guard:
            self._inside -= 1

    def come(self, go_in: Callable[[], object]) -> int:
        """Have six threads go in fifty times each; the most at one time."""

        def keep_coming() -> None:
            for _ in range(50):
                go_in()

        threads = [threading.Thread(target=keep_coming) for _ in range(6)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        return self.most


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    engine = make_engine(empty_database("postgresql", request))
    yield engine
    engine.dispose()


def test_no_more_than_so_many_at_one_time() -> None:
    few, crowd = FewAtOnce(2, LONG), Crowd()

    def go_in() -> None:
        with few.turn():
            crowd.inside()

    assert crowd.come(go_in) == 2


def test_who_has_waited_for_long_goes_ahead_and_makes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    few, crowd = FewAtOnce(1, SHORT), Crowd()
    with few.turn(), few.turn():
        # Both are inside, though there is one place.
        pass
    monkeypatch.setattr(few, "_longest_seconds", LONG)

    def go_in() -> None:
        with few.turn():
            crowd.inside()

    assert crowd.come(go_in) == 1


def test_one_that_fails_gives_its_place_back() -> None:
    few = FewAtOnce(1, LONG)
    with pytest.raises(LookupError), few.turn():
        raise LookupError
    with few.turn():
        pass


@pytest.mark.parametrize("commit", [group_commit, async_commit])
def test_short_transactions_of_postgresql_are_few_at_one_time(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, commit: Callable[..., object]
) -> None:
    few, crowd = engine.get_execution_options()[FEW_AT_ONCE], Crowd()
    monkeypatch.setattr(few, "_longest_seconds", LONG)
    assert crowd.come(lambda: commit(make_session_maker(engine), crowd.inside)) == MOST


def test_a_transaction_that_is_stuck_holds_up_nobody(engine: Engine) -> None:
    make_session, is_inside, is_over = make_session_maker(engine), threading.Semaphore(0), threading.Event()

    def stay(_db: Session) -> None:
        is_inside.release()
        is_over.wait(LONG)

    stuck = [threading.Thread(target=group_commit, args=(make_session, stay)) for _ in range(MOST)]
    for each in stuck:
        each.start()
        is_inside.acquire()
    assert group_commit(make_session, lambda _db: "done") == "done"
    assert all(each.is_alive() for each in stuck)
    is_over.set()
    for each in stuck:
        each.join()

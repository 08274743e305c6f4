from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from auth.bulkhead import Breaker, Bulkhead, FullBulkhead, OpenBreaker


@contextmanager
def holders(bulkhead: Bulkhead, count: int) -> Iterator[threading.Event]:
    """Threads that hold `count` slots until the event is set, or the block ends."""
    release, inside = threading.Event(), threading.Semaphore(0)

    def hold() -> None:
        with bulkhead.slot():
            inside.release()
            release.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(count)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=5)
    try:
        yield release
    finally:
        release.set()
        for thread in threads:
            thread.join()


def test_it_refuses_who_finds_neither_slot_nor_queue() -> None:
    bulkhead = Bulkhead(slots=2, queue=0, wait_seconds=10, stall_seconds=60)
    with holders(bulkhead, 2) as release:
        # Whoever queued all the same would be let in by this, and not refused.
        threading.Timer(0.2, release.set).start()
        with pytest.raises(FullBulkhead), bulkhead.slot():
            pass


def test_it_refuses_after_the_wait() -> None:
    bulkhead = Bulkhead(slots=1, queue=1, wait_seconds=0.05, stall_seconds=60)
    with holders(bulkhead, 1), pytest.raises(FullBulkhead), bulkhead.slot():
        pass


def test_it_lets_nobody_queue_while_nothing_moves() -> None:
    bulkhead = Bulkhead(slots=1, queue=1, wait_seconds=60, stall_seconds=0.0)
    with holders(bulkhead, 1), pytest.raises(FullBulkhead), bulkhead.slot():
        pass


def test_it_hands_a_freed_slot_to_who_waits() -> None:
    bulkhead = Bulkhead(slots=1, queue=1, wait_seconds=10, stall_seconds=60)
    with holders(bulkhead, 1) as release:
        threading.Timer(0.05, release.set).start()
        with bulkhead.slot():
            assert release.is_set()


def test_a_slot_is_free_again_after_a_failure() -> None:
    bulkhead = Bulkhead(slots=1, queue=0)
    with pytest.raises(KeyError), bulkhead.slot():
        raise KeyError
    with bulkhead.slot():
        pass


def test_nobody_is_lost_or_doubled_in_a_crowd() -> None:
    bulkhead = Bulkhead(slots=3, queue=100, wait_seconds=10, stall_seconds=60)
    inside, most, served = 0, 0, 0
    lock = threading.Lock()

    def visit() -> None:
        nonlocal inside, most, served
        for _ in range(50):
            with bulkhead.slot():
                with lock:
                    inside += 1
                    most = max(most, inside)
                with lock:
                    inside -= 1
                    served += 1

    threads = [threading.Thread(target=visit) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert served == 1000
    assert most <= 3


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_breaker_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker("x", failures=3, clock=Clock())
    for _ in range(5):
        breaker.failed("no")
        breaker.failed("no")
        breaker.succeeded()
    breaker.admit()
    for _ in range(3):
        breaker.failed("no")
    with pytest.raises(OpenBreaker):
        breaker.admit()


def test_the_breaker_lets_one_probe_through_every_five_seconds() -> None:
    clock = Clock()
    breaker = Breaker("x", failures=1, probe_seconds=5, clock=clock)
    breaker.failed("no")
    clock.now += 4.9
    with pytest.raises(OpenBreaker) as refused:
        breaker.admit()
    assert refused.value.seconds == pytest.approx(0.1)
    clock.now += 0.2
    breaker.admit()
    with pytest.raises(OpenBreaker):
        breaker.admit()
    breaker.failed("still no")
    clock.now += 5
    breaker.admit()


def test_the_breaker_closes_on_a_success() -> None:
    clock = Clock()
    breaker = Breaker("x", failures=1, probe_seconds=5, clock=clock)
    breaker.failed("no")
    clock.now += 5
    breaker.admit()
    breaker.succeeded()
    breaker.admit()
    breaker.admit()

"""What acts ask their database, recorded at the driver, so that the same can be asked again without the acts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Engine, event

from db.drivers import DRIVER, Driver, Row, Statement, TransactionMode


@dataclass(frozen=True, slots=True)
class Answer:
    """In the place of a value: what an earlier call of the same act gave, by its number and the column of its row."""

    call: int
    column: int


@dataclass(frozen=True, slots=True)
class Call:
    """A statement, its values and the first row that it gave. One that is `later` goes with what follows it."""

    text: str
    values: tuple[Any, ...]
    row: Row = ()
    later: bool = False


@dataclass(slots=True)
class Transaction:
    """What one transaction asked, up to its commit."""

    mode: TransactionMode | None
    calls: list[Call] = field(default_factory=list)


# Its transactions in their order.
Act = list[Transaction]


class _Recording:
    """A driver that writes down what goes through it."""

    def __init__(self, driver: Driver, act: Act) -> None:
        self._driver, self._act = driver, act

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    def begin(self, mode: TransactionMode | None) -> None:
        self._driver.begin(mode)
        self._act.append(Transaction(mode))

    def begin_group(self, mode: TransactionMode | None, **when: float) -> Any:
        group = self._driver.begin_group(mode, **when)  # type: ignore[attr-defined]
        self._act.append(Transaction(mode))
        return group

    def execute(self, statement: Statement, values: Sequence[Any]) -> tuple[list[Row], int]:
        rows, count = self._driver.execute(statement, values)
        self._act[-1].calls.append(Call(statement.text, tuple(values), rows[0] if rows else ()))
        return rows, count

    def later(self, statement: Statement, values: Sequence[Any], hear: Callable[[list[Row]], None]) -> None:
        calls, place = self._act[-1].calls, len(self._act[-1].calls)
        calls.append(Call(statement.text, tuple(values), later=True))

        def heard(rows: list[Row]) -> None:
            calls[place] = replace(calls[place], row=rows[0] if rows else ())
            hear(rows)

        self._driver.later(statement, values, heard)

    def send(self) -> None:
        calls = self._act[-1].calls
        if calls and calls[-1].later:
            calls[-1] = replace(calls[-1], later=False)
        self._driver.send()


@contextmanager
def recording(engine: Engine) -> Iterator[Act]:
    """Until the end of the block all that this engine asks is written into the list, which may be emptied."""
    act: Act = []

    def record(_connection: object, entry: Any) -> None:
        entry.info[DRIVER] = _Recording(entry.info[DRIVER], act)

    engine.dispose()
    event.listen(engine, "connect", record)
    try:
        yield act
    finally:
        event.remove(engine, "connect", record)
        engine.dispose()


def alike(acts: Sequence[Act]) -> list[Act]:
    """Those that asked the same statements, the most there are, with answers of the database named in later values."""
    asking = [[transaction for transaction in act if transaction.calls] for act in acts]
    shapes = [tuple((each.mode, *(call.text for call in each.calls)) for each in act) for act in asking]
    ((shape, _),) = Counter(shapes).most_common(1)
    chosen = [act for act, its in zip(asking, shapes, strict=True) if its == shape]
    answers = _answers([_calls(act) for act in chosen])
    return [_named(act, answers) for act in chosen]


def _calls(act: Act) -> list[Call]:
    return [call for transaction in act for call in transaction.calls]


def _answers(acts: Sequence[list[Call]]) -> dict[tuple[int, int], Answer]:
    """By call and place, the values that are in each act what an earlier call of it gave: a new row's number."""
    found: dict[tuple[int, int], Answer] = {}
    for number, call in enumerate(acts[0]):
        for place in range(len(call.values)):
            values = [calls[number].values[place] for calls in acts]
            if type(values[0]) is not int or len(set(values)) == 1:
                continue
            named = next(_equal(acts, number, values), None)
            if named is not None:
                found[number, place] = named
    return found


def _equal(acts: Sequence[list[Call]], number: int, values: list[int]) -> Iterator[Answer]:
    """The answers before a call that are in each act what was given there, the last one first."""
    for earlier in reversed(range(number)):
        for column in range(len(acts[0][earlier].row)):
            if values == [calls[earlier].row[column] for calls in acts]:
                yield Answer(earlier, column)


def _named(act: Act, answers: dict[tuple[int, int], Answer]) -> Act:
    number, named = 0, list[Transaction]()
    for transaction in act:
        named.append(Transaction(transaction.mode))
        for call in transaction.calls:
            values = [answers.get((number, place), value) for place, value in enumerate(call.values)]
            named[-1].calls.append(replace(call, values=tuple(values), row=()))
            number += 1
    return named

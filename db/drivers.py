"""The drivers' own connections, without the layers above: what a session's hot statements go through.

One object for each connection of the pool, in its `info`: `db.sqlite_driver` and `db.postgresql_driver`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import Dialect, Engine

if TYPE_CHECKING:
    from db.sqlite_groups import Group

IMPATIENT_SECONDS = 0.1
DRIVER = "arobase_driver"
Row = tuple[Any, ...]


class TransactionMode(enum.Enum):
    """What a transaction is for, where it is not the ordinary one that writes for good."""

    READING = enum.auto()
    GROUP_COMMIT = enum.auto()
    ASYNC_COMMIT = enum.auto()
    BEST_EFFORT = enum.auto()


# Their commits do not wait for the disk.
ASYNC = TransactionMode.ASYNC_COMMIT, TransactionMode.BEST_EFFORT
# Short ones, which SQLite may commit together.
GROUPED = TransactionMode.GROUP_COMMIT, TransactionMode.ASYNC_COMMIT


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as text of one dialect; `number` is its own in this process."""

    text: str
    number: int


def is_only_writer(driver: Driver) -> bool:
    """Whether nobody else writes until this transaction ends, so that what it has read stays so: on SQLite, where each
    that may write begins as a writer.
    """
    return driver.writes.name == "sqlite"


class Driver(Protocol):
    """A connection as its driver has it. Faults are the driver's own."""

    engine: Engine
    # Set where the transaction is a part of one that is committed for several: that one is not this driver's to end.
    group: Group | None
    # By whose rules statements are written for it.
    writes: Dialect
    # Whether a statement may wait for the next one: whoever has no way to a server that could be spared has no `later`.
    defers: bool

    def begin(self, mode: TransactionMode | None) -> None:
        """Begin a transaction; on SQLite as a writer, unless it is for reading. On PostgreSQL with what follows."""

    def execute(self, statement: Statement, values: Sequence[Any]) -> tuple[list[Row], int]:
        """Execute it with its values in their order; its rows, and how many it matched or gave."""

    def execute_many(self, statement: Statement, rows: Sequence[Sequence[Any]]) -> None:
        """Execute it with each of these rows of values. Nothing comes back."""

    def later(self, statement: Statement, values: Sequence[Any], hear: Callable[[list[Row]], None]) -> None:
        """Execute it before whatever is executed next, the commit included, sent together with that, and have `hear`
        called with its rows.
        """

    def look_by_index(self) -> None:
        """From the next statement until this transaction ends, look rows up by an index where there is one, however
        small a table was when the database last counted its rows. The next statement is this driver's.

        PostgreSQL keeps the plan that it then makes for a statement: with one of a table that was empty, it would read
        all of it each time, until it has counted anew.
        """

    def send(self) -> None:
        """Send what waits for the next statement: another than this driver is about to speak on the connection."""

    def commit(self) -> None:
        """Commit the transaction that `begin` began."""

    def rollback(self) -> None:
        """Roll it back."""

"""Records as Parquet, piece by piece. The library is at home here, and loaded by the first file that is asked for.

It is an extra of the package (``arobase[parquet]``): ask `is_installed` before offering a file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

from sessions.log.records import COLUMNS, INSTANTS, Record

# Rows of one group: what is in memory at once.
GROUP = 5_000


def is_installed() -> bool:
    """Whether `stream` can be called; found out without loading the library."""
    return find_spec("pyarrow") is not None


def stream(records: Iterable[Record], *, note: str, group: int = GROUP) -> Iterator[bytes]:
    """The file in the pieces in which it is written. `note` stands in its metadata, under "note"."""
    import pyarrow
    from pyarrow.parquet import ParquetWriter

    kinds = {name: pyarrow.timestamp("us", tz="UTC") for name in INSTANTS}
    columns = [pyarrow.field(name, kinds.get(name, pyarrow.string())) for name in COLUMNS]
    schema = pyarrow.schema(columns, metadata={"note": note})
    written = _Written()
    with ParquetWriter(pyarrow.PythonFile(written, mode="w"), schema, compression="zstd") as writer:
        waiting = iter(records)
        while rows := list(itertools.islice(waiting, group)):
            writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
            yield written.take()
    yield written.take()


class _Written:
    """A file that keeps what was written until it is taken."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def write(self, piece: Any) -> int:
        self._pieces.append(bytes(piece))
        self._written += len(self._pieces[-1])
        return len(self._pieces[-1])

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Nothing is behind it."""

    def close(self) -> None:
        self.closed = True

    def take(self) -> bytes:
        pieces, self._pieces = b"".join(self._pieces), []
        return pieces

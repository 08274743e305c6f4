"""What the gateway remembers by itself: the grants, how far the feed was followed, and what time it was.

One JSON value a line. A change is on disk before it is confirmed to the portal. The file is made anew, in one
rename, when it has grown: then its first line is all that counted. A line that was torn by a crash ends the
reading; what it said had not been confirmed, so that the portal says it again.

A disk that is full or has become read-only ends nothing: the memory serves, `fault` says why the file is behind,
and the next write that goes through brings the whole memory.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Any

from gateways.nftables.clock import Moment, Stamp
from gateways.nftables.feed import FeedAnswer, fold, grant_row, parse_grant
from gateways.types import Grant

# The file is made anew when this much was appended since the last time.
LARGEST_TAIL_BYTES = 4 << 20
GRANTS_A_LINE = 500


@dataclass(slots=True)
class Memory:
    """All that counts at one time. `epoch` and `sequence` are those of the last report."""

    version: int = 0
    grants: dict[int, Grant] = field(default_factory=dict)
    stamp: Stamp | None = None
    epoch: str = ""
    sequence: int = 0


class Journal:
    """The file in the state directory. It belongs to one agent: the caller holds the directory's lock.

    `fault` is None while the file holds all that the memory does, and the system's reason otherwise.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / "journal.jsonl"
        self.fault: str | None = None
        self._tail = 0
        self._file: FileIO | None = None
        try:
            self.memory = _recall(self._path)
        except OSError as error:
            # It may be readable again later: it is not written over before something was learnt.
            self.memory, self.fault = Memory(), str(error)
        else:
            self._renew()

    def close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            # What a full disk kept back is in nobody's file, and must not stop us once more.
            with contextlib.suppress(OSError):
                file.close()

    def record(self, answer: FeedAnswer, stamp: Stamp) -> None:
        """Remember an answer of the feed that the kernel has taken. On disk when this returns, or `fault` says why."""
        memory = self.memory
        memory.grants = fold(memory.grants, answer)
        # In pieces, as a line of ten thousand grants is many bytes; with the last one comes the version.
        pieces = range(0, max(1, len(answer.grants)), GRANTS_A_LINE)
        for start in pieces:
            is_last = start == pieces[-1]
            row = {
                "version": answer.version if is_last else memory.version,
                "full": answer.full and start == 0,
                "grants": [grant_row(grant) for grant in answer.grants[start : start + GRANTS_A_LINE]],
                "ends": list(answer.ends) if is_last else [],
            }
            self._write({"answer": row, "stamp": _stamp_row(stamp)})
        memory.version, memory.stamp = answer.version, stamp
        self._settle(sync=True)

    def forget(self, numbers: list[int]) -> None:
        """Drop grants whose time is over: the kernel ended them, and the portal knows."""
        for number in numbers:
            self.memory.grants.pop(number, None)
        self._append({"forget": numbers})

    def report(self, epoch: str, sequence: int, stamp: Stamp) -> None:
        """Remember that this report is about to be sent: the next has a higher number, whatever happens."""
        self.memory.epoch, self.memory.sequence, self.memory.stamp = epoch, sequence, stamp
        self._append({"epoch": epoch, "sequence": sequence, "stamp": _stamp_row(stamp)})

    def _append(self, row: Mapping[str, Any]) -> None:
        self._write(row)
        self._settle(sync=False)

    def _write(self, row: Mapping[str, Any]) -> None:
        """Append a line; where that fails, the file is behind from here on."""
        if self._file is None:
            return
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        try:
            # Without a buffer, so that nothing is kept back for later: a disk may take a part of it.
            while line:
                written = self._file.write(line)
                self._tail += written
                line = line[written:]
        except OSError as error:
            self._lose(error)

    def _settle(self, *, sync: bool) -> None:
        """After a change: on disk if asked, shortened when long, and made anew when an earlier write had failed."""
        if self._file is None or self._tail > LARGEST_TAIL_BYTES:
            self._renew()
        elif sync:
            try:
                os.fdatasync(self._file.fileno())
            except OSError as error:
                self._lose(error)

    def _lose(self, error: OSError) -> None:
        self.close()
        self.fault = str(error)

    def _renew(self) -> None:
        """Write the whole memory to a new file. Where that fails, the old one stays as far as it goes."""
        self.close()
        try:
            self._file = self._anew()
        except OSError as error:
            self.fault = str(error)
        else:
            self.fault = None

    def _anew(self) -> FileIO:
        """Write the memory to a new file and put it in the old one's place."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            for row in _memory_rows(self.memory):
                file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        self._tail = 0
        return FileIO(self._path, "ab")


def _recall(path: Path) -> Memory:
    """Read the file as far as it is whole. Without one, nothing is remembered."""
    memory = Memory()
    if not path.exists():
        return memory
    with path.open("rb") as lines:
        for line in lines:
            try:
                _replay(memory, json.loads(line))
            except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
                # A hole in the past: the portal has to tell everything again.
                memory.version = 0
                break
    return memory


def _replay(memory: Memory, row: dict[str, Any]) -> None:
    if not isinstance(row, dict):
        raise TypeError("not a record")
    if "answer" in row:
        said = row["answer"]
        grants = tuple(parse_grant(each) for each in said["grants"])
        answer = FeedAnswer(_counter(said["version"]), said["full"], 0.0, grants, tuple(said["ends"]))
        memory.grants, memory.version = fold(memory.grants, answer), answer.version
    for number in row.get("forget", []):
        memory.grants.pop(number, None)
    if "sequence" in row:
        memory.epoch, memory.sequence = str(row["epoch"]), _counter(row["sequence"])
    if row.get("stamp"):
        portal, boot_id, boot, wall = row["stamp"]
        memory.stamp = Stamp(_finite(portal), Moment(str(boot_id), _finite(boot), _finite(wall)))


def _counter(value: Any) -> int:
    """A number that the portal's database can hold. Raises `ValueError` or `TypeError` where it is none."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{value!r} is not a whole number")
    if not 0 <= value < 2**63:
        raise ValueError(f"{value} is no counter")
    return value


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not an instant")
    return number


def _memory_rows(memory: Memory) -> Iterator[dict[str, Any]]:
    """The lines of a new file: what `_replay` reads back as this memory."""
    stamp = _stamp_row(memory.stamp) if memory.stamp else None
    yield {"epoch": memory.epoch, "sequence": memory.sequence, "stamp": stamp}
    grants = list(memory.grants.values())
    for start in range(0, max(1, len(grants)), GRANTS_A_LINE):
        rows = [grant_row(grant) for grant in grants[start : start + GRANTS_A_LINE]]
        yield {"answer": {"version": memory.version, "full": start == 0, "grants": rows, "ends": []}}


def _stamp_row(stamp: Stamp) -> list[Any]:
    return [stamp.portal, stamp.moment.boot_id, stamp.moment.boot, stamp.moment.wall]

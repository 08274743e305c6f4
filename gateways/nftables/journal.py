"""What the gateway remembers by itself: the grants, how far the feed was followed, and what time it was.

One JSON value a line. A change is on disk before it is confirmed to the portal. The file is made anew, in one
rename, when it has grown: then its first line is all that counted. A line that was torn by a crash ends the
reading; what it said had not been confirmed, so that the portal says it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from gateways.nftables.clock import Moment, Stamp
from gateways.nftables.feed import Answer, fold, grant_row, parse_grant
from gateways.ports import Grant

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
    """The file in the state directory. It belongs to one agent: the caller holds the directory's lock."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "journal.jsonl"
        self.memory = _recall(self._path)
        self._tail = 0
        self._file = self._anew()

    def close(self) -> None:
        self._file.close()

    def record(self, answer: Answer, stamp: Stamp) -> None:
        """Remember an answer of the feed that the kernel has taken. On disk when this returns."""
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
        os.fdatasync(self._file.fileno())
        self._shorten()

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
        self._shorten()

    def _write(self, row: Mapping[str, Any]) -> None:
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        self._tail += len(line)

    def _shorten(self) -> None:
        if self._tail > LARGEST_TAIL_BYTES:
            self._file.close()
            self._file = self._anew()

    def _anew(self) -> BinaryIO:
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
        return self._path.open("ab")


def _recall(path: Path) -> Memory:
    """Read the file as far as it is whole. Without one, nothing is remembered."""
    memory = Memory()
    if not path.exists():
        return memory
    with path.open("rb") as lines:
        for line in lines:
            try:
                _replay(memory, json.loads(line))
            except (ValueError, TypeError, KeyError, RecursionError):
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
        answer = Answer(said["version"], said["full"], 0.0, grants, tuple(said["ends"]))
        memory.grants, memory.version = fold(memory.grants, answer), answer.version
    for number in row.get("forget", []):
        memory.grants.pop(number, None)
    if "sequence" in row:
        memory.epoch, memory.sequence = str(row["epoch"]), int(row["sequence"])
    if row.get("stamp"):
        portal, boot_id, boot, wall = row["stamp"]
        memory.stamp = Stamp(float(portal), Moment(str(boot_id), float(boot), float(wall)))


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

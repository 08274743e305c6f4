"""What the gateway remembers by itself: the grants, how far the feed was followed, and what time it was.

One JSON value a line. A change is on disk before it is confirmed to the portal. The file is made anew, in one
rename, when it has grown: then its first line is all that counted. A line that was torn by a crash ends the
reading; what it said had not been confirmed, so that the portal says it again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from gateways.nftables.clock import Moment, Stamp
from gateways.nftables.feed import Answer, fold, grant_row, parse_grant
from gateways.ports import Grant

# The file is made anew when this much was appended since the last time.
LARGEST_TAIL_BYTES = 1 << 20


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
        memory.version, memory.stamp = answer.version, stamp
        row = {
            "version": answer.version,
            "full": answer.full,
            "grants": [grant_row(grant) for grant in answer.grants],
            "ends": list(answer.ends),
        }
        self._append({"answer": row, "stamp": _stamp_row(stamp)})
        os.fdatasync(self._file.fileno())

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
        line = json.dumps(row, separators=(",", ":")).encode() + b"\n"
        self._file.write(line)
        self._file.flush()
        self._tail += len(line)
        if self._tail > LARGEST_TAIL_BYTES:
            self._file.close()
            self._file = self._anew()

    def _anew(self) -> BinaryIO:
        """Write the memory to a new file and put it in the old one's place."""
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(json.dumps(_memory_row(self.memory), separators=(",", ":")).encode() + b"\n")
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
    if "memory" in row:
        memory.version = row["memory"]["version"]
        memory.grants = {grant.number: grant for grant in map(parse_grant, row["memory"]["grants"])}
    for number in row.get("forget", []):
        memory.grants.pop(number, None)
    if "sequence" in row:
        memory.epoch, memory.sequence = str(row["epoch"]), int(row["sequence"])
    if row.get("stamp"):
        portal, boot_id, boot, wall = row["stamp"]
        memory.stamp = Stamp(float(portal), Moment(str(boot_id), float(boot), float(wall)))


def _memory_row(memory: Memory) -> dict[str, Any]:
    grants = [grant_row(grant) for grant in memory.grants.values()]
    return {
        "memory": {"version": memory.version, "grants": grants},
        "epoch": memory.epoch,
        "sequence": memory.sequence,
        "stamp": _stamp_row(memory.stamp) if memory.stamp else None,
    }


def _stamp_row(stamp: Stamp) -> list[Any]:
    return [stamp.portal, stamp.moment.boot_id, stamp.moment.boot, stamp.moment.wall]

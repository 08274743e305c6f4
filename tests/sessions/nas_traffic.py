"""A day of RADIUS accounting at some boxes, and what became of its packets; all of it from a seed.

The truth is known: what the clients sent, and which packets arrived. A checker need not look at the database to say
what must stand there.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateways.radius.accounting import Counter, Counters, Record, Status
from gateways.types import MacAddress
from tests.clock import NOON

INTERIM_SECONDS = 300
# In a gap of this many lost reports a counter of 32 bits does not grow by half its range.
MOST_A_REPORT = 700_000_000
WRAP = 2**32


@dataclass(frozen=True, slots=True)
class Packet:
    """A record, and when it came."""

    came: datetime
    record: Record


@dataclass
class TrueSession:
    """What really was. `bytes_down` and `age` are those of the newest packet that arrived; `ended` is by a Stop."""

    nas: str
    session_id: str
    mac: MacAddress
    began: datetime
    bytes_down: int = 0
    age: int = -1
    is_stop_told: bool = False
    is_cut: bool = False


@dataclass
class Day:
    """The packets in the order in which they came, and the truth."""

    packets: list[Packet] = field(default_factory=list)
    sessions: list[TrueSession] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Box:
    """`offset` is how far its clock is off. `is_whole`: it sends gigawords."""

    name: str
    offset: timedelta
    is_whole: bool


BOXES = (
    Box("right", timedelta(0), True),
    Box("narrow", timedelta(minutes=-7), False),
    Box("seventies", datetime(1970, 1, 1, tzinfo=NOON.tzinfo) - NOON, False),
)


def day(seed: int, macs: list[MacAddress], *, lost: float = 0.1, doubled: float = 0.2) -> Day:
    """Each client is at one box after the other, and each box starts again once, with the same ids."""
    chance = random.Random(seed)
    made = Day()
    for index, mac in enumerate(macs):
        at = NOON + timedelta(seconds=chance.randrange(600))
        for life in range(2):
            box = BOXES[(index + life) % len(BOXES)]
            # After the restart the box counts its sessions from the beginning once more.
            for restart in range(2):
                length = chance.randrange(1, 40) * INTERIM_SECONDS // 2 + chance.randrange(200)
                truth = TrueSession(box.name, f"0000{index}", mac, at)
                made.sessions.append(truth)
                is_cut = restart == 0
                _live(made, chance, box, truth, length, is_cut=is_cut, lost=lost, doubled=doubled)
                at += timedelta(seconds=length + chance.randrange(400, 900))
    made.packets.sort(key=lambda packet: packet.came)
    return made


def _live(
    made: Day,
    chance: random.Random,
    box: Box,
    truth: TrueSession,
    length: int,
    *,
    is_cut: bool,
    lost: float,
    doubled: float,
) -> None:
    sent = 0
    ages = [0, *range(INTERIM_SECONDS, length, INTERIM_SECONDS), *([] if is_cut else [length])]
    truth.is_cut = is_cut
    for age in ages:
        sent += chance.randrange(MOST_A_REPORT) if age else 0
        status = Status.START if not age else Status.STOP if age == length else Status.INTERIM
        happened = truth.began + timedelta(seconds=age)
        record = Record(
            status=status,
            nas=box.name,
            session_id=truth.session_id,
            mac=truth.mac,
            seconds=age,
            at=happened + box.offset,
            counters=None if status is Status.START else _counters(box, sent),
            cause="User-Request" if status is Status.STOP else "",
        )
        copies = 0 if chance.random() < lost else 2 if chance.random() < doubled else 1
        for _ in range(copies):
            made.packets.append(Packet(happened + timedelta(seconds=chance.random() * 100), record))
        if copies:
            truth.bytes_down, truth.age = sent, age
            truth.is_stop_told = truth.is_stop_told or status is Status.STOP


def _counters(box: Box, sent: int) -> Counters:
    down = Counter(sent, sent >= WRAP) if box.is_whole else Counter(sent % WRAP)
    return Counters(Counter(sent // 50 % WRAP), down, Counter(0), Counter(sent // 1000 % WRAP))

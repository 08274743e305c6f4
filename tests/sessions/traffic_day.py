"""A day of a gateway's reports, made up from a seed, with what truly passed: for the tests of the counters.

The kernel of the story counts truly. What a report says is that count as the gateway's counters show it: since the
gateway's start (an epoch), since the counter itself began (a turn), and in as many bits as the gateway has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """One report: its body, and what it truly tells: by number, the turn of the counter and its bytes (up, down)."""

    body: dict[str, Any]
    truth: dict[int, tuple[int, int, int]]

    @property
    def epoch(self) -> str:
        return str(self.body["epoch"])

    @property
    def sequence(self) -> int:
        return int(self.body["sequence"])


@dataclass(slots=True)
class Counter:
    turn: int = 0
    up: int = 0
    down: int = 0


@dataclass(slots=True)
class Day:
    """`restart` and `begin_anew` are chances for each report, of the gateway and of one counter."""

    numbers: Sequence[int]
    rng: Random
    bits: int = 64
    restart: float = 0.05
    begin_anew: float = 0.0
    most: int = 400_000_000
    strangers: Sequence[int] = ()
    _counters: dict[int, Counter] = field(default_factory=dict)

    def reports(self, count: int) -> list[Sent]:
        epoch, sequence, sent = 0, 0, []
        for _ in range(count):
            if self.rng.random() < self.restart:
                epoch, sequence = epoch + 1, 0
                self._counters.clear()
            sequence += 1
            for number in self.numbers:
                self._pass_traffic(number)
            sent.append(self._report(f"life-{epoch}", sequence))
        return sent

    def _pass_traffic(self, number: int) -> None:
        counter = self._counters.setdefault(number, Counter())
        if counter.turn < 2 and self.rng.random() < self.begin_anew:
            counter.turn, counter.up, counter.down = counter.turn + 1, 0, 0
        # A counter that begins anew is one that nearly nothing passes: it never comes near where it was.
        most = self.most // 100**counter.turn
        counter.up += self.rng.randint(most // 20, most // 10)
        counter.down += self.rng.randint(most // 2, most)

    def _report(self, epoch: str, sequence: int) -> Sent:
        rows = [self._row(number, each.up, each.down) for number, each in self._counters.items()]
        rows += [self._row(number, 10**9, 10**9) for number in self.strangers]
        body = {
            "epoch": epoch,
            "sequence": sequence,
            "now": self.rng.uniform(0, 2e9),
            "clients": rows,
            "held": [],
            "refused": {},
            "counter_bits": self.bits,
        }
        truth = {number: (each.turn, each.up, each.down) for number, each in self._counters.items()}
        return Sent(body, truth)

    def _row(self, number: int, up: int, down: int) -> dict[str, Any]:
        shown = 2**self.bits
        return {
            "number": number,
            "bytes_up": up % shown,
            "bytes_down": down % shown,
            "packets_up": up // 300 % shown,
            "packets_down": down // 1100 % shown,
            "idle_seconds": self.rng.randrange(60),
            "addresses": [f"10.66.0.{number % 200 + 5}"],
        }


def spoil(sent: Sequence[Sent], rng: Random, *, window: int) -> list[Sent]:
    """What arrives of it: a tenth is lost, a fifth comes twice, and each up to `window` reports too late."""
    arriving = [(place, each) for place, each in enumerate(sent) if rng.random() >= 0.1]
    arriving += [pair for pair in arriving if rng.random() < 0.2]
    delayed = [(place + rng.uniform(0, window), order) for order, (place, _) in enumerate(arriving)]
    return [arriving[order][1] for _, order in sorted(delayed)]


def truth_of(arrived: Sequence[Sent]) -> dict[int, tuple[int, int]]:
    """What the portal can know from reports in this order of arrival: a late one tells of nothing that is newer."""
    latest: dict[str, int] = {}
    answer: dict[tuple[int, str, int], tuple[int, int]] = {}
    for each in arrived:
        if each.sequence <= latest.get(each.epoch, 0):
            continue
        latest[each.epoch] = each.sequence
        for number, (turn, up, down) in each.truth.items():
            answer[number, each.epoch, turn] = up, down
    sums: dict[int, tuple[int, int]] = {}
    for (number, _, _), (up, down) in answer.items():
        before = sums.get(number, (0, 0))
        sums[number] = before[0] + up, before[1] + down
    return sums

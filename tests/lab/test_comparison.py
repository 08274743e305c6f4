"""A run beside the committed one: slower is what became slower than the machine did."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.bench.comparison import compare, read, table
from lab.bench.figures import Figure, say

OLD = [
    Figure("bare answers", 1000, "1/s"),
    Figure("bare commits", 4000, "1/s"),
    Figure("sign-ins", 200, "1/s", "at least 400"),
    Figure("sign-ins, p99", 100, "ms", "under 100"),
    Figure("of the ceiling", 0.2, "", "at least 0.5"),
    Figure("errors", 0, "", "0"),
    Figure("first page", 4600, "B", "at most 6,000"),
    Figure("gone", 1, "s"),
]


def changed(*new: Figure) -> dict[str, tuple[float, bool]]:
    return {one.name: (round(one.change, 3), one.is_slower) for one in compare(OLD, new)}


def test_on_a_machine_of_half_the_speed_half_the_rate_is_as_good() -> None:
    half = (Figure("bare answers", 500, "1/s"), Figure("bare commits", 2000, "1/s"))
    assert changed(*half, Figure("sign-ins", 100, "1/s"), Figure("sign-ins, p99", 200, "ms")) == {
        "sign-ins": (1.0, False),
        "sign-ins, p99": (1.0, False),
    }
    assert changed(*half, Figure("sign-ins", 85, "1/s"))["sign-ins"] == (1.176, True)
    assert changed(*half, Figure("sign-ins, p99", 230, "ms"))["sign-ins, p99"] == (1.15, True)


@pytest.mark.parametrize(
    ("new", "is_slower"),
    [
        (Figure("of the ceiling", 0.17, "", "at least 0.5"), True),
        (Figure("of the ceiling", 0.3, "", "at least 0.5"), False),
        (Figure("errors", 1, "", "0"), True),
        (Figure("errors", 0, "", "0"), False),
        (Figure("first page", 5200, "B", "at most 6,000"), True),
        (Figure("first page", 4700, "B", "at most 6,000"), False),
        (Figure("sign-ins", 0, "1/s"), True),
    ],
)
def test_sizes_shares_and_counts_are_compared_as_they_are(new: Figure, is_slower: bool) -> None:
    slow_machine = Figure("bare answers", 100, "1/s")
    [one] = compare(OLD, [slow_machine, new]) if new.unit != "1/s" else compare(OLD, [new])
    assert one.is_slower is is_slower


def test_a_run_is_read_as_it_was_printed_and_told_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read(tmp_path / "none.jsonl") == [] and compare([], OLD) == []
    told = list(say(OLD))
    file = tmp_path / "run.jsonl"
    file.write_text(capsys.readouterr().out, encoding="utf-8")
    assert read(file) == told
    lines = table(compare(read(file), [Figure("sign-ins", 100, "1/s"), Figure("new", 1, "s")])).splitlines()
    assert len(lines) == 2 and lines[1].endswith("0.50 of before  SLOWER")

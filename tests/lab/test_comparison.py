"""A run beside the committed one: slower is what became slower than the machine did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from lab.bench import runs as bench
from lab.bench.comparison import compare, keep, read, regressed, table
from lab.bench.figures import Figure, say

OLD = [
    Figure("bare directory", 1000, "1/s"),
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
    half = (Figure("bare directory", 500, "1/s"), Figure("bare commits", 2000, "1/s"))
    assert changed(*half, Figure("sign-ins", 100, "1/s"), Figure("sign-ins, p99", 200, "ms")) == {
        "sign-ins": (1.0, False),
        "sign-ins, p99": (1.0, False),
    }
    assert changed(*half, Figure("sign-ins", 85, "1/s"))["sign-ins"] == (1.176, True)
    assert changed(*half, Figure("sign-ins, p99", 230, "ms"))["sign-ins, p99"] == (1.15, True)


def test_a_faster_front_does_not_make_the_machine_faster() -> None:
    old = [*OLD, Figure("bare answers", 1000, "1/s")]
    [one] = compare(old, [Figure("bare answers", 2000, "1/s"), Figure("sign-ins", 200, "1/s")])
    assert one.change == 1


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
    slow_machine = Figure("bare directory", 100, "1/s")
    [one] = compare(OLD, [slow_machine, new]) if new.unit != "1/s" else compare(OLD, [new])
    assert one.is_slower is is_slower


def test_what_an_act_asks_without_the_act_is_not_compared() -> None:
    """Whoever needs fewer statements has a higher floor, and a smaller share of it."""
    names = ("its statements alone", "floor", "of the floor")
    old = [Figure(f"renewals, sqlite, {name}", 2, "1/s") for name in names]
    assert compare(old, [Figure(figure.name, 1, "1/s") for figure in old]) == []


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


def test_a_run_that_is_kept_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    now, before = tmp_path / "now.jsonl", tmp_path / "before.jsonl"
    keep(OLD, before=before, now=now)
    assert (read(now), before.exists()) == (OLD, False)
    slower = [Figure("sign-ins", 150, "1/s", "at least 400")]
    keep(slower, before=before, now=now)
    assert (read(now), read(before)) == (slower, OLD)


@pytest.mark.parametrize(
    ("row", "is_red"),
    [
        (Figure("sign-ins", 150, "1/s"), True),
        (Figure("sign-ins", 150, "1/s", accepted="two more statements, for the law"), False),
        (Figure("sign-ins", 190, "1/s"), False),
        (Figure("sign-ins, p99", 300, "ms"), False),
        (Figure("errors", 2, ""), True),
        (Figure("not there before", 5, "s"), False),
    ],
)
def test_the_release_check_is_red_for_a_row_that_regressed(tmp_path: Path, row: Figure, is_red: bool) -> None:
    now, before = tmp_path / "now.jsonl", tmp_path / "before.jsonl"
    for file, figures in ((before, OLD), (now, [row])):
        told = [{name: value for name, value in asdict(each).items() if value != ""} for each in figures]
        file.write_text("".join(json.dumps({"unit": "", **each}) + "\n" for each in told), encoding="utf-8")
    assert [one.name for one in regressed(before, now)] == ([row.name] if is_red else [])


def test_without_a_run_before_nothing_has_regressed(tmp_path: Path) -> None:
    keep(OLD, before=tmp_path / "before.jsonl", now=tmp_path / "now.jsonl")
    assert regressed(tmp_path / "before.jsonl", tmp_path / "now.jsonl") == []


def test_the_check_says_what_regressed_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now, before = tmp_path / "now.jsonl", tmp_path / "before.jsonl"
    for name, file in (("COMMITTED", now), ("BEFORE", before)):
        monkeypatch.setattr(bench, name, {True: file})
    monkeypatch.setattr("sys.argv", ["bench", "--check"])
    keep(OLD, before=before, now=now)
    assert bench.main() == 0
    keep([Figure("sign-ins", 100, "1/s")], before=before, now=now)
    assert bench.main() == 1
    assert "SLOWER" in capsys.readouterr().err


@pytest.mark.parametrize("rows", [[], ["start"]])
def test_a_run_is_kept_only_whole(
    rows: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoilt(_folder: Path) -> Iterator[Figure]:
        yield Figure("half", 1, "s")
        raise OSError("gone")

    now = tmp_path / "now.jsonl"
    monkeypatch.setattr(bench, "COMMITTED", {False: now})
    monkeypatch.setattr(bench, "rows", lambda *, quick: {"start": spoilt})
    monkeypatch.setattr("sys.argv", ["bench", "--keep", *rows])
    if rows:
        with pytest.raises(SystemExit):
            bench.main()
        assert "all rows" in capsys.readouterr().err
    else:
        assert bench.main() == 1
        assert "not kept" in capsys.readouterr().err
    assert not now.exists()


@pytest.mark.release
def test_no_row_of_the_committed_runs_has_regressed() -> None:
    """A run is made on a quiet machine by people and committed; here no time is measured."""
    assert {quick: regressed(bench.BEFORE[quick], bench.COMMITTED[quick]) for quick in (True, False)} == {
        True: [],
        False: [],
    }

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateways.nftables import journal as remembering
from gateways.nftables.clock import LONGEST_OFF_SECONDS, Moment, Stamp, portal_time, rebase
from gateways.nftables.feed import FeedAnswer, parse_grant
from gateways.nftables.journal import Journal
from gateways.nftables.reporter import next_sequence
from tests.gateways.test_feed import ROW, answer

STAMP = Stamp(1000.0, Moment("boot", 50.0, 2000.0))


def numbered(version: int, *numbers: int) -> FeedAnswer:
    rows = [{**ROW, "number": n, "client": f"02:00:00:00:00:{n:02x}"} for n in numbers]
    return FeedAnswer(version, False, 0.0, tuple(map(parse_grant, rows)), ())


def test_it_remembers_what_was_recorded(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(numbered(2, 17, 18), STAMP)
    journal.record(FeedAnswer(3, False, 0.0, (), (18,)), STAMP)
    journal.report("5f1c", 7, STAMP)
    journal.close()
    again = Journal(tmp_path)
    assert again.memory == journal.memory
    assert (again.memory.version, list(again.memory.grants), again.memory.sequence) == (3, [17], 7)
    again.close()


def test_it_forgets_for_good(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(numbered(2, 17, 18), STAMP)
    journal.forget([17])
    journal.close()
    again = Journal(tmp_path)
    assert list(again.memory.grants) == [18]
    again.close()


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_torn_line_costs_only_what_was_not_confirmed(tmp_path: Path, cut: int) -> None:
    journal = Journal(tmp_path)
    journal.record(numbered(2, 17), STAMP)
    whole = (tmp_path / "journal.jsonl").stat().st_size
    journal.record(numbered(3, 18), STAMP)
    journal.close()
    path = tmp_path / "journal.jsonl"
    path.write_bytes(path.read_bytes()[: whole + cut])
    again = Journal(tmp_path)
    assert list(again.memory.grants) == [17]
    # Everything is asked for again, and nobody is put out meanwhile.
    assert again.memory.version == 0
    again.close()


def test_noise_in_the_file_is_no_reason_not_to_start(tmp_path: Path) -> None:
    for noise in (
        b"\xff\x00",
        b"[]\n",
        b'"answer"\n',
        b'{"memory": 7}\n',
        b'{"answer": {}}\n',
        b"[" * 100_000,
    ):
        (tmp_path / "journal.jsonl").write_bytes(noise)
        journal = Journal(tmp_path)
        assert (journal.memory.version, journal.memory.grants) == (0, {})
        journal.close()


def test_it_does_not_grow_without_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "LARGEST_TAIL_BYTES", 2000)
    journal = Journal(tmp_path)
    for version in range(2, 200):
        journal.record(numbered(version, 17), STAMP)
    journal.close()
    path = tmp_path / "journal.jsonl"
    assert path.stat().st_size < 4000
    assert all(json.loads(line) for line in path.read_text().splitlines())
    again = Journal(tmp_path)
    assert again.memory == journal.memory
    again.close()


def test_it_is_read_as_it_was_folded(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record(answer({}), STAMP)
    journal.record(answer({"addresses": ["10.66.0.6"]}), STAMP)
    journal.close()
    again = Journal(tmp_path)
    assert again.memory.grants == journal.memory.grants
    again.close()


@pytest.mark.parametrize(
    ("boot_id", "boot", "wall", "result"),
    [
        # The same boot: the wall clock may say what it likes.
        ("boot", 80.0, 9e9, 1030.0),
        ("boot", 80.0, 0.0, 1030.0),
        # Another boot: the wall clock says how long it was off.
        ("next", 20.0, 2300.0, 1300.0),
        # No battery: it was off for at least as long as it is up now, and nobody gets more than was left.
        ("next", 20.0, 0.0, 1020.0),
        # Off for longer than any lease, or a clock that jumped: everything is over.
        ("next", 20.0, 9e9, 1000.0 + LONGEST_OFF_SECONDS),
    ],
)
def test_the_portals_time_is_known_from_the_last_stamp(
    boot_id: str, boot: float, wall: float, result: float
) -> None:
    moment = Moment(boot_id, boot, wall)
    assert portal_time(STAMP, moment) == result
    assert portal_time(rebase(STAMP, moment), Moment(boot_id, boot + 5, 0.0)) == result + 5


def test_a_clock_that_was_wrong_before_the_reboot_and_is_right_now_is_believed() -> None:
    stamp = Stamp(1_800_000_000.0, Moment("boot", 50.0, 100.0))
    assert portal_time(stamp, Moment("next", 20.0, 1_800_000_300.0)) == 1_800_000_300.0


def test_reports_are_numbered_upwards_even_where_the_journal_was_lost() -> None:
    at = 1_795_435_200.0
    assert next_sequence(7, "abc", "abc", portal_time=at) == 8
    assert next_sequence(7, "abc", "def", portal_time=at) == 1
    # The kernel kept its table, and with it the epoch, and nobody knows how far the reports had come.
    lost = next_sequence(0, "", "abc", portal_time=at)
    assert lost > 10**9
    assert next_sequence(0, "", "abc", portal_time=at + 60) > lost + 1000


@pytest.mark.parametrize(
    "line",
    [
        '{"sequence":1e400,"epoch":"e"}',
        '{"sequence":1e30,"epoch":"e"}',
        f'{{"sequence":{10**30},"epoch":"e"}}',
        '{"stamp":[1e400,"boot",1,1]}',
        '{"answer":{"version":1e400,"full":false,"grants":[],"ends":[]}}',
        '{"answer":{"version":"x","full":false,"grants":[],"ends":[]}}',
        '{"forget":[[]]}',
        '{"forget":1}',
    ],
)
def test_a_line_of_impossible_figures_is_a_torn_line(tmp_path: Path, line: str) -> None:
    journal = Journal(tmp_path)
    journal.record(numbered(2, 17), STAMP)
    journal.close()
    with (tmp_path / "journal.jsonl").open("a") as file:
        file.write(line + "\n")
    again = Journal(tmp_path)
    again.close()
    assert (list(again.memory.grants), again.memory.version) == ([17], 0)
    assert (again.memory.stamp, again.memory.sequence) == (STAMP, 0)

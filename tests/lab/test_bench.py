"""The bench says what it measured, measures what is deployed, and names what it had to leave out."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.engine import SessionMaker
from lab.bench import ceilings, creatives, kinds, load, log, packets, passes, phones, radius, wire
from lab.bench import runs as bench
from lab.bench.figures import Figure, percentile, say
from lab.bench.memory import proportional_bytes, resident_bytes
from lab.bench.prepared_feed import PreparedFeed
from lab.bench.processor import own_seconds, seconds_of
from lab.servers import deployed
from tests.loops import beside


def test_each_figure_is_one_json_object_on_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    list(say([Figure("sign-ins", 412.3456, "1/s", aim="at least 400"), Figure("errors", 0, "")]))
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {"name": "sign-ins", "value": 412.3, "unit": "1/s", "aim": "at least 400"}
    assert second == {"name": "errors", "value": 0, "unit": ""}


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_a_value_that_was_measured(share: float, expected: float) -> None:
    assert percentile(range(100, 0, -1), share) == expected


def test_it_runs_the_command_of_the_unit() -> None:
    server = deployed("arobase-portal", {"--host": "127.0.0.1", "--port": "1"})
    assert server.command[1:3] == ["-m", "granian"]
    assert server.command[server.command.index("--port") + 1] == "1"
    assert server.command[server.command.index("--workers") + 1] == "2"
    assert server.command[-1] == "wsgi:app"
    assert server.environment["AROBASE_SERVES"] == "guests"


def test_a_missing_part_is_named_in_one_line_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacking(_folder: Path) -> Iterator[Figure]:
        load.demand("no-such-program")
        yield Figure("never", 0, "")

    def whole(_folder: Path) -> Iterator[Figure]:
        yield Figure("measured", 1, "s")

    monkeypatch.setattr(bench, "rows", lambda *, quick: {"lacking": lacking, "whole": whole})
    monkeypatch.setattr("sys.argv", ["bench"])
    assert bench.main() == 1
    result = capsys.readouterr()
    assert result.err.splitlines() == ["lacking is left out: no-such-program: not installed"]
    assert json.loads(result.out)["name"] == "measured"


def test_a_short_run_leaves_out_what_mostly_waits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Unless it is asked for by name."""

    def row(name: str) -> bench.Measure:
        return lambda _folder: iter([Figure(f"of {name}", 1, "s")])

    monkeypatch.setattr(bench, "rows", lambda *, quick: {name: row(name) for name in ("start", "kinds")})
    for words, printed in (
        ([], ["of start", "of kinds"]),
        (["--quick"], ["of start"]),
        (["--quick", "kinds"], ["of kinds"]),
    ):
        monkeypatch.setattr("sys.argv", ["bench", *words])
        bench.main()
        assert [json.loads(each)["name"] for each in capsys.readouterr().out.splitlines()] == printed


def test_an_act_is_set_beside_what_its_parts_allow() -> None:
    parts = [Figure("bare commits, sqlite", 2000, "1/s"), Figure("bare answers, sqlite", 6000, "1/s")]
    reached = [Figure("renewals, sqlite", 600, "1/s"), Figure("renewals, postgresql", 500, "1/s")]
    (share,) = ceilings.shares([*reached, *parts])
    # Of 1,500, where a commit and an answer take 2/3 of a millisecond. PostgreSQL's parts were not measured.
    assert share.name == "renewals, sqlite, of the ceiling"
    assert share.value == pytest.approx(0.4)


def test_a_run_with_refused_requests_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    result = "Requests/sec: 9000\n  Non-2xx or 3xx responses: 12\n"
    with pytest.raises(load.SpoiltRun, match="12"):
        load.load("http://127.0.0.1/", seconds=1, run=lambda command: _completed(command, result))


def _completed(command: object, result: str) -> object:
    return subprocess.CompletedProcess(command, 0, result, "")  # type: ignore[call-overload]


def test_memory_is_read_from_the_kernel() -> None:
    assert 10e6 < resident_bytes(os.getpid()) < 4e9
    assert 5e6 < proportional_bytes(os.getpid()) < 4e9


def test_the_processor_s_time_of_a_child_counts_also_when_it_has_ended() -> None:
    before, own = seconds_of(os.getpid()), own_seconds()
    work = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", work], check=True, timeout=60)
    assert seconds_of(os.getpid()) - before > 0.25
    assert own_seconds() - own > 0.25


class Here:
    """The test's own network, in the place of a namespace."""

    def call(self, function: object) -> object:
        return function()  # type: ignore[operator]


def test_the_prepared_feed_answers_when_told_to() -> None:
    feed = PreparedFeed(Here())  # type: ignore[arg-type]
    with socket.create_connection(("127.0.0.1", feed.port), timeout=5) as agent:
        agent.sendall(b"GET /gateways/nftables/feed?since=0&wait=25 HTTP/1.1\r\n\r\n")
        assert b'"version":1' in agent.recv(4096)
        agent.sendall(b"POST /gateways/nftables/confirm HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
        assert agent.recv(4096).startswith(b"HTTP/1.1 204")
        agent.sendall(b"GET /gateways/nftables/feed?since=1&wait=25 HTTP/1.1\r\n\r\n")
        feed.await_question(1)
        feed.answer({"version": 2})
        assert agent.recv(4096).endswith(b'{"version":2}')
    feed.close()


@pytest.mark.release
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_rows_of_the_log_are_all_measured(kind: str, tmp_path: Path) -> None:
    sizes = log.Sizes(sessions=5_200, looks=2, clients=5, reports=2, purge_seconds=0.05, days=1)
    result = {figure.name: figure for figure in log.measure(tmp_path / "log", kind, sizes)}
    assert result[f"log, {kind}, sessions"].value > 5_000
    for asked in ("first page", "a later page", "by site", "by MAC", "by pseudonym", "by half an hour"):
        assert {
            f"log, {kind}, {asked}, {what}" for what in ("p50", "p95", "against a hundredth (p50)")
        } <= set(result)
    for name in (f"accounting updates, {kind}", f"a month's figures made, {kind}", f"purged rows, {kind}"):
        assert result[name].value > 0, name


def test_a_year_of_ten_million_sessions_is_what_the_whole_run_takes() -> None:
    assert bench.log_sizes("postgresql", quick=False).sessions == 10_000_000
    assert bench.log_sizes("sqlite", quick=False).sessions == 1_000_000
    assert {"log-sqlite", "log-postgresql"} <= bench.rows(quick=True).keys()


@pytest.mark.release
def test_the_rows_of_the_passes_are_all_measured(tmp_path: Path) -> None:
    sizes = passes.Sizes(redeems=20, rounds=1, warming=4, batch=100, tickets=30)
    result = {figure.name: figure for figure in beside(lambda: list(passes.measure(tmp_path, sizes)))}
    for kind in ("sqlite", "postgresql"):
        redeemed, batch = f"passes redeemed, {kind}", f"batch, {kind}"
        assert result[redeemed].aim == "at least 600"
        assert (result[f"{redeemed}, errors"].value, result[f"{redeemed}, errors"].aim) == (0, "0")
        assert 0 < result[f"{redeemed}, p50"].value <= result[f"{redeemed}, p99"].value
        assert result[f"{redeemed}, processor time in the portal"].value > 0
        assert result[f"{batch}, 100 passes, processor time"].value >= 0
        assert result[f"{batch}, 100 passes"].aim == "under 2"
        assert result[f"{batch}, 100 against 10 per pass"].value > 0
        assert result[f"{batch}, memory added"].aim == "under 100"
    assert result["PDF of 30 tickets, two QR codes each"].aim == "under 2"
    assert result["PDF of 30 tickets, processor time"].value > 0
    assert result["PDF of 30 tickets, its size"].value > 0.01


def test_leases_that_are_not_in_the_database_are_no_figure(make_session: SessionMaker) -> None:
    phones.count_leases(make_session, 0)
    with pytest.raises(load.SpoiltRun, match="0 leases in the database, where 1 "):
        phones.count_leases(make_session, 1)


@pytest.mark.parametrize("quick", [False, True])
def test_batches_and_documents_are_as_large_as_a_desk_can_order(quick: bool) -> None:
    sizes = bench.pass_sizes(quick=quick)
    assert (sizes.batch, sizes.tickets) == (10_000, 1_000)
    assert "passes" in bench.rows(quick=quick)


@pytest.mark.release
def test_the_pages_of_guests_are_weighed_as_they_are_sent(tmp_path: Path) -> None:
    result = {figure.name: figure for figure in wire.measure(tmp_path)}
    assert next(iter(result)) == "first page, free network, as sent"
    longest_head = result.pop("headers of such a page, the longest").value
    first = [figure.value for figure in result.values() if figure.aim == wire.FIRST_PAGE]
    assert len(first) == 2
    assert all(body + longest_head < 6_000 for body in first)
    # Compressed, each: the sheet that stands inside of every page alone is more than 7,000 bytes.
    assert all(3_000 < figure.value < 7_000 for name, figure in result.items() if "hotspots" not in name)


@pytest.mark.release
def test_the_rows_of_pictures_and_videos_are_all_measured(tmp_path: Path) -> None:
    result = {figure.name: figure.value for figure in creatives.measure(tmp_path, seconds=1, film_seconds=1)}
    assert set(result) == {
        "photo of 20 megapixels, made anew",
        "photo of 20 megapixels, peak memory of the child",
        "video of 1 seconds in Full HD, made anew",
        "video of 1 seconds in Full HD, peak memory of the child",
        "interstitial pages with text alone",
        "interstitial pages with a picture",
    }
    # All its pixels stood in the memory of the child, three bytes each.
    assert result["photo of 20 megapixels, peak memory of the child"] > 60
    assert all(value > 0 for value in result.values())


@pytest.mark.release
def test_the_rows_of_radius_are_all_measured(tmp_path: Path) -> None:
    result = {figure.name: figure for figure in radius.measure(tmp_path, sessions=20)}
    for kind in ("sqlite", "postgresql"):
        for name in (f"Access-Requests, {kind}", f"Access-Requests that come again, {kind}"):
            assert result[name].aim == "at least 1,200" and result[name].value > 0
            assert result[f"{name}, p99"].value > 0
        for status in ("starts", "interim updates", "stops"):
            assert result[f"accounting {status}, {kind}"].aim == "at least 1,800"


def test_packets_without_an_answer_are_lost_and_no_figure() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        sent = packets.exchange(
            [bytes((1, number)) for number in range(3)], to=server.getsockname(), patience=0.05
        )
    assert (sent.codes, sent.lost) == ([], 3)
    with pytest.raises(load.SpoiltRun, match="3 packets without an answer"):
        radius.demand_code(sent, 2)
    with pytest.raises(load.SpoiltRun, match="1 answers of another code"):
        radius.demand_code(packets.Exchanged(codes=[2, 3], waits=[0.1, 0.1]), 2)


@pytest.mark.netns
@pytest.mark.release
def test_the_rows_of_the_kinds_are_all_measured(tmp_path: Path) -> None:
    result = {figure.name: figure.value for figure in kinds.measure(tmp_path, rounds=1)}
    for name, _ in (*kinds.DOORS, *kinds.CARRIED):
        assert 0 < result[f"{name}, sign-in to open, p50"] < 20_000
    ended = [value for name, value in result.items() if "end in the books" in name]
    assert len(ended) == 3 and all(value < kinds.MOST_TO_END for value in ended)


def test_a_list_that_has_more_to_show_is_set_beside_a_full_page_of_the_hundredth() -> None:
    small = {
        "by state": log.Looks([1.0], [3]),
        "by site": log.Looks([2.0], [50]),
        log.FULL_PAGE: log.Looks([4.0], [50]),
    }
    assert log.as_long(log.Looks([5.0], [50]), "by state", small).median == 4.0
    assert log.as_long(log.Looks([5.0], [50]), "by site", small).median == 2.0
    assert log.as_long(log.Looks([5.0], [2]), "by state", small).median == 1.0

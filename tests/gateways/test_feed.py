from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateways.nftables.feed import FeedAnswer, InvalidAnswer, fold, grant_row, parse_answer, parse_grant

ROW: dict[str, Any] = {
    "number": 17,
    "client": "02:00:00:00:00:01",
    "addresses": ["10.66.0.5"],
    "until": 1795437000.0,
    "rate_down_kbps": 55000,
    "rate_up_kbps": 15000,
}


def body(**changes: Any) -> bytes:
    return json.dumps({"version": 2, "full": False, "now": 1.5, "grants": [], "ends": [], **changes}).encode()


def answer(*rows: dict[str, Any], full: bool = False, ends: tuple[int, ...] = ()) -> FeedAnswer:
    return FeedAnswer(2, full, 0.0, tuple(parse_grant({**ROW, **row}) for row in rows), ends)


def test_a_grant_is_read_and_written_alike() -> None:
    assert grant_row(parse_grant(ROW)) == ROW
    with_ports = {**ROW, "ports": ["203.0.113.10", 5120, 6127]}
    assert grant_row(parse_grant(with_ports)) == with_ports
    assert parse_answer(body(grants=[with_ports])).grants == (parse_grant(with_ports),)


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": 2**32},
        {"number": "17"},
        {"number": True},
        {"client": "ff:ff:ff:ff:ff:ff"},
        {"client": 17},
        {"addresses": ["10.66.0.0/24"]},
        {"addresses": "10.66.0.5"},
        {"addresses": [17]},
        {"addresses": ["10.66.0.5"] * 33},
        {"until": None},
        {"until": float("nan")},
        {"until": float("inf")},
        {"rate_down_kbps": -1},
        {"rate_up_kbps": 10**9},
        {"rate_up_kbps": 1.5},
        {"ports": "203.0.113.10"},
        {"ports": ["203.0.113.10", 5120]},
        {"ports": ["fd66::1", 5120, 6127]},
        {"ports": ["203.0.113.10", 6127, 5120]},
        {"ports": ["203.0.113.10", 1023, 5120]},
        {"ports": ["203.0.113.10", 5120, 65536]},
        {"ports": ["203.0.113.10", True, 6127]},
        {"ports": ["203.0.113.10", 5120.0, 6127]},
        {"ports": {"first": 5120}},
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_alone(change: dict[str, Any]) -> None:
    read = parse_answer(body(grants=[{**ROW, **change}, {**ROW, "number": 18}]))
    assert [grant.number for grant in read.grants] == [18]
    assert len(read.refused) == 1 and read.refused[0].reason


def test_many_plain_grants_are_read_as_each_alone() -> None:
    rows = [
        {**ROW, "number": number, "client": f"02:00:00:00:00:{number:02x}", "addresses": addresses}
        for number, addresses in ((1, []), (2, ["10.66.0.5", "fd66::5", "10.66.0.6"]), (3, ["10.66.0.7"]))
    ]
    for other in ({}, {"client": "02-00-00-00-00-AA"}, {"until": 1795437000}, {"resolver": "10.66.0.1"}):
        listed = [*rows, {**ROW, **other}]
        assert parse_answer(body(grants=listed)).grants == tuple(map(parse_grant, listed))
    assert parse_answer(body(grants=rows)).grants[0].client.mac == "02:00:00:00:00:01"


@pytest.mark.parametrize("name", ["number", "client", "addresses", "until", "rate_down_kbps", "rate_up_kbps"])
def test_a_grant_that_lacks_something_is_refused_alone(name: str) -> None:
    read = parse_answer(body(grants=[{key: value for key, value in ROW.items() if key != name}, "nonsense"]))
    assert (read.grants, len(read.refused)) == ((), 2)


@pytest.mark.parametrize(
    "change",
    [{"version": -1}, {"version": None}, {"now": "now"}, {"grants": None}, {"grants": {}}, {"ends": [0]}],
)
def test_an_answer_that_is_none_is_not_used_at_all(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidAnswer):
        parse_answer(body(**change))


@given(
    st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_whatever_comes_is_an_answer_or_refused(noise: bytes) -> None:
    with pytest.raises(InvalidAnswer):
        parse_answer(noise)


def test_a_renewal_replaces_and_adds_addresses() -> None:
    held = fold({}, answer({}))
    renewed = fold(held, answer({"until": 1795439000.0, "addresses": ["10.66.0.6"], "rate_up_kbps": 0}))
    assert renewed[17].until == 1795439000.0 and renewed[17].rate_up_kbps == 0
    assert [str(each) for each in renewed[17].client.addresses] == ["10.66.0.6", "10.66.0.5"]


def test_a_renewal_says_its_ports_anew() -> None:
    held = fold({}, answer({"ports": ["203.0.113.10", 5120, 6127]}))
    assert fold(held, answer({"ports": ["203.0.113.10", 6128, 7135]}))[17].ports != held[17].ports
    assert fold(held, answer({}))[17].ports is None


def test_one_card_has_one_grant() -> None:
    assert list(fold(fold({}, answer({})), answer({"number": 18}))) == [18]


def test_a_full_answer_is_the_whole_truth() -> None:
    other = {"number": 18, "client": "02:00:00:00:00:02"}
    held = fold({}, answer({}, other))
    assert list(fold(held, answer(other))) == [17, 18]
    assert list(fold(held, answer(other, full=True))) == [18]
    assert list(fold(held, answer(ends=(17, 99)))) == [18]

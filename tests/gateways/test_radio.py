"""The wifi of a school goes off and on at its hours: with the portal, without it, after weeks without it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateways.nftables.feed import InvalidAnswer, parse_answer
from gateways.nftables.radio import WEEK_SECONDS, RadioPlan, plan_row, read_plan
from tests.gateways.hotspot import Hotspot, hotspot, until

DAY, HOUR = 24 * 3600.0, 3600.0
# Two weeks from here: on for an hour on the first day (a button), and from 8 to 9 on each day of the second week.
START = 1_000_000.0
TWO_WEEKS = RadioPlan(
    START + 14 * DAY,
    (
        (START + 10 * HOUR, START + 11 * HOUR),
        *((START + day * DAY + 8 * HOUR, START + day * DAY + 9 * HOUR) for day in range(7, 14)),
    ),
)


@pytest.mark.parametrize(
    ("at", "claim"),
    [
        (10 * HOUR - 1, False),
        (10 * HOUR, True),
        (11 * HOUR, False),
        (7 * DAY + 8 * HOUR, True),
        (7 * DAY + 9 * HOUR, False),
    ],
)
def test_it_is_on_in_its_stretches_and_off_between_them(at: float, claim: bool) -> None:
    assert TWO_WEEKS.is_on(START + at) is claim


@pytest.mark.parametrize("weeks", [2, 3, 20])
def test_alone_for_longer_it_repeats_the_last_week(weeks: int) -> None:
    """Never off for ever, and never on at an hour that only somebody's press had opened."""
    begin = START + weeks * WEEK_SECONDS
    for day in range(7):
        assert TWO_WEEKS.is_on(begin + day * DAY + 8 * HOUR)
        assert not TWO_WEEKS.is_on(begin + day * DAY + 9 * HOUR)
        assert not TWO_WEEKS.is_on(begin + day * DAY + 10 * HOUR)


def test_what_is_read_is_what_was_written() -> None:
    assert read_plan(json.loads(json.dumps(plan_row(TWO_WEEKS)))) == TWO_WEEKS
    body = {"version": 1, "full": True, "now": 1.0, "grants": [], "ends": []}
    assert parse_answer(json.dumps(body | {"wifi": plan_row(TWO_WEEKS)}).encode()).radio == TWO_WEEKS
    assert parse_answer(json.dumps(body).encode()).radio is None
    for wrong in (
        [],
        {"until": 1},
        {"until": "x", "on": []},
        {"until": 1, "on": [[1]]},
        {"until": 1, "on": 2},
    ):
        with pytest.raises(InvalidAnswer):
            parse_answer(json.dumps(body | {"wifi": wrong}).encode())


def is_up(spot: Hotspot) -> bool:
    shown = spot.net.gateway.ns.run(["ip", "-j", "link", "show", "dev", "wlan9"]).stdout
    return "UP" in json.loads(shown)[0]["flags"]


def tell(spot: Hotspot, *on: tuple[float, float]) -> None:
    """What the portal says from now on of the wifi, in seconds from now."""
    now = spot.portal.now()
    spot.portal.rest = {
        "wifi": {"until": now + 14 * DAY, "on": [[now + start, now + end] for start, end in on]}
    }
    spot.portal.change({})


@pytest.mark.netns
def test_the_interface_follows_the_hours_and_survives_portal_and_agent(tmp_path: Path) -> None:
    with hotspot(tmp_path, radio_interfaces=["wlan9"], start=False) as spot:
        spot.net.gateway.ns.ip("link add wlan9 type bridge", "link set wlan9 up")
        spot.agent.start()
        spot.portal.wait_confirmed()
        assert is_up(spot)
        # Off; and off again, whoever brings it up.
        tell(spot)
        until(lambda: not is_up(spot), seconds=15)
        spot.net.gateway.ns.ip("link set wlan9 up")
        until(lambda: not is_up(spot), seconds=15)
        # A class is switched on. It ends although neither portal nor agent is what it was.
        tell(spot, (-1, 20))
        until(lambda: is_up(spot), seconds=15)
        spot.agent.kill()
        spot.portal.stop()
        spot.agent.start()
        until(lambda: not is_up(spot), seconds=40)


@pytest.mark.netns
def test_a_wifi_that_is_nobodys_business_any_more_is_brought_up(tmp_path: Path) -> None:
    with hotspot(tmp_path, radio_interfaces=["wlan9"], start=False) as spot:
        spot.net.gateway.ns.ip("link add wlan9 type bridge", "link set wlan9 up")
        spot.agent.start()
        tell(spot)
        until(lambda: not is_up(spot), seconds=15)
        spot.portal.rest = {}
        spot.portal.change({})
        until(lambda: is_up(spot), seconds=15)
        # From here on an operator may take it down.
        spot.net.gateway.ns.ip("link set wlan9 down")
        tell(spot, (-1, HOUR))
        spot.portal.wait_report(lambda report: report.get("faults") == [])
        assert not is_up(spot)


@pytest.mark.netns
@pytest.mark.parametrize("interfaces", [[], ["wlan8"]], ids=["none named", "missing"])
def test_a_wifi_that_cannot_be_switched_is_told_to_the_portal(tmp_path: Path, interfaces: list[str]) -> None:
    with hotspot(tmp_path, radio_interfaces=interfaces) as spot:
        tell(spot)
        report = spot.portal.wait_report(lambda report: report.get("faults"))
        assert [fault["code"] for fault in report["faults"]] == ["radio"]

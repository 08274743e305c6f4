"""What others do to nftables: told by the kernel, put right at once where it is ours, and ignored where it is not."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from gateways.nftables.notices import Notices
from lab.namespace import Namespace
from tests.gateways.hotspot import Hotspot, hotspot, until
from tests.gateways.test_enforcement import nft, ns
from tests.gateways.traffic import Tap, reaches

pytestmark = pytest.mark.netns
__all__ = ["ns"]
# The look that comes by itself is an hour away: what is put right was told by the kernel.
NO_TURNS = "from gateways.nftables import monitor; monitor.WATCH_SECONDS = 3600.0"


@pytest.mark.parametrize(
    "meddling",
    [
        ["flush", "ruleset"],
        ["delete", "table", "inet", "arobase"],
        ["insert", "rule", "inet", "arobase", "forward", "accept"],
        ["add", "table", "inet", "arobase", "{ flags dormant; }"],
        ["flush", "set", "inet", "arobase", "lease_d0_u0"],
        ["flush", "map", "inet", "arobase", "clients4"],
    ],
    ids=" ".join,
)
def test_what_somebody_does_to_our_table_is_put_right_at_the_kernels_word(
    tmp_path: Path, meddling: list[str]
) -> None:
    with hotspot(tmp_path, phones=2, start=False) as spot:
        ada, bo = spot.net.phone
        spot.agent.start(prelude=NO_TURNS)
        spot.portal.grant(17, ada, 600)
        spot.portal.wait_confirmed(17)
        spot.agent.nft(*meddling)
        until(lambda: not reaches(spot.net, bo, patience=0.3))
        until(lambda: spot.agent.leases().get(17) and reaches(spot.net, ada))
        with Tap(spot.net.internet, "gw0") as tap:
            reaches(spot.net, bo, patience=0.3)
            assert tap.sources(str(bo.address(4))) == []


def test_changes_of_other_tables_cost_no_look_at_ours(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    with hotspot(tmp_path, start=False) as spot:
        spot.portal.grant(17, spot.net.phone[0], 600)
        spot.agent.settings["report_seconds"] = 300.0
        spot.agent.start(nft=f'echo "$*" >> {asked}')
        spot.portal.wait_confirmed(17)
        spot.agent.nft("add table inet bans; add set inet bans cards { type ether_addr; }")
        look(spot)
        before = asked.read_text()
        for number in range(20):
            spot.agent.nft(f"add element inet bans cards {{ 02:00:00:00:02:{number:02x} }}")
        spot.agent.nft("add table ip filter")
        look(spot)
        # Nothing but what our own change needed: no table read, no rule loaded again.
        # The proof that packets come out reads its counters, and that is another matter.
        asked_since = asked.read_text()[len(before) :].splitlines()
        assert [line for line in asked_since if line != "-f -" and "list counters" not in line] == []
        assert not any("somebody" in line for line in spot.agent.lines)


def look(spot: Hotspot) -> None:
    """Have the agent change its own table, which makes it compare what it knows with what there is."""
    spot.portal.grant(17, spot.net.phone[0], 900 + spot.portal.version)
    spot.portal.wait_confirmed(17)


def test_one_who_meddles_every_moment_is_told_of_once(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        for _ in range(5):
            spot.agent.nft("add", "element", "inet", "arobase", "limited", "{ 99 }")
            until(lambda: 99 not in limited(spot))
        assert (
            len([line for line in spot.agent.lines if "another program changed our nftables table" in line])
            == 1
        )


def limited(spot: Hotspot) -> list[int]:
    listed = json.loads(spot.agent.nft("-j", "list", "set", "inet", "arobase", "limited"))["nftables"]
    return next(each["set"].get("elem", []) for each in listed if "set" in each)


def test_a_generation_that_nobody_told_of_is_not_taken_for_harmless(ns: Namespace) -> None:
    def work() -> None:
        nft("add", "table", "inet", "elsewhere")
        with closing(Notices()) as notices:
            assert not notices.spared(0, 1)
            nft("add", "set", "inet", "elsewhere", "cards", "{ type ether_addr; }")
            assert not notices.read()
            nft("add", "table", "inet", "arobase")
            assert notices.read()
            nft("add", "table", "ip", "arobase")
            assert not notices.read()

    ns.call(work)

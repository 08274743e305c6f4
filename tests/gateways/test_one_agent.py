"""One machine, one agent: what would be in each other's way is refused in a sentence, before anything is touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateways.hotspot import AgentProcess, hotspot, until
from tests.gateways.traffic import reaches

pytestmark = pytest.mark.netns


def test_a_second_agent_with_a_state_of_its_own_is_refused(tmp_path: Path) -> None:
    with hotspot(tmp_path / "first", phones=1) as spot:
        phone = spot.net.phone[0]
        spot.portal.grant(17, phone, 600)
        spot.portal.wait_confirmed(17)
        second = AgentProcess(spot.net, tmp_path / "second", redirector_port=8082, client_interface="lan1")
        second.start(ready=False)
        second.wait_line("another agent already works on this machine")
        assert second.wait_ended() == 1
        assert "lan1" not in spot.agent.nft("list", "table", "inet", "arobase")
        assert reaches(spot.net, phone)


def test_the_claim_goes_with_the_agent_however_it_ends(tmp_path: Path) -> None:
    with hotspot(tmp_path) as spot:
        spot.agent.kill()
        spot.agent.start()


def test_everything_that_stands_in_the_way_is_told_at_once(tmp_path: Path) -> None:
    flowtable = '{"flowtable": {"family": "inet", "name": "f", "table": "fast", "dev": "lan0"}}'
    with hotspot(tmp_path, start=False, client_prefixes=["203.0.112.0/20", "2001:db8:113::/60"]) as spot:
        with spot.net.gateway.ns.socket() as taken:
            taken.bind(("0.0.0.0", 8081))
            taken.listen()
            listing = f'{{"nftables": [{{"metainfo": {{}}}}, {flowtable}]}}'
            spot.agent.start(
                ready=False, nft=f"[ \"$*\" = '-j list flowtables' ] && echo '{listing}' && exit"
            )
            assert spot.agent.wait_ended() == 1
        until(lambda: spot.agent.lines[-1:] == ["ended"])
        said = "\n".join(spot.agent.lines)
        assert "a flowtable covers lan0" in said
        assert "203.0.112.0/20 overlaps 203.0.113.0/24, the network of wan0" in said
        assert "2001:db8:113::/60 overlaps 2001:db8:113::/64" in said
        assert "redirector_port: 8081 cannot be listened on: Address already in use" in said
        # Nothing of it was loaded.
        assert "arobase" not in spot.agent.nft("list", "tables")

"""The duty to prove the packets' way: once a minute, soon after others changed rules, and often while it fails."""

from __future__ import annotations

import asyncio

from gateways.faults import FaultCode
from gateways.nftables.gateway import NftablesGateway
from gateways.nftables.proof import Proof

EVERY_SECONDS, AGAIN_SECONDS, LOOK_SECONDS = 60.0, 5.0, 1.0
WORDS = {
    FaultCode.BLOCKED_4: "a granted packet does not come out at the uplink: others' rules drop it (IPv4)",
    FaultCode.BLOCKED_6: "a granted packet does not come out at the uplink: others' rules drop it (IPv6)",
    FaultCode.NO_ROUTE_4: "the way to the Internet leads through none of the uplinks (IPv4)",
    FaultCode.NO_ROUTE_6: "the way to the Internet leads through none of the uplinks (IPv6)",
    FaultCode.UNPROVED: "whether a granted packet comes out at the uplink cannot be tried",
    FaultCode.SAME_NETWORK: "the clients' addresses overlap the uplink's network",
    FaultCode.BRIDGED: "bridged frames of the clients' bridge pass our rules: set bridge-nf-call-… to 0",
}


class ProofMonitor:
    """Proves the packets' way, for ever, and notes what is wrong with it."""

    def __init__(self, gateway: NftablesGateway) -> None:
        self._gateway = gateway
        self._proof = Proof(gateway.configuration)

    def close(self) -> None:
        self._proof.close()

    async def prove(self) -> None:
        gateway = self._gateway
        while True:
            seen = gateway.enforcement.notices.elsewhere
            found = await asyncio.to_thread(self._proof.look)
            for code, detail in found.items():
                gateway.troubles.note(code, detail, WORDS[code])
            gateway.troubles.is_whole = True
            is_well = all(detail is None for detail in found.values())
            await self._rest(seen, EVERY_SECONDS if is_well else AGAIN_SECONDS)

    async def _rest(self, seen: int, seconds: float) -> None:
        """Wait, and no longer than `AGAIN_SECONDS` once others have changed something."""
        notices = self._gateway.enforcement.notices
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while (waited := loop.time() - begun) < seconds:
            if notices.elsewhere != seen and waited >= AGAIN_SECONDS:
                return
            await asyncio.sleep(LOOK_SECONDS)

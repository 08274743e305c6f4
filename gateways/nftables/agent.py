"""The gateway agent: follows the portal's feed and makes the kernel keep it. `python -m
gateways.nftables.agent`.

It ends no access by itself: every lease carries its deadline into the kernel. Stopping the agent, by
whatever means, changes nothing for anybody.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gateways.nftables import advertisements, kernel, machine, neighbours, redirector
from gateways.nftables.configuration import Configuration, InvalidConfiguration, read
from gateways.nftables.enforcement import OffloadedClients
from gateways.nftables.feed_follower import FeedFollower
from gateways.nftables.footprint import give_back_early, keep_what_is_there
from gateways.nftables.gateway import NftablesGateway
from gateways.nftables.identification import AddressMonitor
from gateways.nftables.journal import Journal
from gateways.nftables.monitor import Monitor
from gateways.nftables.portal import PortalClient
from gateways.nftables.proving import ProofMonitor
from gateways.nftables.reporter import Reporter

CANNOT_START, BAD_CONFIGURATION = 1, 2
log = logging.getLogger("gateways.nftables.agent")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM. Exit status 2 for a bad configuration, 1 when the gateway cannot be made safe."""
    parser = argparse.ArgumentParser(prog="python -m gateways.nftables.agent", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the gateway's TOML file")
    parser.add_argument("--verbose", action="store_true", help="say more")
    options = parser.parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(message)s",
    )
    try:
        configuration = read(options.config)
    except InvalidConfiguration as error:
        for fault in error.faults:
            print(fault, file=sys.stderr)
        return BAD_CONFIGURATION
    return _start(configuration)


def _start(configuration: Configuration) -> int:
    give_back_early()
    try:
        with machine.claim(), _lock(configuration.state_directory):
            if faults := machine.obstacles(configuration):
                for fault in faults:
                    log.error("the gateway cannot start: %s", fault)
                return CANNOT_START
            asyncio.run(_run(configuration))
    except machine.SecondAgent:
        log.error(
            "another agent already works on this machine, or from %s: one machine is one gateway. "
            "Stop the other one, or give each a machine or a network namespace of its own.",
            configuration.state_directory,
        )
    except OffloadedClients:
        log.error("%s", machine.offloaded_in_words(configuration.client_interface))
    except (kernel.UnknownState, kernel.KernelRefused) as error:
        log.error("nftables cannot be loaded: %s. Nothing was opened.", error)
    except OSError as error:
        log.error("the gateway cannot start: %s.", error)
    else:
        return 0
    return CANNOT_START


@contextmanager
def _lock(directory: Path) -> Iterator[None]:
    """Claim the state directory. The kernel gives it back when we end, however we end.

    On a disk that is full or read-only there is nothing to claim, and nothing that two agents could spoil.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (directory / "lock").open("a")
    except OSError as error:
        log.warning("the state directory cannot be locked: %s", error)
        yield
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise machine.SecondAgent from error
        yield


async def _run(configuration: Configuration) -> None:
    gateway = NftablesGateway(configuration, Journal(configuration.state_directory))
    lines = [PortalClient(configuration) for _ in range(3)]
    follower = FeedFollower(gateway, lines[0], lines[1])
    reporter = Reporter(gateway, lines[2])
    monitor = Monitor(gateway, reporter)
    addresses = AddressMonitor(gateway, reporter)
    proof = ProofMonitor(gateway)
    with neighbours.NeighbourTable(configuration.client_interface) as table:
        # Its port first: what cannot serve must not load rules either.
        server = await _serve(gateway, table)
        await asyncio.to_thread(gateway.start)
        duties = [
            asyncio.create_task(duty)
            for duty in (
                follower.follow(),
                follower.confirm(),
                reporter.tell_arrivals(),
                reporter.report(),
                monitor.follow_neighbours(addresses.neighbour),
                addresses.follow(),
                monitor.watch(),
                proof.prove(),
                gateway.radio.follow(),
                advertisements.announce(configuration),
            )
        ]
        keep_what_is_there()
        log.info("ready")
        try:
            await _until_told(duties)
        finally:
            for duty in duties:
                duty.cancel()
            for line in lines:
                line.close()
            server.close()
            proof.close()
            gateway.close()
    log.info("stopped; nftables rules and running leases stay in place")


async def _until_told(duties: list[asyncio.Task[None]]) -> None:
    """Wait for SIGTERM or SIGINT. A duty that ends by itself has met a fault that must not be hidden."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    stop_order = asyncio.create_task(stopped.wait())
    done, _ = await asyncio.wait([stop_order, *duties], return_when=asyncio.FIRST_COMPLETED)
    stop_order.cancel()
    for task in done:
        task.result()


async def _serve(gateway: NftablesGateway, table: neighbours.NeighbourTable) -> asyncio.Server:
    configuration = gateway.configuration
    deps = redirector.RedirectorDeps(
        portal_url=configuration.portal_url,
        identity=configuration.gateway,
        key=lambda: gateway.landing_key,
        now=gateway.now,
        lookup=table.lookup,
        holds=gateway.holds,
        refuses=gateway.book.refuses,
    )
    return await redirector.serve(redirector.Redirector(deps), configuration.redirector_port)


if __name__ == "__main__":
    sys.exit(main())
